"""From an Apache configuration to settings, and a report of every directive in it."""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..aliases.alias import Alias, Rewriting
from ..aliases.table import compile_location
from ..exceptions import WSGIMatchError
from .access.access_files import AccessFiles, with_access_files
from .access.parts import ClosedRules, note_parts
from .access_report import CarriedRules, note_access
from .covering.alias_lines import names_of_folders
from .covering.coverage import FileKind, FileKinds, may_be_folder
from .covering.error_pages import note_error_pages
from .covering.hosts import Host, read_hosts
from .covering.option_values import Given
from .covering.variables import set_by_others
from .first_files import first_entries
from .lines.directive import ApacheConfiguration, Directive, Refusal, Remark
from .lines.limits import Exhausted
from .outcomes.answers import answered, is_known
from .outcomes.outcome import NOT_SHOWN, PRIVATE, Ledger, Outcome, refused
from .outcomes.staying import is_apaches_alone, read_in_apache, stays_in_apache
from .passing.passed_urls import pass_urls_on
from .processes.command import ServerStart
from .processes.embedded import load_ahead, note_embedded, write_out_groups
from .processes.plain_http import read_plain_http, redirected_ports
from .processes.processes import ProcessGroup, note_users, note_uses, read_groups
from .processes.servers import NO_SERVERS, Servers, read_servers
from .processes.tls import TlsLines
from .processes.tls_clients import TlsClients
from .protected_urls import Protected, protected, refusing
from .resolving.files import answer_directly, put_entries
from .resolving.mounts import mount, mount_as_aliases
from .resolving.own_pages import find_own_pages
from .resolving.programs import find_others, find_programs, has_scripts_sent
from .resolving.resolving import ResolvedAlias, Resolver
from .resolving.tables import Tables, build_tables
from .resolving.takers import Taken, note_conditions, note_taken
from .rewriting.barring import Barred, bar
from .rewriting.plain_rules import PlainRules
from .writing.error_pages import error_page_setting
from .writing.settings import Settings, collect


@dataclass(frozen=True, slots=True)
class Imported:
    """
    What has become of a configuration.

    ``settings`` is None where a line could not be read: what it may have said would be missing.
    ``outcomes`` has one for every line that could not be read, then one for every directive.
    ``protected`` are the URLs that Apache lets only some people ask for, ``taken`` those that it
    answers itself, and an alias does here; the report names them all. ``remarks`` are Apache's
    own warnings. ``carried`` are the rules that settings say, ``stricter`` the URLs that Apache
    opens to more people than they do.
    """

    settings: Settings | None
    outcomes: tuple[Outcome, ...]
    protected: tuple[Protected, ...] = ()
    taken: tuple[Taken, ...] = ()
    remarks: tuple[Remark, ...] = ()
    carried: tuple[CarriedRules, ...] = ()
    stricter: tuple[Alias, ...] = ()

    @property
    def needs_you(self) -> bool:
        """Whether something is left for the user to do, or to look at."""
        return any(each.category in ("needs you", "unknown", "refused") for each in self.outcomes)


def kind_of_file(path: str) -> FileKind:
    """Return what the file system has at a path (latin-1 text)."""
    try:
        mode = os.stat(path.encode("latin-1")).st_mode
    except (OSError, ValueError):
        return "missing"
    if stat.S_ISDIR(mode):
        return "directory"
    return "file" if stat.S_ISREG(mode) else "missing"


@dataclass(frozen=True, slots=True)
class _How:
    """
    What is done with access rules: nothing, or what can be said is, or all is closed.

    ``is_behind`` says that Apache stays in front.
    """

    is_open: bool
    carries: bool
    is_behind: bool


