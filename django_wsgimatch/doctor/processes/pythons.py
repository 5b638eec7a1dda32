"""
What the Pythons of process groups say when they are asked, each as its group's user.

A group's set-up is tried once in a process such as its own: what fails here would fail at each
start. Then the group does not start at all, or goes without.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...daemon.manager.starting import GroupAccount, environment_of, resource_limits
from ...daemon.options import GroupOptions
from ...text import cut
from ..findings.finding import DiagnosedGroup, Finding, Findings
from ..programs.text import program_text
from .bounded import Bounds, Ended, Program, run_bounded

# How long a group's Python may take to say its version, or to import the settings, in seconds.
SECONDS = 20.0
# What it may print meanwhile, in bytes: names of files, or what a settings module says.
MOST_OUTPUT = 1 << 20

_VERSION = re.compile(rb"([0-9]{1,3}) ([0-9]{1,3})")
_LIMITS = {"process_limit": "NPROC", "open_files_limit": "NOFILE", "core_limit": "CORE"}
# Without these a group starts all the same, and says so in its log.
_DISPENSABLE = ("locale", "cpu_priority", "stack_size")
_FATAL = ("home", "memory_limit", "virtual_memory_limit", *_LIMITS)
_CURES: Mapping[str, str] = {
    "home": (
        "Let that user enter it and all directories above it (`namei -l` shows which one forbids "
        "it), or remove home: it is / then."
    ),
    "log_file": (
        "Name a file that the server's user can write, or remove the option: the lines then go to "
        "the server's log."
    ),
    "locale": 'Write "locale": "C.UTF-8", or install the locale (`locale -a` lists them).',
    "cpu_priority": "Write 0 or more: only root may raise a process's priority.",
    "stack_size": "Write a multiple of 4096, at least 32768, or remove the option.",
}


@dataclass(frozen=True, slots=True)
class PythonFacts:
    """
    What a Python has told: its version, and which files its user may not read.

    ``reason`` says why it has told nothing; then ``version`` is None.
    """

    version: tuple[int, int] | None
    unreadable: tuple[str, ...] = ()
    reason: str = ""


def run_python(
    python: str,
    name: str,
    words: Iterable[str],
    account: GroupAccount | None,
    *,
    flags: Sequence[str] = ("-I",),
    environment: Mapping[str, str] | None = None,
    directory: str = "/",
) -> Ended:
    """Have a Python run a program of ``programs/`` as a group's user."""
    command = [python, *flags, "-c", program_text(name), *words]
    program = Program(command, environment or {}, directory, account)
    return run_bounded(program, Bounds(SECONDS, MOST_OUTPUT))


def ask_python(python: str, files: Iterable[str], account: GroupAccount | None) -> PythonFacts:
    """
    Ask a Python for its version, and whether ``account`` may read files.

    Whatever is at ``python`` may say anything: nothing else is taken from it.
    """
    names = list(files)
    done = run_python(python, "tell_version", names, account)
    first, *said = done.output.split(b"\n")
    version = _VERSION.fullmatch(first)
    if version is None:
        text = cut(first.decode("utf-8", "backslashreplace"), 100)
        return PythonFacts(None, reason=done.reason if done.status else f"it says {text!r}")
    unreadable = tuple(name for name in names if os.fsencode(name) in set(said))
    return PythonFacts((int(version[1]), int(version[2])), unreadable)


def old_version(python: str, account: GroupAccount | None) -> tuple[int, int] | None:
    """Return the version of a Python too old for the question, None if it is not a Python."""
    done = run_bounded(Program([python, "-V"], {}, "/", account), Bounds(SECONDS, MOST_OUTPUT))
    # Python 2 tells it on standard error.
    said = done.output.decode("latin-1") + done.errors
    found = re.match(r"Python (\d{1,3})\.(\d{1,3})", said)
    return (int(found[1]), int(found[2])) if found else None


