"""The main server and the virtual hosts: names, aliases, and what stands in sections."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import chain

from ...aliases.alias import Alias
from ...aliases.directives import parse_directive
from ...aliases.file_options import FileOptions
from ...exceptions import DirectiveError
from ..lines.directive import Directive, Section, split_words
from ..lines.environment import is_contested, set_by_lines
from ..outcomes.answers import passed
from ..outcomes.outcome import Ledger
from .access import CONTAINERS, LIMITS, RULES, SWITCHES, replaced_systems, system_of
from .access_rules import is_of_login, says_login
from .coverage import CONDITIONS, DIRECTORIES, FILES, SCOPES, section_pattern
from .extra_values import EXTRAS_READERS, extras_given_by
from .option_values import OPTIONS, SERVER_OPTIONS, Given, given_by, replaces_options

ALIASES = ("wsgiscriptalias", "wsgiscriptaliasmatch")

# What may answer URLs, or change them, before an alias does.
TAKERS = (
    *("alias", "aliasmatch", "scriptalias", "scriptaliasmatch", "documentroot", "userdir"),
    *("redirect", "redirectmatch", "redirectpermanent", "redirecttemp", "rewriterule"),
    *("proxypass", "proxypassmatch"),
)
REWRITING = ("rewriteengine", "rewriteoptions", "rewritecond", "rewriterule", "rewritemap")
# Those that may answer with an error: "permanent" and "temp" redirect.
REDIRECTS = ("redirect", "redirectmatch")
HANDLERS = ("sethandler", "addhandler", "removehandler")

# What says whom to believe about a request's client.
PROXY_LINES = (
    *("wsgitrustedproxies", "wsgitrustedproxyheaders", "remoteipheader", "remoteipinternalproxy"),
    *("remoteipinternalproxylist", "remoteiptrustedproxy", "remoteiptrustedproxylist"),
    *("remoteipproxiesheader", "remoteipproxyprotocol", "remoteipproxyprotocolexceptions"),
)
_OF_PROXIES = "proxies "

_AROUND_RULES = ("virtualhost", *SCOPES, *CONTAINERS, *LIMITS)

# Where a scope stands in the order in which Apache merges them; the last one wins.
Rank = tuple[int, int, int]
# The rank of <Directory />.
ROOT: Rank = (1, 1, 0)


@dataclass(slots=True, eq=False)
class Scope:
    """
    What the directives in one section give, with all sections around it.

    ``options`` are the Options directives of it, in their order, as each may build on the one
    before; ``access`` are the rules that may keep somebody out, ``logins`` say how one logs in,
    ``handlers`` who answers, and ``programs`` may run files.
    ``is_inherited`` says that a section of the main server holds in virtual hosts, too, and
    ``is_broken`` that it is a folder whose .htaccess file Apache refuses: it answers 500.
    """

    sections: tuple[Section, ...]
    rank: Rank
    values: dict[str, Given] = field(default_factory=dict)
    options: list[Given] = field(default_factory=list)
    access: list[Directive] = field(default_factory=list)
    logins: list[Directive] = field(default_factory=list)
    handlers: list[Directive] = field(default_factory=list)
    programs: list[Directive] = field(default_factory=list)
    is_inherited: bool = True
    is_broken: bool = False

    def __str__(self) -> str:
        return " ".join(f"<{each.name} {each.argument}>" for each in self.sections)


@dataclass(slots=True, eq=False)
class Host:
    """
    The main server, without a ``section``, or one virtual host.

    ``names`` are its ServerName, if it has one, and its ServerAliases. ``addresses`` are written
    as in the section. ``scopes`` stand in the order of the file; ``access`` are the rules for all
    URLs, ``logins`` what is said outside of sections of how one logs in. ``is_tls`` says whether
    TLS is spoken, None where nothing says so. ``takers`` may answer URLs before an alias does;
    ``mounted`` are those of them that send URLs to WSGI scripts, ``rewriting`` all of mod_rewrite.
    ``direct`` are entries that answer before any access rule is looked at, ``rewrites`` those that
    rewrite URLs, and ``carried`` the directives, by identity, that are entries. ``first`` are files
    that come before all entries, where they are there. ``programs`` may run files. ``server_root``
    is what relative paths belong to, "" where no line says so. ``passed_over`` are sections of the
    main server that do not hold here.
    """

    section: Section | None = None
    server_name: str | None = None
    names: list[tuple[str, Directive]] = field(default_factory=list)
    aliases: list[tuple[Alias, Directive]] = field(default_factory=list)
    values: dict[str, Given] = field(default_factory=dict)
    options: list[Given] = field(default_factory=list)
    access: list[Directive] = field(default_factory=list)
    logins: list[Directive] = field(default_factory=list)
    is_tls: bool | None = None
    handlers: list[Directive] = field(default_factory=list)
    takers: list[Directive] = field(default_factory=list)
    rewriting: list[Directive] = field(default_factory=list)
    mounted: list[tuple[Alias, Directive]] = field(default_factory=list)
    direct: list[tuple[Alias, Directive]] = field(default_factory=list)
    rewrites: list[tuple[Alias, Directive]] = field(default_factory=list)
    carried: set[int] = field(default_factory=set)
    first: list[tuple[Alias, Directive]] = field(default_factory=list)
    programs: list[Directive] = field(default_factory=list)
    server_root: str = ""
    scopes: dict[tuple[Section, ...], Scope] = field(default_factory=dict)
    passed_over: frozenset[Section] = frozenset()
    givers: dict[tuple[tuple[str, str], ...], dict[str, Host | Scope]] = field(default_factory=dict)

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(split_words(self.section.argument)) if self.section else ()

    def speaks_tls(self, main: Host) -> bool:
        """Whether TLS is spoken, where this host says nothing of it as the main server says."""
        return bool(main.is_tls if self.is_tls is None else self.is_tls)

    def __str__(self) -> str:
        if self.section is None:
            return "the main server"
        return self.server_name or f"<VirtualHost {self.section.argument}> in {self.section.spot}"


def index_names(hosts: Iterable[Host]) -> tuple[str, ...]:
    """Return all names that index files of some hosts have."""
    values = [v for host in hosts for v in (host.values, *(s.values for s in host.scopes.values()))]
    given = (each["index"].value for each in values if "index" in each)
    return tuple(dict.fromkeys((*FileOptions().index, *chain.from_iterable(given))))


def read_hosts(directives: Iterable[Directive], ledger: Ledger) -> tuple[Host, list[Host]]:
    """
    Return the main server and the virtual hosts, with all that decides about aliases.

    What is switched off takes no part. What Apache would refuse is noted as the user's to fix.
    """
    main = Host()
    hosts: dict[Section, Host] = {}
    directives = [*directives]
    set_otherwise = set_by_lines(directives)
    for directive in directives:
        if directive.is_off:
            continue
        if is_contested(directive, set_otherwise):
            ledger.note(directive, "needs you", passed(" ".join(directive.words[:1])))
            continue
        outer = directive.host
        host = main if outer is None else hosts.setdefault(outer, Host(outer))
        name = directive.key
        read = _READERS.get(name) or (_read_value if name in OPTIONS else None)
        if read is None and says_login(name):
            read = _read_login
        if read is None:
            continue
        try:
            read(host, directive, ledger)
        except DirectiveError as error:
            ledger.note(directive, "needs you", f"Apache refuses it: {error}")
    for host in (main, *hosts.values()):
        _drop_replaced(host, ledger)
    return main, list(hosts.values())


def _drop_replaced(host: Host, ledger: Ledger) -> None:
    """Take away the access rules that a later section for the very same place replaces."""
    later: dict[tuple[tuple[str, str], ...], dict[str, Directive]] = {}
    for sections, scope in reversed(host.scopes.items()):
        replacing = later.setdefault(_place_named_by(sections), {})
        kept = []
        for rule in scope.access:
            if by := replacing.get(system_of(rule)):
                ledger.note(rule, "not needed", f"{by.spot} replaces it")
            else:
                kept.append(rule)
        scope.access = kept
        replacing.update(replaced_systems(kept))


def _place_named_by(sections: tuple[Section, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((each.key, each.argument) for each in sections)


def scope_sections(directive: Directive) -> tuple[Section, ...]:
    """Return the sections around a directive that limit what it holds for."""
    return tuple(each for each in directive.sections if each.key in SCOPES)


def _read_alias(host: Host, directive: Directive, ledger: Ledger) -> None:
    if scoped := scope_sections(directive):
        raise DirectiveError(f"{directive.name} not allowed in <{scoped[-1].name}> context")
    alias = parse_directive(f"{directive.name} {directive.rest}")
    host.aliases.append((alias, directive))


def _read_server_name(host: Host, directive: Directive, ledger: Ledger) -> None:
    words = directive.words
    if len(words) != 1:
        raise DirectiveError("ServerName takes one argument, The hostname and port of the server")
    name = words[0].rpartition("//")[2]
    host.server_name = name.rpartition(":")[0] if _has_port(name) else name
    host.names = [(n, d) for n, d in host.names if d.key != "servername"]
    host.names.insert(0, (host.server_name.lower(), directive))


def _read_server_alias(host: Host, directive: Directive, ledger: Ledger) -> None:
    if host.section is None:
        raise DirectiveError("ServerAlias only used in <VirtualHost>")
    host.names += [(name.lower(), directive) for name in directive.words]


def _read_value(host: Host, directive: Directive, ledger: Ledger) -> None:
    given = given_by(directive)
    name = OPTIONS[directive.key]
    sections = scope_sections(directive)
    if sections and directive.key in SERVER_OPTIONS:
        raise DirectiveError(f"{directive.name} not allowed in <{sections[-1].name}> context")
    place = holder_of(host, sections)
    givers = host.givers.setdefault(_place_named_by(sections), {})
    before, givers[name] = givers.get(name, place), place
    is_added = name == "index" and before is place and name in place.values
    if is_added and [word.lower() for word in directive.words] != ["disabled"]:
        # Mod_dir adds names to those of the same section.
        given = replace(given, value=(*place.values[name].value, *given.value))
        place.values[name] = given
        return
    _note_superseded(before, name, given, ledger)
    if name == "options":
        place.options.append(given)
    else:
        place.values[name] = given


def _read_extras(host: Host, directive: Directive, ledger: Ledger) -> None:
    if any(each.key not in _AROUND_RULES for each in directive.sections):
        # As in <Proxy>: it says what becomes of answers that another server gives.
        return
    sections = scope_sections(directive)
    place = holder_of(host, sections)
    givers = host.givers.setdefault(_place_named_by(sections), {})
    for name, given in extras_given_by(directive).items():
        before, givers[name] = givers.get(name, place), place
        _note_superseded(before, name, given, ledger)
        place.values[name] = given


def _read_proxies(host: Host, directive: Directive, ledger: Ledger) -> None:
    # Lines of one place add up.
    place = holder_of(host, scope_sections(directive))
    place.values[f"{_OF_PROXIES}{id(directive)}"] = Given(directive.words, directive)


def is_proxy_line(name: str) -> bool:
    """Whether a value is a line that says whom to believe."""
    return name.startswith(_OF_PROXIES)


def proxy_lines(values: dict[str, Given]) -> list[Directive]:
    """Return the lines that say whom to believe, in Apache's order."""
    return [given.directive for name, given in values.items() if is_proxy_line(name)]