def import_configuration(
    configuration: ApacheConfiguration,
    kind_of: FileKinds = kind_of_file,
    *,
    is_open: bool = False,
    is_behind: bool = False,
    carries: bool = True,
) -> Imported:
    """
    Return the settings that a configuration stands for, and what became of each directive.

    ``kind_of`` says what the file system has at a path: it tells a script from a folder of scripts
    where the configuration does not. Access rules become sections of WSGIMATCH_ACCESS; what these
    cannot say is closed, all that Apache protects without ``carries``, and nothing where it
    ``is_open``. ``is_behind`` says that Apache stays in front, without mod_wsgi alone: it answers
    and protects what it did, and only what runs scripts becomes entries.
    """
    ledger = Ledger()
    imported = Imported(None, ())
    try:
        if not configuration.refusals:
            configuration, files = with_access_files(configuration, kind_of, ledger)
            how = _How(is_open, carries and not is_open, is_behind)
            imported = _imported(configuration, files, ledger, kind_of, how)
    except Exhausted as error:
        return Imported(None, (refused(Refusal(error.spot, "", error.reason, error.cure)),))
    outcomes = [*map(refused, configuration.refusals)]
    stop = configuration.refusals[0].spot if configuration.refusals else None
    read = read_in_apache(configuration.directives) if is_behind else frozenset()
    for each in configuration.directives:
        stays = stays_in_apache(each, read) if is_behind and stop is None else None
        said = stays if stays and is_apaches_alone(each) else ledger.outcome(each)
        outcomes.append(said or stays or answered(each, stop))
    private = configuration.private
    return replace(
        imported,
        outcomes=tuple(_discreet(o) if o.spot.file in private else o for o in outcomes),
        remarks=tuple(each for each in configuration.remarks if each.spot.file not in private),
    )


def _discreet(outcome: Outcome) -> Outcome:
    """Show of a private file what is a directive for certain, and of other lines the place."""
    is_read = outcome.category in ("kept", "changed", "needs you", "not needed")
    if is_read and is_known(outcome.text.partition(" ")[0]):
        return outcome
    return replace(outcome, text=NOT_SHOWN, note=PRIVATE)


def _imported(
    configuration: ApacheConfiguration,
    access_files: AccessFiles,
    ledger: Ledger,
    kind_of: FileKinds,
    how: _How,
) -> Imported:
    directives = [each for each in configuration.directives if not each.is_off]
    named = _by_name(directives)
    main, hosts = read_hosts(directives, ledger)
    access_files.put(main, hosts)
    folders = names_of_folders(directives)
    is_part = configuration.may_be_run and not named["loadmodule"]
    resolver = Resolver(main, ledger, kind_of, folders, is_part, set_by_others(directives))
    tables, told = _tables(resolver, hosts, directives, how)
    tables = write_out_groups(tables, main.server_name, ledger, kind_of)
    tables = load_ahead(tables, named["wsgiimportscript"], ledger)
    groups, start = _processes(tables.all_scripts(), named, ledger)
    _note_aliases(tables.all_entries(), ledger)
    _note_variables(directives, ledger)
    first = first_entries(resolver, hosts, tables)
    found = protected(tables, is_open=how.is_open)
    _note_programs(tables, ledger)
    own, pages = _OnItsOwn(), None
    if not how.is_behind:
        lines = _Lines(directives, named, hosts)
        own = _on_its_own(lines, resolver, tables, found, told, start, first)
        pages = error_page_setting(named["errordocument"], main, tables, ledger)
    written = {id(each.directive) for each in tables.all_entries()}
    has_files = any(id(each) not in written for each in named["documentroot"])
    settings = collect(
        tables.opened() if how.is_open else tables,
        groups,
        ledger,
        has_files=has_files and not how.is_behind,
        servers=own.servers,
        first=first,
        error_pages=pages,
        slashed=_slashed(tables, kind_of) if configuration.has_mod_dir else (),
    )
    _note_links(resolver, settings, ledger)
    regions = tuple(each.alias for each in tables.stricter)
    said = (*found, *refusing(own.taken))
    return Imported(settings, (), said, own.taken, carried=own.carried, stricter=regions)


def _by_name(directives: Iterable[Directive]) -> defaultdict[str, list[Directive]]:
    named: defaultdict[str, list[Directive]] = defaultdict(list)
    for directive in directives:
        named[directive.key].append(directive)
    return named


@dataclass(frozen=True, slots=True)
class _Lines:
    """The directives that count, also by their names, and the virtual hosts."""

    directives: Sequence[Directive]
    named: Mapping[str, Sequence[Directive]]
    hosts: Sequence[Host]


