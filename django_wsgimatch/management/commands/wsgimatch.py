"""``manage.py wsgimatch``: check, list, preview, serve and import tables, look after groups."""

from __future__ import annotations

import os
import re
import sys
import threading
from argparse import ArgumentTypeError
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import asdict
from functools import partial
from io import TextIOWrapper
from typing import Any, NoReturn

from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    DjangoHelpFormatter,
    OutputWrapper,
)
from rich.console import Console

from ...apache import report
from ...apache.lines.surroundings import Surroundings
from ...asroot import common_options, group_command, gunicorn_command
from ...cli import awaiting, terminal
from ...cli import compare as comparison
from ...cli import imports as migration
from ...cli import plain_lines as presentation
from ...cli import single_group as single
from ...cli import status as running
from ...cli.ending import end_by, open_closed_streams, signal_that_ended
from ...cli.lookups import explained, findings, level, previews, rows, site, urlconf_error
from ...conf import Configuration, configuration
from ...doctor.told import wording
from ...doctor.told.progress import Progress, untold
from ...exceptions import AddressError, CompareError, ManagerError, SettingError
from ...places import environment_of_groups
from ...text import cut, shown, to_json
from ...whole_files import write_whole

# How long `--wait` waits, in seconds.
PATIENCE = 120.0
_HOST = re.compile(r"[^\s/@:]*(?::[0-9]*)?|\[[0-9a-fA-F:.]+\](?::[0-9]*)?")


class Unsuccessful(CommandError):
    """A subcommand has done its work, and its result is no success; it is written already."""


