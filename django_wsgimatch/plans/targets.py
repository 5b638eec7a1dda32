"""From a request target to its uri, in the usual cases: a shorter way than ``aliases.uri``."""

from __future__ import annotations

from urllib.parse import quote

from ..aliases.target import LONGEST_FILENAME
from ..aliases.uri import resolve_dots
from ..exceptions import BadTarget

# Neither a uri nor a script this short can reach Apache's limit for the filename together.
LONGEST_URI = LONGEST_FILENAME // 2

# What each escape stands for. Without that of NUL, which is refused, and of the slash, which the
# rules decide about; a dot is decoded before dot segments are resolved, and the others after it.
_ESCAPES = {
    first + last: chr(int(first + last, 16))
    for first in "0123456789abcdefABCDEF"
    for last in "0123456789abcdefABCDEF"
    if (first + last).lower() not in ("00", "2f", "2e")
}
# ASCII that stands for itself in a target.
_UNQUOTED = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in "%?#")


def is_clean(uri: str) -> bool:
    """Whether a target is its own uri: it has no query, and nothing to decode, merge or refuse."""
    return (
        uri[:1] == "/"
        and len(uri) <= LONGEST_URI
        and "//" not in uri
        # Optimization: most uris have no dot, and one character is found in half the time of two.
        and ("." not in uri or "/." not in uri)
        and "%" not in uri
        and "?" not in uri
        and "#" not in uri
        and " " not in uri
        and uri.isprintable()
    )


def uri_of(path: str, *, merge_slashes: bool = True) -> str | None:
    """
    Return the uri of a target without its query; None where ``aliases.uri`` must tell.

    What is returned has no two slashes in a row, no dot segments, and is no longer than
    LONGEST_URI.
    """
    if is_clean(path):
        return path
    if path[:1] != "/" or len(path) > LONGEST_URI or not path.isprintable():
        return None
    if "#" in path or " " in path or "?" in path:
        return None
    decoded = path if "%" not in path else _decoded(path)
    if decoded is None:
        return None
    if "//" in path or "/." in path:
        # What an escape stands for makes no segment empty, nor one of dots alone.
        return _resolved(path, decoded, merge_slashes)
    return decoded


def is_own_target(path_info: str) -> bool:
    """Whether a decoded path may be the target that it comes from: nothing in it need be quoted."""
    return (
        "%" not in path_info
        and "?" not in path_info
        and " " not in path_info
        and "#" not in path_info
        and path_info.isprintable()
    )


def quoted_path(path_info: str) -> str:
    """Return the target that a decoded path is the uri of, where no slash or dot was encoded."""
    return quote(path_info, safe=_UNQUOTED, encoding="latin-1")


def _decoded(path: str) -> str | None:
    start, *escaped = path.split("%")
    parts = [start]
    for text in escaped:
        character = _ESCAPES.get(text[:2])
        if character is None:
            return None
        parts += (character, text[2:])
    return "".join(parts)


def _resolved(path: str, decoded: str, merge_slashes: bool) -> str | None:
    # Slashes at the start are merged whatever the rule.
    start = len(path) - len(path.lstrip("/")) - 1
    try:
        uri = resolve_dots(decoded[start:], merge_slashes, above_root=False)
    except BadTarget:
        return None
    return uri if "//" not in uri else None