@dataclass(frozen=True, slots=True)
class _OnItsOwn:
    """What becomes of a site where Apache goes; nothing of this where it stays."""

    taken: tuple[Taken, ...] = ()
    carried: tuple[CarriedRules, ...] = ()
    servers: Servers = NO_SERVERS


def _on_its_own(
    lines: _Lines,
    resolver: Resolver,
    tables: Tables,
    found: Sequence[Protected],
    told: Sequence[Barred],
    start: ServerStart,
    first: Sequence[ResolvedAlias],
) -> _OnItsOwn:
    """Write down what becomes of all that Apache does besides running scripts."""
    main, ledger, hosts = resolver.main, resolver.ledger, (resolver.main, *lines.hosts)
    closing = {id(rule) for each in found for rule in each.closed.rules}
    closing |= {id(e) for _, c in tables.all_closed() for e in c.rules if has_scripts_sent(e)}
    closing -= tables.untold
    written = {id(each.directive) for each in (*tables.all_entries(), *first)}
    taken = note_taken(main, lines.hosts, ledger, told, closing, written)
    carried, closing = note_access(tables, hosts, found, ledger)
    closed = ClosedRules(main, lines.hosts, closing)
    tls = TlsLines(lines.directives, main, lines.hosts)
    clients = TlsClients(tls, main, lines.hosts, closed, resolver.kind_of, ledger)
    servers = read_servers(start, lines.named, clients, tables, resolver.effort, ledger)
    _note_parts(lines.directives, hosts, closed, ledger)
    return _OnItsOwn(taken, carried, servers)


def _processes(
    scripts: Sequence[ResolvedAlias], named: Mapping[str, Sequence[Directive]], ledger: Ledger
) -> tuple[list[ProcessGroup], ServerStart]:
    """Return the process groups, and what all servers are started with."""
    groups = read_groups(named["wsgidaemonprocess"], named["wsgipythonhome"], ledger)
    users = note_users(named["user"], named["group"], groups, ledger)
    start = note_embedded(scripts, named, ledger).with_options(users)
    note_uses(groups, scripts, named["wsgiimportscript"], ledger)
    return groups, start


def _note_parts(
    directives: Sequence[Directive], hosts: Sequence[Host], closed: ClosedRules, ledger: Ledger
) -> None:
    """Say of lines to which rule they belong, and of those that no rule needs."""
    note_conditions(hosts, ledger)
    note_parts(directives, closed, ledger)
    note_error_pages(directives, ledger)


def _tables(
    resolver: Resolver, hosts: Sequence[Host], directives: Sequence[Directive], how: _How
) -> tuple[Tables, list[Barred]]:
    """Return who answers which host, and the rules that refuse some requests only."""
    if how.is_behind:
        told = _put_scripts(resolver, hosts)
        return build_tables(resolver, hosts, carries=how.carries), told
    plain = read_plain_http(resolver, hosts, directives)
    told = _put_all(resolver, hosts, directives, plain)
    tables = build_tables(resolver, hosts, carries=how.carries)
    tables.plain_http = plain
    redirected_ports(tables, resolver.main, hosts, resolver.ledger)
    return tables, told


def _put_all(
    resolver: Resolver, hosts: Sequence[Host], directives: Iterable[Directive], plain: PlainRules
) -> list[Barred]:
    """Put all that answers to the hosts, and return the rules that refuse some requests only."""
    answer_directly(resolver, hosts, plain.lines)
    pass_urls_on(resolver.main, hosts, resolver.ledger)
    find_own_pages((resolver.main, *hosts), resolver.ledger)
    find_programs(resolver.main, hosts, directives)
    find_others(resolver.main, hosts)
    # The resolver keeps what it has looked up: all sections must be there by then.
    told = bar(resolver.main, hosts)
    mount(resolver, hosts)
    put_entries(resolver, hosts)
    return told


# Apache goes on doing these to what it passes on; they begin so. What mod_wsgi believed of proxies
# is about who connects to Apache, not to the server behind it.
_DONE_BY_APACHE = ("header", "adddefaultcharset", "expires", "remoteip", "wsgitrustedprox")


def _not_of_apache(values: dict[str, Given]) -> dict[str, Given]:
    kept = (n for n, each in values.items() if not each.directive.key.startswith(_DONE_BY_APACHE))
    return {name: values[name] for name in kept}


