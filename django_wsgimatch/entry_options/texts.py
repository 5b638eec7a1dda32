"""Text of settings as the latin-1 text that environs and tables have."""

from __future__ import annotations

import os

from ..exceptions import DirectiveError

Text = str | bytes
FilePath = str | bytes | os.PathLike[str] | os.PathLike[bytes]


def as_utf8(what: str, text: str) -> str:
    """
    Return text as the latin-1 text of its UTF-8 bytes.

    ``what`` names it in the DirectiveError that is raised where it has none.
    """
    # Optimization: not to copy what stays the same took half the time, and no memory.
    if type(text) is str and text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("latin-1")
    except UnicodeEncodeError:
        raise DirectiveError(f"{what} should be text that UTF-8 can encode, not {text!r}") from None


def bytes_of(what: str, value: object) -> str:
    """
    Return the text or path of an option, which ``what`` names, as latin-1 text.

    Raises DirectiveError where it is none, or empty, or contains a NUL byte.
    """
    path = os.fspath(value) if isinstance(value, str | bytes | os.PathLike) else ""
    if not path:
        raise DirectiveError(f"the {what} should be non-empty text, not {value!r}")
    text = path.decode("latin-1") if isinstance(path, bytes) else as_utf8(f"the {what}", path)
    if "\0" in text:
        raise DirectiveError(f"the {what} {value!r} contains a NUL byte")
    return text


def utf8(text: str) -> str:
    """Return text as the latin-1 text of its UTF-8 bytes, as environs and tables have it."""
    return as_utf8("a name", text)


def utf8_text(text: str) -> str:
    """Return text whose characters are bytes as UTF-8; what is none keeps its bytes."""
    return text.encode("latin-1", "replace").decode("utf-8", "surrogateescape")
