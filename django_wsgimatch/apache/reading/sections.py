"""The first lines of sections, and what sections are called."""

from __future__ import annotations

from ..lines.conditions import CONDITIONS
from ..lines.directive import Section, Spot
from ..lines.unreadable import Unreadable

_NAMES = (
    *("VirtualHost", "Directory", "DirectoryMatch", "Files", "FilesMatch", "Location"),
    *("LocationMatch", "If", "ElseIf", "Else", "Limit", "LimitExcept", "Proxy", "ProxyMatch"),
    *("RequireAll", "RequireAny", "RequireNone", "AuthnProviderAlias", "AuthzProviderAlias"),
    *("MDomainSet", "Macro", "Perl"),
)
_SPELLED = {name.lower(): name for name in _NAMES} | CONDITIONS
_WITHOUT_ARGUMENT = frozenset(("else", "requireall", "requireany", "requirenone", "perl"))


def spelled(name: str) -> str:
    """Return a section's name as in Apache's documentation, or as it is if that has none."""
    return _SPELLED.get(name.lower(), name)


def make_section(name: str, rest: str, spot: Spot) -> Section:
    """Return the section that a line opens, however little is right about the line."""
    argument, bracket, _ = rest.rpartition(">")
    return Section(spelled(name), (argument if bracket else rest).strip(), spot)


def section_for(name: str, text: str, spot: Spot) -> Section:
    """Return the section that compares with a text as it is."""
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return Section(name, f'"{quoted}"', spot)


def check_section(name: str, rest: str) -> None:
    """Raise Unreadable where Apache would refuse the line that opens a section."""
    argument, bracket, _ = rest.rpartition(">")
    key = name.lower()
    if not key:
        raise Unreadable("Invalid command '<'", "write the section's name right behind the bracket")
    if not bracket:
        raise Unreadable(f"<{spelled(name)}> directive missing closing '>'", "end the line with >")
    if not argument.strip() and key in _SPELLED and key not in _WITHOUT_ARGUMENT:
        raise Unreadable(
            f"<{spelled(name)}> directive requires additional arguments",
            "say what the section is for",
        )
