"""Process groups that would not start, or would mix projects, and the cure."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec

from ..aliases.groups import GLOBAL, is_literal
from ..aliases.resolve import Rules
from ..daemon.directory import distrust
from ..daemon.options import GroupOptions
from ..daemon.starting import account_of, environment_of, python_of
from ..exceptions import SettingError
from ..settings_guard import settings_modules
from .files import Place, read_script
from .findings import Finding, quoted
from .subject import Subject

OLDEST_PYTHON = (3, 10)
# How long a group's Python may take to say its version, or to import the settings, in seconds.
SECONDS = 20.0

_VERSION = "import sys; print(*sys.version_info[:2])"
_IMPORT = "import sys, importlib; sys.path[:0] = sys.argv[2:]; importlib.import_module(sys.argv[1])"


def undefined_groups(subjects: Iterable[Subject], rules: Rules) -> Iterator[Finding]:
    """Yield the names of process groups that nobody has defined."""
    for where, name in _named_groups(subjects, rules):
        if is_literal(name) and name not in (GLOBAL, *rules.process_groups):
            known = ", ".join(map(quoted, rules.process_groups)) or "none"
            yield Finding(
                "E006",
                where,
                f"the process group {quoted(name)} is not defined; there are: {known}. Requests "
                "get 500.",
                f"Define it: WSGIMATCH_PROCESS_GROUPS = {{{quoted(name)}: {{...}}}}; or leave it "
                "out.",
            )


def group_findings(
    groups: Mapping[str, GroupOptions], *, needs_places: bool, socket_directory: str
) -> Iterator[Finding]:
    """Yield what keeps process groups from starting; asks their Pythons, so it takes time."""
    if needs_places and find_spec("gunicorn") is None:
        yield Finding(
            "E022",
            "WSGIMATCH_PROCESS_GROUPS",
            "gunicorn is not installed, and it is gunicorn that keeps the daemon processes.",
            'pip install "django-wsgimatch[gunicorn]"',
        )
    if needs_places and os.path.lexists(socket_directory) and (why := distrust(socket_directory)):
        yield Finding(
            "E021",
            "WSGIMATCH_SOCKET_DIRECTORY",
            f"{why}. Who can write there could answer in place of the applications.",
            "Remove the directory, or name one of the server's own, with mode 0700.",
        )
    for name, options in groups.items():
        yield from _findings_of_group(f"WSGIMATCH_PROCESS_GROUPS[{name!r}]", options)


def _findings_of_group(where: str, options: GroupOptions) -> Iterator[Finding]:
    try:
        account_of(options)
    except SettingError as error:
        yield Finding("E017", where, f"{error}.", _SWITCH)
    yield from _missing_directories(where, options)
    python = python_of(options, sys.executable)
    version, reason = ask_version(python)
    if version is None or version < OLDEST_PYTHON:
        found = f"Python {version[0]}.{version[1]}" if version else reason
        yield Finding(
            "E018",
            where,
            f"python_home {options.python_home!r} does not serve: {found}.",
            "Name a virtual environment or an installation of Python 3.10 or newer: the folder "
            "that has bin/python in it.",
        )
    elif options.settings and (why := import_error(python, options)):
        yield Finding(
            "E020",
            where,
            f"the settings module {options.settings!r} does not import there: {why}.",
            "Put the folder that it lies in into python_path, and what it needs into the group's "
            "own environment.",
        )


_SWITCH = "Start the server as root, by `manage.py wsgimatch serve`, or leave user and group out."


def _missing_directories(where: str, options: GroupOptions) -> Iterator[Finding]:
    for name, path in (("home", options.home), *(("python_path", p) for p in options.python_path)):
        if path is not None and not os.path.isdir(path):
            yield Finding(
                "E019",
                where,
                f"{name} {path!r} is not a directory.",
                "Mend the path. A relative one begins in settings.BASE_DIR.",
            )


def ask_version(python: str) -> tuple[tuple[int, int] | None, str]:
    """Return a Python's version, or None and why it does not tell."""
    try:
        done = _run([python, "-I", "-c", _VERSION], {}, "/")
        major, minor = map(int, done.stdout.split())
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return None, f"{python!r} is no Python: {error}"
    return (major, minor), ""


def import_error(python: str, options: GroupOptions) -> str:
    """Return why a group's settings module does not import in its Python, "" where it does."""
    command = [python, "-c", _IMPORT, str(options.settings), *options.python_path]
    home = options.home if options.home and os.path.isdir(options.home) else "/"
    try:
        done = _run(command, environment_of(options, None), home)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = done.stderr.strip().splitlines()
    return (lines[-1] if lines else f"status {done.returncode}") if done.returncode else ""


def _run(
    command: list[str], environment: Mapping[str, str], directory: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=dict(environment),
        cwd=directory,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="backslashreplace",
        timeout=SECONDS,
        check=False,
    )


def mixed_projects(places: Iterable[tuple[Subject, Place]], rules: Rules) -> Iterator[Finding]:
    """Yield the scripts that ask for other settings than an earlier script of their place."""
    first: dict[tuple[str, str], tuple[str, str]] = {}
    for subject, place in places:
        at = place_of(subject, rules)
        if at is None or at == (GLOBAL, GLOBAL):
            continue
        for script in place.scripts if place.state == "script" else ():
            for asked in settings_modules(read_script(script)):
                other, where = first.setdefault(at, (asked, script))
                if asked != other:
                    yield _mixed(subject, script, asked, where, other)


def place_of(subject: Subject, rules: Rules) -> tuple[str, str] | None:
    """The names of an alias's groups, None where they differ from request to request."""
    alias = subject.alias
    names = (
        alias.process_group or rules.process_group,
        alias.application_group or rules.application_group,
    )
    return names if all(map(is_literal, names)) else None


def _mixed(subject: Subject, script: str, asked: str, other: str, others: str) -> Finding:
    return Finding(
        "E016",
        subject.where,
        f"the script {quoted(script)} asks for DJANGO_SETTINGS_MODULE {asked!r}, and "
        f"{quoted(other)} in the same place for {others!r}. The one that is asked second answers "
        "500.",
        "Give each project a process group of its own, or an application group.",
    )


def _named_groups(subjects: Iterable[Subject], rules: Rules) -> Iterator[tuple[str, str]]:
    if rules.process_group != GLOBAL:
        yield "WSGIMATCH_PROCESS_GROUP", rules.process_group
    for subject in subjects:
        if subject.alias.process_group is not None:
            yield subject.where, subject.alias.process_group
