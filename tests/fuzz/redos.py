"""
Random patterns that may take long: each is refused, runs with PCRE2's limit, or is quick enough.

Run as ``python -m tests.fuzz.redos --patterns 500 --seed 1``. The patterns are bounded repeats,
runs of optional parts and products of repeats, among sound ones. Each that runs on ``re`` is
searched for in the worst uri that the package knows, and in random ones that know nothing of the
package, all of 8,000 bytes; the system's PCRE2 with Apache's limit does the same in the same run.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from unittest.mock import patch

from django_wsgimatch.aliases.patterns import pattern as pattern_module
from django_wsgimatch.aliases.patterns.attacks import LONGEST_URI
from django_wsgimatch.aliases.patterns.pattern import Pattern, compile_pattern
from django_wsgimatch.exceptions import ExponentialPattern, PatternError
from tests.support import cpu_time, pcre2_library

MOST_SECONDS = 0.3
"""What a search by ``re`` may take at most."""

# So much more than PCRE2 is within what two runs of one search differ by, on a busy machine.
SLACK, LITTLE = 2.0, 0.02
# Where PCRE2 cannot take over: re takes up to 2.7 times as long for each byte that it scans, and
# 4.1 in all was found.
SLACK_WITHOUT_PACKAGE = 6
# Seconds below which nobody can tell two times apart; PCRE2 counts as taking no less.
_NEXT_TO_NOTHING = 0.001
RANDOM_URIS = 6
_GIVE_UP = 1.5
_TEXTS = ["a", "b", "ab", "aa", "/", "-", ".", "foo", "x/", "a-"]
_BYTES = [r"a", r"b", r"\w", r"\d", r".", r"[^/]", r"[a-z]", r"[\w-]", r"[ab]", r"/"]
_REPEATS = ["*", "+", "?", "*?", "+?", "{2,9}", "{0,30}", "{3}", "{1,7}", "{12}", "{20,40}", "++"]


class Generator:
    """Patterns out of the parts that can share text, and uris of their letters."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def pattern(self) -> str:
        """Return a pattern."""
        kind = self.random.choice([self._bounded, self._optional, self._product, self._mixed])
        begin = self.random.choice(["^/", "^/", "^/", "^", "", "/app/"])
        return begin + kind() + self.random.choice(["", "$", "!", "/x$", r"\.html$", "/"])

    def uri(self, source: str) -> str:
        """Return a uri of 8,000 bytes: a word over and over, of what stands in the pattern."""
        letters = [each for each in source if each.isalnum() or each in "/-._"] + list("a0/-b")
        words = ["".join(self.random.choices(letters, k=self.random.randint(1, 4))) for _ in "ab"]
        half = LONGEST_URI // 2
        begin = self.random.choice(["/", "/app/", "/a/", "/foo"])
        body = "".join(word * (half // len(word)) for word in words)
        if self.random.random() < 0.7:
            body = words[0] * (LONGEST_URI // len(words[0]))
        return (begin + body)[: LONGEST_URI - 1] + self.random.choice("!~\n/a")

    def _bounded(self) -> str:
        low = self.random.randint(0, 12)
        high = self.random.choice([low, low + self.random.randint(1, 40), ""])
        body = self._sequence(self.random.randint(1, 2))
        if self.random.random() < 0.4:
            body += "|" + self._sequence(1)
        return f"(?:{body}){{{low},{high}}}" if high != "" or low else f"(?:{body})*"

    def _optional(self) -> str:
        part = self._part()
        count = self.random.randint(2, 40)
        same = f"(?:{part})?" * count
        return same + (part * count if self.random.random() < 0.5 else "")

    def _product(self) -> str:
        between = self.random.choice(["", "/", "-", "a", "/x/"])
        parts = [f"({self._byte()}{self.random.choice('*+')})" for _ in range(4)]
        return between.join(parts[: self.random.randint(1, 4)])

    def _mixed(self) -> str:
        inner = self._sequence(self.random.randint(1, 3))
        group = f"({inner})" + self.random.choice(["", "", *_REPEATS])
        return self._part() + group + self._sequence(self.random.randint(0, 2))

    def _sequence(self, parts: int) -> str:
        return "".join(self._part() for _ in range(parts))

    def _part(self) -> str:
        if self.random.random() < 0.4:
            return self.random.choice(_TEXTS).replace(".", r"\.")
        return self._byte() + self.random.choice([*_REPEATS, "*", "+", ""])

    def _byte(self) -> str:
        return self.random.choice(_BYTES)


@dataclass
class Tally:
    """What came out, and the searches that take too long."""

    verdicts: Counter[str] = field(default_factory=Counter)
    too_long: list[str] = field(default_factory=list)
    slowest: float = 0.0
    worst_ratio: float = 0.0
    searches: int = 0
    patterns: set[str] = field(default_factory=set)
    above: set[str] = field(default_factory=set)

    def ratios(self) -> str:
        """Return how the times of ``re`` are to PCRE2's for the same uris, in words."""
        share = len(self.above) / max(len(self.patterns), 1)
        return (
            f"at most {self.worst_ratio:.2f} times PCRE2's time, more than it in"
            f" {len(self.above)} of {len(self.patterns)} patterns ({share:.1%})"
        )


def compare(patterns: int, seed: int, *, without_package: bool = False) -> Tally:
    """Examine so many patterns and return what came out."""
    generator, tally = Generator(seed), Tally()
    searches: list[tuple[str, str]] = []
    while sum(tally.verdicts.values()) < patterns:
        source = generator.pattern()
        verdict, found = _verdict(source, without_package)
        if verdict != "invalid":
            tally.verdicts[verdict] += 1
        if found is not None and verdict == "re":
            searches += [(source, uri) for uri in _uris(found, generator)]
    _measure(searches, tally, has_package=not without_package)
    return tally


def _verdict(source: str, without_package: bool) -> tuple[str, Pattern | None]:
    with ExitStack() as stack:
        if without_package:
            stack.enter_context(patch.object(pattern_module, "pcre2_package", lambda: None))
        try:
            found = compile_pattern(source)
        except ExponentialPattern:
            return "refused", None
        except PatternError:
            return "invalid", None
    return found.engine, found


def _uris(found: Pattern, generator: Generator) -> Iterator[str]:
    if found.blow_up is not None:
        yield found.blow_up.attack
    for _ in range(RANDOM_URIS):
        yield generator.uri(found.source)


def _measure(searches: list[tuple[str, str]], tally: Tally, has_package: bool) -> None:
    ours = cpu_time.seconds(searches, _GIVE_UP)
    apaches: list[float | None] = [None] * len(searches)
    if pcre2_library.LIBRARY is not None:
        apaches = cpu_time.seconds(searches, 60, pcre2=True)
    tally.searches = len(searches)
    for (source, uri), our, apache in zip(searches, ours, apaches, strict=True):
        used = _GIVE_UP if our is None else our
        tally.slowest = max(tally.slowest, used)
        tally.patterns.add(source)
        most = MOST_SECONDS
        if apache is not None:
            ratio = used / max(apache, _NEXT_TO_NOTHING)
            tally.worst_ratio = max(tally.worst_ratio, ratio)
            if ratio > 1:
                tally.above.add(source)
            slack = SLACK if has_package else SLACK_WITHOUT_PACKAGE
            most = min(most, max(apache * slack, LITTLE))
        if used > most:
            told = f"{used:.3f} s, PCRE2 {apache and round(apache, 4)} s"
            tally.too_long.append(f"{source!r} on {uri[:20]!r}...{uri[-9:]!r}: {told}")


def main(arguments: list[str] | None = None) -> int:
    """Print the figures; return 1 if anything takes too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patterns", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args(arguments)
    status = 0
    for without_package in (False, True):
        tally = compare(options.patterns, options.seed, without_package=without_package)
        print(f"seed {options.seed}, {'without' if without_package else 'with'} the pcre2 extra:")
        print(f"  {dict(tally.verdicts)}, {tally.searches} searches by re")
        print(f"  slowest {tally.slowest * 1000:.0f} ms, {tally.ratios()}")
        for line in tally.too_long:
            print(f"  too long: {line}")
            status = 1
    return status


if __name__ == "__main__":
    raise SystemExit(main())
