"""Every check id has its page, and what the page shows is what ``check`` says."""

from __future__ import annotations

import os
import re
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

import django_wsgimatch
from django_wsgimatch import checks
from django_wsgimatch.aliases.patterns import pattern
from django_wsgimatch.cli.check import findings
from django_wsgimatch.daemon.servers import directory
from django_wsgimatch.doctor import site_facts as circumstances
from django_wsgimatch.doctor.findings.finding import CATALOGUE, Finding
from django_wsgimatch.doctor.findings.project_report import Told
from django_wsgimatch.doctor.processes import environment_files, groups
from django_wsgimatch.doctor.projects import project_processes
from django_wsgimatch.doctor.projects.project_processes import Project, Question, ask_project
from django_wsgimatch.doctor.table import captures
from django_wsgimatch.doctor.targets import writers
from tests.support.small_projects import DjangoProject, write_project

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "checks.rst"
SOUTH = (
    "import os\nimport sys\nsys.path.insert(0, os.path.dirname(__file__))\n"
    "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings')\n"
)
SHA = "{SHA}u8SS5DZYKLP0EektQ/jDoNAZVNI="
APPLICATION = "def application(environ, start_response): ...\n"
SCRIPTS = {
    "scripts/blog.wsgi": APPLICATION,
    "scripts/tool.wsgi": APPLICATION,
    "scripts/wiki.wsgi": "import os\nos.environ['DJANGO_SETTINGS_MODULE'] = 'wiki.conf'\n",
    "scripts/forum.wsgi": "import os\nos.environ['DJANGO_SETTINGS_MODULE'] = 'forum.conf'\n",
    "scripts/draft.wsgi": "def application(environ, start_response)\n",
    "shared/tool.wsgi": APPLICATION,
    "team/tool.wsgi": APPLICATION,
    "uploads/tools/tool.wsgi": APPLICATION,
    "public/tools/tool.wsgi": APPLICATION,
    "site/tool.wsgi": APPLICATION,
    "collected/css/site.css": "",
    "scripts/green.wsgi": "import os\nos.environ.setdefault('THEME', 'green')\n",
    "south/app.wsgi": SOUTH,
    "north/config/__init__.py": "",
    "south/config/__init__.py": "",
}


def build_site(base: Path) -> None:
    """Make the files that the examples speak of."""
    for name, source in SCRIPTS.items():
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_text(source)
    (base / "scripts/dangling.wsgi").symlink_to(base / "nowhere.wsgi")
    (base / "site/media").mkdir()
    (base / "empty").mkdir()
    (base / "etc").mkdir()
    for name, user in (("etc/open", "ann"), ("etc/plain", "bob"), ("public/users", "ann")):
        (base / name).write_text(f"{user}:{'secret' if user == 'bob' else SHA}\n")
        (base / name).chmod(0o644 if name == "etc/open" else 0o640)
    (base / "etc/variables").write_text("KEY='a b'\nPYTHONPATH=/srv/shop\n")
    (base / "etc/variables").chmod(0o600)
    (base / "etc/secrets").write_text("KEY='a b'\n")
    (base / "etc/secrets").chmod(0o644)
    (base / "shared").chmod(0o777)
    (base / "team").chmod(0o775)


def assigned(code: str, base: Path) -> dict[str, Any]:
    """The settings that an example assigns."""
    public = {name: getattr(django_wsgimatch, name) for name in django_wsgimatch.__all__}
    names: dict[str, Any] = {**public, "BASE_DIR": base}
    before = set(names)
    exec(code, names)
    return {name: value for name, value in names.items() if name.isupper() and name not in before}


