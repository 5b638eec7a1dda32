"""The doctor at real small sites: leaks between scripts, shadows, patterns and open doors."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.small_projects import DjangoProject, SmallSite, check, write_site

ALIKE = "def application(environ, start_response): ...\n"
SETTING = "import os\nos.environ.setdefault({!r}, {!r})\n" + ALIKE
# As many projects are served: the script finds the project, and imports what Django has made.
IMPORTING = """\
import sys
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from {name}.wsgi import application
"""
WSGI_PY = """\
import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{name}.settings")
application = get_wsgi_application()
"""
# A project as cookiecutters make it: everything is called config.
IN_A_FOLDER = """\
import os, sys
sys.path.insert(0, os.path.dirname(__file__))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
def application(environ, start_response): ...
"""
NORTH_AND_SOUTH = {
    f"{name}/{file}": source
    for name in ("north", "south")
    for file, source in {
        "app.wsgi": IN_A_FOLDER,
        "config/__init__.py": "",
        "config/settings.py": "SECRET_KEY = 'x'\n",
    }.items()
}
MANAGE_PY = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "{}.settings")\n'
TWO_GROUPS = 'WSGIMATCH_PROCESS_GROUPS |= {"one": {}, "two": {}}\n'


@dataclass(frozen=True, slots=True)
class Site:
    """Aliases and settings as source, files besides, and modes of files."""

    aliases: str
    files: Mapping[str, str] = field(default_factory=dict)
    more: str = ""
    projects: tuple[str, ...] = ()
    modes: Mapping[str, int] = field(default_factory=dict)

    def write(self, directory: Path) -> Path:
        project = DjangoProject(script=IMPORTING)
        projects = dict.fromkeys(self.projects, project)
        write_site(directory, SmallSite(self.aliases, projects, more=self.more))
        for name in self.projects:
            (directory / name / "wsgi.py").write_text(WSGI_PY.format(name=name))
        for name, source in self.files.items():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).write_text(source)
        for name, mode in self.modes.items():
            (directory / name).chmod(mode)
        return directory


def scripts(*names: str) -> dict[str, str]:
    return {f"scripts/{name}.wsgi": ALIKE for name in names}


def alias(location: str, target: str, group: str = "") -> str:
    options = f", process_group={group!r}" if group else ""
    return f"script_alias({location!r}, {target!r}{options}),\n"


def match(pattern: str, target: str) -> str:
    return f"script_alias_match({pattern!r}, {target!r}),\n"


BOTH = alias("/red", "scripts/red.wsgi", "one"), alias("/green", "scripts/green.wsgi", "one")
NORTH = alias("/north", "north/app.wsgi", "one")
TOOL = alias("/tool", "scripts/tool.wsgi")
BLOG = alias("/blog", "scripts/blog.wsgi")

FAULTS = [
    pytest.param(
        Site(alias("/blog", "scripts/blog.wsgi"), projects=("blog",)),
        "E013",
        id="a project whose own wsgi.py sets a default that this process has already",
    ),
    pytest.param(
        Site(
            alias("/blog", "scripts/blog.wsgi", "one") + alias("/shop", "scripts/shop.wsgi", "one"),
            projects=("blog", "shop"),
            more=TWO_GROUPS,
        ),
        "E016",
        id="two projects of one group, each by its own wsgi.py",
    ),
    pytest.param(
        Site(NORTH + alias("/south", "south/app.wsgi", "one"), NORTH_AND_SOUTH, TWO_GROUPS),
        "E023",
        id="two projects of one group that are both called config",
    ),
    pytest.param(
        Site(
            "".join(BOTH),
            {
                "scripts/red.wsgi": SETTING.format("THEME", "red"),
                "scripts/green.wsgi": SETTING.format("THEME", "green"),
            },
            TWO_GROUPS,
        ),
        "W028",
        id="two scripts of one group with other defaults",
    ),
    pytest.param(
        Site(BLOG, {**scripts("blog"), "manage.py": MANAGE_PY.format("shop")}),
        "W029",
        id="the settings of another project's shell",
    ),
    pytest.param(
        Site(match("^/[a-z]+/?$", "scripts/tool.wsgi") + BLOG, scripts("tool", "blog")),
        "W030",
        id="front pages of all before the blog",
    ),
    pytest.param(
        Site(BLOG + match("^/blog/(en|de)", "scripts/tool.wsgi"), scripts("tool", "blog")),
        "W006",
        id="a special case behind the general one",
    ),
    pytest.param(
        Site(match(r"^/blog/(\d+)$", r"scripts/blog.wsgi/\1"), scripts("blog")),
        "W009 W031",
        id="a group as other languages write it",
    ),
    pytest.param(
        Site(match("^(/blog)|(/shop)$", "scripts/blog.wsgi"), scripts("blog")),
        "W004",
        id="an anchor for one branch",
    ),
    pytest.param(
        Site(TOOL, scripts("tool"), modes={"scripts": 0o777}),
        "W012",
        id="a folder of scripts that everybody may write to",
    ),
    pytest.param(
        Site(alias("/x", "apps/x/a.wsgi"), {"apps/x/a.wsgi": ALIKE}, modes={"apps": 0o777}),
        "W012",
        id="a folder above that everybody may write to",
    ),
    pytest.param(
        Site(TOOL, scripts("tool"), modes={"scripts/tool.wsgi": 0o666}),
        "W012",
        id="a script that everybody may write",
    ),
    pytest.param(
        Site(
            match("^/run/(.+)$", "apps/$1"),
            {"apps/a.wsgi": ALIKE, "apps/media/photo.jpg": ""},
            "MEDIA_ROOT = BASE_DIR / 'apps/media'\n",
        ),
        "W015",
        id="a url that runs uploads",
    ),
    pytest.param(
        Site(match("^/app/?(.*)$", "scripts/blog.wsgi/$1") + TOOL, scripts("blog", "tool")),
        "W009 W034",
        id="an optional slash before a capture",
    ),
    pytest.param(
        Site(match("^/s/(.+)/run$", "apps/$1/a.wsgi"), {"apps/x/a.wsgi": ALIKE}),
        "W035",
        id="directories at any depth",
    ),
    pytest.param(
        Site(TOOL, {**scripts("tool"), "gunicorn.conf.py": 'forwarded_allow_ips = "*"\n'}),
        "W036",
        id="gunicorn trusts everybody",
    ),
]

SOUND = [
    pytest.param(
        Site(
            alias("/blog", "scripts/blog.wsgi", "blog")
            + alias("/shop", "scripts/shop.wsgi", "shop"),
            projects=("blog", "shop"),
        ),
        id="two projects, each in its group",
    ),
    pytest.param(
        Site(NORTH + alias("/south", "south/app.wsgi", "two"), NORTH_AND_SOUTH, TWO_GROUPS),
        id="two projects called config in two groups",
    ),
    pytest.param(
        Site(
            "".join(BOTH),
            {f"scripts/{name}.wsgi": SETTING.format("TZ", "UTC") for name in ("red", "green")},
            TWO_GROUPS,
        ),
        id="two scripts of one group that agree",
    ),
    pytest.param(
        Site(
            "".join(BOTH),
            {
                "scripts/red.wsgi": SETTING.format("THEME", "red"),
                "scripts/green.wsgi": SETTING.format("THEME", "green"),
            },
            'WSGIMATCH_PROCESS_GROUPS["one"] = {"environment": {"THEME": "blue"}}\n',
        ),
        id="defaults that the group's environment overrules",
    ),
    pytest.param(
        Site(BLOG, {**scripts("blog"), "manage.py": MANAGE_PY.format("own")}),
        id="manage.py of this project",
    ),
    pytest.param(
        Site(
            match("^/blog/?$", "scripts/tool.wsgi") + match(r"\.php$", "scripts/tool.wsgi") + BLOG,
            scripts("tool", "blog"),
        ),
        id="special cases before the general one",
    ),
    pytest.param(
        Site(
            match(r"^/(?:blog|news)/(\d{4})/([a-z-]+)\.html$", "scripts/blog.wsgi/blog/$1/$2.html")
            + TOOL,
            scripts("blog", "tool"),
            'SILENCED_SYSTEM_CHECKS = ["wsgimatch.W009"]\n',
        ),
        id="groups and an escaped dot",
    ),
    pytest.param(
        Site(match("^/app(/.*)?$", "scripts/blog.wsgi$1") + TOOL, scripts("blog", "tool")),
        id="a slash and the rest together",
    ),
    pytest.param(
        Site(match("^/~([a-z]+)(?=/|$)", "homes/$1/app.wsgi"), {"homes/ann/app.wsgi": ALIKE}),
        id="a directory for each user",
    ),
    pytest.param(
        Site(
            match("^/run/([^/]+)$", "apps/$1"),
            {"apps/a.wsgi": ALIKE, "apps/media/photo.jpg": ""},
            "MEDIA_ROOT = BASE_DIR / 'apps/media'\n",
        ),
        id="uploads that no url leads to",
    ),
    pytest.param(
        Site(alias("/x", "apps/x/a.wsgi"), {"apps/x/a.wsgi": ALIKE}, modes={"apps": 0o1777}),
        id="a sticky folder above",
    ),
    pytest.param(
        Site(TOOL, {**scripts("tool"), "gunicorn.conf.py": 'forwarded_allow_ips = "10.0.0.7"\n'}),
        id="gunicorn trusts the front",
    ),
]


@pytest.mark.parametrize(("site", "expected"), FAULTS)
def test_fault_is_found(tmp_path, site, expected):
    directory = site.write(tmp_path / "site")

    found = {finding["id"].removeprefix("wsgimatch.") for finding in check(directory)}

    assert found == set(expected.split())


@pytest.mark.parametrize("site", SOUND)
def test_sound_site_is_left_in_peace(tmp_path, site):
    directory = site.write(tmp_path / "site")

    assert check(directory) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs groups as other users")
def test_application_that_may_change_its_own_code(tmp_path):
    more = 'WSGIMATCH_PROCESS_GROUPS["one"] = {"user": "nobody"}\n'
    site = Site(alias("/tool", "scripts/tool.wsgi", "one"), scripts("tool"), more)
    directory = site.write(tmp_path / "site")
    os.chown(directory / "scripts/tool.wsgi", 65534, -1)

    found = [finding["message"] for finding in check(directory) if finding["id"][-4:] == "W032"]

    assert len(found) == 1
    assert f"runs as 'nobody', who may write the script '{directory}/scripts/tool.wsgi'" in found[0]