def _put_scripts(resolver: Resolver, hosts: Sequence[Host]) -> list[Barred]:
    """Put what runs scripts alone to the hosts: Apache goes on refusing what it refuses."""
    for host in (resolver.main, *hosts):
        host.access.clear()
        host.values = _not_of_apache(host.values)
        for scope in host.scopes.values():
            scope.access.clear()
            scope.values = _not_of_apache(scope.values)
    mount_as_aliases(resolver, hosts)
    return []


def _slashed(tables: Tables, kind_of: FileKinds) -> list[ResolvedAlias]:
    """Return the entries that may lead to folders, to whose URLs mod_dir adds a slash."""
    return [each for each in tables.all_scripts() if may_be_folder(each.alias, kind_of)]


def _note_aliases(entries: Iterable[ResolvedAlias], ledger: Ledger) -> None:
    parts: dict[int, int] = defaultdict(int)
    for entry in entries:
        parts[id(entry.directive)] += entry.part is not None
        _check_location(entry, ledger)
        for directive, option in entry.uses:
            ledger.use(directive, option, entry.alias.location)
        if reason := _unfit(entry):
            ledger.note(entry.directive, "needs you", reason)
        is_plain = entry.alias.kind == "plain" and not isinstance(entry.alias.answer, Rewriting)
        if is_plain and not entry.alias.location.startswith("/"):
            ledger.note(
                entry.directive, "kept", "no URL matches it, as it does not begin with a slash"
            )
    for entry in entries:
        if count := parts[id(entry.directive)]:
            reason = f"{count + 1} entries: a section gives a part of its URLs other options"
            ledger.note(entry.directive, "changed", reason)
        else:
            ledger.note(entry.directive, "kept", "an entry")


def _check_location(entry: ResolvedAlias, ledger: Ledger) -> None:
    if entry.part is not None:
        # A part is an alias that has been compiled already: nothing else becomes one.
        return
    try:
        compile_location(entry.alias)
    except WSGIMatchError as error:
        ledger.note(entry.directive, "needs you", str(error))


def _note_programs(tables: Tables, ledger: Ledger) -> None:
    for _, each in tables.all_closed():
        reason = "403" if each.is_final else "403, where clients would read a program"
        if all(map(has_scripts_sent, each.rules)):
            reason = "404, where Apache sends a script as it is, and finds nothing below it"
        for rule in () if each.is_rule else each.rules:
            ledger.note(rule, "changed", f"{each.urls}: {reason}")


def _note_variables(directives: Iterable[Directive], ledger: Ledger) -> None:
    for directive in directives:
        name = directive.key
        if "${" in directive.rest and (name.startswith("wsgi") or name == "serveralias"):
            reason = "its variable has no value here: give it one with --define NAME=VALUE"
            ledger.note(directive, "needs you", reason)


def _unfit(entry: ResolvedAlias) -> str:
    """Return what an entry cannot say as Apache does, and what to do about it."""
    if entry.alias.answer is None and not entry.alias.target.startswith("/"):
        return (
            "its target is relative: in Apache to the directory that Apache is started in, here "
            "to BASE_DIR. Write the whole path"
        )
    if (entry.alias.callable_object or "").startswith("%{ENV:"):
        return "WSGICallableObject comes from a variable: name the callable in each entry"
    path_info = entry.values.get("accept_path_info")
    if path_info is not None and path_info.value is False:
        return (
            f"AcceptPathInfo Off in {path_info.directive.spot}: Apache answers 404 for URLs below "
            "the script. Let the application do that"
        )
    return ""


def _note_links(resolver: Resolver, settings: Settings, ledger: Ledger) -> None:
    is_said = any(each.name == "WSGIMATCH_FOLLOW_SYMLINKS" for each in settings.others)
    for given in resolver.links.values():
        if is_said:
            ledger.note(given.directive, "kept", "WSGIMATCH_FOLLOW_SYMLINKS")
        else:
            ledger.note(
                given.directive,
                "changed",
                "symbolic links on the way to scripts are followed: "
                "WSGIMATCH_FOLLOW_SYMLINKS = False refuses them everywhere",
            )
