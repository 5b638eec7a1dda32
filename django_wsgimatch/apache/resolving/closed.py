"""URLs that access rules close, and what is left of them beside other entries."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ...aliases.alias import ACCESS_RULE, Alias, Denial
from ..covering.access import BARRING, RULES
from ..covering.indexes import Regions, in_words, reach_of_region
from ..covering.partial_aliases import contradicts_itself, excluded
from ..lines.directive import Directive, Spot, places_of
from .programs import has_scripts_sent

_PROGRAMS = "Apache may run these files, and here clients would read them"
_SENT = "Apache sends these scripts as files"
UNTOLD = "for some of these URLs; which ones cannot be determined"


@dataclass(frozen=True, slots=True, eq=False)
class Closed:
    """
    URLs that are closed: the entry that says so, and the rules that it stands for.

    ``is_whole`` says that the rules hold for all these URLs, as far as can be told; ``is_final``
    that they let nobody in in Apache either.
    """

    alias: Alias
    rules: tuple[Directive, ...]
    is_whole: bool = True
    is_final: bool = False

    @property
    def spots(self) -> tuple[Spot, ...]:
        """Where the rules stand."""
        return tuple(dict.fromkeys(each.spot for each in self.rules))

    @property
    def urls(self) -> str:
        return in_words(self.alias)

    @property
    def status(self) -> int:
        """The status that clients get."""
        return self.alias.answer.status if isinstance(self.alias.answer, Denial) else 403

    @property
    def is_rule(self) -> bool:
        """Whether an access rule is the reason, and not that Apache runs files."""
        return isinstance(self.alias.answer, Denial) and self.alias.answer.is_undecided


def is_sent(closed: Closed) -> bool:
    """Whether URLs are those of scripts that Apache sends as files, and not closed by a rule."""
    return all(map(has_scripts_sent, closed.rules))


def closes_nothing(closed: Closed) -> bool:
    """Whether nothing is closed: the URLs of a script among files are not those files'."""
    return contradicts_itself(closed.alias.location)


def taken_from(closed: Closed, before: Regions) -> Closed | None:
    """Return what is closed without what open aliases before it answer, None if nothing is left."""
    if before.covers(closed.alias):
        return None
    others = [Alias(e.location, "", e.kind) for e in before.meeting(reach_of_region(closed.alias))]
    return replace(closed, alias=_without(closed.alias, others)) if others else closed


def without_parts(found: Collection[Closed]) -> Iterator[Closed]:
    """Yield what is closed, but no part of what the same rules close by a prefix."""
    plain = {each.alias.location: each for each in found if each.alias.kind == "plain"}
    for each in found:
        prefixes = reach_of_region(each.alias).prefixes
        around = [_around(prefix, plain, each) for prefix in prefixes or ()]
        if not around or not all(around):
            yield each


def _around(prefix: str, plain: Mapping[str, Closed], part: Closed) -> bool:
    """Whether all that begins with a prefix is closed by the rules that close a part of it."""
    starts = (prefix[:end] for end in range(1, len(prefix) + 1))
    return any(
        plain[each] is not part
        and plain[each].status == part.status
        and (each.endswith("/") or prefix[len(each) :].startswith("/"))
        and set(map(id, part.rules)) <= set(map(id, plain[each].rules))
        for each in starts
        if each in plain
    )


def close_urls(
    alias: Alias,
    openings: Sequence[Alias],
    rules: tuple[Directive, ...],
    *,
    is_whole: bool = True,
    is_broken: bool = False,
) -> Closed:
    """Return the URLs of an alias as closed by rules, without those of others that are open."""
    alias = _without(Alias(alias.location, "", alias.kind), openings)
    status: Literal[403, 404, 500] = 404 if all(map(has_scripts_sent, rules)) else 403
    status = 500 if is_broken else status
    return Closed(replace(alias, answer=Denial(_note(rules, is_whole), status)), rules, is_whole)


def _note(rules: Sequence[Directive], is_whole: bool) -> str:
    places = places_of(dict.fromkeys(each.spot for each in rules))
    if all(map(has_scripts_sent, rules)):
        return f"{_SENT}: {places}"
    reason = ACCESS_RULE if any(each.key in (*RULES, *BARRING) for each in rules) else _PROGRAMS
    return f"{reason}: {places}" + ("" if is_whole else f" ({UNTOLD})")


def _without(alias: Alias, openings: Sequence[Alias]) -> Alias:
    """Return an alias without the URLs of others; with them where one entry cannot say that."""
    for each in openings:
        narrower = excluded(alias, each)
        alias = alias if narrower is None else narrower
    return alias
