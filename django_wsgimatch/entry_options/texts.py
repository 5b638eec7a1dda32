"""Text of settings as the latin-1 text that environs and tables have."""

from __future__ import annotations

from ..exceptions import DirectiveError


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
