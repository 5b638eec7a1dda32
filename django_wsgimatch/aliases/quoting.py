"""An alias as the directive line that Apache would read it from."""

from __future__ import annotations

from functools import lru_cache

from .alias import Alias, Redirection, Rewriting
from .directives import BLANKS


@lru_cache(maxsize=4096)
def directive_line(alias: Alias) -> str:
    """
    Return the line of which parse_directive() makes this alias, in latin-1.

    No directive says what an entry that refuses requests does, nor names a module: its line has
    the function's name. The options of files have none either. A RewriteRule, which that function
    does not read, has its conditions behind it.
    """
    if alias.directive == "DocumentRoot":
        return f"DocumentRoot {quote_word(alias.target)}"
    if isinstance(alias.answer, Rewriting):
        return _rewriting_line(alias.answer)
    words = [alias.directive, quote_word(alias.location)]
    if isinstance(alias.answer, Redirection):
        return " ".join([words[0], str(alias.answer.status), words[1], *_url_of(alias.answer)])
    if alias.answer is None or alias.target:
        words.append(quote_word(alias.target))
    if alias.answer is not None:
        return " ".join(words)
    options = {
        "process-group": alias.process_group,
        "application-group": alias.application_group,
        # The target of a module names it.
        "callable-object": None if alias.is_module else alias.callable_object,
        "pass-authorization": {None: None, True: "On", False: "Off"}[alias.pass_authorization],
    }
    words += [f"{name}={quote_word(value)}" for name, value in options.items() if value is not None]
    return " ".join(words)


def _rewriting_line(answer: Rewriting) -> str:
    """Return a rule with its conditions before it, all in one line."""
    when = [f"when {name} is {quote_word(pattern)}" for name, pattern in answer.when]
    flags = "[QSA,PT]" if answer.append_query else "[PT]"
    flags = flags if answer.status is None else f"[R={answer.status},L]"
    url = quote_word(answer.url) if answer.url else "-"
    words = ["RewriteRule", quote_word(answer.pattern), url, flags, *when]
    return " ".join(words)


def _url_of(answer: Redirection) -> list[str]:
    return [quote_word(answer.url)] if answer.url else []


def quote_word(word: str) -> str:
    """Return a word such that ap_getword_conf() reads it back, in quotes where these are needed."""
    if word and word[0] not in "\"'" and not any(blank in word for blank in BLANKS):
        return word.replace("\\", "\\\\")
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
