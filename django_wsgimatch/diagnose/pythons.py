"""What the Pythons of process groups say when they are asked, each as its group's user."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..daemon.options import GroupOptions
from ..daemon.starting import Account, environment_of

# How long a group's Python may take to say its version, or to import the settings, in seconds.
SECONDS = 20.0

_ASK = """\
import os, sys
print(*sys.version_info[:2])
print(*(path for path in sys.argv[1:] if not os.access(path, os.R_OK)), sep="\\n")
"""
# As daemon.process does: not the current directory, and python-path in front.
_IMPORT = """\
import importlib, site, sys
sys.path[:] = [path for path in sys.path if path]
name, count, *given = sys.argv[1:]
own, python_path = given[:int(count)], given[int(count):]
sys.path[:] = own or sys.path
for path in python_path:
    site.addsitedir(path)
sys.path[:] = dict.fromkeys([*python_path, *sys.path])
importlib.import_module(name)
"""


@dataclass(frozen=True, slots=True)
class Told:
    """
    What a Python has told: its version, and which files its user may not read.

    ``reason`` says why it has told nothing; then ``version`` is None.
    """

    version: tuple[int, int] | None
    unreadable: tuple[str, ...] = ()
    reason: str = ""


def ask(python: str, files: Iterable[str], account: Account | None) -> Told:
    """Ask a Python for its version, and whether ``account`` may read files."""
    try:
        done = _run([python, "-I", "-c", _ASK, *files], {}, "/", account)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Told(None, reason=str(error))
    first, *unreadable = done.stdout.splitlines() or [""]
    numbers = first.split()
    if len(numbers) != 2 or not all(map(str.isdecimal, numbers)):
        return Told(None, reason=_last_line(done) if done.returncode else f"it says {first!r}")
    major, minor = map(int, numbers)
    return Told((major, minor), tuple(filter(None, unreadable)))


def old_version(python: str, account: Account | None) -> tuple[int, int] | None:
    """Return the version of a Python that is too old for the question, None for what is none."""
    try:
        done = _run([python, "-V"], {}, "/", account)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"Python (\d+)\.(\d+)", done.stdout or done.stderr)
    return (int(found[1]), int(found[2])) if found else None


def import_error(
    python: str, options: GroupOptions, sys_path: Iterable[str], account: Account | None
) -> str:
    """
    Return why a group's settings module does not import in its Python, "" where it does.

    ``sys_path`` is the server's, for a group that has it, and else nothing.
    """
    own = [*sys_path]
    arguments = [str(options.settings), str(len(own)), *own, *options.python_path]
    home = options.home if options.home and os.path.isdir(options.home) else "/"
    try:
        command = [python, "-c", _IMPORT, *arguments]
        done = _run(command, environment_of(options, account), home, account)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return _last_line(done) if done.returncode else ""


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    """What went wrong, as a traceback ends."""
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"it ended with status {done.returncode}"


def _run(
    command: list[str],
    environment: Mapping[str, str],
    directory: str,
    account: Account | None,
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
        user=account.user if account is not None else None,
        group=account.group if account is not None else None,
        extra_groups=account.groups if account is not None else None,
    )
