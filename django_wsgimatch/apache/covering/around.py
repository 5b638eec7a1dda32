"""What SetEnv, Header and their kin make of entries: options, and a note for each line."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from ...aliases.alias import Alias, Extras
from ...aliases.file_options import FileOptions
from ..lines.directive import Directive, Section
from ..outcomes.outcome import Ledger
from .coverage import FILES, LOCATIONS, FileKinds, coverage, reach_of, section_pattern
from .extra_values import (
    Values,
    always_given,
    changes_of,
    charset_of,
    expires_by_type_of,
    expires_of,
    extras_of,
    is_extra,
    is_idle,
    is_left,
    is_of_files,
    option_said,
)
from .hosts import Host, Scope
from .partial_aliases import files_by_name, region_of

_NOT_ACTIVE = (
    "It takes ExpiresActive On and ExpiresDefault or ExpiresByType to say how long a response is "
    "kept, and a type with * is forgotten in sections that say something of it"
)
_PASSED = (
    "environ has it from the environment that the settings are loaded in, if it is there: start "
    "the server with the variables that Apache was started with"
)
_NO_OPTION = "No option is needed: this is how it works without it"
_UNSET = "The option environ has no such variable there"
_NOT_ON_REDIRECTS = "redirects, and error pages of URLs that no entry answers, are sent without it"


_ENDING = re.compile(r"(?:\(\?i\))?(?:\^?\.[*+])?\\\.(?:\((?:\?:)?([\w?|]+)\)|([\w?]+))\$")


def endings_of(section: Section) -> frozenset[str] | None:
    """Return the endings of names that a <Files> holds for, lower case, None for other names."""
    text, is_pattern = section_pattern(section)
    if not is_pattern:
        return frozenset([text[2:].lower()]) if re.fullmatch(r"\*\.\w+", text) else None
    found = _ENDING.fullmatch(text)
    words = (found[1] or found[2]).lower().split("|") if found else [""]
    if not all(re.fullmatch(r"\w+(?:\?\w*)?", word) for word in words):
        return None
    parts = [word.partition("?") for word in words]
    return frozenset([a + b for a, _, b in parts] + [a[:-1] + b for a, mark, b in parts if mark])


def with_extras(alias: Alias, values: Values, ledger: Ledger) -> Alias:
    """Return a script's entry with what values say of its surroundings."""
    if not values:
        return alias
    note_left(values, ledger)
    extras = extras_of(values)
    return alias if extras is None else replace(alias, extras=extras)


def values_of_files(values: Values) -> Values:
    """Return those values that mean something to files."""
    return {name: given for name, given in values.items() if is_of_files(name)}


def with_options_of_files(
    alias: Alias, answer: FileOptions, values: Values, ledger: Ledger, **options: Any
) -> Alias:
    """Return an entry of files with options, and with what values say of them."""
    note_left(values, ledger)
    changes = changes_of(values)
    options |= {"expires": expires_of(values), "charset": charset_of(values)}
    options["expires_by_type"] = expires_by_type_of(values)
    extras = Extras(headers=changes) if changes else None
    return replace(alias, answer=replace(answer, **options), extras=extras)


def extra_uses(values: Values, ledger: Ledger) -> Iterator[tuple[Directive, str]]:
    """Yield the directives that become a part of an option, and note which have no effect."""
    for name, given in values.items():
        if is_idle(name, values):
            ledger.note(given.directive, "not needed", _NOT_ACTIVE)
        elif is_extra(name) and given.value is None:
            is_unset = given.directive.key == "unsetenv"
            ledger.note(given.directive, "not needed", _UNSET if is_unset else _NO_OPTION)
        elif is_extra(name):
            if given.directive.key == "passenv":
                ledger.note(given.directive, "changed", _PASSED)
            yield given.directive, option_said(name)


def note_left(values: Values, ledger: Ledger) -> None:
    """Say of directives that no option can say what becomes of them."""
    for name, given in values.items():
        if is_left(name):
            ledger.note(given.directive, given.value.category, given.value.reason)