def sections() -> dict[str, str]:
    """The page's sections by id."""
    parts = re.split(r"^\.\. _wsgimatch\.([EWI]\d{3}):\n", PAGE.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


SECTIONS = sections()


def blocks(section: str, language: str) -> list[str]:
    """The texts of a section's code blocks."""
    found = re.findall(rf"\.\. code-block:: {language}\n\n((?:   .*\n|\n)+)", section)
    return [textwrap.dedent(each) for each in found]


def block(section: str, language: str) -> str:
    """The text of a section's first code block."""
    return blocks(section, language)[0]


def write_projects(section: str, base: Path) -> None:
    """Write the projects that an example speaks of: a second block is what their settings have."""
    more = blocks(section, "python")[1:]
    patterns = re.search(r"urlpatterns = \[(.*)\]", more[0]) if more else None
    urls = {"patterns": f"{patterns[1]},"} if patterns else {}
    for name in ("blog", "shop"):
        write_project(base, name, DjangoProject("".join(more), **urls))


def said(findings: list[Finding], base: Path) -> list[str]:
    """What check prints, with the words that the page uses for the site."""
    lines = [" ".join(finding.lines()) for finding in findings]
    return [one_line(line.replace(str(base), "/srv/site")) for line in lines]


def expected(section: str) -> str:
    """What the page shows, as a pattern: dots stand for words that are not worth showing."""
    return re.escape(one_line(block(section, "text"))).replace(re.escape("..."), ".*")


def one_line(text: str) -> str:
    return " ".join(text.replace("tests.settings", "mysite.settings").split())


_told_by_own: dict[tuple[Any, ...], Told] = {}


def ask_own_project_once(
    project: Project, questions: tuple[Question, ...], stop: threading.Event | None = None
) -> Told:
    """Have a project answer; the tests' own says the same each time in the same environment."""
    if project.script:
        return ask_project(project, questions, stop)
    environ = {name: os.environ[name] for name in os.environ if name != "PYTEST_CURRENT_TEST"}
    key = (questions, frozenset(environ.items()))
    if key not in _told_by_own:
        _told_by_own[key] = ask_project(project, questions, stop)
    return _told_by_own[key]


@pytest.fixture
def site(tmp_path, settings, monkeypatch):
    build_site(tmp_path)
    monkeypatch.setattr(project_processes, "ask_project", ask_own_project_once)
    settings.BASE_DIR = tmp_path
    return tmp_path


def write_files(section: str, base: Path) -> None:
    """Write the files that an example shows: their blocks have the path for a caption."""
    caption = r"\.\. code-block:: python\n   :caption: /srv/site/(\S+)\n"
    for name, source in re.findall(caption + r"\n((?:   .*\n|\n)+)", section):
        (base / name).parent.mkdir(exist_ok=True)
        (base / name).write_text(textwrap.dedent(source))


def use_example(section, site, settings):
    write_files(section, site)
    if "scripts/blog.wsgi" in section and "process_group=" in section:
        write_projects(section, site)
    for name, value in assigned(block(section, "python"), site).items():
        setattr(settings, name, value)


def suppose_the_application_owns(name, monkeypatch):
    """Only root could give a directory to www-data, and not every system has one."""
    monkeypatch.setattr(circumstances, "user_of_alias", lambda configured, subject: 33)
    monkeypatch.setattr(writers, "_name", lambda user: "www-data")
    monkeypatch.setattr(writers, "_may_change", lambda user, step: step.path.endswith(name))


def suppose_that_nobody_may_read(monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode, **more: False)


def suppose_a_group_of_developers(monkeypatch):
    monkeypatch.setattr(writers, "_members", lambda group: frozenset(["ann", "bob"]))
    monkeypatch.setattr(writers, "_group_name", lambda group: "developers")


def suppose_that_root_has_become_another_user(monkeypatch):
    monkeypatch.setenv("WSGIMATCH_BY_ROOT", "1")
    monkeypatch.setattr("django_wsgimatch.doctor.processes.groups.os.geteuid", lambda: 65534)
    monkeypatch.setattr(groups, "try_base", lambda path, room: "")


@pytest.fixture
def _without_pcre2(monkeypatch):
    monkeypatch.setattr(pattern, "pcre2_package", lambda: None)


def test_page_has_every_id_in_order():
    assert list(SECTIONS) == list(CATALOGUE)


@pytest.mark.parametrize("check_id", CATALOGUE)
def test_section_says_what_the_id_means(check_id):
    meaning = re.search(r"^\*\*(.*)\.\*\*$", SECTIONS[check_id], re.MULTILINE)

    assert meaning
    assert meaning[1].lower() == CATALOGUE[check_id].lower()


def openings(text: str) -> set[str]:
    """The first three words of each sentence, and of each part behind a colon or semicolon."""
    parts = re.split(r"[.:;]\s+", one_line(text))
    return {" ".join(part.lower().split()[:3]) for part in parts if len(part.split()) > 2}


@pytest.mark.parametrize("check_id", CATALOGUE)
def test_a_hint_does_not_say_what_the_message_says(check_id):
    message, _, hint = block(SECTIONS[check_id], "text").partition("hint:")

    assert not openings(message) & openings(hint)


@pytest.mark.usefixtures("_without_pcre2")
@pytest.mark.parametrize("check_id", CATALOGUE)
def test_example_is_found_as_the_page_says(check_id, site, settings, monkeypatch):
    use_example(SECTIONS[check_id], site, settings)
    if check_id == "E022":
        monkeypatch.setattr(groups, "find_spec", lambda name: None)
    monkeypatch.setattr(captures, "_open_directories", lambda: ("/var/tmp",))
    # pytest's own folders are closed to others.
    monkeypatch.setattr(environment_files, "_lets_all_pass", lambda folder: True)
    if check_id == "E021":
        # pytest's own folders have longer names than a socket may have.
        monkeypatch.setattr(directory, "LONGEST_BASE", 4096)
    if check_id == "E051":
        suppose_that_nobody_may_read(monkeypatch)
    if check_id == "W060":
        monkeypatch.setenv("SCRIPT_NAME", "/shop/")
    if check_id == "W055":
        monkeypatch.setattr(project_processes, "SECONDS", 1.0)
    if check_id == "W039":
        monkeypatch.setenv("SECRET_KEY", "the server's")
    if check_id == "W040":
        suppose_that_root_has_become_another_user(monkeypatch)
    if check_id == "W032":
        suppose_the_application_owns("scripts", monkeypatch)
    if check_id == "W033":
        suppose_a_group_of_developers(monkeypatch)

    found = [finding for finding in findings() if finding.id == check_id]

    [line] = said(found, site)
    assert re.fullmatch(expected(SECTIONS[check_id]), line)


@pytest.mark.usefixtures("_without_pcre2")
@pytest.mark.parametrize("check_id", CATALOGUE)
def test_quick_checks_find_what_the_page_says(check_id, site, settings):
    use_example(SECTIONS[check_id], site, settings)

    found = {str(message.id) for message in checks.check_settings()}

    is_quick = (
        check_id < "E010"
        or "W000" < check_id < "W006"
        or check_id
        in (
            *("W010", "W013", "W031", "W046", "W051", "W052", "W062", "W065"),
            *("W071", "W072", "W073", "W074", "W078", "W081", "W082", "W089", "W090", "W091"),
            *("W101", "W102", "W103"),
        )
    )
    assert (f"wsgimatch.{check_id}" in found) == is_quick
