"""
Random patterns on random uris: this package against the system's PCRE2.

Run as ``python -m tests.fuzz.patterns --cases 100000 --seed 1``. A case is one pattern and one
uri; it differs if both match otherwise (any group, or the end), if PCRE2 refuses the pattern and
we do not, or if we call invalid what PCRE2 accepts.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from django_wsgimatch.aliases.patterns.pattern import Engine, Pattern, compile_pattern
from django_wsgimatch.exceptions import InvalidPattern, PatternError
from tests.support import pcre2_library

URIS_A_PATTERN = 4

_ATOMS = r"""
a b ab / A 1 - _ ] } { {,2} {1 # ab/ . \d \w \s \D \W \S \h \H \v \V \R \N \C
[ab] [^/] [^a] [a-f1] []a] [^]a] [a-] [-a] [\d-] [+--] [[a] [\w.] [^\d] [\]a] [[:alpha:]]
[[:^digit:]_] [[:upper:]] [\x61-c] [\Qa-\E] [a\E-c] [\n\t] [\b] [\101-\103] [\H] [a&&b] [.]
\Qa.b\E \Qab\E \. \/ \_ \x61 \x{2f} \o{101} \141 \cA \e \n \t \0 \x \012 (?#no) (?:) ()
\pL \p{Lu} \P{N} ^ $ \b \B \A \Z \z \G (?i) (?-i) (?s) (?-s) (?m) (?x) (?U) (?n) (?^) (?i-s:a.)
[[:<:]] [[:>:]] \1 \2 \g1 \g{-1} (?(1)a|b) (?C1) (*F) (?!)
"""
_PLAIN_ATOMS = r"a b ab B1 / /a/ .* [^/]+ [ab]* \w+ \d \. . - $"
_SMALL_ATOMS = r"a b ab [ab] . \1 \2 $ (a) (b) (ab|a) (?(1)a|b) a+ b* a?"
_RARE_ATOMS = r"""
\K (?R) (?1) \X (*ACCEPT) (*COMMIT) (?(R)a|b) \k<n> \10 \8 \y \L [z-a] [a-\d] [[:nope:]] (?z)
\p{Nope} \p{Greek} (?P=n) (?(DEFINE)(a)) (?<n>a) (?P<n>b) (?'m'a) \g{n} (*UTF) (*LF) (*NOPE)
"""
SMALL_ATOMS = _SMALL_ATOMS.split()
PLAIN_ATOMS = _PLAIN_ATOMS.split()
ATOMS = [*_ATOMS.split(), " ", "\xe9", "[\xe9-\xfc]"]
RARE_ATOMS = _RARE_ATOMS.split()
QUANTIFIERS = ["*", "+", "?", "*?", "+?", "??", "{1,2}", "{2}", "{0,2}?", "{1,}", "{0}", "{,3}"]
POSSESSIVE = ["*+", "++", "?+", "{1,2}+"]
GROUPS = ["(", "(", "(?:", "(?:", "(?i:", "(?=", "(?<=", "(?>", "(?<n%d>", "(?!", "(?<!", "(?|"]
NOISE = r"()()[][]{}|*+?^$\\.-,:=!<>PQEKR0123abgkxnod'&#iUsm/ "
URI_CHARACTERS = "aaabbbAB//1.-_ \n\ré\xa0\x85{,2}"


class Generator:
    """Patterns that are mostly valid, and uris made of what they are made of."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def pattern(self) -> str:
        """Return a pattern."""
        kind = self.random.random()
        if kind < 0.1:
            return "".join(self.random.choices(NOISE, k=self.random.randint(1, 12)))
        if kind < 0.3:
            return self.random.choice(["^/", "/", ""]) + self._plain(self.random.randint(1, 4))
        if kind < 0.35:
            return self.random.choice(["^", "", ""]) + self._small(self.random.randint(2, 4))
        start = self.random.choice(["^/", "^/", "^", "", "", "(?i)^/", ".*"])
        return start + self._expression(self.random.randint(1, 4))

    def uri(self) -> str:
        """Return a uri; it may hold any byte."""
        return "/" + "".join(self.random.choices(URI_CHARACTERS, k=self.random.randint(0, 9)))

    def _plain(self, depth: int) -> str:
        """Return what tables are mostly made of: words, groups, ordinary repeats."""
        if depth == 0 or self.random.random() < 0.25:
            return self.random.choice(PLAIN_ATOMS)
        inner = self._plain(depth - 1)
        match self.random.randrange(5):
            case 0:
                return f"(?:{inner}){self._quantifier()}"
            case 1:
                return f"({inner}|{self._plain(depth - 1)})"
            case 2:
                return f"({inner}){self.random.choice(['', '+', '?'])}"
            case _:
                return inner + self._plain(depth - 1)

    def _small(self, depth: int) -> str:
        """Return groups and repeats of a few letters, where each depends on the others."""
        if depth == 0 or self.random.random() < 0.2:
            return self.random.choice(SMALL_ATOMS)
        inner = self._small(depth - 1)
        match self.random.randrange(8):
            case 0 | 1 | 2:
                return inner + self._small(depth - 1)
            case 3:
                return f"({inner}|{self._small(depth - 1)})"
            case 4:
                return f"(?:{inner}|{self._small(depth - 1)}){self._quantifier()}"
            case 5 | 6:
                return self._group(inner) + self._quantifier()
            case _:
                return self._group(inner) + self._small(depth - 1)

    def _expression(self, depth: int) -> str:
        if depth == 0 or self.random.random() < 0.25:
            rare = self.random.random() < 0.015
            return self.random.choice(RARE_ATOMS if rare else ATOMS)
        inner = self._expression(depth - 1)
        match self.random.randrange(10):
            case 0 | 1 | 2:
                return inner + self._expression(depth - 1)
            case 3:
                return f"{inner}|{self._expression(depth - 1)}"
            case 4:
                return f"({inner}|{self._expression(depth - 1)})"
            case 5 | 6:
                return self._group(inner) + self._quantifier()
            case 7:
                return inner + self._quantifier() + self._expression(depth - 1)
            case _:
                return self._group(inner) + self._expression(depth - 1)

    def _group(self, inner: str) -> str:
        opening = self.random.choice(GROUPS)
        if opening == "(?|" and self.random.random() < 0.8:
            opening = "(?:"
        return f"{opening.replace('%d', str(self.random.randrange(99)))}{inner})"

    def _quantifier(self) -> str:
        if self.random.random() < 0.3:
            return ""
        few = self.random.random() < 0.1
        return self.random.choice(POSSESSIVE if few else QUANTIFIERS)


@dataclass
class Tally:
    """What came out: counts of cases, and the cases that differ."""

    counts: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    @property
    def refused_share(self) -> float:
        """The share of refused cases among those that PCRE2 accepts."""
        accepted = self.counts["same"] + self.counts["refused"] + len(self.differences)
        return self.counts["refused"] / accepted if accepted else 0.0


def compare(cases: int, seed: int, engine: Engine = "re") -> Tally:
    """Run so many cases and return what came out."""
    generator, tally = Generator(seed), Tally()
    while sum(tally.counts.values()) < cases:
        source = generator.pattern()
        uris = [generator.uri() for _ in range(URIS_A_PATTERN)]
        for outcome, note in _outcomes(source, uris, engine):
            tally.counts[outcome] += 1
            if outcome == "different":
                tally.differences.append(note)
            if outcome == "refused":
                tally.refusals[note] += 1
    return tally


def _outcomes(source: str, uris: list[str], engine: Engine) -> Iterator[tuple[str, str]]:
    exact = _compiled_exactly(source)
    try:
        pattern = compile_pattern(source, engine=engine, allow_exponential=True)
        pattern.find("")
    except PatternError as error:
        yield from _refused(source, uris, exact, error)
        return
    if exact is None:
        yield from (("different", f"PCRE2 refuses {source!r}") for _ in uris)
        return
    yield from (_outcome(pattern, exact, uri) for uri in uris)


def _compiled_exactly(source: str) -> pcre2_library.Pattern | None:
    try:
        return pcre2_library.Pattern(source)
    except pcre2_library.Refused:
        return None


def _refused(
    source: str, uris: list[str], exact: pcre2_library.Pattern | None, error: PatternError
) -> Iterator[tuple[str, str]]:
    for _ in uris:
        if exact is None:
            yield "both refuse", ""
        elif isinstance(error, InvalidPattern):
            yield "different", f"PCRE2 accepts {source!r}: {error}"
        else:
            yield "refused", getattr(error, "construct", type(error).__name__)


def _outcome(pattern: Pattern, exact: pcre2_library.Pattern, uri: str) -> tuple[str, str]:
    try:
        expected = exact.search(uri)
    except pcre2_library.OutOfSteps:
        return "out of steps", ""
    if expected is not None and expected[1] == 0:
        expected = None
    found = pattern.find(uri)
    answer = found and (tuple(map(found.group, range(pattern.groups + 1))), found.end())
    if answer != expected:
        return "different", f"{pattern.source!r} on {uri!r}: {answer} instead of {expected}"
    if expected is not None and not _keys_hold(pattern, uri):
        return "different", f"{pattern!r} does not hold for {uri!r}"
    return "same", ""


def _keys_hold(pattern: Pattern, uri: str) -> bool:
    """Return whether a uri that matches has the index keys that the pattern promises."""
    if pattern.prefixes is not None and not uri.startswith(pattern.prefixes):
        return False
    return set(pattern.segments) <= set(uri.split("/"))


def main(arguments: list[str] | None = None) -> int:
    """Print the figures; return 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--engine", choices=["re", "pcre2", "auto"], default="re")
    options = parser.parse_args(arguments)
    tally = compare(options.cases, options.seed, options.engine)
    print(f"seed {options.seed}, Python {sys.version.split()[0]}", end=", ")
    print("PCRE2 {}.{}".format(*pcre2_library.version()))
    print(f"{sum(tally.counts.values())} cases: {dict(tally.counts)}")
    print(f"{len(tally.differences)} differences, {tally.refused_share:.1%} refused")
    for construct, count in tally.refusals.most_common():
        print(f"  {count:6} {construct}")
    for difference in tally.differences[:20]:
        print(f"  {difference}")
    return 1 if tally.differences else 0


if __name__ == "__main__":
    raise SystemExit(main())
