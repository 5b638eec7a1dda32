"""Variables that a line sets for some requests: SetEnvIf, BrowserMatch, and flags of rules."""

from __future__ import annotations

from collections.abc import Iterator

from .directive import Directive

BY_REQUEST = ("setenvif", "setenvifnocase", "setenvifexpr", "browsermatch", "browsermatchnocase")
# Behind one argument, an expression or a browser, stands what is set; behind two elsewhere.
_ONE_BEFORE = ("setenvifexpr", "browsermatch", "browsermatchnocase")


def variables_set_by(directive: Directive) -> Iterator[str]:
    """Yield the variables, in lower case, that a directive sets or takes away for some requests."""
    name, words = directive.key, directive.words
    if name in BY_REQUEST:
        yield from map(bare_variable, words[1 if name in _ONE_BEFORE else 2 :])
    elif name == "rewriterule":
        for flag in "".join(words[2:]).strip("[]").split(","):
            key, _, variable = flag.strip().partition("=")
            if key.lower() in ("e", "env") and variable:
                yield bare_variable(variable.partition(":")[0])


def bare_variable(word: str) -> str:
    """Return the name, in lower case, in ``NAME``, ``NAME=value`` and ``!NAME``."""
    return word.removeprefix("!").partition("=")[0].lower()
