"""What an entry adds to its application: variables, headers, and how long a body may be."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from email.utils import formatdate
from time import time
from typing import TYPE_CHECKING, Any

from ..aliases.alias import Extras, HeaderChange
from ..aliases.lines.expiry import Expires, SinceChange, expires_for, kept_until
from ..server.limited_body import LimitedBody

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Headers = list[tuple[str, str]]

# What AddDefaultCharset is for.
_TEXT = ("text/plain", "text/html")


def is_too_long(extras: Extras, environ: WSGIEnvironment) -> bool:
    """Whether a request says of its body that it is longer than its entry allows."""
    if extras.body_limit is None:
        return False
    length = environ.get("CONTENT_LENGTH", "")
    return bool(length) and length.isdecimal() and int(length) > extras.body_limit


def add_to_environ(extras: Extras, environ: WSGIEnvironment) -> None:
    """
    Add an entry's variables to a request, and hold its body to its limit.

    What the request itself says stays as it is: SetEnv sets neither REMOTE_ADDR nor a header that
    the client has sent. HTTPS is the scheme, as mod_wsgi takes it.
    """
    for name, value in extras.environ:
        if name == "HTTPS":
            environ["wsgi.url_scheme"] = "https" if value.lower() in ("on", "1") else "http"
        elif name not in environ or (name == "CONTENT_TYPE" and not environ[name]):
            # Some servers have an empty CONTENT_TYPE where the client has sent none.
            environ[name] = value
    if extras.body_limit is not None:
        environ["wsgi.input"] = LimitedBody(environ["wsgi.input"], extras.body_limit)


def with_headers(
    extras: Extras | None, start_response: StartResponse, filename: str = ""
) -> StartResponse:
    """Return what starts a response with an entry's headers; ``filename`` is the script's."""
    if extras is None or not (extras.headers or extras.charset or _expires(extras)):
        return start_response
    return lambda status, headers, *more: start_response(
        status, changed_headers(extras, status, headers, filename), *more
    )


def with_always(extras: Extras | None, start_response: StartResponse) -> StartResponse:
    """Return what starts a response that no application makes, with the headers of every one."""
    if extras is None or not (added := always_headers(extras.headers)):
        return start_response
    return lambda status, headers, *more: start_response(status, [*added, *headers], *more)


def with_headers_of_files(extras: Extras | None, start_response: StartResponse) -> StartResponse:
    """Return what starts the response of a file with an entry's headers, or that of an error."""
    if extras is None or not extras.headers:
        return start_response

    def start(status: str, headers: Headers, *more: Any) -> Callable[[bytes], object]:
        # To Apache a redirect to the folder is an error, too.
        is_whole = status[:3] in ("200", "206", "304")
        begin = (with_headers if is_whole else with_always)(extras, start_response)
        return begin(status, headers, *more)

    return start


def changed_headers(
    extras: Extras, status: str, headers: Iterable[tuple[str, str]], filename: str = ""
) -> Headers:
    """Return the headers that a response of the application has: output filters of Apache."""
    own = list(headers)
    if extras.charset:
        own = [_with_charset(name, value, extras.charset) for name, value in own]
    if _expires(extras) and status[:1] in ("1", "2", "3"):
        own = _with_expires(own, extras, filename)
    for change in extras.headers:
        # A response without content has no type, as in Apache.
        is_of_nothing = status[:3] == "304" and change.name.lower() == "content-type"
        if not change.always and not is_of_nothing:
            own = changed_by(change, own)
    return always_headers(extras.headers) + own


def always_headers(changes: Iterable[HeaderChange]) -> Headers:
    """Return the headers that are on every response, error pages too."""
    found: Headers = []
    for change in changes:
        if change.always:
            found = changed_by(change, found)
    return found


def changed_by(change: HeaderChange, headers: Headers) -> Headers:
    """Return headers after one change: do_headers_fixup() of mod_headers."""
    name, value = change.name, change.value
    others = [(each, text) for each, text in headers if each.lower() != name.lower()]
    given = [text for each, text in headers if each.lower() == name.lower()]
    match change.action:
        case "unset":
            return others
        case "set":
            return [*others, (name, value)]
        case "setifempty":
            return headers if given else [*headers, (name, value)]
        case "append" if given:
            return _with_more(headers, name, value)
        case "merge" if given:
            is_there = value in {part.strip() for part in given[0].split(",")}
            return headers if is_there else _with_more(headers, name, value)
    return [*headers, (name, value)]


def _with_more(headers: Headers, name: str, value: str) -> Headers:
    """Put a value behind that of the first header of a name: apr_table_mergen()."""
    names = [each.lower() for each, _ in headers]
    place = names.index(name.lower())
    own, text = headers[place]
    return [*headers[:place], (own, f"{text}, {value}"), *headers[place + 1 :]]


def _with_charset(name: str, value: str, charset: str) -> tuple[str, str]:
    if name.lower() == "content-type" and value.strip().lower() in _TEXT:
        return name, f"{value.strip()}; charset={charset}"
    return name, value


def _expires(extras: Extras) -> bool:
    return extras.expires is not None or bool(extras.expires_by_type)


def _with_expires(headers: Headers, extras: Extras, filename: str) -> Headers:
    """Say how long a response may be kept, unless it says so itself: expires_filter()."""
    given = {name.lower(): value for name, value in headers}
    media_type = given.get("content-type", "")
    expires = expires_for(media_type, extras.expires_by_type, extras.expires)
    if "expires" in given or expires is None:
        return headers
    kept = kept_until(expires, _changed(expires, filename), time())
    if kept is None:
        return headers
    merged = changed_by(HeaderChange("append", "Cache-Control", f"max-age={kept[0]}"), headers)
    return [*merged, ("Expires", formatdate(kept[1], usegmt=True))]


def _changed(expires: Expires, filename: str) -> float | None:
    """Return when a script was changed, which is the file of its answers: None without one."""
    if not isinstance(expires, SinceChange) or filename[:1] != "/":
        return None
    try:
        return os.stat(filename.encode("latin-1")).st_mtime
    except OSError:
        return None
