"""The words of a line, as ap_getword_conf() splits them."""

from __future__ import annotations

from ...aliases.directives import BLANKS, get_word


def split_words(text: str) -> list[str]:
    """Return all words of a text, empty ones in quotes too."""
    words = []
    text = text.lstrip(BLANKS)
    while text:
        word, text = get_word(text)
        words.append(word)
    return words
