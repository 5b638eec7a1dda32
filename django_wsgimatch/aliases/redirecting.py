"""
Where an entry that redirects sends a request: what mod_alias makes of its URL.

It takes the URL apart and puts it together again with apr_uri_parse() and apr_uri_unparse().
"""

from __future__ import annotations

import re
import string
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from .alias import Redirection
from .patterns.engine import Found
from .patterns.pattern import Pattern
from .substitution import LONGEST_SUBSTITUTION, fill, make_filling, parse_template

# The statuses that Apache has a line for, but 1xx; it answers 500 for any other.
ANSWERED = frozenset(status.value for status in HTTPStatus if status >= 200) - {418, 425}

_LETTERS_AND_DIGITS = string.ascii_letters + string.digits
# What ap_os_escape_path() leaves as it is.
_UNESCAPED = _LETTERS_AND_DIGITS + "$-_.+!*'(),:;@&=/~"

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_AUTHORITY = re.compile(r"[^/?#]*")
_NUMBER = re.compile(r"[ \t\n\v\f\r]*([+-]?)([0-9]+)")
# strtol() stops at the highest long, of which a port has the last 16 bits.
_HIGHEST = 2**63 - 1
# apr_uri_unparse() does not show a password unless it is told to.
_HIDDEN = "XXXXXXXX"
_PORTS = {
    "acap": 674,
    "ftp": 21,
    "gopher": 70,
    "http": 80,
    "https": 443,
    "imap": 143,
    "ldap": 389,
    "nfs": 2049,
    "nntp": 119,
    "pop": 110,
    "prospero": 191,
    "rtsp": 554,
    "sip": 5060,
    "snews": 563,
    "ssh": 22,
    "telnet": 23,
    "tip": 3372,
    "wais": 210,
    "z39.50r": 210,
    "z39.50s": 210,
}


def _escapes(kept: str) -> dict[int, str]:
    """What str.translate() takes to escape all other bytes, in lower case as c2x() does."""
    return {code: f"%{code:02x}" for code in range(256) if chr(code) not in kept}


_PATH = _escapes(_UNESCAPED)
_HEADER = _escapes(_LETTERS_AND_DIGITS + string.punctuation)
# ap_is_url(): a scheme of any kind, "javascript" too.
_WITH_SCHEME = re.compile(r"[A-Za-z0-9+.-]+:")
# What ap_scan_http_field_content() refuses: all control characters but the tab.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def is_redirect(status: int) -> bool:
    """Whether a status sends clients to a URL: ap_is_HTTP_REDIRECT()."""
    return 300 <= status <= 399


def has_scheme(url: str) -> bool:
    """Whether a URL begins with a scheme, as ap_is_url() tells."""
    return _WITH_SCHEME.match(url) is not None


def redirect_url(answer: Redirection, location: str | Pattern, uri: str, found: int | Found) -> str:
    """
    Return the URL that an entry sends a request to, "" where its status has none.

    ``found`` is what matched in the uri: where the location ends, or what the pattern found. The
    URL may have no host yet, and may hold any characters of the uri in its query and fragment.
    Where the URL of a pattern would be too long, it is "". Mirrors try_alias_list() of mod_alias.
    """
    if not is_redirect(answer.status):
        return ""
    if isinstance(found, int):
        return answer.url + escaped(uri[found:])
    assert isinstance(location, Pattern)
    url = fill(make_filling(parse_template(answer.url), location.groups), found)
    if len(url) > LONGEST_SUBSTITUTION:
        return ""
    site_and_path, query, fragment = split_url(url)
    url = escaped(site_and_path)
    if query is not None:
        url += f"?{query}"
    return url if fragment is None else f"{url}#{fragment}"


