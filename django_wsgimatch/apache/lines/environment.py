"""Variables that Apache takes from its own environment."""

from __future__ import annotations

from collections.abc import Iterable

from .directive import Directive
from .set_by_request import bare_variable


class OwnVariable(str):
    """
    The name of a variable in a server's own environment, whose value it stands for.

    Where the environment has no such variable, nothing is set: that is PassEnv.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"os.environ[{str(self)!r}]"


def set_by_lines(directives: Iterable[Directive]) -> frozenset[str]:
    """Return the variables, lower case, that SetEnv or UnsetEnv says something of."""
    named = (
        each.words[:1] if each.key == "setenv" else each.words
        for each in directives
        if each.key in ("setenv", "unsetenv") and not each.is_off
    )
    return frozenset(bare_variable(name) for names in named for name in names)


def is_contested(directive: Directive, others: frozenset[str]) -> bool:
    """Whether a PassEnv meets a SetEnv for a variable that the environment may not have."""
    is_passed = directive.key == "passenv"
    return is_passed and not others.isdisjoint(map(bare_variable, directive.words))
