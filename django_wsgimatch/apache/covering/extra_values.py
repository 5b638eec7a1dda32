"""
What SetEnv, Header and their kin give: for a server, or within a section.

Each variable and each change of a header is a value of its own: of variables the last one wins,
changes of headers are all made, in the order in which Apache merges sections.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from ...aliases.alias import Extras, HeaderAction, HeaderChange
from ...aliases.lines.expiry import Expires, ExpiresByType, is_media_type, read_expiry
from ...entry_options.texts import utf8_text
from ...exceptions import DirectiveError
from ..lines.directive import Directive
from ..lines.environment import OwnVariable
from ..outcomes.answers import is_internal
from ..outcomes.outcome import Category
from .option_values import Given

# How the names of values begin of which there may be any number.
_VARIABLE, _CHANGE, _LEFT = "environ ", "headers ", "left "
_ACTIVE, _EXPIRES, _CHARSET, _LIMIT = "expires_active", "expires", "charset", "body_limit"
_TYPE = "expires_by_type "
# Of merged values: whether types such as text/* count.
_KINDS = "expires kinds"
# How the names begin that mean something to files, too.
_OF_FILES = (
    _CHANGE,
    _CHARSET,
    _EXPIRES,
    *(f"{_LEFT}{key}" for key in ("header", "add", "expires")),
)

_OWN = "Apache sets it for each request, whatever SetEnv says"
_SERVERS = "the server sends its own"
_REQUEST = "its value depends on the request: set it in a middleware"
_CONDITION = "it is done for some requests only: do it in a middleware"
_UNTOLD = "only `set` of a whole type is an option of entries: do it in a middleware"
_CONNECTION = "it is about the connection, which belongs to the server"
_RESERVED = "the name belongs to the server here: choose another one"
_CHALLENGE = "mod_wsgi treats this header in its own way: do it in a middleware"
_RANGE = "it lies beyond what Apache can count: set Expires in a middleware"
_ACTION = "it changes what the application has set: do it in a middleware"

# As observed: what ap_add_common_vars(), ap_add_cgi_vars() and mod_wsgi set goes before SetEnv.
_OF_REQUESTS = frozenset(
    [
        *("path", "document_root", "server_admin", "server_signature", "server_software"),
        *("server_addr", "server_name", "server_port", "server_protocol", "remote_addr"),
        *("remote_port", "gateway_interface", "request_method", "request_uri", "query_string"),
        *("script_name", "path_info", "path_translated", "script_filename", "request_scheme"),
        *("context_prefix", "context_document_root", "http_host", "wsgi.url_scheme"),
    ]
)
# What the settings refuse: entry_options.extras, and a body's length is the request's.
_REFUSED = ("wsgi.", "mod_wsgi.", "wsgimatch.", "gunicorn.", "content_length")
# RFC 9110 7.6.1, and how long a body is.
_OF_CONNECTIONS = (
    *("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"),
    *("upgrade", "content-length"),
)
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# parse_misc_string() and parse_format_tag() of mod_headers.
_FORMAT = re.compile(r"%%|%|\\[\\rnt]")
_FORMATS = {"%%": "%", "%": "%", "\\\\": "\\", "\\r": "\r", "\\n": "\n", "\\t": "\t"}
# Of a text without a charset AddDefaultCharset adds one, after all headers.
_BARE = ("text/plain", "text/html")

Values = dict[str, Given]


@dataclass(frozen=True, slots=True)
class Left:
    """What no entry says: what becomes of the directive that gives it, and why."""

    category: Category
    reason: str


def extras_given_by(directive: Directive) -> Values:
    """
    Return the values that one of ``EXTRAS_READERS`` gives, by names that tell them apart.

    Raises DirectiveError for what Apache refuses.
    """
    if is_internal(directive):
        return {}
    found = EXTRAS_READERS[directive.key](directive.words)
    if isinstance(found, Left):
        return {f"{_LEFT}{directive.key} {id(directive)}": Given(found, directive)}
    if isinstance(found, HeaderChange):
        return {f"{_CHANGE}{id(directive)}": Given(found, directive)}
    return {name: Given(value, directive) for name, value in found.items()}


Read = dict[str, Any] | HeaderChange | Left


def _set_variable(words: list[str]) -> Read:
    if len(words) not in (1, 2):
        raise DirectiveError("SetEnv takes 1-2 arguments, an environment variable name and value")
    name, value = words[0], words[1] if len(words) > 1 else ""
    key = name.lower()
    if key in _OF_REQUESTS:
        return Left("not needed", _OWN)
    text = utf8_text(name)
    if not name or "=" in name or not text.isprintable() or key.startswith(_REFUSED):
        return Left("needs you", _RESERVED)
    return {f"{_VARIABLE}{key}": (name, value)}


def _unset_variables(words: list[str]) -> Read:
    return {f"{_VARIABLE}{name.lower()}": None for name in words}


def _pass_variables(words: list[str]) -> Read:
    found: dict[str, Any] = {}
    left = None
    for name in words:
        given = _set_variable([name])
        if isinstance(given, dict):
            found |= dict.fromkeys(given, (name, OwnVariable(name)))
        elif isinstance(given, Left) and (left is None or given.category == "needs you"):
            left = given
    # Some are kept and some are not: no line of a report says both.
    return found if left is None else Left("needs you", _RESERVED) if found else left


def _header(words: list[str]) -> Read:
    condition = words[0].lower() if words else ""
    is_always = condition == "always"
    given = words[1:] if condition in ("always", "onsuccess") else words
    action, rest = "".join(given[:1]).lower(), given[1:]
    if action in ("edit", "edit*", "echo", "note"):
        return Left("needs you", _ACTION)
    if action not in get_args(HeaderAction):
        raise DirectiveError(f"{action!r} is no action of Header")
    count = 1 if action == "unset" else 2
    if len(rest) < count:
        raise DirectiveError("Header requires a name, and a value but for unset")
    if len(rest) > count:
        return Left("needs you", _CONDITION)
    name = rest[0].partition(":")[0]
    value = fixed_text("" if action == "unset" else rest[1])
    left = _uncarried(action, name, value, is_always=is_always)
    return left or HeaderChange(action, name, value or "", is_always)  # type: ignore[arg-type]


def _uncarried(action: str, name: str, value: str | None, *, is_always: bool) -> Left | None:
    """Return why a change of a header is no option of an entry, None where it is one."""
    key = name.lower()
    if key in ("server", "date"):
        return Left("not needed", _SERVERS)
    if value is None or not _VALUE.fullmatch(value):
        return Left("needs you", _REQUEST)
    if key in _OF_CONNECTIONS or not _TOKEN.fullmatch(name):
        return Left("needs you", _CONNECTION)
    if key == "www-authenticate":
        return Left("needs you", _CHALLENGE)
    is_set = action == "set" and not is_always and value.strip().lower() not in _BARE
    return Left("needs you", _UNTOLD) if key == "content-type" and not is_set else None


def fixed_text(value: str) -> str | None:
    """Return what a value of Header always is, None where it depends on the request."""
    found = list(_FORMAT.finditer(value))
    if value.startswith("expr=") or any(f[0] == "%" and f.end() < len(value) for f in found):
        return None
    return _FORMAT.sub(lambda each: _FORMATS[each[0]], value)


def _charset(words: list[str]) -> Read:
    if len(words) != 1:
        raise DirectiveError("AddDefaultCharset takes one argument, a charset, Off or On")
    name = words[0]
    # set_add_default_charset() of Apache's core.
    named = {"off": None, "on": "iso-8859-1"}.get(name.lower(), name)
    if named is not None and not _TOKEN.fullmatch(named):
        return Left("needs you", f"{name!r} is no name of a charset")
    return {_CHARSET: named}


def _active(words: list[str]) -> Read:
    flag = " ".join(words).lower()
    if flag not in ("on", "off"):
        raise DirectiveError("ExpiresActive must be On or Off")
    return {_ACTIVE: True if flag == "on" else None}


def _default(words: list[str]) -> Read:
    if len(words) != 1:
        raise DirectiveError("ExpiresDefault takes one argument, an expiry date code")
    expires = read_expiry(words[0])
    return Left("needs you", _RANGE) if expires is None else {_EXPIRES: expires}


def _by_type(words: list[str]) -> Read:
    if len(words) != 2:
        raise DirectiveError("ExpiresByType takes two arguments, a MIME type and an expiry code")
    name = words[0].lower()
    if "/" not in name:
        raise DirectiveError(f"Invalid mimetype: {name!r} should contain a slash")
    expires = read_expiry(words[1])
    return Left("needs you", _RANGE) if expires is None else {f"{_TYPE}{name}": expires}


def _limit(words: list[str]) -> Read:
    digits = words[0].lstrip("0") if len(words) == 1 and words[0].isdecimal() else None
    if digits is None or len(digits) > 18:
        raise DirectiveError("LimitRequestBody requires a non-negative integer.")
    # 0 is no limit.
    return {_LIMIT: int(digits or "0") or None}


EXTRAS_READERS: dict[str, Callable[[list[str]], Read]] = {
    "setenv": _set_variable,
    "unsetenv": _unset_variables,
    "passenv": _pass_variables,
    "header": _header,
    "adddefaultcharset": _charset,
    "expiresactive": _active,
    "expiresdefault": _default,
    "expiresbytype": _by_type,
    "limitrequestbody": _limit,
}


def is_extra(name: str) -> bool:
    """Whether a value is one of these, and can be an option of an entry."""
    return name.startswith((_VARIABLE, _CHANGE)) or name in (_CHARSET, _LIMIT) or is_expiring(name)


def is_expiring(name: str) -> bool:
    """Whether a value is one of those that say how long a response may be kept."""
    return name in (_ACTIVE, _EXPIRES) or name.startswith(_TYPE)


def is_left(name: str) -> bool:
    """Whether a value only says that a directive is no option."""
    return name.startswith(_LEFT)


def is_of_files(name: str) -> bool:
    """Whether a value means something to files, too."""
    return name.startswith(_OF_FILES)


def expiring_otherwise(values: Values, given: Values) -> set[str]:
    """Return what is given of mod_expires, if it does something else with it than without."""
    is_same = _expiry(values) == _expiry(overlaid(values, given))
    return set() if is_same else set(filter(is_expiring, given))


def overlaid(values: Values, layer: Values) -> Values:
    """
    Return what a section gives over what holds.

    As observed, merge_expires_dir_configs() forgets the types with ``*`` of what it merges over,
    until a section has one of its own again.
    """
    merged = values | layer
    expiring = {name: given for name, given in layer.items() if is_expiring(name)}
    if expiring and _KINDS not in layer:
        given = next(iter(expiring.values()))
        has_kinds = any(map(_is_kind, expiring))
        merged[_KINDS] = Given(has_kinds, given.directive)
    return merged


def _is_kind(name: str) -> bool:
    return name.startswith(_TYPE) and name.endswith("/*")


def expires_of(values: Values) -> Expires | None:
    """Return for how long a response may be kept, None where nothing is said of it."""
    expires: Expires | None = _single(values, _EXPIRES) if _single(values, _ACTIVE) else None
    return expires


def expires_by_type_of(values: Values) -> ExpiresByType:
    """Return for how long responses of some types may be kept."""
    names = filter(is_expiring, values) if _single(values, _ACTIVE) else ()
    return tuple(
        (name.removeprefix(_TYPE), values[name].value)
        for name in names
        if name.startswith(_TYPE) and (not _is_kind(name) or _single(values, _KINDS))
        # No answer has another one.
        if is_media_type(name.removeprefix(_TYPE))
    )


def _expiry(values: Values) -> tuple[Expires | None, dict[str, Expires]]:
    return expires_of(values), dict(expires_by_type_of(values))


def is_idle(name: str, values: Values) -> bool:
    """Whether a value is one of mod_expires that has no effect among others."""
    if not is_expiring(name):
        return False
    default, by_type = _expiry(values)
    if name.startswith(_TYPE):
        return name.removeprefix(_TYPE) not in by_type
    return default is None and (name == _EXPIRES or not by_type)


def variable_of(values: Values, name: str) -> str | None:
    """Return the value that SetEnv gives a variable."""
    given = values.get(f"{_VARIABLE}{name.lower()}")
    return None if given is None or given.value is None else str(given.value[1])


def merged_layers(layers: Sequence[Values]) -> Values:
    """
    Return what sections of one kind give together.

    As observed, merge_env_dir_configs() forgets what UnsetEnv says once it merges two sections with
    variables: what the server gives comes back.
    """
    merged: Values = {}
    for layer in layers:
        merged = overlaid(merged, layer)
    if sum(map(_has_variables, layers)) > 1:
        merged = {n: e for n, e in merged.items() if not _is_variable(n) or e.value is not None}
    return merged


def may_undo(layers: Sequence[Values]) -> bool:
    """Whether sections that meet may take back what UnsetEnv says in one of them."""
    is_unset = any(_is_variable(n) and e.value is None for each in layers for n, e in each.items())
    return is_unset and sum(map(_has_variables, layers)) > 1


def _has_variables(layer: Values) -> bool:
    return any(map(_is_variable, layer))


def _is_variable(name: str) -> bool:
    return name.startswith(_VARIABLE)


def extras_of(values: Values) -> Extras | None:
    """Return what stands around an application with these values, None for nothing."""
    if not any(map(is_extra, values)):
        return None
    found = Extras(
        tuple(each.value for n, each in values.items() if n.startswith(_VARIABLE) and each.value),
        changes_of(values),
        _single(values, _CHARSET) or "",
        expires_of(values),
        _single(values, _LIMIT),
        expires_by_type_of(values),
    )
    return None if found == Extras() else found


def changes_of(values: Values) -> tuple[HeaderChange, ...]:
    """Return the changes of headers, in Apache's order."""
    return tuple(each.value for name, each in values.items() if name.startswith(_CHANGE))


def charset_of(values: Values) -> str | None:
    """Return the charset of text that names none."""
    charset: str | None = _single(values, _CHARSET)
    return charset


def always_given(values: Values) -> Iterable[Given]:
    """Return those changes of headers that are made to redirects and errors, too."""
    return (e for e in values.values() if isinstance(e.value, HeaderChange) and e.value.always)


def option_said(name: str) -> str:
    """Return the option of an entry that a value becomes a part of."""
    return _EXPIRES if name == _ACTIVE else name.partition(" ")[0]


def _single(values: Values, name: str) -> Any:
    return values[name].value if name in values else None
