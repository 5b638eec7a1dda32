"""URLs that something else than an alias answers in Apache: files, redirects, rules, handlers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ...aliases.alias import Alias
from ...aliases.patterns.pattern import compile_pattern
from ...exceptions import PatternError
from ..covering.alias_lines import ROOT, takes_everything
from ..covering.coverage import LOCATIONS, is_wildcard, section_pattern
from ..covering.hosts import HANDLERS, Host, index_names, scope_sections
from ..covering.indexes import Regions, in_words, reach_of_region
from ..covering.partial_aliases import from_wildcard
from ..lines.directive import Directive, Section
from ..outcomes.answers import answer_for
from ..outcomes.outcome import Ledger
from ..rewriting.barring import Barred, rules_of
from .index_files import folders_refused_with
from .mounts import WSGI, is_whole_mount

EVERYTHING = Alias("/", "")
Ids = Collection[int]
_STATUSES = ("permanent", "temp", "seeother", "gone")
_HIDDEN = "An alias matches /: none of its files is requested"
_NO_FILES = "No alias matches /: Apache serves the files of this folder, and here they answer 404"
_SENT = "No effect: an entry sends its files as they are, and scripts are run"
# What to do about what is no entry, by how the name begins.
_ADVICE = {
    "alias": "Write alias() entries for what it serves",
    "redirect": "Write redirect() or redirect_match() entries that say the same",
    "rewrite": (
        "Rules may change the URL before it reaches the aliases, or answer it: write entries that "
        "do the same, redirect_match(), alias_match() or script_alias_match(), or move the rule to "
        "the server in front"
    ),
}
_TO_TLS = (
    "A table does not tell HTTP from HTTPS, and WSGIMATCH_PLAIN_HTTP does: write a redirect there, "
    "such as redirect('/', 'https://%{HTTP_HOST}/'), or let what speaks TLS redirect"
)
_OR_PLAIN = ". If it is for plain HTTP alone, WSGIMATCH_PLAIN_HTTP can have it"
_ELSEWHERE = (
    "other entries answer it here: a table cannot tell addresses apart. `import --address` writes "
    "those of one address"
)


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
    main: Host,
    hosts: Sequence[Host],
    ledger: Ledger,
    told: Iterable[Barred],
    closing: Ids,
    written: Ids,
) -> tuple[Taken, ...]:
    """
    Say of each directive which URLs it takes from which aliases, and return what is taken.

    ``told`` are rules that refuse some requests only; ``closing``, by identity, those that refuse
    what is closed, and ``written`` those that are entries.
    """
    refusing = {id(each.directive): each for each in told}
    # A table does not tell ports apart: a host that only redirects is answered by another one.
    everywhere = _Answering(alias for each in (main, *hosts) for alias, _ in each.aliases)
    index = index_names((main, *hosts))
    found: list[Taken] = []
    for host in (main, *hosts):
        answering = everywhere
        if host.takers and host.aliases and host is not main:
            answering = _Answering(alias for alias, _ in (*host.aliases, *main.aliases))
        for directive in host.takers:
            if id(directive) in written or _is_settled(directive, host, ledger):
                continue
            if directive.key == ROOT:
                _note_root(directive, answering, ledger)
            elif id(directive) not in closing and not is_whole_mount(host, directive):
                for taken in _taken_by(directive, refusing.get(id(directive)), index):
                    is_elsewhere = id(directive) in host.carried
                    if _note(taken, answering, ledger, is_elsewhere=is_elsewhere):
                        found.append(taken)
    return tuple(found)


def note_conditions(hosts: Iterable[Host], ledger: Ledger) -> None:
    """Say of each condition of a rule that needs the user that it does so, too."""
    for host in hosts:
        for rule in rules_of(host.rewriting):
            found = ledger.outcome(rule.directive)
            for condition in rule.all_conditions:
                if found is not None and found.category == "needs you":
                    ledger.note_part(condition, rule.directive)


def _is_settled(directive: Directive, host: Host, ledger: Ledger) -> bool:
    """Whether nothing is left to say of what has become no entry."""
    words = directive.words
    if directive.key in HANDLERS and words and words[0].lower() in (*WSGI, "none"):
        if ledger.outcome(directive) is None:
            ledger.note(directive, "not needed", _SENT)
        return True
    return id(directive) in host.carried and ledger.outcome(directive) is not None


class _Answering:
    """The aliases that answer a host."""

    def __init__(self, aliases: Iterable[Alias]) -> None:
        self.regions = Regions()
        self.takes_all = self.is_any = False
        for alias in dict.fromkeys(aliases):
            self.regions.add(alias)
            self.is_any = True
            self.takes_all = self.takes_all or takes_everything(alias)


def _note_root(directive: Directive, answering: _Answering, ledger: Ledger) -> None:
    if answering.takes_all:
        ledger.note(directive, "not needed", _HIDDEN)
    elif answering.is_any:
        ledger.note(directive, "needs you", _NO_FILES)


def _note(taken: Taken, answering: _Answering, ledger: Ledger, *, is_elsewhere: bool) -> bool:
    """Say what is taken, and return whether an alias answers it here."""
    takers = [each.location for each in answering.regions.meeting(reach_of_region(taken.region))]
    by = f"the alias {takers[0]}{' and others' * (len(takers) > 1)}" if takers else "no alias"
    what = in_words(taken.region) if taken.is_sure else "URLs that cannot be determined"
    if is_elsewhere:
        more = _OR_PLAIN if "https://" in taken.directive.rest else ""
        ledger.note(taken.directive, "needs you", f"{what}: {_ELSEWHERE}{more}")
        return bool(takers)
    advice = _advice(taken.directive)
    ledger.note(taken.directive, "needs you", f"{what}: answered by {by} here. {advice}")
    return bool(takers)


def _advice(directive: Directive) -> str:
    own = (text for start, text in _ADVICE.items() if directive.key.startswith(start))
    if directive.key == "rewriterule" and "https://%{" in directive.rest:
        return _TO_TLS
    return next(own, answer_for(directive.name).note)


def _taken_by(
    directive: Directive, refusing: Barred | None, index: Sequence[str]
) -> Iterator[Taken]:
    """Yield the URLs that a directive takes, none where it takes none."""
    if refusing is not None:
        told = None if refusing.section is None else _region_of_section(refusing.section)
        folders = [] if told is None else folders_refused_with(told, index)
        for urls in (told or EVERYTHING, *folders):
            yield Taken(directive, urls, told is not None, refusing)
        return
    name, words = directive.key, directive.words
    around = [each for each in scope_sections(directive) if each.key in LOCATIONS]
    within = _region_of_section(around[0]) if around else None
    if name in HANDLERS:
        if name != "sethandler":
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
