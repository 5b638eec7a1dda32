"""What the settings say of an error: the page that is sent, as ErrorDocument names it."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from ..aliases.redirecting import header_url
from ..aliases.uri import parse_target
from ..exceptions import BadTarget, SettingError

# The statuses of errors that this package answers with itself; an entry that redirects may have
# any other.
ANSWERED_HERE = frozenset((400, 401, 403, 404, 405, 408, 410, 411, 413, 416, 500, 501, 503, 504))

_SHAPE = "a text, a URL-path such as '/errors/404', or a URL"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """
    What is sent in place of a small page of our own.

    A ``text``, what the URL-``path`` of this site answers, or the ``url`` to go to. The value is
    that text, a path as it stands in a request's target, or a URL as it stands in a header.
    """

    kind: Literal["text", "path", "url"]
    value: str


def read_error_page(status: Any, given: Any) -> ErrorPage:
    """
    Return the page that WSGIMATCH_ERROR_PAGES gives a status.

    What has a blank is a text. Mirrors set_error_document() of Apache's core, but only what has a
    scheme and two slashes is a URL. Raises SettingError.
    """
    if type(status) is not int or not 400 <= status <= 599:
        raise SettingError(f"the status should be a number from 400 to 599, not {status!r}")
    if not isinstance(given, str) or not given:
        raise SettingError(f"should be {_SHAPE}, not {given!r}")
    if " " in given or not (given.startswith("/") or _URL.match(given)):
        return ErrorPage("text", given)
    if given.startswith("/"):
        return ErrorPage("path", _path(given))
    if status == 401:
        raise SettingError(
            f"a page for 401 cannot be a URL, {given!r}: a browser that is sent elsewhere does "
            "not ask for a password. Write a text or a URL-path"
        )
    if _CONTROL.search(given):
        raise SettingError(f"the URL {given!r} holds a control character")
    return ErrorPage("url", header_url(quote(given, safe=string.printable)))


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
