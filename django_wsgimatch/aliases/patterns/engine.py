"""
What runs a pattern: Python's ``re`` on a translation, or PCRE2 through the ``pcre2`` package.

The package is the extra ``pcre2``. It brings a PCRE2 of its own and needs nothing else.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

from ...exceptions import InvalidPattern
from .pcre.translate import FLAGS

logger = logging.getLogger("django_wsgimatch")

DOTALL, DOLLAR_ENDONLY, DUPNAMES = 0x20, 0x10, 0x40
_MATCH_LIMIT_ERROR, _DEPTH_LIMIT_ERROR, _HEAP_LIMIT_ERROR = -47, -53, -63
_LIMITS = frozenset([_MATCH_LIMIT_ERROR, _DEPTH_LIMIT_ERROR, _HEAP_LIMIT_ERROR])

MATCH_LIMIT = 10_000_000
"""
Steps after which PCRE2 gives up, which counts as no match: Apache's limit, for Apache's answers.

It is reached in 100 to 240 ms, in which the package holds the interpreter's lock.
"""


class Found(Protocol):
    """Where a pattern matched; `re.Match` is one."""

    def end(self) -> int:
        """Return the offset where the match ends."""

    def group(self, number: int, /) -> str | None:
        """Return the text of a group, None if it took no part; 0 is the whole match."""


Find = Callable[[str], "Found | None"]


def find_with_re(translation: str, anchored: bool, takes_all: bool) -> Find:
    """
    Return the search for a translated pattern.

    :param anchored: whether a match can only begin at offset 0.
    :param takes_all: whether no match ends at offset 0, or one that does counts.
    """
    compiled = re.compile(translation, FLAGS)
    # Optimization: where ".*" begins the pattern, search() tries it anew at every offset. That took
    # 60 times as long on a uri of 100 characters that fails.
    find: Find = compiled.match if anchored else compiled.search
    return find if takes_all else _past_the_start(find)


def _past_the_start(find: Find) -> Find:
    def find_past_the_start(uri: str) -> Found | None:
        found = find(uri)
        # mod_wsgi takes a match that ends at offset 0 for no match.
        return found if found is not None and found.end() > 0 else None

    return find_past_the_start


def find_where_needed(find: Find, needed: str) -> Find:
    """Return the same search, which does not begin in a uri without a text that matches hold."""

    def find_where_it_stands(uri: str) -> Found | None:
        return find(uri) if needed in uri else None

    return find_where_it_stands


class _Found:
    """A match of the ``pcre2`` package in bytes, told in the uri's characters."""

    __slots__ = ("_match", "_uri")

    def __init__(self, match: Any, uri: str) -> None:
        self._match = match
        self._uri = uri

    def end(self) -> int:
        end: int = self._match.end()
        return end

    def group(self, number: int, /) -> str | None:
        start, end = self._match.span(number)
        return None if start < 0 else self._uri[start:end]


def pcre2_package() -> Any:
    """Return the ``pcre2`` package, or None where it is not installed."""
    try:
        return import_module("pcre2")
    except ImportError:
        return None


def find_with_pcre2(
    source: str, portable: str, *, reports: bool = True, empty_counts: bool = False
) -> tuple[Find, int]:
    """
    Return the search for a pattern by PCRE2, and the number of its groups.

    :param reports: whether the log is to tell when a search gives up.
    :param empty_counts: whether a match that ends at offset 0 is one.
    :raises InvalidPattern: PCRE2 refuses the pattern.
    """
    package = pcre2_package()
    limited = f"(*LIMIT_MATCH={MATCH_LIMIT}){portable}".encode("latin-1")
    flags = package.RegexFlag(DOTALL | DOLLAR_ENDONLY | DUPNAMES)
    try:
        # Apache does not use the JIT compiler, which counts steps in another way.
        compiled = package.compile(limited, flags, jit=False)
    except package.PatternError as error:
        raise InvalidPattern(source, str(error)) from error
    search = _Search(source, compiled.search, package.LibraryError, reports)
    return search if empty_counts else _past_the_start(search), compiled.groups


class _Search:
    """The search of one pattern, which reports once when it gives up."""

    def __init__(
        self, source: str, search: Callable[[bytes], Any], error: type[Exception], reports: bool
    ) -> None:
        self._source = source
        self._search = search
        self._error = error
        self._reported = not reports

    def __call__(self, uri: str) -> Found | None:
        try:
            match = self._search(uri.encode("latin-1"))
        except self._error as error:
            # ap_regexec() takes every error for no match, bytes that are not UTF-8 among them.
            self._report(uri, error)
            return None
        return None if match is None else _Found(match, uri)

    def _report(self, uri: str, error: Any) -> None:
        if error.code in _LIMITS and not self._reported:
            self._reported = True
            logger.warning(
                "Pattern %r gave up after %d steps, which counts as no match, on %r"
                " (reported once a pattern).",
                self._source,
                MATCH_LIMIT,
                uri[:200],
            )
