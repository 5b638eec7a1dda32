"""
Unit's routes: the steps that a listener leads through become a table's entries, in their order.

A condition that no entry has (a method, a header, an address) closes the URIs of its step: nothing
behind it may answer them until somebody decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote

from ..aliases.alias import Denial, Redirection
from ..apache.lines.directive import Directive
from ..exceptions import PatternError
from ..others.draft import Draft
from ..others.regexes import is_pattern
from .applications import UnitTarget
from .headers import (
    NO_HEADERS,
    headers_of_files,
    headers_of_scripts,
    note_rest,
    note_unused,
)
from .host_cases import HostCase, is_host_pattern
from .members import UnitMember, note_all
from .patterns import EVERYWHERE, UriRegion, read_uri
from .table import UnitTable

_DEEPEST = 16
_CLOSED = "{0}: 403 until you decide. {1}"
_NO_CONDITION = (
    "No entry has the condition `{0}`: let the server in front or the application decide, then "
    "delete the entry that closes these URLs"
)
_ELSEWHERE = (
    "No entry sends requests to {0}: let the server in front do it, then delete the entry that "
    "closes these URLs"
)
_SCHEME = (
    "the table cannot tell HTTP from HTTPS: write a redirect in WSGIMATCH_PLAIN_HTTP, or let the "
    "server in front redirect"
)
_FIRST_FILES = (
    "Unit sends the files of {0} first, and only what is no file goes on; the entries are those "
    "behind it. WSGIMATCH_FILES_FIRST would, but {1}: write an alias() for each folder and file in "
    "it"
)
_HOSTS = "it holds for all hosts, and here are several"
_REFUSING = "a redirect or a refusal among the fallback's answers would come before it"
_FIRST = (
    "WSGIMATCH_FILES_FIRST; a file that may not be read is 403, and a folder without an index goes "
    "on to the fallback"
)
_VARIABLE = re.compile(r"\$(?:\{([a-z_]+)\}|([a-z_]+))")


@dataclass(frozen=True, slots=True)
class _Where:
    """The conditions of a step: whether its host fits, its URIs, and what no entry can say."""

    fits: bool
    region: UriRegion
    unsaid: tuple[UnitMember, ...] = ()


@dataclass(slots=True)
class RouteWalk:
    """
    A walk through the routes for one host; ``table`` has the entries that it has met.

    It ``has_hosts`` where others have tables of their own.
    """

    draft: Draft
    root: UnitMember
    targets: Mapping[str, Mapping[str, UnitTarget]]
    host: HostCase
    table: UnitTable
    has_hosts: bool = False

    def pass_to(
        self,
        source: UnitMember,
        region: UriRegion,
        trail: tuple[str, ...] = (),
        action: UnitMember | None = None,
    ) -> bool:
        """
        Follow a ``pass``; tell whether everything in the region has an answer.

        ``trail`` are the routes that the walk is in, ``action`` is what the ``pass`` is a part of.
        """
        text = source.text or ""
        kind, *names = (unquote(part, "latin-1") for part in text.split("/"))
        if kind == "routes" and len(names) < 2 and "$" not in text:
            if action is not None:
                note_unused(self.draft, action)
            return self._routes(source, names, region, trail)
        found = self.targets.get(names[0] if names else "", {}) if kind == "applications" else {}
        target = found.get("/".join(names[1:]))
        if target is None:
            self._close(region, [source], _ELSEWHERE.format(text or "what is no text"))
        else:
            extras = None if action is None else headers_of_scripts(self.draft, action)
            self.table.send(target, region, [source.line, target.source.line], extras)
            note_all(self.draft, source, "kept", f"entries for the process group {target.group}")
        return True

    def _routes(
        self, source: UnitMember, names: list[str], region: UriRegion, trail: tuple[str, ...]
    ) -> bool:
        member = self.root.get("routes")
        for name in names:
            member = None if member is None else member.get(name)
        steps = None if member is None else member.value
        if not isinstance(steps, list) or source.value in trail or len(trail) == _DEEPEST:
            self._close(region, [source], _ELSEWHERE.format(f"{source.value}, which leads nowhere"))
            return True
        note_all(self.draft, source, "kept", "the entries of its steps")
        for step in steps:
            if self._step(step, region, (*trail, str(source.value))):
                return True
        if not region.is_all:
            # Unit does not go on behind the step that led here.
            self.table.answer(404, "", region, [source.line])
        return False

    def _step(self, step: UnitMember, region: UriRegion, trail: tuple[str, ...]) -> bool:
        where = self._where(step.get("match"))
        action = step.get("action")
        if not where.fits or action is None:
            return False
        inner = region.both(where.region)
        if where.unsaid:
            self._refuse(action, inner, where)
        else:
            self._act(action, inner, trail)
        return where.region.is_all and not where.unsaid

    def _refuse(self, action: UnitMember, region: UriRegion, where: _Where) -> None:
        names = [each.path.rpartition(".")[2] for each in where.unsaid]
        status = action.get("return")
        if names == ["scheme"] and status is not None and str(status.value).startswith("3"):
            note_all(self.draft, where.unsaid[0], "needs you", _SCHEME)
            note_all(self.draft, action, "needs you", _SCHEME)
            return
        reason = _NO_CONDITION.format(", ".join(names))
        self._close(region, [*where.unsaid, action], reason)

    def _where(self, match: UnitMember | None) -> _Where:
        where = _Where(True, EVERYWHERE)
        for name, member in () if match is None else match.items():
            if name == "uri":
                where = self._with_uri(where, member)
            elif name == "host" and all(map(is_host_pattern, member.texts())):
                where = replace(where, fits=where.fits and self.host.fits(member.texts()))
                note_all(self.draft, member, "kept", "a virtual host")
            else:
                where = replace(where, unsaid=(*where.unsaid, member))
        return where

    def _with_uri(self, where: _Where, member: UnitMember) -> _Where:
        try:
            region = read_uri(member.texts())
        except PatternError as error:
            note_all(self.draft, member, "needs you", str(error))
            return replace(where, unsaid=(*where.unsaid, member))
        if not is_pattern(f"^{region.lookaheads()}/"):
            return replace(where, unsaid=(*where.unsaid, member))
        note_all(self.draft, member, "kept", "where the entry matches")
        return replace(where, region=where.region.both(region))

    def _act(self, action: UnitMember, region: UriRegion, trail: tuple[str, ...]) -> None:
        if (rewrite := action.get("rewrite")) is not None:
            self._close(region, [rewrite, action], "No entry rewrites a URI before it is answered")
        elif (passed := action.get("pass")) is not None:
            self.pass_to(passed, region, trail, action)
        elif (share := action.get("share")) is not None:
            self._share(action, share, region, trail)
        elif (status := action.get("return")) is not None:
            self._return(action, status, region)
        else:
            self._close(region, [action], _ELSEWHERE.format("another server"))
        note_rest(self.draft, action)

    def _share(
        self, action: UnitMember, share: UnitMember, region: UriRegion, trail: tuple[str, ...]
    ) -> None:
        path, *others = share.texts() or [""]
        for name in ("types", "chroot"):
            if (limit := action.get(name)) is not None:
                self._close(region, [limit, action], f"No alias() has `{name}`")
                return
        fallback = action.get("fallback")
        is_one = not others or fallback is not None
        if not is_one or not all(map(_is_path, (path, *others))):
            self._close(region, [action], "An alias() has one path, in which $uri may be the end")
            return
        self._note_links(action)
        index = action.get("index")
        name = "index.html" if index is None or index.text is None else index.text
        if fallback is not None:
            self._share_first(action, share, region, name)
            self._act_behind(fallback, share, region, trail)
            return
        note_all(self.draft, index, "kept", "index of the entry")
        note_all(self.draft, share, "kept", "alias() or alias_match()")
        extras = headers_of_files(self.draft, action)
        self.table.share(path, name, region, [share.line], extras)

    def _share_first(
        self, action: UnitMember, share: UnitMember, region: UriRegion, index: str
    ) -> None:
        extras = headers_of_files(self.draft, action)
        for path in share.texts():
            self.table.share_first(path, index, region, [share.line], extras)
        note_all(self.draft, share, "changed", _FIRST)
        note_all(self.draft, action.get("index"), "kept", "index of the files that come first")

    def _act_behind(
        self, fallback: UnitMember, share: UnitMember, region: UriRegion, trail: tuple[str, ...]
    ) -> None:
        """Follow a fallback, behind which its files come first only before what runs or sends."""
        first, entries = len(self.table.first) - len(share.texts()), len(self.table.entries)
        self._act(fallback, region, trail)
        behind = (each.alias.answer for each in self.table.entries[entries:])
        is_refused = any(isinstance(each, Redirection | Denial) for each in behind)
        if self.has_hosts or is_refused:
            del self.table.first[first : first + len(share.texts())]
            reason = _HOSTS if self.has_hosts else _REFUSING
            text = _FIRST_FILES.format(", ".join(share.texts()), reason)
            note_all(self.draft, share, "needs you", text)

    def _note_links(self, action: UnitMember) -> None:
        for name in ("follow_symlinks", "traverse_mounts"):
            given = action.get(name)
            if given is not None and given.value is False:
                reason = "say WSGIMATCH_FOLLOW_SYMLINKS = False, which holds for all entries"
                note_all(self.draft, given, "needs you", reason)
            else:
                note_all(self.draft, given, "not needed", "Links are followed")

    def _return(self, action: UnitMember, status: UnitMember, region: UriRegion) -> None:
        location = action.get("location")
        number = status.value if isinstance(status.value, int) else 0
        url = "" if location is None else self._url(location.text or "")
        lines: list[Directive] = [status.line]
        if 300 <= number < 400 and url:
            self.table.answer(number, url, region, lines)
            note = "redirect_match(); it puts the query behind the URL as Apache does"
            note_all(self.draft, action, "changed", note)
        elif 400 <= number < 600:
            self.table.answer(number, "", region, lines)
            note_all(self.draft, action, "kept", f"an entry that answers {number}")
        else:
            reason = "No entry answers so: let the server in front or the application do it"
            self._close(region, [action], reason)
        note_all(self.draft, action.get("response_headers"), "needs you", NO_HEADERS)

    def _url(self, location: str) -> str:
        """Return a location with its variables as a table has them, "" where it has none."""
        unknown = False

        def fill(found: re.Match[str]) -> str:
            nonlocal unknown
            name = found[1] or found[2]
            if name in ("uri", "request_uri"):
                return "$0"
            if name == "host" and self.host.pattern[0] not in ".*":
                return self.host.pattern
            unknown = True
            return ""

        url = _VARIABLE.sub(fill, location)
        return url if not unknown and url.startswith(("/", "http://", "https://")) else ""

    def _close(self, region: UriRegion, members: list[UnitMember], reason: str) -> None:
        lines = [line for each in members for line in each.leaves()]
        self.table.close(region, lines[:1])
        urls = "all URLs" if region.is_all else f"URLs that ^{region.lookaheads()} matches"
        for line in dict.fromkeys(lines):
            self.draft.note(line, "needs you", _CLOSED.format(urls, reason))


def _is_path(path: str) -> bool:
    """Whether a path is one of files, with the URI at its end or nowhere."""
    return path.startswith("/") and "$" not in path.removesuffix("$uri")
