"""``manage.py wsgimatch import``: settings from an Apache configuration, and what became of it."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..apache.covering.access import RULES
from ..apache.importing import Imported, import_configuration
from ..apache.lines.directive import Directive, Surroundings
from ..apache.lines.limits import Volume
from ..apache.outcomes.outcome import CATEGORIES, NOT_SHOWN, Category, Outcome, tally
from ..apache.protected_urls import Protected
from ..apache.reading.reading import read_file, read_text
from ..apache.resolving.addresses import at_address
from ..apache.writing.fragment import python_lines, server_record, values
from ..entry_options.texts import utf8_text
from ..exceptions import AddressError, FrontError
from ..fronts.apache.behind import import_behind_apache
from ..fronts.backend import DEFAULT_BACKEND, Backend, read_backend
from ..text import readable, shown, to_json
from ..unit.importing import import_unit
from ..uwsgi.importing import import_uwsgi
from ..whole_files import write_whole
from .common.comparison import add_comparison_arguments, compare_sites
from .common.output import Output
from .common.subcommand import Options, Subcommand, command_error
from .common.surroundings import add_surroundings, given_surroundings
from .common.terminal import Screen

STANDARD_INPUT = STANDARD_OUTPUT = "-"

READ = ("apache", "uwsgi", "unit")
WRITTEN = ("python", "json")
_NOUNS = {"apache": "directive", "uwsgi": "option", "unit": "value"}
_OF_APACHE = {
    "is_open": "--open",
    "is_behind": "--behind-apache",
    "verify": "--verify",
    "server_root": "--server-root",
    "module": "--module",
}
# By what is read: the options that it has no use for.
_UNFIT: dict[str, dict[str, str]] = {
    "apache": {},
    "uwsgi": {**_OF_APACHE, "address": "--address"},
    "unit": {**_OF_APACHE, "define": "--define"},
}
_PLURAL: dict[Category, str] = {"needs you": "need you"}
# Of lines that a rule has beside it.
_COUNTED: dict[Category, str] = {"part": "part of what needs you"}
_WIDTH = max(map(len, CATEGORIES))
_CLOSED = (
    "Access rules: these URLs answer 403 to everybody until you decide. Delete the entry once "
    "something else enforces the rule:"
)
_CARRIED = "Access rules in WSGIMATCH_ACCESS, for these URLs as in Apache:"
_OPEN = (
    "Access rules: Apache refuses some requests for these URLs, and here they are open to "
    "everybody:"
)


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "file",
        metavar="FILE",
        nargs="+",
        help="the configuration, or the output of `apache2ctl -t -D DUMP_CONFIG`; - for "
        "standard input. Of uWSGI several files, and folders as an emperor has them",
    )
    parser.add_argument("--output", metavar="PATH", help="write the settings to this file")
    parser.add_argument(
        "--format",
        action="append",
        default=[],
        choices=[*READ, *WRITTEN],
        help="what FILE is (apache by default), or what is written: settings in Python (default), "
        "or the settings and the report as JSON; may be given again, once for each",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="exit with 1 if anything needs your attention, whatever --accept says",
    )
    parser.add_argument(
        "--accept",
        action="store_true",
        help="exit with 0 although something is left closed or needs your attention",
    )
    _add_apache_arguments(parser)


def _add_apache_arguments(parser: ArgumentParser) -> None:
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "--open",
        action="store_true",
        dest="is_open",
        help="leave open what access rules of Apache protect, instead of refusing it with 403",
    )
    ways.add_argument(
        "--behind-apache",
        action="store_true",
        dest="is_behind",
        help="Apache stays in front, with what `export apache` makes of FILE: settings for what it "
        "passes on, and a report in which all else stays there",
    )
    parser.add_argument(
        "--to",
        metavar="ADDRESS",
        help="behind Apache: where the new server listens, as `export apache` is told "
        f"(default {DEFAULT_BACKEND})",
    )
    parser.add_argument(
        "--address",
        metavar="ADDRESS",
        help="the virtual hosts of this address alone, such as *:80 or 10.0.0.1:443",
    )
    add_surroundings(parser)
    asking = parser.add_argument_group(
        "proof", "Instead of an import, as `compare --from-import` does it."
    )
    asking.add_argument(
        "--verify",
        nargs=2,
        metavar=("OLD_URL", "NEW_URL"),
        help="ask both sites what is made of FILE, and show what differs by its lines",
    )
    add_comparison_arguments(asking)


def _run(options: Options, output: Output) -> int:
    """Write settings, and say on standard error what became of each directive."""
    if options["verify"]:
        _kind(options)
        return _verify(options, output)
    imported = _import(options, output)
    is_python = _said(options, WRITTEN) == "python"
    if is_python:
        for line in protected_lines(imported):
            output.remark(line)
    if (screen := output.error_screen) is not None:
        _draw(imported.outcomes, screen)
    elif is_python:
        output.remark("\n".join(report_lines(imported.outcomes)))
    for line in remark_lines(imported):
        output.remark(line)
    output.remark(import_summary(imported.outcomes, _NOUNS[_said(options, READ)]))
    is_strict = options["check"] or not options["accept"]
    return int(imported.settings is None or (is_strict and imported.needs_you))


def _verify(options: Options, output: Output) -> int:
    """Ask two sites for what is made of a configuration; 1 if anything differs."""
    file = _only_file(options)
    old, new = options["verify"]
    asked = options | {"old": old, "new": new, "file": file, "from_import": True, "method": []}
    asked |= {"as_json": _said(options, WRITTEN) == "json"}
    return compare_sites(asked, Output(output.stdout, output.stderr, asked))


def _said(options: Options, formats: Sequence[str]) -> str:
    """Return the one of some formats that --format names, the first without it."""
    return next((each for each in reversed(options["format"]) if each in formats), formats[0])


def _import(options: Options, output: Output) -> Imported:
    """Import files and write the settings. Raises CommandError."""
    try:
        imported = _read(options)
        written = write_settings(imported, _source(options["file"]), _said(options, WRITTEN))
        if options["output"] in (None, STANDARD_OUTPUT):
            output.write_file(written)
        elif written:
            write_whole(options["output"], written.encode())
    except AddressError as error:
        raise command_error(f"--address: {shown(str(error))}.") from error
    except FrontError as error:
        raise command_error(f"--to: {error}.") from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise command_error(f"{error.filename}: {error.strerror}.") from error
    return imported


def _read(options: Options) -> Imported:
    """Return what has become of the files; each format has its own importer."""
    kind = _kind(options)
    if kind == "uwsgi":
        return import_uwsgi(options["file"], given_surroundings(options).environ or {})
    file = _only_file(options)
    if options["to"] and not options["is_behind"]:
        raise command_error("--to says where Apache passes requests to: add --behind-apache.")
    if kind == "unit":
        return _import_unit(file, options["address"])
    return import_file(
        file,
        given_surroundings(options),
        is_open=options["is_open"],
        address=options["address"],
        behind=read_backend(options["to"] or DEFAULT_BACKEND) if options["is_behind"] else None,
    )


def _kind(options: Options) -> str:
    """Return what the files are. Raises CommandError for an option that says nothing of that."""
    kind = _said(options, READ)
    for name, given in _UNFIT[kind].items():
        if options[name]:
            raise command_error(f"{given} says nothing of a configuration of {kind}'s.")
    return kind


def _only_file(options: Options) -> str:
    file, *others = map(str, options["file"])
    if others:
        raise command_error(f"{others[0]}: name one FILE. Only uWSGI has several.")
    return file


def _import_unit(path: str, address: str | None) -> Imported:
    if path != STANDARD_INPUT:
        return import_unit(path, address=address)
    text = sys.stdin.buffer.read(Volume().room + 1).decode("latin-1")
    return import_unit("<stdin>", text, address=address)


def _source(files: Sequence[str]) -> str:
    """Return what the settings say that they were made of."""
    return ", ".join(Path(each).name for each in files) if len(files) > 1 else str(files[0])


def import_file(
    path: str,
    surroundings: Surroundings,
    *,
    is_open: bool = False,
    address: str | None = None,
    behind: Backend | None = None,
) -> Imported:
    """
    Import an Apache configuration; "-" is standard input. Raises OSError, and AddressError.

    What Apache protects is closed, unless ``is_open``. Of the virtual hosts those of an
    ``address`` count, of all without one. ``behind`` is where an Apache that stays passes requests
    to, None where it goes.
    """
    if path == STANDARD_INPUT:
        text = sys.stdin.buffer.read(Volume().room + 1).decode("latin-1")
        found = read_text(text, "<stdin>", surroundings)
    else:
        found = read_file(path, surroundings)
    if address is not None:
        found = at_address(found, address)
    if behind is not None:
        return import_behind_apache(found, behind)
    return import_configuration(found, is_open=is_open)


def write_settings(imported: Imported, source: str, shape: str) -> str:
    """
    Return what is written for an import, "" where nothing can be.

    ``shape`` is "python" or "json"; ``source`` says what was imported.
    """
    if shape == "json":
        return to_json(import_record(imported)) + "\n"
    if imported.settings is None:
        return ""
    name = "standard input" if source == STANDARD_INPUT else Path(source).name
    return "".join(f"{line}\n" for line in python_lines(imported.settings, name))


def _cells(outcome: Outcome) -> tuple[str, str, str, str]:
    """An outcome as texts: the category, the spot, the directive, the note."""
    if not outcome.text:
        # The whole file is meant.
        file = outcome.spot.file
        note = outcome.note.removeprefix(f"{file} ")
        return outcome.category, shown(file), "", readable(note)
    place = shown(str(outcome.spot))
    return outcome.category, place, readable(outcome.text), readable(outcome.note)


def protected_lines(imported: Imported) -> Iterator[str]:
    """Yield a heading and a line for each URL that Apache protects, none where there are none."""
    yield from _carried_lines(imported)
    heading = ""
    for each in imported.protected:
        if heading != (heading := _OPEN if each.is_open else _CLOSED):
            yield heading
        rules = ", ".join(f"{rule.spot}: {_text_of(rule)}" for rule in each.closed.rules)
        state = "open" if each.is_open else "closed"
        yield f"{state:<{_WIDTH}}  {readable(each.urls)}{_of(each.host)}: {readable(rules)}"


def _carried_lines(imported: Imported) -> Iterator[str]:
    heading = _CARRIED
    for each in imported.carried:
        rules = [rule for rule in each.carried.rules if rule.key in RULES]
        if not rules:
            continue
        if heading:
            yield heading
            heading = ""
        said = ", ".join(f"{rule.spot}: {_text_of(rule)}" for rule in rules)
        urls = readable(each.carried.urls)
        yield f"{'kept':<{_WIDTH}}  {urls}{_of(*each.hosts)}: {readable(said)}"


def _of(*hosts: str | None) -> str:
    names = ["unknown hosts" if host == "*" else readable(host) for host in hosts if host]
    return f" of {', '.join(names)}" if names else ""


def _text_of(directive: Directive) -> str:
    return " ".join(f"{directive.name} {directive.rest}".split())


def report_lines(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Yield a line for each directive, its note behind it; equal ones that follow are folded."""
    for category, place, text, note in _folded(outcomes):
        yield f"{category:<{_WIDTH}}  {': '.join(filter(None, (place, text, note)))}"


