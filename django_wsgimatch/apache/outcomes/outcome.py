"""What becomes of each directive, and where that is written down."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from ..lines.directive import Directive, Refusal, Spot

Category = Literal[
    "kept", "changed", "needs you", "part", "not needed", "off", "unknown", "refused"
]

CATEGORIES: dict[Category, str] = {
    "kept": "It is in the settings and means the same; behind Apache, it may stay there.",
    "changed": "It is in the settings, or has its effect, in another form; the note says how.",
    "needs you": "No setting can express it: the note says what to do.",
    "part": "It belongs to a rule that needs you, and is decided with it: the note names the rule.",
    "not needed": "Nothing is lost without it: it has no effect on the aliases of this file, or "
    "the server in front has its own.",
    "off": (
        "A section around it does not apply, so Apache does not read it either; or its virtual "
        "host has another address than the one asked for."
    ),
    "unknown": (
        "Not a directive of Apache or mod_wsgi that the import knows: check whether its module "
        "answers requests."
    ),
    "refused": "The line cannot be read. Nothing is imported until it is fixed.",
}

NOT_SHOWN = "(not shown)"
PRIVATE = "only root may read this file: see the line there"

# The gravest first: a directive that means one thing to one alias and another to the next is
# reported as the graver.
_GRAVITY: tuple[Category, ...] = ("needs you", "part", "changed", "kept", "not needed")
# So many notes say enough.
_NOTES = 3
# One more tells that there are more, and one may be empty.
_MOST_KEPT = _NOTES + 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one directive: ``text`` is the line as Apache takes it."""

    spot: Spot
    text: str
    category: Category
    note: str


@dataclass(slots=True)
class _Page:
    notes: dict[Category, dict[str, None]] = field(default_factory=dict)
    uses: dict[str, list[str]] = field(default_factory=dict)


class Ledger:
    """
    Where the parts of the import write down what they made of a directive.

    A directive is known by its identity: a macro that is used twice has each line twice.
    """

    def __init__(self) -> None:
        self._pages: defaultdict[int, _Page] = defaultdict(_Page)

    def note(self, directive: Directive, category: Category, text: str) -> None:
        """Say what became of a directive."""
        notes = self._pages[id(directive)].notes.setdefault(category, {})
        if len(notes) < _MOST_KEPT:
            notes[text] = None

    def note_part(self, directive: Directive, rule: Directive, category: Category = "part") -> None:
        """Say that a directive belongs to a rule, whose outcome says what becomes of both."""
        self.note(directive, category, f"It is part of the rule in {rule.spot}")

    def use(self, directive: Directive, what: str, location: str) -> None:
        """Say that a directive is kept as an option of the entry of a location."""
        self._pages[id(directive)].uses.setdefault(what, []).append(location)

    def outcome(self, directive: Directive) -> Outcome | None:
        """Return what became of a directive, or None if nobody has said so."""
        page = self._pages.get(id(directive))
        if page is None:
            return None
        for what, locations in page.uses.items():
            self.note(directive, "kept", _used(what, locations))
        category = min(page.notes, key=_GRAVITY.index)
        notes = [text for text in page.notes[category] if text]
        note = "; ".join(notes[:_NOTES]) + ("; ..." if len(notes) > _NOTES else "")
        return outcome(directive, category, note)


def outcome(directive: Directive, category: Category, note: str) -> Outcome:
    text = " ".join(f"{directive.name} {directive.rest}".split())
    return Outcome(directive.spot, text, category, note)


def refused(refusal: Refusal) -> Outcome:
    """Return the outcome of a line that cannot be read."""
    cure = f"{refusal.cure[:1].upper()}{refusal.cure[1:]}"
    return Outcome(refusal.spot, refusal.text, "refused", f"{refusal.reason}. {cure}")


def tally(outcomes: Iterable[Outcome]) -> dict[Category, int]:
    """Return how many directives became what; every category is there."""
    counts = Counter(each.category for each in outcomes)
    return {category: counts[category] for category in CATEGORIES}


def _used(what: str, locations: list[str]) -> str:
    different = dict.fromkeys(locations)
    if len(different) == 1:
        return f"{what} of {locations[0]}"
    return f"{what} of {len(different)} entries"
