"""``manage.py wsgimatch``: its command line; what a subcommand does is in ``cli/``."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib import import_module
from io import TextIOWrapper
from typing import Any

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    DjangoHelpFormatter,
    OutputWrapper,
)

from ...asroot import common_options
from ...cli.common.ending import end_by, open_closed_streams, signal_that_ended
from ...cli.common.output import Output
from ...cli.common.subcommand import Subcommand

# Each has a file in cli/, which is loaded where it is asked for.
SUBCOMMANDS = {
    "check": "report problems in the table",
    "list": "show the table",
    "preview": "show where URLs go, and why",
    "serve": "serve the table, with gunicorn",
    "status": "show the groups of the running servers",
    "restart": "replace a group's processes by new ones",
    "stop": "end a group until the next request to it",
    "drain": "have balancers send no more requests to the running servers, or again",
    "import": "write settings from an Apache configuration",
    "export": "write the configuration of an Apache that stands in front",
    "compare": "send the same requests to two sites, and show what differs",
}
# Two names would be words of Python's.
FILES = {"list": "listing", "import": "imports"}
# All that follows it is gunicorn's: nothing begins an option of ours.
_GUNICORN_S = "serve"


class Unsuccessful(CommandError):
    """A subcommand has written its result, which is a failure."""


class Command(BaseCommand):
    """Finds out which subcommand is meant, and hands over to it."""

    help = (
        "Check, list, preview and serve the WSGI script aliases, look after their groups, import "
        "a configuration of Apache, export one, compare two sites."
    )
    # A broken table must not stop the command that explains it.
    requires_system_checks = ()
    is_command_line = False
    # Those that may be meant. Django's call_command() looks at the options of all.
    words: Collection[str] = SUBCOMMANDS

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the subcommands; only of those that may be meant, the arguments too."""
        subcommands = parser.add_subparsers(
            title="subcommands", metavar=" | ".join(SUBCOMMANDS), required=True
        )
        for name, text in SUBCOMMANDS.items():
            if name == _GUNICORN_S:
                added = subcommands.add_parser(name, help=text, prefix_chars="\0", add_help=False)
            else:
                added = subcommands.add_parser(name, help=text)
                added.formatter_class = DjangoHelpFormatter
            added.set_defaults(subcommand=name)
            if name in self.words:
                _load(name).add_arguments(added)
                if name != _GUNICORN_S:
                    common_options.add_to(added)

    def run_from_argv(self, argv: list[str]) -> None:
        """Run the command line; a reader that is gone and Ctrl-C end it without a word."""
        if sys.stdout is None or sys.stderr is None:
            open_closed_streams()
            self.stdout, self.stderr = OutputWrapper(sys.stdout), OutputWrapper(sys.stderr)
        self.is_command_line = True
        self.words = frozenset(argv[2:])
        # All that the command has begun is ended before it ends itself.
        if signum := signal_that_ended(partial(super().run_from_argv, argv)):
            end_by(signum)

    def handle(self, *args: Any, **options: Any) -> None:
        """
        Run the subcommand; a command line exits with its status, if that is not 0.

        Raises Unsuccessful with that status where it was called by call_command().
        """
        name = options["subcommand"]
        with ExitStack() as stack:
            for each in (self.stdout, self.stderr):
                stack.enter_context(_escaping(each))
            status = _load(name).run(options, Output(self.stdout, self.stderr, options))
        if status and self.is_command_line:
            sys.exit(status)
        if status:
            raise Unsuccessful(
                f"`wsgimatch {name}` ended with status {status}; what it has written says why.",
                returncode=status,
            )


def _load(name: str) -> Subcommand:
    module = import_module(f"django_wsgimatch.cli.{FILES.get(name, name)}")
    subcommand: Subcommand = module.SUBCOMMAND
    return subcommand


@contextmanager
def _escaping(wrapper: Any) -> Iterator[None]:
    """Have a stream escape what its encoding does not have, as ASCII has no accents."""
    stream = wrapper._out
    if not isinstance(stream, TextIOWrapper):
        yield
        return
    before = stream.errors
    stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        stream.reconfigure(errors=before)
