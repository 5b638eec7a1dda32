"""What a subcommand of ``manage.py wsgimatch`` is, and what several of them have in common."""

from __future__ import annotations

import threading
from argparse import ArgumentParser, ArgumentTypeError, _ActionsContainer
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.core.management.base import CommandError

from ...text import shown
from .output import Output

# What arguments are added to: a parser, or a group of it, which has no public name.
ArgumentGroup: TypeAlias = _ActionsContainer
# What a command line says, as Django parses it.
Options: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Subcommand:
    """
    A subcommand; each file of one has it as ``SUBCOMMAND``.

    ``run`` does the work, writes what it has found, and returns the status that the command line
    exits with. It raises CommandError where it cannot do its work.
    """

    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Options, Output], int]


def add_json_option(parser: ArgumentParser) -> None:
    """Let a subcommand write JSON; the option is ``as_json``."""
    parser.add_argument(
        "--json", action="store_true", dest="as_json", help="write JSON, for programs"
    )


def add_repeatable(parser: ArgumentGroup, *names: str, metavar: str, help: str) -> None:
    """Let a subcommand take an option any number of times: it is a list."""
    help = f"{help}; may be given again"
    parser.add_argument(*names, action="append", default=[], metavar=metavar, help=help)


def seconds_above_zero(text: str) -> float:
    """Return a time that a command line gives. Raises ArgumentTypeError."""
    with suppress(ValueError):
        if 0 < float(text) <= threading.TIMEOUT_MAX:
            return float(text)
    raise ArgumentTypeError(f"{text!r} should be a number of seconds above 0")


def command_error(text: str) -> CommandError:
    """Return what a subcommand raises where it cannot do its work; ``text`` says why."""
    return CommandError(shown(text))
