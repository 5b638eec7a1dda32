"""URLs that something else than an alias answers in Apache: files, redirects, rules, handlers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ...aliases.alias import Alias
from ...aliases.patterns.pattern import compile_pattern
from ...exceptions import PatternError
from ..covering.coverage import LOCATIONS, is_wildcard, section_pattern
from ..covering.hosts import HANDLERS, Host, scope_sections
from ..covering.indexes import Regions, in_words, reach_of_region
from ..covering.partial_aliases import from_wildcard
from ..lines.directive import Directive, Section
from ..outcomes.answers import answer_for
from ..outcomes.outcome import Ledger
from .barring import Barred
from .mounts import WSGI, is_whole_mount

EVERYTHING = Alias("/", "")
Ids = Collection[int]
_STATUSES = ("permanent", "temp", "seeother", "gone")
_HIDDEN = "An alias matches /: none of its files is requested"
_NO_FILES = "No alias matches /: Apache serves the files of this folder, and here they answer 404"


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """
    URLs that a directive takes from aliases in Apache, and whose answer is an alias's here.

    ``is_sure`` says that the region is known; otherwise it is all that may be concerned.
    ``refusing`` is there where Apache refuses some of the requests.
    """

    directive: Directive
    region: Alias
    is_sure: bool
    refusing: Barred | None = None


def note_taken(
    main: Host, hosts: Sequence[Host], ledger: Ledger, told: Iterable[Barred], closing: Ids
) -> tuple[Taken, ...]:
    """
    Say of each directive which URLs it takes from which aliases, and return what is taken.

    ``told`` are rules that refuse some requests only; ``closing``, by identity, those that entries
    stand for.
    """
    refusing = {id(each.directive): each for each in told}
    # A table does not tell ports apart: a host that only redirects is answered by another one.
    everywhere = _Answering(alias for each in (main, *hosts) for alias, _ in each.aliases)
    found: list[Taken] = []
    for host in (main, *hosts):
        answering = everywhere
        if host.takers and host.aliases and host is not main:
            answering = _Answering(alias for alias, _ in (*host.aliases, *main.aliases))
        for directive in host.takers:
            if directive.key == "documentroot":
                _note_root(directive, answering, ledger)
            elif id(directive) not in closing and not is_whole_mount(host, directive):
                for taken in _taken_by(directive, refusing.get(id(directive))):
                    if _note(taken, answering, ledger):
                        found.append(taken)
    return tuple(found)


class _Answering:
    """The aliases that answer a host."""

    def __init__(self, aliases: Iterable[Alias]) -> None:
        self.regions = Regions()
        self.takes_all = self.is_any = False
        for alias in dict.fromkeys(aliases):
            self.regions.add(alias)
            self.is_any = True
            self.takes_all = self.takes_all or _is_root(alias)


def _note_root(directive: Directive, answering: _Answering, ledger: Ledger) -> None:
    if answering.takes_all:
        ledger.note(directive, "not needed", _HIDDEN)
    elif answering.is_any:
        ledger.note(directive, "needs you", _NO_FILES)


def _note(taken: Taken, answering: _Answering, ledger: Ledger) -> bool:
    """Say what is taken, and return whether an alias answers it here."""
    takers = [each.location for each in answering.regions.meeting(reach_of_region(taken.region))]
    by = f"the alias {takers[0]}{' and others' * (len(takers) > 1)}" if takers else "no alias"
    what = in_words(taken.region) if taken.is_sure else "URLs that cannot be determined"
    advice = answer_for(taken.directive.name).note
    ledger.note(taken.directive, "needs you", f"{what}: answered by {by} here. {advice}")
    return bool(takers)


def _taken_by(directive: Directive, refusing: Barred | None) -> Iterator[Taken]:
    """Yield the URLs that a directive takes, none where it takes none."""
    if refusing is not None:
        told = None if refusing.section is None else _region_of_section(refusing.section)
        yield Taken(directive, told or EVERYTHING, told is not None, refusing)
        return
    name, words = directive.key, directive.words
    around = [each for each in scope_sections(directive) if each.key in LOCATIONS]
    within = _region_of_section(around[0]) if around else None
    if name in HANDLERS:
        if name != "sethandler" or (words[:1] and words[0].lower() in (*WSGI, "none")):
            return
        yield Taken(directive, within or EVERYTHING, within is not None)
        return
    if within is not None:
        yield Taken(directive, within, True)
        return
    region = _region(name, words)
    if name != "rewriterule" or _is_rule(words):
        is_sure = region is not None and not scope_sections(directive)
        yield Taken(directive, region if region and is_sure else EVERYTHING, is_sure)


def _region(name: str, words: list[str]) -> Alias | None:
    if name.startswith("redirect"):
        words = words[1:] if words and (words[0] in _STATUSES or words[0].isdigit()) else words
    if name == "userdir":
        return Alias("^/~", "", "match")
    if not words or (name == "rewriterule" and words[0].startswith("!")):
        return None
    if name == "rewriterule" or name.endswith("match"):
        return _pattern(words[0])
    return Alias(words[0], "") if words[0].startswith("/") else None


def _is_rule(words: list[str]) -> bool:
    """Whether a RewriteRule answers a URL, or changes it: one without both sets variables."""
    flags = words[2].strip("[]").upper().split(",") if len(words) > 2 else []
    answers = any(flag.strip().split("=")[0] in _ANSWERING for flag in flags)
    return len(words) > 1 and (words[1] != "-" or answers)


_ANSWERING = ("F", "FORBIDDEN", "G", "GONE", "R", "REDIRECT", "P", "PROXY", "H", "HANDLER")


def _region_of_section(section: Section) -> Alias | None:
    text, is_pattern = section_pattern(section)
    if is_pattern:
        return _pattern(text)
    if is_wildcard(text):
        return _pattern(from_wildcard(text))
    return Alias(text, "") if text.startswith("/") else None


def _pattern(text: str) -> Alias | None:
    try:
        compile_pattern(text)
    except PatternError:
        return None
    return Alias(text, "", "match")


def _is_root(alias: Alias) -> bool:
    if alias.kind == "plain":
        return alias.location == "/"
    try:
        found = compile_pattern(alias.location)
    except PatternError:
        return False
    return all(found.find(uri) is not None for uri in _SOME_URIS)


# An alias that takes these takes all, as far as people write such patterns.
_SOME_URIS = ("/", "/index.html", "/favicon.ico", "/x/y/z", "/\xff", "/a.b/~c/")
