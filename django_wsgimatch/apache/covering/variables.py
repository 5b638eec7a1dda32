"""Variables of requests that name groups: which of them SetEnv alone decides about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...aliases.groups import GLOBAL, variable_in
from ..lines.directive import Directive
from .extra_values import Values, variable_of


def set_by_others(directives: Iterable[Directive]) -> frozenset[str]:
    """Return the variables, lower case, that something sets which goes before SetEnv."""
    return frozenset(name.lower() for each in directives for name in _named(each))


def _named(directive: Directive) -> Iterator[str]:
    name, words = directive.key, directive.words
    if name == "passenv":
        yield from words
    elif name.startswith("setenvif"):
        yield from map(_variable, words[1 if name == "setenvifexpr" else 2 :])
    elif name.startswith("browsermatch"):
        yield from map(_variable, words[1:])
    elif name == "rewriterule":
        for flag in "".join(words[2:]).strip("[]").split(","):
            key, _, variable = flag.strip().partition("=")
            if key.lower() in ("e", "env"):
                yield _variable(variable.partition(":")[0])


def _variable(word: str) -> str:
    return word.removeprefix("!").partition("=")[0]


def fixed_name(value: str, values: Values, others: frozenset[str]) -> str:
    """
    Return the name of a group, without a variable whose value SetEnv fixes.

    As observed, mod_wsgi asks for ``%{ENV:x}`` once mod_env has set its variables; what others have
    set by then goes first.
    """
    name = variable_in(value)
    if name is None or name.lower() in others:
        return value
    found = variable_of(values, name)
    # A variable in a variable's value is not asked for again.
    if found is None or found.startswith("%{ENV:"):
        return value
    return found or GLOBAL