class Command(BaseCommand):
    """A thin skin over ``inspection``: each subcommand shows something and returns a status."""

    help = (
        "Check, list, preview and serve the WSGI script aliases, look after their groups, import "
        "a configuration of Apache, compare two sites."
    )
    # A broken table must not stop the command that explains it.
    requires_system_checks = ()
    is_command_line = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the subcommands; each names the method that runs it."""
        subcommands = parser.add_subparsers(
            title="subcommands",
            metavar="check | list | preview | serve | status | restart | stop | drain | import | "
            "compare",
            required=True,
        )
        check = subcommands.add_parser("check", help="report problems in the table")
        check.add_argument(
            "--fail-level",
            default="ERROR",
            choices=["CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG"],
            help="exit with 1 if there are messages of this level or above (default ERROR)",
        )
        check.add_argument(
            "--thorough",
            action="store_true",
            help="check every Django project",
        )
        check.add_argument(
            "--load-timeout",
            type=_seconds,
            metavar="SECONDS",
            help="seconds that each script may take to load and answer (default 30)",
        )
        check.set_defaults(run=self.check_table)
        listing = subcommands.add_parser("list", help="show the table")
        listing.set_defaults(run=self.list_table)
        preview = subcommands.add_parser("preview", help="show where URLs go, and why")
        preview.add_argument(
            "targets",
            nargs="+",
            metavar="TARGET",
            help="a request target, such as /blog/?page=2; "
            "- reads targets from standard input, one per line",
        )
        preview.add_argument(
            "--host", default="", metavar="NAME[:PORT]", help="the Host header of the requests"
        )
        preview.set_defaults(run=self.preview)
        # All that follows is gunicorn's: nothing begins an option of ours.
        serve = subcommands.add_parser(
            "serve", help="serve the table, with gunicorn", prefix_chars="\0", add_help=False
        )
        serve.add_argument(
            "arguments", nargs="*", metavar="...", help="gunicorn's own, such as -w 4 -b :80"
        )
        serve.set_defaults(run=self.serve)
        status = subcommands.add_parser("status", help="show the groups of the running servers")
        status.set_defaults(run=self.status)
        restart = subcommands.add_parser("restart", help="replace a group's processes by new ones")
        stop = subcommands.add_parser("stop", help="end a group until the next request to it")
        for each, do in ((restart, "restart"), (stop, "stop")):
            each.add_argument("name", metavar="NAME", help="a process group or application group")
            each.add_argument(
                "--wait", action="store_true", help="wait until it is done; exit with 1 if it fails"
            )
            each.add_argument(
                "--timeout",
                type=_seconds,
                metavar="SECONDS",
                help=f"seconds to wait (default {PATIENCE:g})",
            )
            each.set_defaults(run=self.order, do=do)
        drain = subcommands.add_parser(
            "drain", help="have balancers send no more requests to the running servers, or again"
        )
        drain.add_argument("turn", choices=["on", "off"])
        drain.set_defaults(run=self.drain)
        self._add_import(subcommands)
        self._add_compare(subcommands)
        for each in (check, listing, preview, status):
            each.add_argument(
                "--json", action="store_true", dest="as_json", help="write JSON, for programs"
            )
        for name, each in subcommands.choices.items():
            each.set_defaults(subcommand=name)
            if each is not serve:
                each.formatter_class = DjangoHelpFormatter
                common_options.add_to(each)

    def _add_import(self, subcommands: Any) -> None:
        imports = subcommands.add_parser(
            "import", help="write settings from an Apache configuration"
        )
        imports.add_argument(
            "file",
            metavar="FILE",
            help="the configuration, or the output of `apache2ctl -t -D DUMP_CONFIG`; - for "
            "standard input",
        )
        imports.add_argument(
            "--output",
            metavar="PATH",
            help="write the settings to this file",
        )
        imports.add_argument(
            "--format",
            default="python",
            choices=["python", "json"],
            help="settings in Python (default), or the settings and the report as JSON",
        )
        imports.add_argument(
            "--check", action="store_true", help="exit with 1 if anything needs your attention"
        )
        imports.add_argument(
            "--open",
            action="store_true",
            dest="is_open",
            help="leave open what access rules of Apache protect, instead of refusing it with 403",
        )
        imports.add_argument(
            "--address",
            metavar="ADDRESS",
            help="the virtual hosts of this address alone, such as *:80 or 10.0.0.1:443",
        )
        imports.add_argument(
            "--server-root",
            metavar="DIRECTORY",
            help="where relative paths of Include start",
        )
        imports.add_argument(
            "-D",
            "--define",
            action="append",
            default=[],
            dest="defines",
            metavar="NAME[=VALUE]",
            help="define a name, as apache2 -D does, or a value for ${NAME}; may be given again",
        )
        imports.add_argument(
            "--module",
            action="append",
            default=[],
            dest="modules",
            metavar="NAME",
            help="a module that <IfModule> finds, such as ssl or mod_ssl.c; may be given again",
        )
        imports.set_defaults(run=self.import_file)

    def _add_compare(self, subcommands: Any) -> None:
        compare = subcommands.add_parser(
            "compare", help="send the same requests to two sites, and show what differs"
        )
        compare.add_argument("old", metavar="OLD_URL", help="the existing site")
        compare.add_argument("new", metavar="NEW_URL", help="the new site")
        compare.add_argument(
            "file",
            metavar="FILE",
            help="request targets, one per line, or an access log; - for standard input",
        )
        compare.add_argument("--host", default="", help="the Host header for both sites")
        compare.add_argument(
            "--send",
            action="append",
            default=[],
            metavar="'NAME: VALUE'",
            help="send this header to both sites, such as a Cookie; may be given again",
        )
        compare.add_argument(
            "--header",
            action="append",
            dest="headers",
            metavar="NAME",
            help="compare this header instead of the default ones; may be given again",
        )
        compare.add_argument(
            "--ignore",
            action="append",
            default=[],
            metavar="REGEX",
            help="ignore what matches in bodies; may be given again",
        )
        compare.add_argument(
            "--method",
            action="append",
            default=[],
            dest="methods",
            metavar="NAME",
            help="also send requests of a log with this method, without a body; may be given again",
        )
        compare.add_argument("--jobs", type=int, default=4, help="concurrent requests (default 4)")
        compare.add_argument("--limit", type=int, help="stop after this many requests")
        compare.add_argument(
            "--timeout",
            type=_seconds,
            default=30.0,
            metavar="SECONDS",
            help="seconds to wait for the whole of a response (default 30)",
        )
        compare.add_argument(
            "--insecure", action="store_true", help="do not verify TLS certificates"
        )
        compare.add_argument(
            "--json", action="store_true", dest="as_json", help="write JSON, for programs"
        )
        compare.set_defaults(run=self.compare)

    def run_from_argv(self, argv: list[str]) -> None:
        """Run the command line; a reader that is gone and Ctrl-C end it without a word."""
        if sys.stdout is None or sys.stderr is None:
            open_closed_streams()
            self.stdout, self.stderr = OutputWrapper(sys.stdout), OutputWrapper(sys.stderr)
        self.is_command_line = True
        # All that the command has begun is ended before it ends itself.
        if signum := signal_that_ended(partial(super().run_from_argv, argv)):
            end_by(signum)

    def handle(self, *args: Any, **options: Any) -> None:
        """
        Run the subcommand; a command line exits with its status, if that is not 0.

        Raises Unsuccessful with that status where it was called by call_command().
        """
        with ExitStack() as stack:
            for each in (self.stdout, self.stderr):
                stack.enter_context(_escaping(each))
            status = options["run"](options)
        if status and self.is_command_line:
            sys.exit(status)
        if status:
            raise Unsuccessful(
                f"`wsgimatch {options['subcommand']}` ended with status {status}; what it has "
                "written says why.",
                returncode=status,
            )

    def check_table(self, options: dict[str, Any]) -> int:
        """Show all findings; 1 if one reaches the level to fail at."""
        with self._progress(options) as progress:
            found = findings(
                is_thorough=options["thorough"],
                seconds=options["load_timeout"],
                progress=progress,
            )
        if options["as_json"]:
            self._write_json(map(presentation.finding_record, found))
        else:
            for each in found:
                if self._is_drawn(options):
                    terminal.show_finding(self._console(options), each)
                else:
                    self._write_lines(wording.finding_lines(each))
            self.stdout.write(wording.findings_summary(found))
        fail_level = getattr(checks, options["fail_level"])
        return int(any(level(each) >= fail_level for each in found))

    def list_table(self, options: dict[str, Any]) -> int:
        """Show every entry with its place and the state of its script."""
        found = rows(configuration())
        if options["as_json"]:
            self._write_json(map(asdict, found))
        elif self._is_drawn(options):
            terminal.show_table(self._console(options), found)
        else:
            self._write_lines(presentation.table_lines(found))
        return 0

    def preview(self, options: dict[str, Any]) -> int:
        """Show what becomes of each target."""
        if not _HOST.fullmatch(options["host"]):
            raise CommandError(f"The host {options['host']!r} should be NAME or NAME:PORT.")
        configured = configuration()
        self._warn(configured)
        at = site(configured, options["host"])
        shown = previews(configured, at, _targets(options["targets"]))
        if options["as_json"]:
            self._write_json(map(asdict, shown))
            return 0
        is_full = options["verbosity"] > 1
        for each in shown:
            tried = explained(at, each)
            if self._is_drawn(options):
                terminal.show_preview(self._console(options), each, tried, is_full=is_full)
            else:
                self._write_lines(presentation.preview_lines(each, tried, is_full=is_full))
        return 0

    def serve(self, options: dict[str, Any]) -> int:
        """Become gunicorn, with the configuration that starts the groups, or one group; or help."""
        given = options["arguments"]
        if gunicorn_command.is_for_help(given):
            self.stdout.write(gunicorn_command.HELP, ending="")
        else:
            self._become_server(given, options["pythonpath"])
        return 0

    def _become_server(self, given: list[str], python_path: str | None) -> NoReturn:
        try:
            if group_command.is_for_group(given):
                words = group_command.read_group_words(given)
                single.run_group(configuration(), words, self._warn_of)
            path = ["--pythonpath", python_path] if python_path else []
            command = gunicorn_command.arguments([*path, *given])
        except (SettingError, OSError) as error:
            raise _failed(f"{error}.") from error
        except ImproperlyConfigured as error:
            # Each problem has a line of its own.
            raise CommandError("\n".join(map(shown, str(error).splitlines()))) from error
        self.stdout.flush()
        os.execve(command[0], command, environment_of_groups())

    def status(self, options: dict[str, Any]) -> int:
        """Show the groups of every running server of this project."""
        servers = self._ask(do="status")
        if options["as_json"]:
            self._write_json(servers)
        elif self._is_drawn(options):
            terminal.show_status(self._console(options), servers)
        else:
            self._write_lines(running.status_lines(servers))
        return 0

    def order(self, options: dict[str, Any]) -> int:
        """Restart or stop the places of a name; 1 if it is waited for, and fails."""
        if options["timeout"] and not options["wait"]:
            raise CommandError("--timeout says how long --wait waits; it is not there.")
        lines: Iterator[str | awaiting.Result]
        if options["wait"]:
            seconds = options["timeout"] or PATIENCE
            lines = awaiting.order_and_wait(
                configuration(), options["do"], options["name"], seconds
            )
        else:
            lines = awaiting.order_lines(configuration(), options["do"], options["name"])
        try:
            return int(sum(map(self._has_failed, lines)) > 0)
        except ManagerError as error:
            raise _refused(error) from error

    def _has_failed(self, said: str | awaiting.Result) -> bool:
        """Show a line of what became of an order, at once."""
        if isinstance(said, str):
            self.stdout.write(said)
            self.stdout.flush()
            return False
        (self.stdout if said.is_success else self.stderr).write(said.line)
        return not said.is_success

    def drain(self, options: dict[str, Any]) -> int:
        """Have the running servers of this project answer `ready` with 503, or as they are."""
        is_on = options["turn"] == "on"
        try:
            servers = running.drain(configuration(), on=is_on)
        except ManagerError as error:
            raise _refused(error) from error
        said = "is draining: it says that it is not ready" if is_on else "drains no more"
        for server in servers:
            self.stdout.write(f"Server {server} {said}.")
        return 0

    def import_file(self, options: dict[str, Any]) -> int:
        """Write settings, and say on standard error what became of each directive."""
        try:
            imported = migration.import_file(
                options["file"],
                _surroundings(options),
                is_open=options["is_open"],
                address=options["address"],
            )
            written = migration.write_settings(imported, options["file"], options["format"])
            if options["output"] in (None, migration.STANDARD_OUTPUT):
                self._write_source(written)
            elif written:
                write_whole(options["output"], written.encode())
        except AddressError as error:
            raise _failed(f"--address: {shown(str(error))}.") from error
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _failed(f"{error.filename}: {error.strerror}.") from error
        # What is wrong is not what colours standard error here.
        self.stderr.style_func = None
        if options["format"] == "python":
            for line in report.protected_lines(imported):
                self.stderr.write(line)
        if self._is_drawn(options, self.stderr):
            console = self._console(options, self.stderr)
            terminal.show_report(console, imported.outcomes)
        elif options["format"] == "python":
            self.stderr.write("\n".join(report.report_lines(imported.outcomes)))
        self.stderr.write("".join(f"{line}\n" for line in report.remark_lines(imported)), ending="")
        self.stderr.write(report.import_summary(imported.outcomes))
        return int(imported.settings is None or (options["check"] and imported.needs_you))

    def compare(self, options: dict[str, Any]) -> int:
        """Show what differs between two sites; 1 if anything does, or if nothing was asked."""
        try:
            pair = comparison.pair_of(options)
            reading = comparison.read_request_file(
                options["file"], options["methods"], options["limit"]
            )
            with self._progress(options) as progress:
                jobs = max(options["jobs"], 1)
                found = comparison.compare_sites(configuration(), pair, reading, jobs, progress)
        except CompareError as error:
            raise _failed(f"{error}.") from error
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _failed(f"{error.filename}: {error.strerror}.") from error
        if options["as_json"]:
            self.stdout.write(to_json(comparison.comparison_record(found)))
            return int(not found.is_success)
        if self._is_drawn(options):
            terminal.show_comparison(self._console(options), found)
        else:
            self._write_lines(comparison.lines(found))
        self.stderr.style_func = None
        self.stderr.write(
            "".join(f"{shown(line)}\n" for line in comparison.remarks(found)), ending=""
        )
        self.stdout.write(comparison.comparison_summary(found))
        return int(not found.is_success)

    def _ask(self, **order: Any) -> list[dict[str, Any]]:
        try:
            return running.order_all(configuration(), **order)
        except ManagerError as error:
            raise _refused(error) from error

    def _warn_of(self, reason: str) -> None:
        self.stderr.write(shown(f"wsgimatch: {reason.removesuffix('.')}."))

    def _warn(self, configured: Configuration) -> None:
        if configured.problems:
            self.stderr.write(
                f"{len(configured.problems)} of the settings or entries cannot be used as they "
                "are and take no part here; `manage.py wsgimatch check` says why."
            )
        if error := urlconf_error():
            self.stderr.write(
                f"The views cannot be named, as the URLconf does not load: {cut(error, 300)}"
            )

    def _console(self, options: dict[str, Any], stream: OutputWrapper | None = None) -> Console:
        wrapper: Any = stream or self.stdout
        # Only the stream itself tells its encoding, by which boxes are drawn in ASCII or not.
        return terminal.console(
            wrapper._out, no_color=options["no_color"], force_color=options["force_color"]
        )

    def _is_drawn(self, options: dict[str, Any], stream: OutputWrapper | None = None) -> bool:
        """Whether a stream gets colours and tables, as a terminal does."""
        return bool((stream or self.stdout).isatty() or options["force_color"])

    def _progress(self, options: dict[str, Any]) -> AbstractContextManager[Progress]:
        """Show how far a check is, where somebody may be waiting for it."""
        if options["as_json"] or not self.stderr.isatty():
            return nullcontext(untold)
        return terminal.progress_line(self._console(options, self.stderr))

    def _write_lines(self, lines: Iterable[str]) -> None:
        self.stdout.write("\n".join(map(shown, lines)))

    def _write_json(self, values: Iterable[object]) -> None:
        self.stdout.write(to_json(list(values)))

    def _write_source(self, text: str) -> None:
        """Write a file's text to standard output: as UTF-8, whatever a terminal would take."""
        binary = getattr(self.stdout, "buffer", None)
        if binary is None:
            self.stdout.write(text, ending="")
        else:
            self.stdout.flush()
            binary.write(text.encode())
            binary.flush()


