"""The options that every command of Django's has, wherever they stand on a command line."""

from __future__ import annotations

import argparse
from argparse import SUPPRESS
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from ..exceptions import SettingError

# The environment variable that --settings sets.
SETTINGS_MODULE = "DJANGO_SETTINGS_MODULE"
_FLAGS = ("--traceback", "--no-color", "--force-color")
_WITH_VALUE = ("--settings", "--pythonpath", "--verbosity")


@dataclass(frozen=True, slots=True)
class CommonWords:
    """
    The words of a command line, sorted.

    ``settings`` and ``python_path`` are what ``--settings`` and ``--pythonpath`` say, None where
    they are not there; ``rest`` is what is not an option of Django's.
    """

    settings: str | None
    python_path: str | None
    rest: tuple[str, ...]


class Parser(argparse.ArgumentParser):
    """Reads the options of ours among words of others; what is wrong raises SettingError."""

    def __init__(self) -> None:
        super().__init__(add_help=False, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Raise what root's command line is refused with."""
        raise SettingError(message)


def add_to(parser: argparse.ArgumentParser) -> None:
    """
    Have a subcommand take the options of every command of Django's.

    They have no defaults here: what stands before the subcommand holds unless it is said again.
    """
    parser.add_argument("-v", "--verbosity", default=SUPPRESS, type=int, choices=[0, 1, 2, 3])
    parser.add_argument("--settings", default=SUPPRESS, help="the settings module, such as a.b")
    parser.add_argument("--pythonpath", default=SUPPRESS, help="a directory to import from")
    for name, what in (
        ("--traceback", "show a traceback for a CommandError"),
        ("--no-color", "write without colours"),
        ("--force-color", "write for a terminal where there is none"),
    ):
        parser.add_argument(name, action="store_true", default=SUPPRESS, help=what)


def sort_words(words: Sequence[str]) -> CommonWords:
    """
    Sort the options of Django's out of words that are another program's.

    ``-v`` is Django's where a number follows it; gunicorn has a ``-v`` without one.
    """
    found: dict[str, str] = {}
    rest: list[str] = []
    left = deque(words)
    while left:
        word = left.popleft()
        name, equals, value = word.partition("=")
        if word in _FLAGS or (word.startswith("-v") and word[2:].isdecimal()):
            continue
        if equals and name in _WITH_VALUE:
            found[name] = value
        elif left and (word in _WITH_VALUE or (word == "-v" and left[0].isdecimal())):
            found[word] = left.popleft()
        else:
            rest.append(word)
    return CommonWords(found.get("--settings"), found.get("--pythonpath"), tuple(rest))
