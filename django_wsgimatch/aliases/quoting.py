"""An alias as the directive line that Apache would read it from."""

from __future__ import annotations

from functools import lru_cache

from .alias import Alias
from .directives import BLANKS


@lru_cache(maxsize=4096)
def directive_line(alias: Alias) -> str:
    """
    Return the line of which parse_directive() makes this alias, in latin-1.

    No directive says what an entry without an application does: its line has the function's name.
    """
    words = [alias.directive, quote_word(alias.location)]
    if alias.answer is not None:
        return " ".join(words)
    words.append(quote_word(alias.target))
    options = {
        "process-group": alias.process_group,
        "application-group": alias.application_group,
        "callable-object": alias.callable_object,
        "pass-authorization": {None: None, True: "On", False: "Off"}[alias.pass_authorization],
    }
    words += [f"{name}={quote_word(value)}" for name, value in options.items() if value is not None]
    return " ".join(words)


def quote_word(word: str) -> str:
    """Return a word such that ap_getword_conf() reads it back, in quotes where these are needed."""
    if word and word[0] not in "\"'" and not any(blank in word for blank in BLANKS):
        return word.replace("\\", "\\\\")
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
