"""Small real Django sites, written from a few words: a server's own project, and others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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


def write_site(directory: Path, site: SmallSite) -> Path:
    """Write a site's files: each project in a folder beside the others, its script in scripts/."""
    groups = {name: {"python_path": [str(directory)]} for name in site.projects}
    head = "from django_wsgimatch import alias, script_alias, script_alias_match\n"
    table = (
        f"{head}INSTALLED_APPS.append('django_wsgimatch')\n"
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


def manage(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a subcommand of ``manage.py wsgimatch`` for the site's own project."""
    path = os.pathsep.join([str(directory), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-m", "django", "wsgimatch", *words],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "own.settings"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def check(directory: Path) -> list[dict[str, Any]]:
    """Return what ``manage.py wsgimatch check`` finds, as its JSON."""
    done = manage(directory, "check", "--json")
    assert done.stdout, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found
