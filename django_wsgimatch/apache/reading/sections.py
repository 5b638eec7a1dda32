"""
The sections and conditions that are open, in one file.

A condition such as <IfModule> is a wall: no section that is open outside ends in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..lines.conditions import CONDITIONS
from ..lines.directive import Section, Spot, Unreadable

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


# Apache calls a function for each section in another. Nobody writes so many.
DEEPEST_NESTING = 200


@dataclass(frozen=True, slots=True)
class Open:
    """
    A section or a condition that has not been closed.

    ``name`` is as in its line; ``sections`` are those around what stands in it. ``off`` says why
    nothing in it takes effect, "" if it does.
    """

    name: str
    spot: Spot
    sections: tuple[Section, ...]
    is_condition: bool
    off: str

    def __str__(self) -> str:
        return f"<{self.name}> in {self.spot}"


class Nesting:
    """What is open, within the sections that the file is included in."""

    def __init__(self, around: tuple[Section, ...]) -> None:
        self._around = around
        self._open: list[Open] = []

    @property
    def sections(self) -> tuple[Section, ...]:
        """The sections around the line that is read, outermost first."""
        return self._open[-1].sections if self._open else self._around

    @property
    def off(self) -> str:
        """Why the line that is read takes no effect, "" if it does."""
        return self._open[-1].off if self._open else ""

    def open_section(self, name: str, rest: str, spot: Spot) -> None:
        """
        Open a section, given all that stands behind its name.

        One that nests too deep is open too, and raises Unreadable.
        """
        sections = self.sections
        is_too_deep = len(sections) >= DEEPEST_NESTING
        if not is_too_deep:
            sections = (*sections, make_section(name, rest, spot))
        self._open.append(Open(name, spot, sections, False, self.off))
        if is_too_deep:
            raise Unreadable(
                f"more than {DEEPEST_NESTING} sections in one another",
                "close sections, or put them one after the other",
            )

    def open_condition(self, name: str, spot: Spot, off: str) -> None:
        """Open a condition, which is off for a reason, or holds if that is empty."""
        self._open.append(Open(name, spot, self.sections, True, off))

    def open_in_off(self, name: str, rest: str, spot: Spot) -> None:
        """Open what Apache passes over: it has no conditions there."""
        name = name if rest else name.removesuffix(">")
        if name.lower() in CONDITIONS:
            self._open.append(Open(name, spot, self.sections, False, self.off))
        else:
            self.open_section(name, rest, spot)

    def close(self, name: str) -> None:
        """
        Close the section opened last, given the first word of the line that does so.

        Mirrors ap_build_config_sub(), and ap_soak_end_container() where nothing takes effect.
        Where those would refuse the line, this raises Unreadable; a section further out that the
        line names is closed all the same, so that one slip is told once.
        """
        try:
            if not self.off:
                self._check_closing(name)
            _check_name(name, self._open[-1])
        except Unreadable:
            self._close_outer(name[2:].rstrip(">"))
            raise
        self._open.pop()

    def close_if_named(self, name: str) -> None:
        """Close the section opened last if a name begins with its own."""
        if self._open and name.lower().startswith(self._open[-1].name.lower()):
            self._open.pop()

    def ends_condition(self, text: str) -> bool:
        """Close the condition opened last if a line, as it stands, is its end."""
        if not self._open or not self._open[-1].is_condition:
            return False
        is_end = text.lower() == f"</{self._open[-1].name.lower()}>"
        if is_end:
            self._open.pop()
        return is_end

    def unclosed(self) -> Iterator[Open]:
        """
        Yield what the end of the file should not find open, outermost first.

        A condition that holds may be: Apache takes the end of the file for its end, and for that
        of all in it.
        """
        for each in self._open:
            if each.is_condition and not each.off:
                return
            yield each

    def _check_closing(self, name: str) -> None:
        opened = self._open[-1] if self._open else None
        if opened is None or opened.is_condition:
            inside = "" if opened is None else f", and {opened} is open"
            raise Unreadable(
                f"{name} without matching <{name[2:].rstrip('>')}> section{inside}",
                "delete the line, or open the section in the same file",
            )
        if not name.endswith(">"):
            raise Unreadable(
                f"{name}> directive missing closing '>'", "remove the blank before the >"
            )

    def _close_outer(self, name: str) -> None:
        for position in reversed(range(len(self._open))):
            if self._open[position].name.lower() == name.lower():
                del self._open[position:]
                return
            if self._open[position].is_condition:
                return


def _check_name(name: str, opened: Open) -> None:
    if name[2:-1].lower() != opened.name.lower():
        raise Unreadable(
            f"expected </{opened.name}> but saw {name}: {opened} is open",
            f"close that section first with </{opened.name}>",
        )
