"""Access rules that entries have themselves, and that a section takes back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ...aliases.access.requirements import Demand, Demands
from ...aliases.access.rules import AccessRules, Login, merge_rules
from ...aliases.access.sections import AccessSection, SectionIndex
from ...text import quoted
from ..findings.finding import Diagnosed, Findings
from .section_findings import DiagnosedSection


@dataclass(frozen=True, slots=True)
class GuardedEntry(Diagnosed):
    """An entry that has access rules itself; ``host`` is one that it answers."""

    where: str
    location: str
    kind: Literal["plain", "match"]
    rules: AccessRules
    host: str = ""

    @property
    def section(self) -> DiagnosedSection:
        """A section that says the same of the same urls: what is asked of one is asked of both."""
        return DiagnosedSection(self.where, AccessSection(self.location, self.rules, self.kind))


def own_rules_findings(
    entries: Iterable[GuardedEntry], sections: Iterable[DiagnosedSection], index: SectionIndex
) -> Findings:
    """
    Yield that a section replaces what an entry demands of all its urls.

    ``index`` finds the ``sections``.
    """
    names = {id(each.section): each.where for each in sections}
    if any(each.rules.merging in ("and", "or") for each in index.sections):
        # What is replaced for some of an entry's urls may then be kept for others.
        return
    for entry in entries:
        # A prefix of this uri is one of all that the entry answers.
        uri = entry.location if entry.kind == "plain" else "/"
        over = [each for each in index.find(uri, entry.host) if each.kind == "plain"]
        lost = "; ".join(_lost(entry.rules, over).lines())
        if lost:
            taker = names[id(_taker(entry.rules, over))]
            yield entry.finding(
                "W089",
                f"nobody who asks for {quoted(entry.location)} meets this part of its access: "
                f"{lost}. {taker} holds for all its URLs and replaces it, as in Apache a "
                "<Location> replaces what a <Directory> says.",
                f"Write auth_merging='and' in {taker} if both are to hold, or delete it here.",
            )


def _lost(own: AccessRules, sections: Iterable[AccessSection]) -> AccessRules:
    """Return the part of an entry's rules that is not asked any more where sections hold."""
    merged = merge_rules([own, merge_rules(each.rules for each in sections)])
    return replace(
        own,
        demands=None if _is_part(own.demands, merged.demands) else own.demands,
        login=Login(),
        host_rules=None if merged.host_rules == own.host_rules else own.host_rules,
        require_ssl=None if merged.require_ssl else own.require_ssl,
        allow_methods=None if merged.allow_methods == own.allow_methods else own.allow_methods,
    )


def _is_part(own: Demands | None, demands: Demand | Demands | None) -> bool:
    if own is None or own == demands:
        return True
    return isinstance(demands, Demands) and any(_is_part(own, each) for each in demands.members)


def _taker(own: AccessRules, sections: Sequence[AccessSection]) -> AccessSection:
    """Return the section after which all is lost that is lost in the end."""
    lost = _lost(own, sections)
    found = (n for n in range(1, len(sections)) if _lost(own, sections[:n]) == lost)
    return sections[next(found, len(sections)) - 1]
