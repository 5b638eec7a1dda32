"""``manage.py wsgimatch list``: the table, with the state of each script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, asdict, dataclass
from functools import partial

from ..aliases.alias import Alias, Answer, Redirection, Rewriting
from ..aliases.file_options import FileOptions
from ..aliases.groups import GLOBAL
from ..aliases.resolve import Rules
from ..conf import configuration
from ..configured import Configuration, NamedTable
from ..doctor.targets.files import TargetPlace, survey
from ..doctor.targets.listing import Listings
from ..text import aligned, readable, shown
from .common.output import Output
from .common.subcommand import Options, Subcommand, add_json_option
from .common.terminal import Screen
from .common.unplanned import unplanned, unplanned_lines

COLUMNS = (
    *("entry", "host", "position", "kind", "location", "target", "options"),
    *("process group", "application group", "script"),
)
# The groups that are named %{GLOBAL} in the settings, and "" in the environ.
EMBEDDED, MAIN = "(embedded)", "(main interpreter)"

_BROKEN = "broken"
_DENIED, _REDIRECTED, _REWRITTEN = "denied", "redirected", "rewritten"
_FILES, _FIRST = "files", "files first"
# The states in which an entry does what it should.
_SOUND = (
    *("script", "module", "directory"),
    *(_DENIED, _REDIRECTED, _REWRITTEN, _FILES, _FIRST),
)
_NOTHING = ("-", EMBEDDED, MAIN)
_ENTRY, _SCRIPT = COLUMNS.index("entry"), COLUMNS.index("script")


@dataclass(frozen=True, slots=True)
class Row:
    """
    One entry of the table, or of the files before it, as ``list --json`` has it.

    ``host`` is the virtual host's pattern, None for the entries of all hosts. What a broken
    entry, or one without an application, does not have is None; ``reason`` says what is wrong with
    it or its script, why it refuses requests or where it sends them, ``unplanned`` why each of its
    requests walks through the file system, "" where they do not. ``access`` are the lines of its
    own access rules, ``when`` the conditions of an entry that rewrites URLs.
    """

    host: str | None
    position: int
    where: str
    _: KW_ONLY
    kind: str | None = None
    location: str | None = None
    target: str | None = None
    process_group: str | None = None
    application_group: str | None = None
    callable_object: str | None = None
    pass_authorization: bool | None = None
    state: str
    script: str | None = None
    reason: str
    unplanned: str = ""
    access: tuple[str, ...] = ()
    when: tuple[str, ...] = ()


def _run(options: Options, output: Output) -> int:
    """Show every entry with its place and the state of its script."""
    configured = configuration()
    found = rows(configured)
    if options["as_json"]:
        output.write_json(list(map(asdict, found)))
    elif (screen := output.screen) is not None:
        _draw(found, screen)
        for line in unplanned_lines(configured):
            screen.line(line)
    else:
        lines = aligned([COLUMNS, *map(_cells, found)])
        output.write_lines([*lines, *unplanned_lines(configured)])
    return 0


def rows(configured: Configuration) -> Iterator[Row]:
    """
    Yield all entries: those for plain HTTP, the files that come first, those of the tables.

    Of these each virtual host's own come before those for every host.
    """
    problems = {problem.where: str(problem.error) for problem in configured.problems}
    rows_of = partial(
        _table_rows, rules=configured.rules, problems=problems, reasons=unplanned(configured)
    )
    yield from rows_of(configured.tables_before_files())
    yield from _first_rows(configured, problems)
    yield from rows_of(configured.tables())


def _table_rows(
    tables: Iterable[NamedTable],
    *,
    rules: Rules,
    problems: Mapping[str, str],
    reasons: Mapping[str, str],
) -> Iterator[Row]:
    listings = Listings()
    for named in tables:
        for position, where in named.own_names():
            alias, why = named.table.aliases[position], reasons.get(where, "")
            own = _access_lines(alias)
            row = partial(Row, named.host, position, where, unplanned=why, access=own)
            if where in problems:
                yield row(state=_BROKEN, reason=problems[where])
            elif alias.answer is not None:
                yield _answering(row, alias, alias.answer)
            else:
                yield _row(row, alias, survey(alias, rules, listings), rules)


def _first_rows(configured: Configuration, problems: Mapping[str, str]) -> Iterator[Row]:
    usable = {each.where: each.alias for each in configured.files_first}
    for position, where in enumerate(configured.names_of_first_files()):
        if where in problems:
            yield Row(None, position, where, state=_BROKEN, reason=problems[where])
            continue
        alias = usable[where]
        yield Row(
            None,
            position,
            where,
            kind=alias.directive,
            location=alias.location,
            target=alias.target,
            state=_FIRST,
            reason="",
            access=_access_lines(alias),
        )


def _access_lines(alias: Alias) -> tuple[str, ...]:
    return () if alias.access is None else tuple(alias.access.lines())


def _answering(row: Callable[..., Row], alias: Alias, answer: Answer) -> Row:
    row = partial(row, kind=alias.directive, location=alias.location)
    match answer:
        case Redirection():
            return row(state=_REDIRECTED, reason=f"{answer.status} {answer.url}".rstrip())
        case FileOptions():
            return row(target=alias.target, state=_FILES, reason="")
        case Rewriting():
            when = tuple(f"{name} {pattern}" for name, pattern in answer.when)
            how = "append_query=True" if answer.append_query else ""
            how = how if answer.status is None else f"status={answer.status}"
            row = partial(row, location=answer.pattern, target=answer.url, when=when)
            return row(state=_REWRITTEN, reason=how)
    return row(state=_DENIED, reason=answer.note)


def _row(row: Callable[..., Row], alias: Alias, place: TargetPlace, rules: Rules) -> Row:
    passes = alias.pass_authorization
    return row(
        kind=alias.kind,
        location=alias.location,
        target=alias.target,
        process_group=alias.process_group or rules.process_group,
        application_group=alias.application_group or rules.application_group,
        callable_object=alias.callable_object or "application",
        pass_authorization=rules.pass_authorization if passes is None else passes,
        state=place.state,
        script=place.path,
        reason=place.reason,
    )


def _cells(row: Row) -> tuple[str, ...]:
    """An entry as the texts of its columns; "-" stands for nothing."""
    return (
        shown(row.where),
        shown(row.host or "-"),
        str(row.position),
        row.kind or "-",
        readable(row.location or "-"),
        readable(row.target or "-"),
        _options(row),
        _group(row.process_group, EMBEDDED),
        _group(row.application_group, MAIN),
        _script(row),
    )


def _options(row: Row) -> str:
    options = []
    if row.callable_object not in (None, "application") and row.state != "module":
        options.append(f"callable_object={readable(row.callable_object or '')}")
    if row.pass_authorization is False:
        options.append("pass_authorization=False")
    if row.state == _REWRITTEN:
        options += [*filter(None, [row.reason]), *(f"when={readable(w)}" for w in row.when)]
    if row.access:
        options.append(f"access={readable('; '.join(row.access))}")
    return " ".join(options) or "-"


def _group(name: str | None, is_global: str) -> str:
    return is_global if name == GLOBAL else readable(name or "-")


def _script(row: Row) -> str:
    if row.state == _BROKEN:
        return shown(f"broken: {row.reason}")
    if row.state == _DENIED:
        return shown(f"{row.state}: {row.reason}" if row.reason else row.state)
    path = readable(row.script or "")
    return f"{row.state} {path}" if row.state in _SOUND else f"{row.state}: {path}"


def _draw(found: Iterable[Row], screen: Screen) -> None:
    """Draw the table, without the columns that say nothing in any row."""
    states, lines = [], []
    for row in found:
        is_sound = row.state in _SOUND
        *texts, script = _cells(row)
        # Where all is well, the target says enough.
        lines.append((*texts, row.state if is_sound else script))
        states.append(row.state if is_sound else "unusable")
    columns = [n for n in range(len(COLUMNS)) if any(line[n] not in _NOTHING for line in lines)]
    screen.table(
        [COLUMNS[n] for n in columns],
        (
            [(line[n], state if n == _SCRIPT else "") for n in columns]
            for line, state in zip(lines, states, strict=True)
        ),
        folded=COLUMNS,
        whole=[COLUMNS[_ENTRY]],
    )


SUBCOMMAND = Subcommand(add_json_option, _run)