def is_root_of_files(alias: Alias) -> bool:
    """Whether files are tried after all other entries, so that no part of them can stand before."""
    return isinstance(alias.answer, FileOptions) and alias.answer.is_root


def is_whole_folder(scope: Scope, alias: Alias, kind_of: FileKinds) -> bool:
    """
    Whether a <Location> with a slash at its end holds for all files of an alias without one.

    What is left is the redirect to the folder, which has the headers of errors only.
    """
    if len(scope.sections) > 1 or scope.sections[0].key != "location" or alias.kind != "plain":
        return False
    text, is_pattern = section_pattern(scope.sections[0])
    if is_pattern or text != f"{alias.location}/" or any(always_given(scope.values)):
        return False
    return kind_of(posixpath.normpath(alias.target)) == "directory"


def parts_by_name(
    alias: Alias, scopes: Sequence[Scope], index: Iterable[str], kind_of: FileKinds
) -> list[tuple[Alias, Scope]]:
    """
    Return the files of an alias that each <Files> holds for, for those sections that tell it.

    ``index`` are names of index files: their folder's URL has no name. Nothing is returned where
    two sections may hold for one file.
    """
    endings = [endings_of(scope.sections[-1]) for scope in scopes]
    known = [each for each in endings if each is not None]
    is_apart = len(known) == len(endings) and sum(map(len, known)) == len(frozenset().union(*known))
    if len(scopes) > 1 and not is_apart:
        return []
    reach, names, found = reach_of(alias, kind_of), [*index], []
    for scope in scopes:
        *around, files = scope.sections
        is_told = coverage(around, reach) == "all" and not any(always_given(scope.values))
        held = (coverage([files], replace(reach, script=f"/{name}")) for name in names)
        part = files_by_name(alias, files) if is_told and {*held} <= {"none"} else None
        found += [] if part is None else [(part, scope)]
    return found


def is_by_name(scope: Scope) -> bool:
    """Whether a section holds for files by their names."""
    return scope.sections[-1].key in FILES


def without_surroundings(alias: Alias) -> Alias:
    """Return an entry without what stands around its application or its files."""
    answer = alias.answer
    if isinstance(answer, FileOptions):
        bare = replace(answer, expires=None, expires_by_type=(), charset=None)
        if bare != answer:
            return replace(alias, answer=bare, extras=None)
    return alias if alias.extras is None else replace(alias, extras=None)


class FileLocations:
    """Where the files of hosts are."""

    def __init__(self) -> None:
        self._known: dict[int, frozenset[str]] = {}

    def answer(self, host: Host, scope: Scope) -> bool:
        """Whether files of a host answer all URLs of a <Location>, before any script does."""
        section = scope.sections[0]
        if section.key not in LOCATIONS:
            return False
        uris = region_of(section)
        if uris.location is not None:
            return self._are_above(host, f"{uris.location}/")
        return bool(uris.prefixes) and all(self._are_above(host, p) for p in uris.prefixes or ())

    def _are_above(self, host: Host, start: str) -> bool:
        """Whether files are at a folder in which all uris lie that begin so."""
        if id(host) not in self._known:
            self._known[id(host)] = frozenset(_locations(host))
        slashes = [place for place, character in enumerate(start) if character == "/"]
        above = {start[: place + more] for place in slashes for more in (0, 1)}
        return not self._known[id(host)].isdisjoint(above)


def _locations(host: Host) -> Iterator[str]:
    for alias, _ in host.aliases:
        answer = alias.answer
        if isinstance(answer, FileOptions) and alias.kind == "plain" and not answer.is_root:
            yield alias.location


def note_redirects(values: Values, ledger: Ledger) -> None:
    """Say which headers redirects have in Apache, and not here."""
    for given in always_given(values):
        ledger.note(given.directive, "changed", _NOT_ON_REDIRECTS)