def import_error(
    python: str, options: GroupOptions, sys_path: Sequence[str], account: GroupAccount | None
) -> str:
    """
    Return why a group's settings module does not import in its Python, "" where it does.

    ``sys_path`` is the server's, for a group that has it, and else nothing.
    """
    done = run_python(
        python,
        "import_settings",
        [str(options.settings), str(len(sys_path)), *sys_path, *options.python_path],
        account,
        flags=(),
        environment=environment_of(options, account),
        directory=options.home if options.home and os.path.isdir(options.home) else "/",
    )
    return done.reason if done.status else ""


def trial_findings(group: DiagnosedGroup, python: str, account: GroupAccount | None) -> Findings:
    """Yield what of a group's set-up fails, tried as its user; takes as long as its Python."""
    failed = attempt(group.options, python, account)
    for name in filter(failed.get, _FATAL):
        yield _not_started(group, name, failed[name])
    log_file = group.options.log_file
    if log_file is not None and (reason := refusal_of_log(log_file)):
        yield _not_started(group, "log_file", reason)
    for name in filter(failed.get, _DISPENSABLE):
        yield _without(group, name, failed[name])


def attempt(options: GroupOptions, python: str, account: GroupAccount | None) -> dict[str, str]:
    """Return what of a group's set-up its user's process cannot do, with the reasons."""
    asked = _asked(options, limits=account is None)
    if not any(asked.values()):
        return {}
    done = run_python(
        python,
        "try_options",
        [json.dumps(asked)],
        account,
        flags=("-I", "-S"),
        environment=environment_of(options, account),
    )
    try:
        said = json.loads(done.output)
    except ValueError:
        # What keeps a Python from running at all is told elsewhere.
        return {}
    return {name: cut(str(reason), 300) for name, reason in dict(said).items()}


def _asked(options: GroupOptions, *, limits: bool) -> dict[str, object]:
    names = ("cpu_priority", "locale", "stack_size", "memory_limit", "virtual_memory_limit")
    asked: dict[str, object] = {name: getattr(options, name) for name in names}
    # What is no directory at all has a finding of its own.
    asked["home"] = options.home if options.home and os.path.isdir(options.home) else None
    # Root sets these limits before it gives its rights up, so that they cannot fail.
    wanted = resource_limits(options) if limits and os.geteuid() != 0 else {}
    asked["limits"] = {name: kind for name, kind in _LIMITS.items() if kind in wanted}
    return asked | {name: getattr(options, name) for name in asked["limits"]}  # type: ignore[attr-defined]


def refusal_of_log(path: str) -> str:
    """Return why the server cannot append to a group's log file, "" where it can."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        directory = os.path.dirname(path)
        return "" if os.access(directory, os.W_OK | os.X_OK) else _cannot_be_made(directory)
    except OSError as error:
        return error.strerror or str(error)
    if stat.S_ISLNK(mode):
        return "it is a symbolic link, which is not followed"
    if stat.S_ISDIR(mode):
        return os.strerror(errno.EISDIR)
    return "" if os.access(path, os.W_OK) else os.strerror(errno.EACCES)


def _cannot_be_made(directory: str) -> str:
    if not os.path.isdir(directory):
        return f"there is no directory {directory!r}"
    return f"this user may not write to {directory!r}"


def _not_started(group: DiagnosedGroup, name: str, reason: str) -> Finding:
    value, user = getattr(group.options, name), group.user
    return group.finding(
        "E030",
        f"the group cannot start: {name} {value!r}, tried as {user}: {reason}. All its URLs get "
        "503.",
        _CURES.get(name, f"Give {name} a value that {user} may set."),
    )


def _without(group: DiagnosedGroup, name: str, reason: str) -> Finding:
    goes_on = {
        "locale": "dates, numbers and sorting follow the C locale",
        "cpu_priority": "it has the server's priority",
        "stack_size": "its threads have stacks of the system's default size",
    }[name]
    value = getattr(group.options, name)
    return group.finding(
        "W053",
        f"{name} {value!r} has no effect: {reason}. The group starts without it: {goes_on}.",
        _CURES[name],
    )
