"""What the settings say of an error: the page that is sent, as ErrorDocument names it."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

from ..aliases.hosts.virtual_hosts import HostIndex
from ..aliases.redirecting import header_url
from ..aliases.uri import parse_target
from ..exceptions import BadTarget, SettingError

# The statuses of errors that this package answers with itself; an entry that redirects may have
# any other.
ANSWERED_HERE = frozenset((400, 401, 403, 404, 405, 408, 410, 411, 413, 416, 500, 501, 503, 504))

_SHAPE = "a text, a URL-path such as '/errors/404', a URL, or None for the small page"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """
    What is sent in place of a small page of our own.

    A ``text``, what the URL-``path`` of this site answers, or the ``url`` to go to. The value is
    that text, a path as it stands in a request's target, or a URL as it stands in a header.
    ``where`` is its name in the settings.
    """

    kind: Literal["text", "path", "url"]
    value: str
    where: str = field(default="", compare=False)


class PagesByHost:
    """
    The pages of errors: those of all hosts, and those of some.

    ``hosts`` has by pattern what a host says of a status, None for the small page; it has the pages
    of all hosts for the others. A request has the first pattern that its host fits, of
    ``virtual_hosts`` and then of these.
    """

    def __init__(
        self,
        pages: Mapping[int, ErrorPage],
        hosts: Mapping[str, Mapping[int, ErrorPage | None]] | None = None,
        virtual_hosts: Iterable[str] = (),
    ) -> None:
        self._pages = pages
        self._hosts = {host: _without_none({**pages, **own}) for host, own in (hosts or {}).items()}
        self._index = HostIndex(dict.fromkeys([*virtual_hosts, *self._hosts]))

    def __bool__(self) -> bool:
        """Whether there is a page at all."""
        return any((self._pages, *self._hosts.values()))

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns of the hosts that have pages of their own."""
        return tuple(self._hosts)

    @property
    def statuses(self) -> frozenset[int]:
        """The statuses that have a page on some host."""
        return frozenset(status for each in (self._pages, *self._hosts.values()) for status in each)

    def for_host(self, host: str) -> Mapping[int, ErrorPage]:
        """Return the pages of a Host header ("" for none), by status."""
        pattern = self._index.find(host) if self._hosts else None
        return self._pages if pattern is None else self._hosts.get(pattern, self._pages)


def _without_none(pages: Mapping[int, ErrorPage | None]) -> dict[int, ErrorPage]:
    return {status: page for status, page in pages.items() if page is not None}


def read_error_page(status: Any, given: Any, where: str = "") -> ErrorPage | None:
    """
    Return the page that WSGIMATCH_ERROR_PAGES gives a status; ``where`` is its name there.

    None stands for the small page.

    What has a blank is a text. Mirrors set_error_document() of Apache's core, but only what has a
    scheme and two slashes is a URL. Raises SettingError.
    """
    if type(status) is not int or not 400 <= status <= 599:
        raise SettingError(f"the status should be a number from 400 to 599, not {status!r}")
    if given is None:
        return None
    if not isinstance(given, str) or not given:
        raise SettingError(f"should be {_SHAPE}, not {given!r}")
    if " " in given or not (given.startswith("/") or _URL.match(given)):
        return ErrorPage("text", given, where)
    if given.startswith("/"):
        return ErrorPage("path", _path(given), where)
    if status == 401:
        raise SettingError(
            f"a page for 401 cannot be a URL, {given!r}: a browser that is sent elsewhere does "
            "not ask for a password. Write a text or a URL-path"
        )
    if _CONTROL.search(given):
        raise SettingError(f"the URL {given!r} holds a control character")
    return ErrorPage("url", header_url(quote(given, safe=string.printable)), where)


def _path(given: str) -> str:
    """A URL-path as a request has it: ASCII, with a query perhaps."""
    if given.startswith("//"):
        raise SettingError(f"begins with two slashes, {given!r}: write a URL-path, or a whole URL")
    path = quote(given, safe=string.punctuation)
    try:
        parse_target(path)
    except BadTarget as error:
        raise SettingError(f"nobody can ask for the URL-path {given!r}: {error}") from None
    return path
