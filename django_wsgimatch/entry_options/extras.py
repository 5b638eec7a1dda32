"""The options of an entry that stand around its application: read and judged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, get_args

from ..aliases.alias import Extras, HeaderAction, HeaderChange
from ..aliases.lines.expiry import (
    EXPIRES_BY_TYPE_WANTED,
    EXPIRES_WANTED,
    Expires,
    ExpiresByType,
    expires_by_type_option,
    expires_option,
)
from ..exceptions import DirectiveError
from .texts import as_utf8

EXTRAS = ("environ", "headers", "charset", "expires", "body_limit", "expires_by_type")

# RFC 9110 5.6.2: what a name of a header is made of.
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# RFC 9110 5.5, without what a text of latin-1 cannot hold.
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_ACTIONS = get_args(HeaderAction)
# What the server, mod_wsgi or the dispatcher says of a request; HTTPS is the scheme.
_RESERVED = ("wsgi.", "mod_wsgi.", "wsgimatch.", "gunicorn.")
_HEADERS = (
    "headers should be a dict of names to values, or a list of (action, name, value) with 'always' "
    f"behind it if error pages need it too; the actions are {', '.join(_ACTIONS)}"
)


def read_extras(given: Mapping[str, Any]) -> Extras | None:
    """Return an entry's extras, None where it has none of the options. Raises DirectiveError."""
    if not given:
        return None
    return _shared_extras(
        tuple(_environ(given.get("environ", {}))),
        tuple(_headers(given.get("headers", {}))),
        _charset(given.get("charset", "")),
        _expires(given.get("expires")),
        _body_limit(given.get("body_limit")),
        _expires_by_type(given.get("expires_by_type", {})),
    )


@lru_cache(maxsize=1024)
def _shared_extras(*values: Any) -> Extras:
    """Return one value for all entries that have the same."""
    return Extras(*values)


def _environ(given: object) -> Iterator[tuple[str, str]]:
    if not isinstance(given, Mapping):
        raise DirectiveError(f"environ should be a dict of names to text, not {given!r}")
    for name, value in given.items():
        if not isinstance(name, str) or not name or "=" in name or not name.isprintable():
            raise DirectiveError(f"a name in environ should be text without '=', not {name!r}")
        if name.startswith(_RESERVED):
            raise DirectiveError(f"environ cannot set {name!r}: the server says it of each request")
        if not isinstance(value, str) or "\0" in value:
            raise DirectiveError(f"environ[{name!r}] should be text, not {value!r}")
        yield as_utf8("environ", name), as_utf8("environ", value)


def _headers(given: object) -> Iterator[HeaderChange]:
    if isinstance(given, Mapping):
        given = [("set", name, value) for name, value in given.items()]
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        raise DirectiveError(f"{_HEADERS}, not {given!r}")
    for line in given:
        yield read_header_change(line)


def read_header_change(line: object) -> HeaderChange:
    """Return what a line of ``headers`` does with one header. Raises DirectiveError."""
    if not isinstance(line, Sequence) or isinstance(line, str) or not 2 <= len(line) <= 4:
        raise DirectiveError(f"{_HEADERS}, not {line!r}")
    is_always = line[-1] == "always" and len(line) == (3 if line[0] == "unset" else 4)
    action, name, *value = line[:-1] if is_always else line
    if action not in _ACTIONS or len(value) != (action != "unset"):
        raise DirectiveError(f"{_HEADERS}, not {line!r}")
    if not isinstance(name, str) or not _TOKEN.fullmatch(name):
        raise DirectiveError(f"the name of a header should be one, not {name!r}")
    text = value[0] if value else ""
    if not isinstance(text, str) or not _VALUE.fullmatch(as_utf8(name, text)):
        raise DirectiveError(f"the header {name} should have a line of text, not {text!r}")
    return HeaderChange(action, name, as_utf8(name, text), is_always)


def _charset(given: object) -> str:
    if given == "" or (isinstance(given, str) and _TOKEN.fullmatch(given)):
        return given
    raise DirectiveError(f"charset should be a name such as 'utf-8', not {given!r}")


def _body_limit(given: object) -> int | None:
    if given is None or (type(given) is int and given >= 0):
        return given
    raise DirectiveError(f"body_limit should be a number of bytes, not {given!r}")


def _expires(given: object) -> Expires | None:
    try:
        return None if given is None else expires_option(given)
    except TypeError:
        raise DirectiveError(f"expires should be {EXPIRES_WANTED}, not {given!r}") from None


def _expires_by_type(given: object) -> ExpiresByType:
    try:
        return expires_by_type_option(given)
    except TypeError:
        what = EXPIRES_BY_TYPE_WANTED
        raise DirectiveError(f"expires_by_type should be {what}, not {given!r}") from None