def _folded(outcomes: Iterable[Outcome]) -> Iterator[tuple[str, str, str, str]]:
    """
    Yield outcomes as texts, those of one file that say the same at the place of the first.

    Of the parts of a rule the names say enough: the rule is what has to be decided on.
    """
    same: dict[tuple[str, ...], list[Outcome]] = {}
    for outcome in outcomes:
        is_single = outcome.spot.used_at or outcome.text in ("", NOT_SHOWN)
        where = str(outcome.spot) if is_single else ""
        text = "" if outcome.category == "part" and not is_single else outcome.text
        key = (outcome.category, outcome.spot.file, where, text, outcome.note)
        same.setdefault(key, []).append(outcome)
    for first, *others in same.values():
        category, place, text, note = _cells(first)
        lines = "".join(f", {each.spot.line}" for each in others)
        if any(each.text != first.text for each in others):
            text = _names_of((first, *others))
        yield category, f"{place}{lines}", text, note


def _names_of(outcomes: Iterable[Outcome]) -> str:
    names = dict.fromkeys(each.text.partition(" ")[0] for each in outcomes)
    return readable(", ".join(names))


def remark_lines(imported: Imported) -> Iterator[str]:
    """Yield a line for each warning that Apache would give."""
    for remark in imported.remarks:
        yield f"{'remark':<{_WIDTH}}  {shown(str(remark.spot))}: {readable(remark.text)}"


