"""
The uri that a pattern takes longest for, and how long, found by trying likely ones.

A bad uri is a short text over and over, behind one that leads to the repeats of the pattern, with
an end that makes the search fail. A pattern can have several such places, one behind the other:
each then multiplies the ways of those before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, pairwise, permutations, product
from math import inf, log2

from .automaton import Automaton, TooLarge, typical_byte
from .counting import ENOUGH, Counter, Front
from .pcre import bytesets

LONGEST_URI = 8000
"""Bytes of the longest uri that counts: Apache's limit on a request line leaves no more."""

# Lengths at which a uri's time is counted: to tell it from others, and to tell what it will be.
_SHORT, _LONG = 64, 640
_MOST_ORIGINS, _MOST_OF_ONE_TEXT, _MOST_WORDS, _MOST_PHASES = 16, 4, 24, 4
_LETTERS = 8
# From this power of the length on the growth is more than linear; short uris tell it roughly.
_MORE_THAN_LINEAR = 1.4
_BAD_ENOUGH = 1e9
_FAILING_BYTES = "!~/-.a0 \n\x01"


Parts = tuple[tuple[str, int], ...]
"""A uri as texts, and how often each is there."""


@dataclass(frozen=True, slots=True)
class AttackPlan:
    """
    A uri of any length: texts to read and words to repeat behind them, and what ends it.

    The first text leads to the state ``origin``, behind which the search is to fail.
    """

    origin: int
    phases: tuple[tuple[str, str], ...]
    suffix: str = ""
    # So many words, whatever the length: where more of them would let the pattern match.
    rounds: int | None = None

    def parts(self, length: int) -> Parts:
        """Return the uri of about so many bytes at most, as texts and how often each is there."""
        begin = "".join(text or word for text, word in self.phases[:1])
        slash = () if begin.startswith("/") else (("/", 1),)
        return (*slash, (self.phases[0][0], 1), *self._behind(length), (self.suffix, 1))

    def uri(self, length: int) -> str:
        """Return the uri of about so many bytes at most."""
        return "".join(text * times for text, times in self.parts(length))

    def behind_origin(self, length: int) -> str:
        """Return what follows the first text in the uri, without its end."""
        return "".join(text * times for text, times in self._behind(length))

    def _behind(self, length: int) -> Parts:
        fixed = sum(len(text) for text, _ in self.phases) + len(self.suffix)
        each = max(length - fixed, 0) // len(self.phases)
        parts: list[tuple[str, int]] = []
        for text, word in self.phases:
            parts += [(text, 1), (word, self.rounds or max(each // len(word), 2))]
        return tuple(parts[1:])


@dataclass(frozen=True, slots=True)
class Worst:
    """A plan, the time of `re` for its longest uri, and the power of the length it grows with."""

    plan: AttackPlan
    nanoseconds: float
    power: float
    # The worst that servers leave as it is, if it shows the growth as well.
    served: AttackPlan | None = None

    @property
    def shown(self) -> AttackPlan:
        """The plan that a client can make use of."""
        return self.served or self.plan

    @property
    def grows(self) -> bool:
        """Whether twice the uri takes much more than twice the time."""
        return self.power > _MORE_THAN_LINEAR


def find_worst(
    automaton: Automaton, words: Iterable[str], only: Callable[[str], bool] | None = None
) -> Worst | None:
    """
    Return the worst that was found for a pattern, None if no uri can fail late.

    :param automaton: an exact one.
    :param words: texts to repeat, besides those that the pattern consists of.
    :param only: whether a text may be repeated at all.
    :raises TooLarge: where the analysis would take too long.
    """
    search = _Search(automaton, only)
    try:
        search.run(words)
    except TooLarge:
        # What is bad enough already gets no better by further search.
        if not any(each.nanoseconds > _BAD_ENOUGH for each in search.found):
            raise
    worst = max(search.found, key=_time, default=None)
    served = [each for each in search.found if _is_served(each.plan)]
    shown = max(served, key=_time, default=worst)
    if worst is None or shown is None or shown.grows < worst.grows:
        return worst
    return replace(worst, served=shown.plan)


def _is_served(plan: AttackPlan) -> bool:
    """Return whether a server leaves the uri as it is, before it searches in it."""
    uri = plan.uri(_SHORT)
    return "//" not in uri and "/." not in uri


def _time(worst: Worst) -> float:
    return worst.nanoseconds


class _Search:
    def __init__(self, automaton: Automaton, only: Callable[[str], bool] | None) -> None:
        self._only = only or bool
        self._automaton = automaton
        self._counter = Counter(automaton)
        self._origins = _origins(automaton)
        self._last = max((automaton.texts[state] for state in automaton.ends), key=len)
        # Repeats that must come often tell nothing before they have: ``(?:a-\w+?){20,40}``.
        self._short = min(max(_SHORT, 2 * len(self._last)), LONGEST_URI)
        self._long = min(max(_LONG, 4 * len(self._last)), LONGEST_URI)
        self._letters = list(islice(_letters(automaton, self._counter.classes), _LETTERS))
        texts = dict.fromkeys(automaton.texts[state] for state in self._origins)
        # What stands between the repeats, each of which can read it if it reads anything.
        self._literals = [b.removeprefix(a) for a, b in pairwise(texts) if b.startswith(a)]
        # A run of slashes is merged before it is searched in.
        spread = [f"/{letter}" for letter in self._letters if letter not in "/."][:2]
        self._words = [*self._letters, *automaton.words, *self._literals, *spread]
        self.found: list[Worst] = []

    def run(self, words: Iterable[str]) -> None:
        """Look for bad uris, into ``found``: rough judgements first, exact ones of the worst."""
        self._try(dict.fromkeys([*self._words, *words]))
        if not any(each.grows for each in self.found):
            self._try(map("".join, permutations(self._letters, 2)))
        rough = sorted(self.found, key=_time, reverse=True)
        served = [each for each in rough if _is_served(each.plan)]
        worst = dict.fromkeys([*rough[:3], *served[:2]])
        self._counter.renew()
        best = [self._with_more_phases(each) for each in worst]
        exact = [self._judged_anew(each) for each in best]
        self.found = [each for each in exact if each is not None]

    def _judged_anew(self, worst: Worst) -> Worst | None:
        if worst.plan.rounds is not None:
            return worst
        return self._judged(worst.plan.origin, worst.plan.phases, self._long)

    def _try(self, words: Iterable[str]) -> None:
        some = list(islice(filter(self._only, words), _MOST_WORDS))
        for origin, word in product(self._origins, some):
            phases = ((self._automaton.texts[origin], word),)
            judged = self._judged(origin, phases, self._short) or self._judged_short(origin, phases)
            if judged is not None:
                self.found.append(judged)

    def _judged_short(self, origin: int, phases: tuple[tuple[str, str], ...]) -> Worst | None:
        """Return what a plan takes with as many words as still let the pattern fail."""
        counter, word = self._counter, phases[0][1]
        front = counter.at(origin)
        worst = None
        for rounds in range(1, self._short // len(word)):
            front = counter.after(front, word)
            end = counter.ended(front)
            if end.succeeded:
                break
            plan = AttackPlan(origin, phases, rounds=rounds)
            worst = Worst(plan, end.nanoseconds if end.nanoseconds < ENOUGH else inf, 0.0)
        return worst

    def _with_more_phases(self, worst: Worst) -> Worst:
        """Return a plan that goes on behind the last phase, if that makes the time grow faster."""
        for _ in range(_MOST_PHASES - 1 if worst.plan.rounds is None else 0):
            origin, phases = worst.plan.origin, worst.plan.phases
            words = filter(self._only, self._letters[:4] + self._literals[:6])
            plans = [
                (*phases, (text, word))
                for text, word in product(self._texts_behind(phases), dict.fromkeys(words))
            ]
            found = [self._judged(origin, each, self._short * len(each)) for each in plans]
            best = max(filter(None, found), key=_time, default=None)
            if best is None or best.power < worst.power + 0.3:
                break
            worst = best
        return worst

    def _texts_behind(self, phases: tuple[tuple[str, str], ...]) -> list[str]:
        so_far = "".join(text for text, _ in phases)
        texts = dict.fromkeys(self._automaton.texts[state] for state in self._origins)
        return [
            text.removeprefix(so_far)
            for text in texts
            if text.startswith(so_far) and text != so_far
        ]

    def _judged(
        self, origin: int, phases: tuple[tuple[str, str], ...], length: int
    ) -> Worst | None:
        """Return what a plan takes, told from so many bytes of words; None if it cannot fail."""
        counter, plan = self._counter, AttackPlan(origin, phases)
        # However long the texts are that lead to the repeats: only behind them the time grows.
        led = sum(len(text) for text, _ in phases)
        half = counter.after(counter.at(origin), plan.behind_origin(led + length // 2))
        uri = plan.behind_origin(led + length)
        middle = counter.after(counter.at(origin), uri[: len(uri) // 2])
        # A match that begins late does not spare the search what it tries before.
        whole = counter.after(counter.without_start(middle), uri[len(uri) // 2 :])
        ending = self._failing_end(whole, phases)
        if ending is None or not half.nanoseconds:
            return None
        suffix, nanoseconds = ending
        if nanoseconds > ENOUGH:
            return Worst(AttackPlan(origin, phases, suffix), inf, inf)
        power = log2(whole.nanoseconds / half.nanoseconds)
        longest = nanoseconds * (LONGEST_URI / length) ** power
        return Worst(AttackPlan(origin, phases, suffix), longest, power)

    def _failing_end(
        self, front: Front, phases: tuple[tuple[str, str], ...]
    ) -> tuple[str, float] | None:
        if front.succeeded:
            return None
        counter = self._counter
        rest = self._last.removeprefix("".join(text for text, _ in phases))
        if phases[-1][1].endswith("/"):
            rest = rest.removeprefix("/")
        classes = map(typical_byte, counter.classes)
        # What nearly matches is worse than what plainly does not.
        failing = () if self._automaton.has_references else _FAILING_BYTES[:3]
        near = [rest + byte for byte in failing]
        led = "".join(text + word for text, word in phases)
        suffixes = [*near, "", *_FAILING_BYTES, *classes]
        for suffix in self._automaton.with_needed(led, suffixes):
            end = counter.ended(counter.after(front, suffix))
            if not end.succeeded:
                return suffix, end.nanoseconds
        return None


def _origins(automaton: Automaton) -> list[int]:
    """Return the states behind which a search may fail late: the start, where repeats begin."""
    found: dict[str, list[int]] = {}
    for state in dict.fromkeys([automaton.start, *automaton.repeats]):
        found.setdefault(automaton.texts[state], []).append(state)
    # Where many repeats can be empty, the first of them lead through all the others.
    states = [state for several in found.values() for state in several[:_MOST_OF_ONE_TEXT]]
    return states[:_MOST_ORIGINS]


def _letters(automaton: Automaton, classes: list[int]) -> Iterator[str]:
    """Yield a byte of each class, those first that most of the pattern reads."""
    masks = {read.mask for reads in automaton.reads for read in reads}
    repeated = [mask for mask in masks if mask.bit_count() > 1]

    def frequency(each: int) -> int:
        return sum(1 for mask in (*masks, *repeated) if mask & each)

    ordered = sorted(classes, key=frequency, reverse=True)
    return (typical_byte(each) for each in ordered if each & bytesets.ALL)
