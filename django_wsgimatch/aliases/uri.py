"""
From a request target to the uri that aliases are matched with.

Mirrors what Apache 2.4 does between the request line and the translate_name hook:
ap_parse_uri(), ap_normalize_path(), ap_unescape_url() and core's AllowEncodedSlashes.
All text is latin-1: one code point is one byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ..exceptions import BadTarget
from .hosts.validity import is_valid_authority

EncodedSlashes = bool | Literal["NoDecode"]

# RFC 3986 "unreserved": decoded before dot segments are resolved, so that %2e%2e climbs.
_UNRESERVED = re.compile(
    r"%(2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])", re.ASCII
)
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LEADING_SLASHES = re.compile("^//+")
_FORBIDDEN = re.compile(r"[\x00-\x20#\x7f]")
# As apr_uri_parse() takes a target apart; what the host of one may be, ``hosts`` tells.
_ANY_HOST = r"(?:\[[^]/?@]*\][^:/?@]*|[^[:/?@]*)(?::[0-9]*)?"
_ABSOLUTE_FORM = re.compile(
    rf"(?:http://([^/?]*)|https://{_ANY_HOST}|https?:(?!//))(?=[/?]|\Z)", re.IGNORECASE | re.ASCII
)


@dataclass(frozen=True, slots=True)
class Target:
    """
    A request target, taken apart.

    ``uri`` is decoded once and normalised; ``query`` is everything behind the first ``?``, as
    it came; ``host`` is that of an absolute-form ``http`` target (RFC 9112, 3.2.2), else None:
    the host of another scheme than the server's own leaves the Host header in force.
    """

    uri: str
    query: str
    host: str | None = None


def parse_target(
    target: str, *, allow_encoded_slashes: EncodedSlashes = False, merge_slashes: bool = True
) -> Target:
    """
    Return the uri, query string and host of a request target, as Apache would see them.

    Raises BadTarget with status 400 for what Apache refuses as malformed and 404 for ``%00``
    and, unless ``allow_encoded_slashes`` says otherwise, ``%2F``.
    """
    if found := _FORBIDDEN.search(target):
        raise BadTarget(400, f"the target holds the character {found[0]!r}")
    absolute = _ABSOLUTE_FORM.match(target)
    if absolute and absolute[1] and not is_valid_authority(absolute[1]):
        raise BadTarget(400, f"{absolute[1]!r} is not a host")
    path, _, query = target[absolute.end() if absolute else 0 :].partition("?")
    if target and not path:
        path = "/"
    if not absolute:
        path = _LEADING_SLASHES.sub("/", path)
    uri = normalise(path, allow_encoded_slashes, merge_slashes)
    return Target(uri, query, absolute[1] if absolute else None)


def authority_of(target: str) -> str | None:
    """Return the host of an absolute-form ``http`` target as it stands there, else None."""
    if target[:1] == "/":
        return None
    absolute = _ABSOLUTE_FORM.match(target)
    return absolute[1] if absolute else None


def origin_form(target: str) -> str:
    """Return an absolute-form target without its scheme and valid host; another as it is."""
    absolute = _ABSOLUTE_FORM.match(target)
    if absolute is None or not is_valid_authority(absolute[1] or ""):
        return target
    rest = target[absolute.end() :]
    return rest if rest[:1] == "/" else f"/{rest}"


def normalise(path: str, allow_encoded_slashes: EncodedSlashes, merge_slashes: bool) -> str:
    """Decode and normalise a path in Apache's order: unreserved, dot segments, all the rest."""
    if not path.startswith("/"):
        raise BadTarget(400, "the target does not start with '/'")
    if bad := _BAD_ESCAPE.search(path):
        raise BadTarget(400, f"{path[bad.start() : bad.start() + 3]!r} is not a percent escape")
    path = resolve_dots(_UNRESERVED.sub(_decode, path), merge_slashes, above_root=False)
    if "%" not in path:
        return path
    path = _decode_reserved(path, allow_encoded_slashes)
    if allow_encoded_slashes is True:
        # Slashes that were hidden may have brought new dot segments to light.
        path = resolve_dots(path, merge_slashes, above_root=True)
    return path


def from_path_info(path_info: str, *, merge_slashes: bool = True) -> str:
    """
    The uri of an already decoded path, for servers that do not pass the request target on.

    What ``%2F``, ``%252F`` or ``%2E`` said is lost by then: a decoded slash is a slash.
    Raises BadTarget as parse_target() does.
    """
    if not path_info.startswith("/"):
        raise BadTarget(400, "PATH_INFO does not start with '/'")
    if "\0" in path_info:
        raise BadTarget(404, "the path holds a NUL byte")
    path = _LEADING_SLASHES.sub("/", path_info)
    return resolve_dots(path, merge_slashes, above_root=False)


def resolve_dots(path: str, merge_slashes: bool, *, above_root: bool) -> str:
    """
    Remove ``.``, ``..`` and empty segments, as ap_normalize_path() does.

    Climbing above the root raises BadTarget, unless ``above_root`` allows it: then the
    climb is dropped.
    """
    if "/." not in path and (not merge_slashes or "//" not in path):
        return path
    kept: list[str] = []
    *inner, last = path[1:].split("/")
    for segment in inner:
        if segment == "..":
            _climb(kept, above_root)
        elif segment != "." and (segment or not merge_slashes):
            kept.append(segment)
    if last == "..":
        _climb(kept, above_root)
    kept.append("" if last in (".", "..") else last)
    return "/" + "/".join(kept)


def _climb(kept: list[str], above_root: bool) -> None:
    if kept:
        kept.pop()
    elif not above_root:
        raise BadTarget(400, "'..' leads above the root")


def _decode_reserved(path: str, allow_encoded_slashes: EncodedSlashes) -> str:
    codes = {escape.lower() for escape in _ESCAPE.findall(path)}
    if "00" in codes:
        raise BadTarget(404, "the path holds %00")
    if "2f" in codes:
        if not allow_encoded_slashes:
            raise BadTarget(404, "the path holds %2F, which AllowEncodedSlashes Off refuses")
        if allow_encoded_slashes == "NoDecode":
            return _ESCAPE.sub(_decode_all_but_slash, path)
    return _ESCAPE.sub(_decode, path)


def _decode(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16))


def _decode_all_but_slash(escape: re.Match[str]) -> str:
    return escape[0] if escape[1] in ("2f", "2F") else _decode(escape)
