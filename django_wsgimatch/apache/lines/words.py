"""The words of a line, as ap_getword_conf() splits them."""

from __future__ import annotations

import re

from ...aliases.directives import BLANKS, get_word

_UNQUOTED = re.compile(rf"([^\"'{BLANKS}][^{BLANKS}]*)[{BLANKS}]*")


def split_name(line: str) -> tuple[str, str]:
    """Split the name of a directive off a line without blanks before it."""
    # Optimization: get_word() takes five times as long, and names are hardly ever quoted.
    if (found := _UNQUOTED.match(line)) is None:
        return get_word(line)
    return found[1].replace("\\\\", "\\"), line[found.end() :]


def split_words(text: str) -> list[str]:
    """Return all words of a text, empty ones in quotes too."""
    words = []
    text = text.lstrip(BLANKS)
    while text:
        word, text = get_word(text)
        words.append(word)
    return words