def _note_superseded(before: Host | Scope, name: str, given: Given, ledger: Ledger) -> None:
    for each in _superseded(before, name, given):
        ledger.note(each.directive, "not needed", f"{given.directive.spot} replaces it")


def holder_of(host: Host, sections: tuple[Section, ...]) -> Host | Scope:
    """Return where what stands in sections is kept: the host, without any."""
    if not sections:
        return host
    if sections not in host.scopes:
        host.scopes[sections] = Scope(sections, rank_of(sections))
    return host.scopes[sections]


def _read_access(host: Host, directive: Directive, ledger: Ledger) -> None:
    if any(each.key not in _AROUND_RULES for each in directive.sections):
        # As in <Proxy>: it says who may use a proxy, or is the definition of a provider.
        return
    sections = scope_sections(directive)
    if not sections and directive.key not in SWITCHES:
        raise DirectiveError(f"{directive.name} not allowed here")
    holder_of(host, sections).access.append(directive)


def _read_login(host: Host, directive: Directive, ledger: Ledger) -> None:
    if any(each.key not in _AROUND_RULES for each in directive.sections):
        # As in the definition of a provider.
        return
    if is_of_login(directive):
        holder_of(host, scope_sections(directive)).logins.append(directive)


def _read_taker(host: Host, directive: Directive, ledger: Ledger) -> None:
    if directive.key in HANDLERS:
        holder_of(host, scope_sections(directive)).handlers.append(directive)
    if directive.key in REWRITING:
        host.rewriting.append(directive)
    if directive.key in (*TAKERS, *HANDLERS):
        host.takers.append(directive)


