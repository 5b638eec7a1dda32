"""What the Pythons of process groups say when they are asked, each as its group's user."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...daemon.manager.starting import GroupAccount, environment_of
from ...daemon.options import GroupOptions
from ...text import cut
from ..programs.text import program_text
from .bounded import Bounds, Ended, Program, run_bounded

# How long a group's Python may take to say its version, or to import the settings, in seconds.
SECONDS = 20.0
# What it may print meanwhile, in bytes: names of files, or what a settings module says.
MOST_OUTPUT = 1 << 20

_VERSION = re.compile(rb"([0-9]{1,3}) ([0-9]{1,3})")


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
