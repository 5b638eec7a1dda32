"""
A group's set-up, tried once in a process such as its own: its user, its Python, nothing loaded.

What fails here would fail at each start: then the group does not start at all, or goes without.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Mapping

from ...daemon.manager.starting import GroupAccount, environment_of, resource_limits
from ...daemon.options import GroupOptions
from ...text import cut
from ..findings.finding import Finding, Findings
from .pythons import run_python

_LIMITS = {"process_limit": "NPROC", "open_files_limit": "NOFILE", "core_limit": "CORE"}
# Without these a group starts all the same, and says so in its log.
_DISPENSABLE = ("locale", "cpu_priority", "stack_size")
_FATAL = ("home", "memory_limit", "virtual_memory_limit", *_LIMITS)


def trial_findings(
    where: str, options: GroupOptions, python: str, account: GroupAccount | None
) -> Findings:
    """Yield what of a group's set-up fails, tried as its user; takes as long as its Python."""
    failed = attempt(options, python, account)
    for name in filter(failed.get, _FATAL):
        yield _not_started(where, name, getattr(options, name), failed[name], options)
    if options.log_file is not None and (reason := refusal_of_log(options.log_file)):
        yield _not_started(where, "log_file", options.log_file, reason, options)
    for name in filter(failed.get, _DISPENSABLE):
        yield _without(where, name, getattr(options, name), failed[name])


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


def _not_started(
    where: str, name: str, value: object, reason: str, options: GroupOptions
) -> Finding:
    who = f"user {options.user!r}" if options.user is not None else "the server's user"
    return Finding(
        "E030",
        where,
        f"the group cannot start: {name} {value!r}, tried as {who}: {reason}. All its URLs get "
        "503.",
        _CURES.get(name, f"Give {name} a value that {who} may set."),
    )


def _without(where: str, name: str, value: object, reason: str) -> Finding:
    goes_on = {
        "locale": "dates, numbers and sorting follow the C locale",
        "cpu_priority": "it has the server's priority",
        "stack_size": "its threads have stacks of the system's default size",
    }[name]
    return Finding(
        "W053",
        where,
        f"{name} {value!r} has no effect: {reason}. The group starts without it: {goes_on}.",
        _CURES[name],
    )
