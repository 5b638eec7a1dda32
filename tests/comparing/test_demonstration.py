"""``compare`` asks the demonstration site under Apache and mod_wsgi, and under gunicorn."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.support.both_servers import apache, gunicorn, needs_apache
from tests.support.servers import environment
from tests.support.trees import open_directory

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    needs_apache,
    pytest.mark.skipif(find_spec("photologue") is None, reason="the site needs django-photologue"),
]

# The table of testproject.settings, as Apache has it.
LINES = """\
WSGIDaemonProcess site threads=2 python-path={directory}:{packages}
WSGIDaemonProcess guestbook threads=2 python-path={directory}/testproject/neighbours:{packages}
WSGIDaemonProcess tenants threads=2 python-path={directory}/testproject/neighbours
WSGIProcessGroup site
WSGIApplicationGroup %{{GLOBAL}}
WSGIScriptAliasMatch "^/(admin|files|photologue)" \
    "{directory}/testproject/scripts/wsgi_handler.py/$1"
WSGIScriptAlias /api "{directory}/testproject/scripts/django.wsgi/api"
WSGIScriptAliasMatch "^/wsgi-scripts/([^/]+)" "{directory}/testproject/wsgi-scripts/$1.wsgi"
WSGIScriptAlias /guestbook "{directory}/guestbook.wsgi" \
    process-group=guestbook application-group=%{{GLOBAL}}
WSGIScriptAliasMatch "^/(tenant-\\w+)" "{directory}/testproject/neighbours/tenants/$1/wsgi.py" \
    process-group=tenants application-group=%{{RESOURCE}}
"""
KEPT = """
WSGIMATCH_FALLBACK = None
"""
CHANGED = """
WSGIMATCH_FALLBACK = None
WSGIMATCH_ALIASES[0] = script_alias_match("^/(admin|files)", "scripts/wsgi_handler.py/$1")
"""
TARGETS = (
    *("/admin/", "/admin", "/admin/login/?next=/admin/", "/admin/photologue/photo/", "/admin/x"),
    *("/files/static/testproject/site.css", "/files/static/admin/css/base.css", "/files/none"),
    *("/photologue/gallerylist/", "/photologue/gallerylist", "/photologue/gallery/dusk/"),
    *("/photologue/photo/lamps/", "/photologue/photo/nobody/", "/photologues", "/api/", "/api"),
    *("/api/dusk/", "/api/dusk", "/api/nobody/", "/wsgi-scripts/hello", "/wsgi-scripts/hello/you"),
    *("/wsgi-scripts/nobody", "/wsgi-scripts/", "/guestbook/", "/guestbook", "/guestbook/x"),
    *("/tenant-amber/some/path?a=b", "/tenant-birch", "/tenant-none", "/", "/nothing", "//api//"),
)
# What the options of the process group do here, Apache leaves to the script.
GUESTBOOK = """\
import os
os.environ.update(
    DJANGO_SETTINGS_MODULE="guestbook.settings",
    GUESTBOOK_VAR="{}/testproject/var",
    GUESTBOOK_SECRET="{}",
)
from guestbook.wsgi import application
"""
# Where an application tells its own process.
IGNORED = (
    r"Answered by process [0-9]+",
    r'"(pid|answered)": [0-9]+',
    r'"(python|process_group|application_group)": "[^"]*"',
)


@pytest.fixture(scope="module")
def site() -> Iterator[Path]:
    """A copy of the site, filled, which Apache's user can read."""
    with open_directory() as directory:
        ignored = shutil.ignore_patterns("var", "__pycache__")
        shutil.copytree(ROOT / "testproject", directory / "testproject", ignore=ignored)
        own = directory / "packages/django_wsgimatch"
        shutil.copytree(ROOT / "django_wsgimatch", own, ignore=ignored)
        for words in (["migrate", "--verbosity", "0"], ["demo", "--no-elsewhere"]):
            manage(directory, "testproject.settings", *words)
        var = directory / "testproject/var"
        for path in (var, *var.rglob("*")):
            path.chmod(0o777 if path.is_dir() else 0o666)
        secret = (var / "guestbook-secret").read_text()
        (directory / "guestbook.wsgi").write_text(GUESTBOOK.format(directory, secret))
        (directory / "targets").write_text("\n".join(TARGETS))
        yield directory


def manage(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "django", *words],
        cwd=directory,
        env=environ_of(directory),
        capture_output=True,
        text=True,
        check=False,
    )


def environ_of(directory: Path) -> dict[str, str]:
    environ = environment("testproject.settings")
    return {**environ, "PYTHONPATH": f"{directory}:{environ['PYTHONPATH']}"}


@pytest.fixture(scope="module")
def under_apache(site) -> Iterator[str]:
    """Its address there."""
    with apache(site, LINES, ["django", "django-photologue"]) as address:
        yield address


def compared(directory: Path, under_apache: str, more: str) -> tuple[int, dict[str, Any]]:
    """Serve the site with more settings under gunicorn, too, and compare the two."""
    text = (ROOT / "testproject/settings.py").read_text()
    (directory / "testproject/settings.py").write_text(text + more)
    ignored = [word for pattern in IGNORED for word in ("--ignore", pattern)]
    with gunicorn(directory, "testproject.settings") as new:
        words = ("compare", under_apache, new, "targets", "--json", *ignored)
        done = manage(directory, "wsgimatch", *words)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_the_site_under_apache_and_gunicorn_does_not_differ(site, under_apache):
    status, told = compared(site, under_apache, KEPT)

    assert (status, told["different"]) == (0, [])
    assert told["requests"] == len(TARGETS)


@pytest.mark.thorough("test_the_site_under_apache_and_gunicorn_does_not_differ")
def test_with_one_alias_of_the_site_changed_exactly_its_urls_differ(site, under_apache):
    status, told = compared(site, under_apache, CHANGED)

    differing = [each["target"] for each in told["different"]]
    assert (status, differing) == (1, [each for each in TARGETS if each.startswith("/photologue")])
