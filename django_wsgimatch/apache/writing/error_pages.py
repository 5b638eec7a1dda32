"""ErrorDocument as WSGIMATCH_ERROR_PAGES: the pages of all hosts, and those of some."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ...aliases.redirecting import ANSWERED, has_scheme, is_redirect
from ...entry_options.error_pages import read_error_page
from ...entry_options.texts import utf8_text
from ...exceptions import DirectiveError, SettingError
from ..covering.coverage import DIRECTORIES, FILES, SCOPES, coverage, region
from ..covering.hosts import Host, Rank, rank_of, scope_sections
from ..lines.directive import Directive, Section
from ..outcomes.outcome import Ledger
from ..resolving.resolving import ResolvedAlias
from ..resolving.tables import Tables
from .setting import Setting

_SETTING = "WSGIMATCH_ERROR_PAGES"
_NOT_ALIKE = "its host shares its entries with one that has other pages: decide"
_NO_ENTRY = f"its host has no entries: name its page in {_SETTING} yourself"
_PARTLY = f"it holds for some URLs, and {_SETTING} for all: decide"
_EARLIER = f"{_SETTING}, for what Apache answers before it looks at the section, too"
_OF_TARGETS = (400, 404)
_REDIRECT = "redirects and what is no error are answered as they are"
_EXPRESSION = "its text or URL depends on the request: write it without expressions"
_IGNORED = "Apache ignores a URL for 401, too"
# What ap_expr has a value for in a text, and what it takes a backslash before.
_DYNAMIC = re.compile(r"%\{|\$[0-9]|\\")
_SERVER: Rank = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class _Page:
    """What a line says of a status: a page, or "" for the built-in one."""

    status: int
    page: str
    directive: Directive


# By virtual host, None for the main server, what its lines say.
_ByHost: TypeAlias = "defaultdict[Section | None, list[_Page]]"


def error_page_setting(
    lines: Iterable[Directive], main: Host, tables: Tables, ledger: Ledger
) -> Setting | None:
    """
    Return the pages that hold for all URLs of hosts, None where there are none.

    What becomes of each line is noted, unless something has been said of it before.
    """
    pages = [*_pages(lines, ledger)]
    held = _by_host(pages)
    everywhere = [_effective(held, each) for each in _hosts_of(tables.entries) or [main]]
    named = {
        pattern: [_effective(held, host) for host in _hosts_of(entries)]
        for pattern, entries in tables.hosts.items()
        if entries
    }
    general, own = _alike(everywhere), {pattern: _alike(found) for pattern, found in named.items()}
    groups = [everywhere, *named.values()]
    kept = [page for found in groups for page in _held(found, are_alike=True)]
    unsaid = [page for found in groups for page in _held(found, are_alike=False)]
    sections = {None, *(host.section for host in _hosts_of(tables.all_entries()))}
    _note(pages, kept, unsaid, sections, ledger)
    value: dict[int | str, object] = {}
    value.update(_written(general, {}).items())
    hosts = ((pattern, _written(said, general)) for pattern, said in own.items())
    value.update((pattern, written) for pattern, written in hosts if written)
    spots = dict.fromkeys(each.directive.spot for each in kept if each.page)
    return Setting(_SETTING, value, "", tuple(spots)) if value else None


def _hosts_of(entries: Iterable[ResolvedAlias]) -> list[Host]:
    return [*{id(each.host): each.host for each in entries}.values()]


def _by_host(pages: Iterable[_Page]) -> _ByHost:
    found: _ByHost = defaultdict(list)
    for each in pages:
        found[each.directive.host].append(each)
    return found


def _alike(found: Sequence[Mapping[int, _Page]]) -> dict[int, str]:
    """Return the pages of hosts that have the same entries, by status, where they are the same."""
    statuses = sorted({status for each in found for status in each})
    texts = {status: {_text(each.get(status)) for each in found} for status in statuses}
    return {status: text for status, said in texts.items() if len(said) == 1 for text in said}


def _held(found: Sequence[Mapping[int, _Page]], *, are_alike: bool) -> Iterator[_Page]:
    """Yield the pages of hosts that all of them have, or those of which they have others."""
    said = _alike(found)
    pages = ((status, page) for each in found for status, page in each.items())
    yield from (page for status, page in pages if (status in said) is are_alike)


def _text(page: _Page | None) -> str:
    return "" if page is None else page.page


def _written(said: Mapping[int, str], general: Mapping[int, str]) -> dict[int, str | None]:
    """Return what is written of each status where others have the general pages."""
    statuses = sorted({*said, *general})
    pages = {s: said.get(s, "") for s in statuses if said.get(s, "") != general.get(s, "")}
    return {status: page or None for status, page in pages.items()}


def _pages(lines: Iterable[Directive], ledger: Ledger) -> Iterator[_Page]:
    """Yield what lines say; what no setting can say is noted."""
    for line in lines:
        if ledger.outcome(line) is not None:
            continue
        if not _is_for_all(line):
            ledger.note(line, "needs you", _PARTLY)
            continue
        try:
            page = _read(line)
        except DirectiveError as error:
            ledger.note(line, "needs you", f"Apache refuses it: {error}")
        except SettingError as error:
            ledger.note(line, "needs you", str(error))
        else:
            if page is None:
                ledger.note(line, "not needed", _IGNORED)
            else:
                yield page


def _is_for_all(line: Directive) -> bool:
    everything = region("/", ("/",))
    around = [each for each in line.sections if each.key != "virtualhost"]
    return all(each.key in SCOPES for each in around) and coverage(around, everything) == "all"


def _read(line: Directive) -> _Page | None:
    """
    Return what a line says, None for what Apache ignores.

    Mirrors set_error_document(). Raises DirectiveError for what Apache refuses, and SettingError.
    """
    words = line.words
    if len(words) != 2:
        raise DirectiveError("ErrorDocument takes two arguments")
    code, page = words
    status = int(code) if code.isdecimal() and len(code) == 3 else 0
    if status not in ANSWERED:
        raise DirectiveError(f"Unsupported HTTP response code {code}")
    if is_redirect(status) or status < 400:
        raise SettingError(_REDIRECT)
    if page.lower() == "default":
        return _Page(status, "", line)
    if _DYNAMIC.search(page):
        raise SettingError(_EXPRESSION)
    is_url = has_scheme(page) and " " not in page
    if is_url and status == 401:
        return None
    page = _as_utf8(page)
    given = read_error_page(status, utf8_text(page))
    if given is None or is_url != (given.kind == "url"):
        raise SettingError(f"Apache redirects to {page!r}, which is no URL with a host")
    return _Page(status, page, line)


def _as_utf8(page: str) -> str:
    """Return a page in UTF-8: one that is not is in ISO-8859-1, as Apache says of every text."""
    try:
        page.encode("latin-1").decode()
    except UnicodeDecodeError:
        return page.encode().decode("latin-1")
    return page


def _effective(held: _ByHost, host: Host) -> dict[int, _Page]:
    """Return the pages of a host by status, the last one in Apache's order of merging."""
    own = [] if host.section is None else held.get(host.section, [])
    in_order = sorted([*held.get(None, []), *own], key=_place)
    found = {each.status: each for each in in_order}
    return {status: found[status] for status in sorted(found)}


