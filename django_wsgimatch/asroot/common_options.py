"""The options that every command of Django's has, wherever they stand on a command line."""

from __future__ import annotations

import argparse
from argparse import SUPPRESS
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# The environment variable that --settings sets.
SETTINGS_MODULE = "DJANGO_SETTINGS_MODULE"
_FLAGS = ("--traceback", "--no-color", "--force-color")
_VERBOSITY = ("-v", "--verbosity")
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
    for option, value, given in _options(words):
        if option is None:
            rest += given
        elif option in _WITH_VALUE:
            found[option] = value
    return CommonWords(found.get("--settings"), found.get("--pythonpath"), tuple(rest))


def _options(words: Sequence[str]) -> Iterator[tuple[str | None, str, Sequence[str]]]:
    """Yield (an option of Django's, its value, the words that it is), or (None, "", a word)."""
    at = 0
    while at < len(words):
        option, value, length = _option(words, at)
        yield option, value, words[at : at + length]
        at += length


def _option(words: Sequence[str], at: int) -> tuple[str | None, str, int]:
    word, following = words[at], words[at + 1 : at + 2]
    name, equals, value = word.partition("=")
    if word in _FLAGS or (word.startswith("-v") and word[2:].isdecimal()):
        return word, "", 1
    if equals and name in _WITH_VALUE:
        return name, value, 1
    if following and (word in _WITH_VALUE or _is_verbosity(word, following[0])):
        return word, following[0], 2
    return None, "", 1


def _is_verbosity(word: str, following: str) -> bool:
    return word in _VERBOSITY and following.isdecimal()
