"""
Words of a directive line, as Apache reads them.

Mirrors ap_getword_conf().
"""

from __future__ import annotations

import re

# What isspace() is true of in the C locale.
BLANKS = " \t\n\v\f\r"


def get_word(line: str) -> tuple[str, str]:
    """
    Split the first word off a line: ``(word, rest)``, as ap_getword_conf() does.

    A quote counts only as the first character of a word; inside, a backslash takes that quote
    and itself literally. Outside, only a doubled
    backslash is unescaped. A missing closing quote is accepted.
    """
    line = line.lstrip(BLANKS)
    quote = line[:1] if line[:1] in ('"', "'") else ""
    if quote:
        end = _closing_quote(line, quote)
        word, rest = line[1:end], line[end + 1 :]
        word = re.sub(rf"\\([\\{quote}])", r"\1", word)
    else:
        end = next((i for i, c in enumerate(line) if c in BLANKS), len(line))
        word, rest = line[:end].replace("\\\\", "\\"), line[end:]
    return word, rest.lstrip(BLANKS)


def _closing_quote(line: str, quote: str) -> int:
    end = 1
    while end < len(line) and line[end] != quote:
        escaped = line[end] == "\\" and line[end + 1 : end + 2] in (quote, "\\")
        end += 2 if escaped else 1
    return end
