"""Uris that an alias surely takes or may take, and the files that they name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from itertools import islice, product

from ...aliases.patterns.pattern import Pattern
from ...aliases.patterns.pcre.parser import parse
from ...aliases.resolve import Rules
from ...aliases.table import Match
from ...aliases.target import split_filename
from ..findings.finding import Subject
from ..uris.hidden_aliases import example_uris
from ..uris.witness import with_capture, witness

# So many examples of a pattern are looked at, and of each so many places of its captures.
EXAMPLES, _PLACES = 8, 4


def examples(subject: Subject, rules: Rules, most: int = EXAMPLES) -> Iterator[str]:
    """Yield short uris that an alias matches, though earlier ones may take them."""
    return islice(example_uris(subject.location, merge_slashes=rules.merge_slashes), most)


def example_matches(subject: Subject, rules: Rules, most: int = EXAMPLES) -> Iterator[Match]:
    """Yield the matches of short uris that no earlier alias takes."""
    return filter(None, map(subject.match, examples(subject, rules, most)))


def file_of(match: Match, rules: Rules) -> str:
    """Return the file that a match names: the script, or what follows it in the end."""
    names, _ = split_filename(os.path.join(rules.base_directory, match.filename))
    return "".join(f"/{name}" for name in names)


def changed_examples(subject: Subject, wanted: Mapping[int, str], rules: Rules) -> Iterator[str]:
    """Yield example uris with other texts in the place of captures; nothing is sure of them."""
    for match in example_matches(subject, rules):
        texts = [(match.captures[number - 1], text) for number, text in wanted.items()]
        # The place of a capture is not told: it is one of those where its text stands.
        places = [
            [found.start() for found in re.finditer(re.escape(old), match.uri)] if old else []
            for old, _ in texts
        ]
        for starts in islice(product(*places), _PLACES):
            changed = match.uri
            for start, (old, new) in sorted(zip(starts, texts, strict=True), reverse=True):
                changed = changed[:start] + new + changed[start + len(old) :]
            yield changed


def searched_uri(pattern: Pattern, wanted: Mapping[int, str], rules: Rules) -> str | None:
    """
    Return a uri of which a pattern captures what is wanted, None where none is found.

    This takes a hundred times as long as to change an example.
    """
    tree = parse(pattern.source).tree
    for number, text in wanted.items():
        tree = with_capture(tree, number, text)
    return witness(
        pattern,
        tree,
        merge_slashes=rules.merge_slashes,
        proves=lambda found: all(found.group(n) == text for n, text in wanted.items()),
    )
