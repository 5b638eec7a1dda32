"""Sections of access rules that hold for no URL, let everybody in, or ask for what is not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...aliases.access.sections import AccessSection, compile_section
from ...aliases.uri import resolve_dots
from ...exceptions import PatternError
from ...text import quoted
from ..findings.finding import Diagnosed, Finding, Findings
from ..processes.serving import SettingValue
from ..uris.search import TooComplex, words_of

# A pattern that is found in one of these without taking any of it is found in most URLs.
_SAMPLES = ("/", "/x", "/x/y", "/index.html")
_OF_ADDRESSES = ("ip", "host", "local")


@dataclass(frozen=True, slots=True)
class DiagnosedSection(Diagnosed):
    """A section of WSGIMATCH_ACCESS, or what an entry says itself; ``where`` is its name."""

    where: str
    section: AccessSection

    @property
    def place(self) -> str:
        """What it holds for, as it is written."""
        return quoted(self.section.location)


def section_findings(
    sections: Iterable[DiagnosedSection], *, merge_slashes: bool, allow_exponential: bool
) -> Findings:
    """Yield what is wrong with each section by itself."""
    for each in sections:
        if not _is_reached(each.section, merge_slashes, allow_exponential):
            yield each.finding(
                "W081",
                f"no URL is compared equal to {each.place}, so its rules protect nothing: slashes "
                "are merged, and '.' and '..' removed, before a section is looked up.",
                "Write the path as it then stands in the URL, or delete the section.",
            )
        yield from open_to_all_findings(each)


def _is_reached(section: AccessSection, merge_slashes: bool, allow_exponential: bool) -> bool:
    if section.kind == "plain":
        return resolve_dots(section.location, True, above_root=True) == section.location
    try:
        pattern = compile_section(section, allow_exponential=allow_exponential)
        if any(pattern.find(uri) is not None for uri in _SAMPLES):
            return True
        return next(iter(words_of(pattern, merge_slashes)), None) is not None
    except (PatternError, TooComplex):
        return True


def open_to_all_findings(each: DiagnosedSection) -> Findings:
    """Yield that rules let everybody in."""
    rules = each.section.rules.host_rules
    if rules is None or rules.satisfy != "any":
        return
    is_open = rules.order == "deny,allow" and not rules.deny
    if is_open or any(origin.is_all for origin in rules.allow if rules.order == "deny,allow"):
        yield each.finding(
            "W082",
            f"{each.place} has satisfy='any', and its order, allow and deny keep nobody out: "
            "everybody gets in, without a password too.",
            "Add deny='all', and in allow the addresses that need no password.",
        )


def address_findings(
    sections: Sequence[DiagnosedSection], bind: SettingValue | None, values: Mapping[str, object]
) -> Findings:
    """
    Yield that rules ask for addresses, and the server's clients have none.

    ``bind`` is gunicorn's setting, ``values`` are ours.
    """
    if bind is None or not (bind.value or "").startswith("unix:"):
        return
    if values.get("TRUSTED_PROXIES"):
        return
    asking = next((each for each in sections if _asks_for_addresses(each.section)), None)
    if asking is not None:
        yield Finding(
            "W083",
            asking.where,
            f"{asking.place} asks for a client's address, and the server listens on a unix socket "
            f"({bind.where}): on it no client has an address. No ip, host or local is met there, "
            "and nobody is in allow or deny by an address.",
            "Let the server in front send the address, and name the front as a trusted proxy. Or "
            "keep these rules in the front.",
        )


def _asks_for_addresses(section: AccessSection) -> bool:
    demands, host_rules = section.rules.demands, section.rules.host_rules
    if demands is not None and any(each.kind in _OF_ADDRESSES for each in demands.leaves()):
        return True
    origins = (*host_rules.allow, *host_rules.deny) if host_rules is not None else ()
    return any(not origin.is_all for origin in origins)