def _place(page: _Page) -> tuple[Rank, bool]:
    sections = scope_sections(page.directive)
    return rank_of(sections) if sections else _SERVER, page.directive.host is not None


def _is_late(page: _Page) -> bool:
    """
    Whether Apache may answer with a status before the section of its page holds.

    A <Location> does not hold yet where a target is refused, as for %2F, and a <Directory> not
    where a Redirect answers.
    """
    keys = [each.key for each in scope_sections(page.directive)]
    is_of_files = any(key in (*DIRECTORIES, *FILES) for key in keys)
    return is_of_files or (bool(keys) and page.status in _OF_TARGETS)


def _note(
    pages: Iterable[_Page],
    kept: Iterable[_Page],
    unsaid: Iterable[_Page],
    sections: Collection[Section | None],
    ledger: Ledger,
) -> None:
    """Note what becomes of lines; ``sections`` are the hosts that have entries."""
    said = {id(each): each for each in kept}
    by_status = {each.status: each for each in said.values()}
    others = {id(each) for each in unsaid}
    for each in pages:
        line, replacing = each.directive, by_status.get(each.status)
        if id(each) in others:
            ledger.note(line, "needs you", _NOT_ALIKE)
        elif id(each) in said and _is_late(each):
            ledger.note(line, "changed", _EARLIER)
        elif id(each) in said:
            ledger.note(line, "kept", _SETTING if each.page else "the built-in page")
        elif line.host not in sections or replacing is None:
            ledger.note(line, "needs you", _NO_ENTRY)
        else:
            ledger.note(line, "not needed", f"{replacing.directive.spot} replaces it")