def redirect_status(status: int, url: str) -> int:
    """
    Return the status that a redirect to a URL is answered with.

    It is 500 where Apache has no line for the status, or where the URL neither has a scheme nor
    begins with a slash, or holds a control character: no line break of a uri gets into a header.
    """
    if status not in ANSWERED:
        return 500
    if is_redirect(status) and (not (url[:1] == "/" or has_scheme(url)) or _CONTROL.search(url)):
        return 500
    return status


def escaped(path: str) -> str:
    """Return a decoded path as it stands in a URL: ap_escape_uri()."""
    return path.translate(_PATH)


def header_url(url: str) -> str:
    """
    Return a URL without blanks and bytes that are not ASCII: each of them is escaped.

    Apache sends them as they are. Not all WSGI servers can, and it is the same URL to a client.
    """
    return url.translate(_HEADER)


class _Invalid(Exception):
    """What follows cannot be read: apr_uri_parse() keeps what it has."""


@dataclass(slots=True)
class _Parts:
    scheme: str = ""
    user: str | None = None
    password: str | None = None
    host: str | None = None
    port: str = ""
    path: str = ""
    query: str | None = None
    fragment: str | None = None


def split_url(url: str) -> tuple[str, str | None, str | None]:
    """
    Return a URL's site and path, its query and its fragment; None where it has none of those.

    All text is latin-1. Where the URL is malformed, all that was read before is returned: mod_alias
    does not look at the status. A port that is the scheme's own is left out, a password is hidden.
    """
    parts = _Parts()
    with suppress(_Invalid):
        _read(url, parts)
    return _site(parts) + parts.path, parts.query, parts.fragment


def _read(url: str, parts: _Parts) -> None:
    found = _SCHEME.match(url)
    parts.scheme = found[1] if found else ""
    rest = url[found.end() :] if found else url
    # Three slashes begin a path, but behind a scheme.
    if rest[:2] == "//" and (found or rest[2:3] != "/"):
        authority = _AUTHORITY.findall(rest, 2)[0]
        rest = rest[2 + len(authority) :]
        _read_authority(authority, parts)
    elif not found and ":" in rest.partition("/")[0]:
        # The first segment of a relative path must not hold a colon (RFC 3986 3.3).
        raise _Invalid
    before, mark, fragment = rest.partition("#")
    parts.fragment = fragment if mark else None
    parts.path, mark, query = before.partition("?")
    parts.query = query if mark else None


def _read_authority(authority: str, parts: _Parts) -> None:
    user, at, host = authority.rpartition("@")
    if at:
        parts.user, colon, password = user.partition(":")
        parts.password = password if colon else None
    if host[:1] == "[":
        name, bracket, port = host[1:].partition("]")
        if not bracket:
            raise _Invalid
        parts.host = name
        if port[:1] != ":":
            # What stands between the bracket and the path is counted as if it were the bracket.
            parts.host = host[1:-1]
            return
        port = port[1:]
    else:
        parts.host, _, port = host.partition(":")
    parts.port = port
    found = _NUMBER.match(port)
    if port and (found is None or found.end() < len(port)):
        raise _Invalid


def _site(parts: _Parts) -> str:
    site = ""
    if parts.user is not None:
        password = "" if parts.password is None else f":{_HIDDEN}"
        site = f"{parts.user}{password}@"
    if parts.host is not None:
        host = f"[{parts.host}]" if ":" in parts.host else parts.host
        number = _number(parts.port)
        is_usual = not number or number == _PORTS.get(parts.scheme.lower(), 0)
        site = f"//{site}{host}" + ("" if is_usual else f":{parts.port}")
    return f"{parts.scheme}:{site}" if parts.scheme else site


def _number(port: str) -> int:
    found = _NUMBER.match(port)
    if found is None:
        return 0
    # A longer number is too high, and int() is slow with thousands of digits.
    digits = found[2].lstrip("0")
    number = int(digits or 0) if len(digits) < 20 else _HIGHEST + 1
    number = min(number, _HIGHEST + (found[1] == "-"))
    return (-number if found[1] == "-" else number) % 65536
