"""Small real Django sites, written from a few words: a server's own project, and others."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.core.management import CommandError
from django.test import override_settings

from django_wsgimatch.cli.check import finding_record, findings
from django_wsgimatch.doctor.findings.project_report import Told
from django_wsgimatch.doctor.projects import project_processes
from django_wsgimatch.doctor.projects.project_processes import Project, Question, ask_project
from tests.support.commands import run
from tests.support.groups import sockets_of

ROOT = Path(__file__).resolve().parents[2]

SETTINGS = """\
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = {secret!r}
ALLOWED_HOSTS = ["*"]
USE_TZ = True
ROOT_URLCONF = "{name}.urls"
STATIC_URL = "static/"
INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
    "django.contrib.messages", "django.contrib.admin", "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [{{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {{"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]}},
}}]
DATABASE = BASE_DIR / "{name}.sqlite3"
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE}}}}
SESSION_COOKIE_NAME = "{name}_sessionid"
CSRF_COOKIE_NAME = "{name}_csrftoken"
"""
URLS = """\
from django.contrib import admin
from django.contrib.auth import views as auth
from django.http import HttpResponse
from django.urls import include, path, re_path
def page(request):
    return HttpResponse(request.build_absolute_uri())
{views}
urlpatterns = [
{patterns}
]
"""
PATTERNS = 'path("", page, name="home"), path("about/", page, name="about"),'
WSGI = """\
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "{name}.settings"
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
"""


@dataclass(frozen=True, slots=True)
class DjangoProject:
    """
    A project of the site: what its settings add, and its URL patterns, as source.

    ``script`` is the source of its WSGI script, ``views`` that of views beside ``page``.
    """

    settings: str = ""
    patterns: str = PATTERNS
    script: str = WSGI
    views: str = ""
    secret: str = ""


@dataclass(frozen=True, slots=True)
class SmallSite:
    """The server's own project, other projects by name, and the aliases as source."""

    aliases: str
    projects: Mapping[str, DjangoProject] = field(default_factory=dict)
    own: DjangoProject = field(default_factory=DjangoProject)
    more: str = ""


TABLE = "from django_wsgimatch import alias, script_alias, script_alias_match\n"
PLAIN_OWN = SETTINGS.format(name="own", secret="the key of own") + f"\n{TABLE}"
URLS_OF_PLAIN_OWN = URLS.format(patterns=textwrap.indent(PATTERNS, "    "), views="")
_told_by_plain_own: dict[tuple[Question, ...], Told] = {}


def write_site(directory: Path, site: SmallSite) -> Path:
    """Write a site's files: each project in a folder beside the others, its script in scripts/."""
    groups = {name: {"python_path": [str(directory)]} for name in site.projects}
    table = (
        f"{TABLE}INSTALLED_APPS.append('django_wsgimatch')\n"
        f"WSGIMATCH_SOCKET_DIRECTORY = {str(sockets_of(directory))!r}\n"
        f"WSGIMATCH_PROCESS_GROUPS = {groups!r}\n"
        f"WSGIMATCH_ALIASES = [\n{textwrap.indent(textwrap.dedent(site.aliases), '    ')}]\n"
        f"{textwrap.dedent(site.more)}"
    )
    (directory / "scripts").mkdir(parents=True, exist_ok=True)
    write_project(directory, "own", site.own, table)
    for name, project in site.projects.items():
        write_project(directory, name, project, "")
    return directory


def write_project(directory: Path, name: str, project: DjangoProject, more: str = "") -> None:
    """Write a project's files."""
    folder = directory / name
    folder.mkdir()
    (folder / "__init__.py").touch()
    settings = SETTINGS.format(name=name, secret=project.secret or f"the key of {name}")
    (folder / "settings.py").write_text(settings + textwrap.dedent(project.settings) + "\n" + more)
    patterns = textwrap.indent(textwrap.dedent(project.patterns), "    ")
    (folder / "urls.py").write_text(
        URLS.format(patterns=patterns, views=textwrap.dedent(project.views))
    )
    (directory / "scripts" / f"{name}.wsgi").write_text(project.script.format(name=name))


# What the commands read: settings of this package, and of Django's.
READ_BY_COMMANDS = ("WSGIMATCH_", "BASE_DIR", "MEDIA_", "STATIC_", "SILENCED_")


def path_of(directory: Path) -> str:
    """A PYTHONPATH that leads to a site's projects and to this package."""
    return os.pathsep.join([str(directory), str(ROOT)])


def manage(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a subcommand of ``manage.py wsgimatch`` for the site's own project."""
    variables = {"PYTHONPATH": path_of(directory), "DJANGO_SETTINGS_MODULE": "own.settings"}
    return subprocess.run(
        [sys.executable, "-m", "django", "wsgimatch", *words],
        cwd=directory,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _ask_plain_own_project_once(
    project: Project, questions: tuple[Question, ...], stop: threading.Event | None = None
) -> Told:
    """Have a project answer; an own project without additions says the same each time."""
    text = Path("own/settings.py").read_text() + Path("own/urls.py").read_text()
    is_plain = not project.script and text.startswith(PLAIN_OWN) and URLS_OF_PLAIN_OWN in text
    if not is_plain:
        return ask_project(project, questions, stop)
    if questions not in _told_by_plain_own:
        _told_by_plain_own[questions] = ask_project(project, questions, stop)
    return _told_by_plain_own[questions]


@contextmanager
def as_own_project(directory: Path) -> Iterator[None]:
    """Give this process the settings, environment and folder of a site's own project."""
    environ = {"DJANGO_SETTINGS_MODULE": "own.settings", "PYTHONPATH": path_of(directory)}
    values = runpy.run_path(str(directory / "own" / "settings.py"))
    settings = {name: values[name] for name in values if name.startswith(READ_BY_COMMANDS)}
    before = os.getcwd()
    os.chdir(directory)
    try:
        with (
            override_settings(**settings),
            patch.dict(os.environ, environ),
            patch.object(sys, "path", [str(directory), *sys.path]),
        ):
            yield
    finally:
        os.chdir(before)


def manage_here(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a subcommand for the site's own project in this process; as ``manage`` else."""
    with as_own_project(directory):
        try:
            output, errors, status = run(*words)
        except CommandError as error:
            output, errors, status = "", f"CommandError: {error}\n", error.returncode
    return subprocess.CompletedProcess(words, status, output, errors)


def check(directory: Path) -> list[dict[str, Any]]:
    """
    Return what ``manage.py wsgimatch check --json`` finds of a site, found by this process.

    The projects are asked in processes of their own, as ever; one that most sites have is asked
    once.
    """
    with (
        as_own_project(directory),
        patch.object(project_processes, "ask_project", _ask_plain_own_project_once),
    ):
        return [finding_record(each) for each in findings()]
