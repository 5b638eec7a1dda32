"""What the tests of the subcommands of ``manage.py wsgimatch`` share: a site, and how one runs."""

from __future__ import annotations

import io
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from django.views import View

from django_wsgimatch import script_alias, script_alias_match
from django_wsgimatch.management.commands.wsgimatch import Unsuccessful

SOURCE = "def application(environ, start_response): ...\napp = application\n"


def entry(request: HttpRequest, **kwargs: str) -> HttpResponse:
    return HttpResponse()


class Page(View):
    pass


class Callable:
    def __call__(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse()


urlpatterns = [
    path("api/entry/<str:name>/", entry),
    path("page/", Page.as_view()),
    path("callable/", Callable()),
    path("", entry),
]


def site_of_scripts(directory: Path, settings: Any) -> Path:
    """Two scripts in a directory, and settings with an alias for each."""
    for name in ("api.wsgi", "scripts/blog.wsgi"):
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(SOURCE)
    settings.BASE_DIR = directory
    settings.ROOT_URLCONF = __name__
    settings.WSGIMATCH_ALIASES = [
        script_alias("/api", "api.wsgi/api"),
        script_alias_match("^/wsgi/([^/]+)", "scripts/$1.wsgi", callable_object="app"),
    ]
    return directory


def run(*arguments: str, **options: Any) -> tuple[str, str, int]:
    """What the command prints, what it complains of, and its status."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("wsgimatch", *arguments, stdout=out, stderr=err, **options)
    except Unsuccessful as error:
        return out.getvalue(), err.getvalue(), error.returncode
    return out.getvalue(), err.getvalue(), 0


def run_for(project: Path, *arguments: str) -> tuple[str, str, int]:
    """The same, of a project that tests/support/groups.py has written, in this process."""
    values = runpy.run_path(str(project / "settings.py"))
    own = {name: values[name] for name in values if name.startswith(("WSGIMATCH_", "BASE_DIR"))}
    with override_settings(**own), patch.dict(os.environ, DJANGO_SETTINGS_MODULE="settings"):
        return run(*arguments)


def asked(*arguments: str) -> Any:
    """The objects that --json gives."""
    return json.loads(run(*arguments, "--json")[0])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(*arguments: str) -> str:
    """What the command draws in a terminal."""
    terminal = Terminal()
    call_command("wsgimatch", *arguments, stdout=terminal, stderr=io.StringIO())
    return terminal.getvalue()


class Waiting:
    """A subcommand that runs; ``end()`` is its status, output and errors."""

    def __init__(self, project, *words):
        path = os.pathsep.join([os.getcwd(), str(project)])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "django", "wsgimatch", *words],
            cwd=project,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self):
        output, errors = self.process.communicate(timeout=60)
        return self.process.returncode, output, errors

    @property
    def is_over(self):
        return self.process.poll() is not None
