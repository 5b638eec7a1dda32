"""What an import writes: the settings, each with where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...aliases.alias import Alias, Rewriting
from ...aliases.file_options import FileOptions
from ..covering.option_values import DEFAULTS
from ..lines.directive import Spot
from ..outcomes.outcome import Category, Ledger
from ..processes.processes import ProcessGroup
from ..processes.servers import NO_SERVERS, Servers
from ..resolving.closed import Closed
from ..resolving.resolving import ResolvedAlias
from ..resolving.tables import Tables
from .access import WrittenAccess, collect_access
from .proxies import proxy_settings
from .setting import Setting

GLOBAL = "%{GLOBAL}"


@dataclass(frozen=True, slots=True)
class Written:
    """An entry as the settings have it."""

    alias: Alias
    spots: tuple[Spot, ...]
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Hosts:
    """The entries of a host, or the pattern that has the same."""

    pattern: str
    entries: tuple[Written, ...]
    same_as: str | None
    spots: tuple[Spot, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """
    What is written.

    ``servers`` says how the servers of these settings are started; ``first`` are the files that
    come before the entries.
    """

    entries: tuple[Written, ...]
    hosts: tuple[Hosts, ...]
    groups: tuple[ProcessGroup, ...]
    others: tuple[Setting, ...]
    servers: Servers = NO_SERVERS
    access: tuple[WrittenAccess, ...] = ()
    plain_http: tuple[Written, ...] = ()
    first: tuple[Written, ...] = ()


def collect(
    tables: Tables,
    groups: Sequence[ProcessGroup],
    ledger: Ledger,
    *,
    has_files: bool = False,
    servers: Servers = NO_SERVERS,
    first: Sequence[ResolvedAlias] = (),
    error_pages: Setting | None = None,
    slashed: Sequence[ResolvedAlias] = (),
) -> Settings:
    """
    Return the settings that say what tables and process groups hold, and which files come first.

    ``has_files`` says that Apache sends files of a folder where no alias matches; ``servers`` says
    how the servers are started, ``error_pages`` which pages errors have. ``slashed`` are the
    entries of folders to whose URLs mod_dir adds a slash, unless it is told not to.
    """
    entries = tables.all_scripts()
    others = [
        _application_group(entries),
        _pass_authorization(entries),
        *(_site(entries, name, ledger) for name in _OF_DIRECTORIES),
        _directory_slash(slashed, ledger),
        _follow_symlinks(entries),
        _server_name(entries, tables, ledger),
        *proxy_settings(entries, ledger),
        _fallback(tables, has_files),
        error_pages,
    ]
    defaults = {each.name: each.value for each in others if each is not None}
    return Settings(
        tuple(_in_order(tables.closed, tables.entries, defaults)),
        tuple(_hosts(tables, defaults)),
        tuple(groups),
        tuple(each for each in others if each is not None and not _is_default(each)),
        servers,
        tuple(collect_access(tables)),
        tuple(_over_plain_http(tables)),
        tuple(_written(each, defaults) for each in first),
    )


def _over_plain_http(tables: Tables) -> Iterator[Written]:
    for rules in tables.plain_http.entries():
        spots = dict.fromkeys(rule.directive.spot for rule in rules)
        yield Written(rules[0].alias, tuple(spots))


# Options that mod_wsgi has for each directory, and this package for the site.
_OF_DIRECTORIES = ("script_reloading", "chunked_request", "allow_encoded_slashes", "merge_slashes")
# What these settings are where the fragment leaves them out.
_DEFAULTS = {
    "WSGIMATCH_APPLICATION_GROUP": GLOBAL,
    "WSGIMATCH_PASS_AUTHORIZATION": True,
    "WSGIMATCH_CHUNKED_REQUEST": True,
    "WSGIMATCH_ALLOW_ENCODED_SLASHES": False,
    "WSGIMATCH_MERGE_SLASHES": True,
    "WSGIMATCH_DIRECTORY_SLASH": False,
    "WSGIMATCH_FOLLOW_SYMLINKS": True,
}


def _is_default(setting: Setting) -> bool:
    return setting.name in _DEFAULTS and _DEFAULTS[setting.name] == setting.value


def _hosts(tables: Tables, defaults: dict[str, Any]) -> Iterable[Hosts]:
    for pattern, entries in tables.hosts.items():
        same_as = tables.same_as.get(pattern)
        closed = tables.hosts_closed.get(pattern, ())
        written = _in_order(closed, entries, defaults)
        spots = (tables.spots[pattern],) if pattern in tables.spots else ()
        yield Hosts(pattern, () if same_as else tuple(written), same_as, spots)


def _in_order(
    closed: Iterable[Closed], entries: Sequence[ResolvedAlias], defaults: dict[str, Any]
) -> Iterator[Written]:
    """Yield what answers before access rules are looked at, what they close, and the rest."""
    first = [each for each in entries if each.is_first]
    # URLs are rewritten before anything sees them.
    first.sort(key=lambda each: not isinstance(each.alias.answer, Rewriting))
    yield from (_written(each, defaults) for each in first)
    yield from map(_refused, closed)
    yield from (_written(each, defaults) for each in entries if not each.is_first)


def _refused(closed: Closed) -> Written:
    return Written(closed.alias, closed.spots)


def _written(entry: ResolvedAlias, defaults: dict[str, Any]) -> Written:
    alias = entry.alias
    comment = "" if entry.part is None else f"{entry.part}, before the alias that it is a part of"
    if isinstance(alias.answer, FileOptions):
        return Written(_with_own_policy(alias, alias.answer, defaults), entry.spots, comment)
    if alias.answer is not None:
        return Written(alias, entry.spots)
    own = entry.given_on_line
    if "application_group" not in own and _group(entry) == defaults["WSGIMATCH_APPLICATION_GROUP"]:
        alias = replace(alias, application_group=None)
    if "pass_authorization" not in own:
        passes = _passes(entry)
        is_same = passes == defaults["WSGIMATCH_PASS_AUTHORIZATION"]
        alias = replace(alias, pass_authorization=None if is_same else passes)
    if "process_group" not in own and alias.process_group == GLOBAL:
        alias = replace(alias, process_group=None)
    if "callable_object" not in own and alias.callable_object == DEFAULTS["callable_object"]:
        alias = replace(alias, callable_object=None)
    return Written(alias, entry.spots, comment)


def _with_own_policy(alias: Alias, answer: FileOptions, defaults: dict[str, Any]) -> Alias:
    """Return files without a policy for symbolic links that holds for all entries anyway."""
    if answer.follow_symlinks != defaults.get("WSGIMATCH_FOLLOW_SYMLINKS", True):
        return alias
    return replace(alias, answer=replace(answer, follow_symlinks=None))


def _group(entry: ResolvedAlias) -> str:
    return entry.alias.application_group or str(DEFAULTS["application_group"])


def _passes(entry: ResolvedAlias) -> bool:
    passes = entry.alias.pass_authorization
    return bool(DEFAULTS["pass_authorization"]) if passes is None else passes


def _application_group(entries: Sequence[ResolvedAlias]) -> Setting:
    """Return what holds for entries that name no group: a name of their own they keep."""
    free = {_group(each) for each in entries if "application_group" not in each.given_on_line}
    default = DEFAULTS["application_group"]
    if default in free:
        return Setting(
            "WSGIMATCH_APPLICATION_GROUP",
            default,
            'mod_wsgi\'s default: each script has its own interpreter. "%{GLOBAL}" needs fewer '
            "processes.",
        )
    shared = free.pop() if len(free) == 1 else GLOBAL
    return Setting("WSGIMATCH_APPLICATION_GROUP", shared if shared.startswith("%{") else GLOBAL, "")


def _pass_authorization(entries: Sequence[ResolvedAlias]) -> Setting:
    free = {_passes(each) for each in entries if "pass_authorization" not in each.given_on_line}
    value = free == {True} or not free
    comment = "" if value else "mod_wsgi's default: applications do not see Authorization."
    return Setting("WSGIMATCH_PASS_AUTHORIZATION", value, comment)


def _site(entries: Sequence[ResolvedAlias], name: str, ledger: Ledger) -> Setting | None:
    """Return a setting for what mod_wsgi has for each directory, None where nobody speaks of it."""
    setting = f"WSGIMATCH_{name.upper()}"
    found = [each.values.get(name) for each in entries]
    said = {id(given): given for given in found if given is not None}
    if not said:
        return None
    values = {DEFAULTS[name] if given is None else given.value for given in found}
    is_everywhere = len(values) == 1
    value = values.pop() if is_everywhere else DEFAULTS[name]
    partly = f"it applies to some entries only, but {setting} applies to all: it is {value} now"
    category: Category = "kept" if is_everywhere else "needs you"
    for given in said.values():
        ledger.note(given.directive, category, f"{setting} = {value}" if is_everywhere else partly)
    return Setting(setting, value, "", tuple(given.directive.spot for given in said.values()))


def _directory_slash(entries: Sequence[ResolvedAlias], ledger: Ledger) -> Setting | None:
    """Return the setting for what mod_dir does in folders of scripts, None where there are none."""
    said = _site(entries, "directory_slash", ledger)
    if said is not None or not entries:
        return said
    return Setting("WSGIMATCH_DIRECTORY_SLASH", True, _SLASHED)


def _follow_symlinks(entries: Sequence[ResolvedAlias]) -> Setting | None:
    # Each has a policy for its target's beginning and one for the rest.
    policies = {policy for each in entries for policy in each.follow_symlinks}
    if len(policies) != 1:
        return None
    return Setting("WSGIMATCH_FOLLOW_SYMLINKS", policies.pop(), "")


def _server_name(
    entries: Sequence[ResolvedAlias], tables: Tables, ledger: Ledger
) -> Setting | None:
    named = ("%{RESOURCE}", "%{SERVER}")
    if tables.server_name is None or not any(_group(each) in named for each in entries):
        return None
    for directive in tables.named_by:
        ledger.note(directive, "kept", "WSGIMATCH_SERVER_NAME")
    return Setting(
        "WSGIMATCH_SERVER_NAME",
        tables.server_name,
        "The names of application groups begin with it.",
    )


_SLASHED = "As mod_dir does: the URL of a folder of scripts is redirected to that with a slash."
_NOTHING = "As in Apache, nothing answers what no alias matches. Without this line, Django does."
_FILES = (
    "What no alias matches is 404. Apache sends files of a DocumentRoot there: let the server in "
    "front do so. Without this line, Django answers."
)


def _fallback(tables: Tables, has_files: bool) -> Setting | None:
    lists = [tables.entries, *tables.hosts.values()]
    if not any(lists) or all(any(each.alias.location == "/" for each in e) for e in lists):
        return None
    return Setting("WSGIMATCH_FALLBACK", None, _FILES if has_files else _NOTHING)
