"""Headers and variables of an entry that Apache has at one address, and not at another."""

from __future__ import annotations

from collections.abc import Iterator

from ..covering.extra_values import EXTRAS_READERS
from ..covering.hosts import proxy_lines
from ..lines.directive import Directive
from ..outcomes.outcome import Ledger
from .resolving import ResolvedAlias

_APART = "a table cannot tell addresses apart"


def note_other_address(chosen: ResolvedAlias, other: ResolvedAlias, ledger: Ledger) -> None:
    """
    Say what becomes of the surroundings of an entry that another address has, too.

    ``chosen`` is written, whatever ``other`` says.
    """
    here, there = (_addresses(each) for each in (chosen, other))
    own = {_text(each): each for each in _surrounding(chosen)}
    others = {_text(each): each for each in _surrounding(other)}
    for text, directive in others.items():
        same = own.get(text)
        if same is None:
            reason = f"{_APART}: it is left out, as it holds on {there} and not on {here}"
            ledger.note(directive, "needs you", reason)
        elif same is not directive:
            ledger.note(directive, "not needed", f"{same.spot} says the same")
    for text, directive in own.items():
        if text not in others:
            ledger.note(directive, "changed", f"{_APART}: it holds on {there}, too")


def _surrounding(entry: ResolvedAlias) -> Iterator[Directive]:
    yield from (directive for directive, _ in entry.uses if directive.key in EXTRAS_READERS)
    yield from proxy_lines(entry.values)


def _text(directive: Directive) -> tuple[str, ...]:
    return (directive.key, *directive.words)


def _addresses(entry: ResolvedAlias) -> str:
    return " ".join(entry.host.addresses)
