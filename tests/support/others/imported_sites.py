"""Sites of other servers in a folder, imported, and asked as the settings would serve them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.test import override_settings

from django_wsgimatch.answers.first_files import FilesFirst, tried_files
from django_wsgimatch.apache.importing import Imported
from django_wsgimatch.apache.writing.fragment import python_lines
from django_wsgimatch.conf import configuration
from django_wsgimatch.dispatcher import Dispatcher
from tests.support.wsgi import get

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# An application tells which it is, and what it was given.
APPLICATION = """\
import json

def make(name):
    def application(environ, start_response):
        told = [name, environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "")]
        body = json.dumps(told).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response("200 OK", headers)
        return [body]
    return application

application = make("THIS")
other = make("THIS other")

def create():
    return make("THIS created")
"""
# What an application has told, a file's text, or a status with the Location, if there is one.
Told = Any


def write_site(folder: Path, files: Mapping[str, str]) -> Path:
    """
    Write a site's files, ``{ROOT}`` in them filled in.

    A file without text that ends in .py is an application that bears the file's name.
    """
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not text and path.suffix == ".py" and path.name != "__init__.py":
            text = APPLICATION.replace("THIS", path.stem)
        path.write_text(text.replace("{ROOT}", str(folder)))
    return folder


def settings_text(imported: Imported) -> str:
    """The settings file that an import writes."""
    assert imported.settings is not None, imported.outcomes
    return "\n".join(python_lines(imported.settings, "site")) + "\n"


def settings_dict(imported: Imported) -> dict[str, Any]:
    """The settings by name."""
    found: dict[str, Any] = {}
    exec(settings_text(imported), found)
    return {name: value for name, value in found.items() if name.startswith("WSGIMATCH_")}


@contextmanager
def served(imported: Imported, folder: Path) -> Iterator[WSGIApplication]:
    """What answers imported settings; all applications run here, with the groups' paths."""
    before, path = set(sys.modules), list(sys.path)
    settings = settings_dict(imported)
    for group in settings.get("WSGIMATCH_PROCESS_GROUPS", {}).values():
        sys.path[:0] = group.get("python_path", [])
    try:
        with override_settings(BASE_DIR=folder, **settings):
            configured = configuration()
            assert configured.problems == ()
            dispatcher = Dispatcher(configured.table, None, rules=configured.rules)
            yield FilesFirst(dispatcher, tried_files(configured), rules=configured.rules)
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
                del sys.modules[name]


def ask_all(application: WSGIApplication, targets: Sequence[str]) -> dict[str, Told]:
    """What is answered, by target; one that begins with a name asks that host."""
    return {target: _ask(application, target) for target in targets}


def _ask(application: WSGIApplication, target: str) -> Told:
    host, slash, rest = target.partition("/")
    answer = get(application, slash + rest, HTTP_HOST=host or "localhost")
    headers = {name.lower(): value for name, value in answer.headers}
    location = headers.get("location")
    if location is not None:
        # Apache makes a URL of a path that it redirects to.
        location = location.removeprefix(f"http://{host or 'localhost'}")
    return told_of(answer.code, location, answer.body)


def told_of(status: int, location: str | None, body: bytes) -> Told:
    """What an answer says: an application's list, a file's text, a status, or a redirect."""
    if location is not None:
        return f"{status} {location}"
    if status != 200:
        return status
    text = body.decode()
    return json.loads(text) if text.startswith("[") else text


def report_of(imported: Imported) -> dict[str, str]:
    """By option, what the report says: the category and the note."""
    return {each.text: f"{each.category}: {each.note}" for each in imported.outcomes}


def categories_of(imported: Imported) -> dict[str, str]:
    """By option, the category."""
    return {each.text: each.category for each in imported.outcomes}


def refusals_of(imported: Imported, folder: Path) -> list[str]:
    """What could not be read, each with its place; the folder is left out."""
    assert imported.settings is None
    refused = (each for each in imported.outcomes if each.category == "refused")
    lines = (f"{each.spot}: {each.text}: {each.note}" for each in refused)
    return [line.replace(f"{folder}/", "") for line in lines]
