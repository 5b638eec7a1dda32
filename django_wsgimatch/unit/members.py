"""A Unit configuration as a tree whose leaves are the report's lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..apache.lines.directive import Directive, Spot
from ..apache.outcomes.outcome import Category
from ..others.draft import Draft
from ..others.json_lines import JsonNode, JsonObject

# Below these the values often are secrets, and a report is shown around.
_HIDDEN = re.compile(r"\.(?:environment|headers|cookies|arguments)[.\[]")

Plain = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class UnitMember:
    """
    A value of the configuration.

    ``path`` says where it is, as the report shows it: ``routes.main[0].match.uri``. ``value`` is
    plain, a list of members, or members by name. ``line`` is its own in the report, or that of the
    list or the text that it is a part of.
    """

    path: str
    value: Plain | list[UnitMember] | dict[str, UnitMember]
    line: Directive

    def get(self, name: str) -> UnitMember | None:
        """Return a member of an object; None where there is none, or this is no object."""
        return self.value.get(name) if isinstance(self.value, dict) else None

    def items(self) -> list[tuple[str, UnitMember]]:
        """Return the members of an object, none where this is no object."""
        return [*self.value.items()] if isinstance(self.value, dict) else []

    def elements(self) -> list[UnitMember]:
        """Return the elements of a list, or this alone: Unit takes one for a list of one."""
        return self.value if isinstance(self.value, list) else [self]

    def texts(self) -> list[str]:
        """Return the texts among the elements."""
        return [each.value for each in self.elements() if isinstance(each.value, str)]

    @property
    def text(self) -> str | None:
        """The value where it is text."""
        return self.value if isinstance(self.value, str) else None

    def leaves(self) -> Iterator[Directive]:
        """Yield the lines of the report that are about this and what is in it."""
        children = [each for _, each in self.items()]
        if isinstance(self.value, list) and any(
            isinstance(each.value, dict | list) for each in self.value
        ):
            children = self.value
        for each in children:
            yield from each.leaves()
        if not children:
            yield self.line


def note_all(draft: Draft, member: UnitMember | None, category: Category, text: str) -> None:
    """Say what became of a member and of all that is in it."""
    if member is not None:
        for line in dict.fromkeys(member.leaves()):
            draft.note(line, category, text)


def read_members(node: JsonNode, file: str, path: str = "") -> UnitMember:
    """Return the tree of a value."""
    line = Directive(path, _shown_node(node, path), Spot(file, node.line))
    if isinstance(node.value, JsonObject):
        start = f"{path}." if path else ""
        members = {name: read_members(n, file, f"{start}{name}") for name, n in node.value}
        return UnitMember(path, members, line)
    if not isinstance(node.value, list):
        return UnitMember(path, node.value, line)
    if any(isinstance(each.value, JsonObject | list) for each in node.value):
        numbered = enumerate(node.value)
        return UnitMember(
            path, [read_members(each, file, f"{path}[{n}]") for n, each in numbered], line
        )
    plain = [each.value for each in node.value if not isinstance(each.value, JsonObject | list)]
    return UnitMember(path, [UnitMember(path, value, line) for value in plain], line)


def _shown_node(node: JsonNode, path: str) -> str:
    if _HIDDEN.search(path):
        return "(not shown)"
    return json.dumps(_plain_of(node), ensure_ascii=False)


def _plain_of(node: JsonNode) -> object:
    if isinstance(node.value, JsonObject):
        return {}
    if isinstance(node.value, list):
        return [_plain_of(each) for each in node.value]
    return node.value
