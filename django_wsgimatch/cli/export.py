"""``manage.py wsgimatch export``: the configuration of a server that stands in front."""

from __future__ import annotations

import difflib
import os
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..apache.lines.directive import ApacheConfiguration, Surroundings
from ..apache.lines.limits import Volume
from ..apache.reading.dump import is_dump
from ..apache.reading.includes import read_text_of
from ..apache.reading.reading import read_file, read_text
from ..conf import configuration
from ..configured import Configuration
from ..exceptions import FrontError, WSGIMatchError
from ..fronts.apache.export import MODULES, Exported, ExportNote, export_configuration
from ..fronts.apache.from_table import TableHost, table_lines
from ..fronts.apache.needs import setting_lines
from ..fronts.backend import DEFAULT_BACKEND, Backend, read_backend
from ..fronts.carried import Carried
from ..text import readable, shown
from ..whole_files import write_whole
from .common.output import Output
from .common.subcommand import Options, Subcommand, command_error
from .common.surroundings import add_surroundings, given_surroundings

STANDARD_OUTPUT = "-"
_WIDTH = len("refused")


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("engine", choices=["apache"], help="the server in front")
    parser.add_argument(
        "--from",
        metavar="FILE",
        dest="file",
        help="a configuration with mod_wsgi: the same without it; by default, the table alone",
    )
    parser.add_argument(
        "--within",
        metavar="FILE",
        help="the configuration that includes FILE, such as /etc/apache2/apache2.conf",
    )
    parser.add_argument(
        "--to",
        metavar="ADDRESS",
        default=DEFAULT_BACKEND,
        help="where the new server listens: http://HOST:PORT or unix:/PATH "
        f"(default {DEFAULT_BACKEND})",
    )
    parser.add_argument("--output", metavar="PATH", help="write the configuration to this file")
    parser.add_argument(
        "--diff", action="store_true", help="show what changes in FILE, instead of all of it"
    )
    add_surroundings(parser)


def _run(options: Options, output: Output) -> int:
    """Write the configuration, and say on standard error what else is needed; 1 if refused."""
    try:
        backend = read_backend(options["to"])
        if options["file"] is None:
            return _export_table(options, backend, output)
        return _export_file(options, backend, output)
    except FrontError as error:
        raise command_error(f"{error}.") from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise command_error(f"{error.filename}: {error.strerror}.") from error


def _export_table(options: Options, backend: Backend, output: Output) -> int:
    if options["diff"] or options["within"]:
        raise FrontError("--diff and --within need a configuration: name it with --from")
    found = configuration()
    lines = table_lines(list(table_hosts(found)), backend, found.values["SERVER_NAME"])
    _write("".join(f"{line}\n" for line in lines), options["output"], output)
    _tell_needs(setting_lines(Carried(), backend), output)
    return 0


def table_hosts(configured: Configuration) -> Iterator[TableHost]:
    """Yield the hosts of the settings' table, that for every name last."""
    answers_all = configured.values["FALLBACK"] is not None
    # What such a file answers must be passed on, whatever else does not answer there.
    first = tuple(each.alias for each in configured.files_first)
    for named in configured.tables():
        yield TableHost(named.host, (*named.table.aliases, *first), answers_all)


def _export_file(options: Options, backend: Backend, output: Output) -> int:
    text, exported = export_file(
        options["file"], options["within"], backend, given_surroundings(options)
    )
    written = exported.text
    if options["diff"]:
        written = unified_diff(text, exported.text, options["file"])
    _write(written, options["output"], output)
    for line in note_lines(exported.notes):
        output.remark(line)
    _tell_needs(exported.settings, output)
    return int(bool(exported.refused))


def export_file(
    path: str, within: str | None, backend: Backend, surroundings: Surroundings
) -> tuple[str, Exported]:
    """
    Return the text of a file, and its export; ``within`` names what includes it.

    Raises FrontError where the file cannot be exported.
    """
    try:
        text = read_text_of(os.fsencode(path).decode("latin-1"), Volume().room)
    except WSGIMatchError as error:
        raise FrontError(str(error)) from error
    if is_dump(text):
        raise FrontError(f"{path} is a dump of many files: export each file by itself")
    whole: ApacheConfiguration = (
        read_text(text, path, surroundings) if within is None else read_file(within, surroundings)
    )
    return text, export_configuration(whole, text, path, backend)


def unified_diff(old: str, new: str, path: str) -> str:
    """Return what changes between two texts of a file, as ``diff -u`` shows it."""
    before, after = (text.removesuffix("\n").split("\n") for text in (old, new))
    lines = difflib.unified_diff(before, after, path, f"{Path(path).name} (exported)", lineterm="")
    return "".join(f"{line}\n" for line in lines)


def note_lines(notes: Iterable[ExportNote]) -> Iterator[str]:
    """Yield a line for each line of the configuration that changes or no longer holds."""
    for each in notes:
        place = shown(str(each.spot))
        yield f"{each.kind:<{_WIDTH}}  {place}: {readable(each.text)}: {readable(each.note)}"


def _tell_needs(settings: Iterable[str], output: Output) -> None:
    output.remark(f"Apache needs: a2enmod {' '.join(MODULES)}")
    output.remark("The project's settings need:")
    for line in settings:
        output.remark(f"    {line}")


def _write(text: str, path: str | None, output: Output) -> None:
    data: Any = text.encode("latin-1")
    if path in (None, STANDARD_OUTPUT):
        output.write_file(data.decode("utf-8", "surrogateescape"))
    else:
        write_whole(str(path), data)


SUBCOMMAND = Subcommand(_add_arguments, _run)