def import_summary(outcomes: Sequence[Outcome], noun: str = "directive") -> str:
    """Return how many directives, or whatever ``noun`` says, there are; how many became what."""
    counts = tally(outcomes)
    parts = [f"{count} {_counted(category, count)}" for category, count in counts.items() if count]
    count = len(outcomes)
    return f"{count} {noun}{'' if count == 1 else 's'}: {', '.join(parts) or 'none'}."


def _counted(category: Category, count: int) -> str:
    name = _COUNTED.get(category, category)
    return _PLURAL.get(category, name) if count > 1 else name


def _draw(outcomes: Iterable[Outcome], screen: Screen) -> None:
    """Draw what became of each directive."""
    rows = []
    for category, *texts in _folded(outcomes):
        rows.append([(category, category), *((text, "") for text in texts)])
    # At the end of a long path stands the number of the line.
    screen.table(("becomes", "line", "directive", "note"), rows, folded=["line"])


def import_record(imported: Imported) -> dict[str, Any]:
    """Return an import as ``import --format json`` has it."""
    settings = imported.settings
    return {
        "settings": None if settings is None else values(settings),
        "server": None if settings is None else server_record(settings),
        "protected": list(map(_protected_record, imported.protected)),
        "report": list(map(_outcome_record, imported.outcomes)),
        "remarks": [
            {"file": each.spot.file, "line": each.spot.line, "text": utf8_text(each.text)}
            for each in imported.remarks
        ],
        "summary": {"directives": len(imported.outcomes), **tally(imported.outcomes)},
    }


def _protected_record(found: Protected) -> dict[str, Any]:
    alias = found.closed.alias
    return {
        "host": None if found.host is None else utf8_text(found.host),
        "kind": alias.directive,
        "location": utf8_text(alias.location),
        "is_open": found.is_open,
        "is_whole": found.closed.is_whole,
        "rules": [
            {"file": rule.spot.file, "line": rule.spot.line, "directive": utf8_text(_text_of(rule))}
            for rule in found.closed.rules
        ],
    }


def _outcome_record(outcome: Outcome) -> dict[str, Any]:
    return {
        "file": outcome.spot.file,
        "line": outcome.spot.line,
        "directive": utf8_text(outcome.text),
        "category": outcome.category,
        "note": utf8_text(outcome.note),
    }


SUBCOMMAND = Subcommand(_add_arguments, _run)