def _failed(text: str) -> CommandError:
    return CommandError(shown(text))


def _refused(error: ManagerError) -> CommandError:
    return _failed(f"{str(error)[:1].upper()}{str(error)[1:]}.")


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


def _seconds(text: str) -> float:
    """Return a time that a command line gives. Raises ArgumentTypeError."""
    with suppress(ValueError):
        if 0 < float(text) <= threading.TIMEOUT_MAX:
            return float(text)
    raise ArgumentTypeError(f"{text!r} should be a number of seconds above 0")


def _surroundings(options: dict[str, Any]) -> Surroundings:
    """What an Apache configuration does not say itself, and apache2's command line does."""
    given = [each.partition("=") for each in options["defines"]]
    return Surroundings(
        server_root=options["server_root"],
        defines=tuple(name for name, equals, _ in given if not equals),
        modules=frozenset(options["modules"]) or None,
        environ={**os.environ, **{name: value for name, equals, value in given if equals}},
    )


def _targets(arguments: Iterable[str]) -> Iterator[str]:
    """The targets as latin-1 text; what a terminal passed that is no text is kept byte for byte."""
    for argument in arguments:
        if argument != "-":
            yield os.fsencode(argument).decode("latin-1")
            continue
        lines = sys.stdin.buffer.read().split(b"\n")
        if not lines[-1]:
            del lines[-1]
        yield from (line.decode("latin-1") for line in lines)
