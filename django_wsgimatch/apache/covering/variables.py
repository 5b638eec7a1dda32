"""Variables of requests that name groups: which of them SetEnv alone decides about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...aliases.groups import GLOBAL, variable_in
from ..lines.directive import Directive
from ..lines.set_by_request import bare_variable, variables_set_by
from .extra_values import Values, variable_of


def set_by_others(directives: Iterable[Directive]) -> frozenset[str]:
    """Return the variables, lower case, that something sets which goes before SetEnv."""
    return frozenset(name for each in directives for name in _named(each))


def _named(directive: Directive) -> Iterator[str]:
    if directive.key == "passenv":
        yield from map(bare_variable, directive.words)
    yield from variables_set_by(directive)


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
