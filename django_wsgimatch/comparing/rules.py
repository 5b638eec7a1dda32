"""What of two answers may differ: the same table says what the documentation does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .http_client import Response

# Compared unless others are named. Not among them: Date, Server, Content-Length, Transfer-Encoding,
# Connection, ETag, Last-Modified, which tell of the server more than of the application.
HEADERS = (
    *("Location", "Content-Type", "Set-Cookie", "Vary", "Allow", "WWW-Authenticate"),
    *("Content-Language", "Content-Disposition", "Link", "Refresh"),
)

# What stands in a body anew each time: CSRF tokens, in forms and in scripts, and CSP nonces.
_FRESH = re.compile(
    rb"""(name=["']?csrfmiddlewaretoken["']?\s+value=["']?)[A-Za-z0-9]+"""
    rb"""|(csrf[_-]?(?:middleware)?token["']?\s*[:=]\s*["'])[A-Za-z0-9]{32,64}"""
    rb"""|(\bnonce=["'])[A-Za-z0-9+/=_-]+""",
    re.IGNORECASE,
)
# What a challenge has anew each time (RFC 7616).
_NONCE = re.compile(r"\b(nonce=|opaque=)(?:\"[^\"]*\"|[^\s,]+)", re.IGNORECASE)
_VOLATILE_ATTRIBUTES = ("expires",)

# How the pages begin with which Apache, nginx, gunicorn and this package answer errors themselves.
_OWN_PAGES = re.compile(
    rb"""<!DOCTYPE\ HTML\ PUBLIC\ "-//(?:IETF|W3C)//DTD\ HTML\ [^>]*>\n
        <html><head>\n<title>[0-9]{3}\b
    |<html>\r\n<head><title>[0-9]{3}\ .*\r\n<hr><center>nginx
    |<html>\s*<head>\s*<title>[A-Z][\w ]*</title>\s*</head>\s*<body>\s*<h1><p>[A-Z][\w ]*</p></h1>
    |<!doctype\ html>\n<html\ lang="en">\n<meta\ charset="utf-8">\n<title>[0-9]{3}\ """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class ComparisonRules:
    """Which headers are compared, and what of a body is left out besides what is always fresh."""

    headers: tuple[str, ...] = HEADERS
    ignored: tuple[re.Pattern[bytes], ...] = ()


def is_own_page(response: Response) -> bool:
    """
    Return whether a server answers with an error page of its own, not an application with one.

    An error without a body, as HEAD gets, tells nothing of who answers, and counts as one.
    """
    return response.status >= 400 and not (
        response.body and _OWN_PAGES.match(response.body.lstrip()) is None
    )


def header_values(response: Response, name: str, addresses: Sequence[str]) -> tuple[str, ...]:
    """Return a header's values, without what may differ, in an order of their own."""
    values = [value for key, value in response.headers if key.lower() == name.lower()]
    kind = name.lower()
    if kind == "set-cookie":
        return tuple(sorted(map(_cookie, values)))
    values = [_without(value.encode("latin-1"), addresses).decode("latin-1") for value in values]
    if kind in ("vary", "allow"):
        words = {word.strip().lower() for value in values for word in value.split(",")}
        return tuple(sorted(words - {""}))
    if kind == "www-authenticate":
        return tuple(_NONCE.sub(r"\1", value) for value in values)
    if kind == "content-type":
        return tuple(value.replace(" ", "").lower() for value in values)
    return tuple(values)


def body_of(response: Response, addresses: Sequence[str], rules: ComparisonRules) -> bytes:
    """Return a body without what may differ."""
    body = _without(response.body, addresses)
    body = _FRESH.sub(_kept_start, body)
    for pattern in rules.ignored:
        body = pattern.sub(b"", body)
    return body


def _kept_start(match: re.Match[bytes]) -> bytes:
    start: bytes = next(filter(None, match.groups()))
    return start


def _cookie(value: str) -> str:
    """A cookie's name and attributes: its value is anybody's."""
    named, *attributes = (part.strip() for part in value.split(";"))
    kept = [
        attribute
        for attribute in attributes
        if attribute.partition("=")[0].lower() not in _VOLATILE_ATTRIBUTES
    ]
    has_value = named.partition("=")[2].strip('"') != ""
    name = f"{named.partition('=')[0]}={'...' if has_value else ''}"
    return "; ".join([name, *sorted(kept, key=str.lower)])


def _without(text: bytes, addresses: Iterable[str]) -> bytes:
    """Take the site's own addresses out: what is left of an absolute URL is its path."""
    for address in addresses:
        text = text.replace(address.encode("latin-1", "replace"), b"")
    return text