def _read_server_root(host: Host, directive: Directive, ledger: Ledger) -> None:
    host.server_root = (directive.words or [""])[0]


def _read_engine(host: Host, directive: Directive, ledger: Ledger) -> None:
    if not scope_sections(directive):
        host.is_tls = directive.rest.strip().lower() == "on"


def _superseded(place: Host | Scope, name: str, given: Given) -> list[Given]:
    """Take out of a place, and return, what a later one that says the same gives anew."""
    if name != "options":
        return [place.values.pop(name)] if name in place.values else []
    if not replaces_options(given.value):
        return []
    found = [*place.options]
    place.options.clear()
    return found


def rank_of(sections: tuple[Section, ...]) -> Rank:
    """
    Return a scope's place in the order of ap_process_request_internal().

    Directories from the root on, then those given by a pattern, files, locations, conditions.
    Files in a directory come with that directory, after those of the server.
    """
    kinds = [each.key for each in sections]
    if any(kind in CONDITIONS for kind in kinds):
        return 5, 0, 0
    if any(kind in FILES for kind in kinds):
        return 3, *_directory_rank(sections[0])
    if kinds[-1] in DIRECTORIES:
        return 1, *_directory_rank(sections[-1])
    return 4, 0, 0


def _directory_rank(section: Section) -> tuple[int, int]:
    if section.key not in DIRECTORIES:
        return 0, 0
    path, is_pattern = section_pattern(section)
    # As observed, and as reorder_sorter() has it: even in a pattern slashes are counted.
    return (2, path.count("/")) if is_pattern else (1, len(list(filter(None, path.split("/")))))


def _has_port(name: str) -> bool:
    return name.rpartition(":")[2].isdigit()


_READERS = dict.fromkeys(ALIASES, _read_alias) | {
    "servername": _read_server_name,
    "serveralias": _read_server_alias,
    "sslengine": _read_engine,
    "serverroot": _read_server_root,
    **dict.fromkeys(RULES, _read_access),
    **dict.fromkeys(EXTRAS_READERS, _read_extras),
    **dict.fromkeys(PROXY_LINES, _read_proxies),
    **dict.fromkeys((*TAKERS, *HANDLERS, *REWRITING), _read_taker),
}
