"""
JSON with the line that each value stands in.

As nxt_conf_json_parse() of Unit 1.35 reads it: ``//`` and ``/* */`` comments are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from typing import TypeAlias, TypeVar

from ..apache.lines.directive import Unreadable
from .draft import latin1

# Deeper than a configuration is, and far less than Python's own limit.
_DEEPEST = 64
_SPACE = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_DECODER = JSONDecoder()
_CURE = "check the file with `python -m json.tool`, which says no more but the column, too"

_Item = TypeVar("_Item")
JsonValue: TypeAlias = "JsonObject | list[JsonNode] | str | int | float | bool | None"


@dataclass(frozen=True, slots=True)
class JsonNode:
    """A value, and the line in which it begins, 1 for the first."""

    value: JsonValue
    line: int


@dataclass(frozen=True, slots=True)
class JsonObject:
    """The members of an object, in their order; a name may be there twice."""

    members: tuple[tuple[str, JsonNode], ...]

    def __iter__(self) -> Iterator[tuple[str, JsonNode]]:
        return iter(self.members)

    def get(self, name: str) -> JsonNode | None:
        """Return the last member of a name."""
        return dict(self.members).get(name)


class BadJson(Unreadable):
    """Text that is not JSON; ``line`` is where it ends to be."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(f"this is not JSON: {reason}", _CURE)
        self.line = line


def read_json(text: str) -> JsonNode:
    """
    Return what a text holds, which has a character a byte, and so have the texts in it.

    Raises BadJson.
    """
    reader = _Reader(text.encode("latin-1").decode("utf-8", "surrogateescape"))
    node = reader.node(0)
    if reader.skip() != len(reader.text):
        raise reader.error("something stands behind its end")
    return node


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._line = 1
        self._counted = 0

    def error(self, reason: str) -> BadJson:
        return BadJson(reason, self.line())

    def line(self) -> int:
        # Counted from where it was counted last: a large file is read once.
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = max(self._counted, self.at)
        return self._line

    def skip(self) -> int:
        found = _SPACE.match(self.text, self.at)
        assert found is not None
        self.at = found.end()
        return self.at

    def node(self, depth: int) -> JsonNode:
        if depth > _DEEPEST:
            raise self.error(f"more than {_DEEPEST} values in one another")
        self.skip()
        line = self.line()
        character = self.text[self.at : self.at + 1]
        if character == "{":
            return JsonNode(JsonObject(tuple(self._items("}", lambda: self._member(depth)))), line)
        if character == "[":
            return JsonNode([*self._items("]", lambda: self.node(depth + 1))], line)
        if character == '"':
            return JsonNode(self._string(), line)
        return JsonNode(self._plain(), line)

    def _items(self, end: str, read: Callable[[], _Item]) -> Iterator[_Item]:
        self.at += 1
        self.skip()
        if self.text[self.at : self.at + 1] == end:
            self.at += 1
            return
        while True:
            yield read()
            self.skip()
            character = self.text[self.at : self.at + 1]
            if character not in (",", end) or not character:
                raise self.error(f"a comma or {end} should stand here")
            self.at += 1
            if character == end:
                return

    def _member(self, depth: int) -> tuple[str, JsonNode]:
        self.skip()
        if self.text[self.at : self.at + 1] != '"':
            raise self.error("a name in double quotes should stand here")
        name = self._string()
        self.skip()
        if self.text[self.at : self.at + 1] != ":":
            raise self.error("a colon should stand behind a name")
        self.at += 1
        return name, self.node(depth + 1)

    def _string(self) -> str:
        try:
            value, self.at = _DECODER.raw_decode(self.text, self.at)
        except JSONDecodeError as error:
            raise self.error(f"a text is wrong ({error.msg})") from None
        return latin1(str(value))

    def _plain(self) -> int | float | bool | None:
        for word, value in _WORDS.items():
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return value
        found = _NUMBER.match(self.text, self.at)
        if found is None:
            raise self.error("a value should stand here")
        self.at = found.end()
        text = found[0]
        return int(text) if text.lstrip("-").isdigit() else float(text)
