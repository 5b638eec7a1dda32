"""
An Apache pattern, ready to be searched for in a uri.

Patterns are PCRE2's, as in ``WSGIScriptAliasMatch``. Each is read as PCRE2 reads it and translated
for Python's ``re``, which is fast; what ``re`` cannot express exactly runs on PCRE2 itself, if the
``pcre2`` extra is installed, and is refused by name if not. So is a pattern prone to
catastrophic backtracking: PCRE2 runs it under a limit of steps, as Apache does.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from typing import Literal

from ...exceptions import ExponentialPattern, UnsupportedPattern
from . import redos
from .attacks import LONGEST_URI
from .engine import Find, Found, find_where_needed, find_with_pcre2, find_with_re, pcre2_package
from .pcre.literals import anchored, needed, prefixes, segments
from .pcre.measures import shortest
from .pcre.parser import parse
from .pcre.syntax import Parsed, Text
from .pcre.translate import Inexpressible, translate
from .plain import is_plain
from .quicker import quicker

__all__ = ["Engine", "Find", "Found", "Pattern", "compile_pattern"]

Engine = Literal["auto", "re", "pcre2"]

# Nanoseconds that `re` may take for the worst uri: where PCRE2 is there to take over, and where the
# only other way is to refuse the pattern. The slowest of 215 public configurations is estimated at
# 192 ms and takes 122; the worst that was found takes 1.45 times its estimate.
_MOST_BESIDE_PCRE2, _MOST = 10e6, 200e6
_CURE = (
    "let no two repeats in it match the same text, or run it under PCRE2's limit of steps:"
    ' pip install "django-wsgimatch[pcre2]"'
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """
    A pattern that is safe to search with.

    ``groups`` is the number of its capturing groups, ``anchored`` whether its leftmost match can
    only begin at offset 0. ``prefixes`` are literals of which one begins every uri that matches,
    always at offset 0; None where none are known. ``segments`` are path segments, without
    slashes, that every uri that matches contains whole.
    """

    source: str
    engine: Literal["re", "pcre2"]
    groups: int
    anchored: bool
    prefixes: tuple[str, ...] | None
    segments: tuple[str, ...]
    _translation: str = field(default="", repr=False, compare=False)
    # Whether no match has to be looked at for its end: none is empty, or an empty one counts.
    _takes_all: bool = field(default=False, repr=False, compare=False)
    _needed: str = field(default="", repr=False, compare=False)
    _find: Find | None = field(default=None, repr=False, compare=False)

    @property
    def find(self) -> Find:
        """
        The search: a uri to its leftmost match, or None if there is none or it ends at offset 0.

        Such a match counts where the pattern was compiled with ``empty_counts``.

        Made at the first use, as `re.compile` takes longer than all the rest.
        """
        if self._find is None:
            find = find_with_re(self._translation, self.anchored, self._takes_all)
            find = find_where_needed(find, self._needed) if self._needed else find
            object.__setattr__(self, "_find", find)
            return find
        return self._find

    def search(self, uri: str) -> Found | None:
        """Search as ``find`` does, which is made when the first uri comes."""
        return self.find(uri)

    def silent_find(self) -> Find:
        """Return the search as one of its own that logs nothing, to measure it with."""
        if self.engine == "re":
            return self.find
        return find_with_pcre2(self.source, parse(self.source).portable, reports=False)[0]

    @property
    def blow_up(self) -> redos.BlowUp | None:
        """How a uri can make the search last, or None."""
        tree = parse(self.source).tree
        as_written = self.engine == "pcre2" or is_plain(tree)
        return redos.blow_up(tree if as_written else quicker(tree))


def compile_pattern(
    source: str,
    *,
    engine: Engine = "auto",
    allow_exponential: bool = False,
    empty_counts: bool = False,
) -> Pattern:
    """
    Make a pattern of Latin-1 characters ready.

    :param engine: ``"re"`` and ``"pcre2"`` insist on one engine, ``"auto"`` takes PCRE2 where
        Python's ``re`` will not do and the extra is installed.
    :param allow_exponential: let ``re`` run a pattern prone to catastrophic backtracking.
    :param empty_counts: let a match that ends at offset 0 be one, as in Apache's own directives;
        for mod_wsgi's it is none.
    :raises InvalidPattern: PCRE2 refuses the pattern, and so does Apache.
    :raises UnsupportedPattern: the engine cannot run it exactly.
    :raises ExponentialPattern: as said above, and not allowed.
    """
    parsed = parse(source)
    if engine == "pcre2":
        return _for_pcre2(source, parsed, empty_counts)
    has_limits = engine == "auto" and parsed.unportable is None and pcre2_package() is not None
    most = _MOST_BESIDE_PCRE2 if has_limits else _MOST
    try:
        return _for_re(source, parsed, inf if allow_exponential else most, empty_counts)
    except (UnsupportedPattern, ExponentialPattern):
        if engine == "re" or pcre2_package() is None:
            raise
        return _for_pcre2(source, parsed, empty_counts)


def _for_re(source: str, parsed: Parsed, most: float, empty_counts: bool) -> Pattern:
    tree = parsed.tree
    # Optimization: told once, as it takes 12 us of the 70 that such a pattern takes in all.
    plain = is_plain(tree)
    run = tree if plain else quicker(tree)
    try:
        translation = translate(replace(parsed, tree=run))
    except Inexpressible as error:
        curable = parsed.unportable is None
        raise UnsupportedPattern(source, error.construct, curable=curable) from error
    # Where PCRE2 gives up in Apache, it has to here: the pattern tells that as it is written.
    judged = tree if most == _MOST_BESIDE_PCRE2 else run
    blow_up = None if plain or most == inf else redos.costly(judged, most)
    if blow_up is not None:
        raise ExponentialPattern(source, f"{_reason(blow_up)}; {_CURE}", blow_up.attack)
    keys = (anchored(tree), prefixes(tree), segments(tree))
    # A search that is as quick as looking for a text needs no such look before it.
    text = "" if isinstance(tree, Text) or (plain and anchored(tree)) else needed(tree)
    takes_all = empty_counts or shortest(tree) > 0
    return Pattern(source, "re", parsed.groups, *keys, translation, takes_all, text)


def _reason(blow_up: redos.BlowUp) -> str:
    if blow_up.degree != "polynomial":
        return blow_up.reason
    time = redos.time_in_words(blow_up.nanoseconds)
    return f"{blow_up.reason}, so that {LONGEST_URI:,} bytes of uri take about {time}"


def _for_pcre2(source: str, parsed: Parsed, empty_counts: bool) -> Pattern:
    if parsed.unportable is not None:
        raise UnsupportedPattern(source, parsed.unportable, curable=False)
    find, groups = find_with_pcre2(source, parsed.portable, empty_counts=empty_counts)
    tree = parsed.tree
    return Pattern(
        source,
        "pcre2",
        groups,
        anchored(tree),
        prefixes(tree),
        segments(tree),
        _find=find,
    )
