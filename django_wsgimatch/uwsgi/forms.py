"""The forms that uWSGI's files have: each is read into names, values and lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers.expat import ExpatError, ParserCreate

from ..apache.lines.directive import Spot, Unreadable
from ..others.draft import latin1
from ..others.json_lines import JsonNode, JsonObject, read_json

_BLANKS = " \t\r"


@dataclass(frozen=True, slots=True)
class RawOption:
    """An option as a file has it, before anything is filled in."""

    key: str
    value: str
    spot: Spot


class WrongForm(Unreadable):
    """A file that has not the form that its name says; ``line`` is where, if it is known."""

    def __init__(self, reason: str, cure: str, line: int = 1) -> None:
        super().__init__(reason, cure)
        self.line = line


def read_ini(text: str, path: str, section: str) -> Iterator[RawOption]:
    """
    Yield the options of a section of an ini file.

    Mirrors uwsgi_ini_config(): no line goes on in the next, and a ``;`` or ``#`` begins a comment
    only at the start of a line. Raises WrongForm where there is no such section.
    """
    current, has_section = "", False
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip(_BLANKS)
        if line.startswith("["):
            current = line[1:-1]
            has_section = has_section or current == section
        elif line and not line.startswith((";", "#")) and current == section:
            key, _, value = line.partition("=")
            yield RawOption(key.rstrip(_BLANKS), value.lstrip(_BLANKS), Spot(path, number))
    if not has_section:
        raise WrongForm(
            f"{path} has no section [{section}]",
            "name the one that uWSGI reads as FILE:SECTION, or write the line before its options",
        )


def read_json_options(text: str, path: str, section: str) -> Iterator[RawOption]:
    """Yield the options of a JSON file's object. Raises BadJson, and WrongForm without one."""
    root = read_json(text).value
    found = root.get(section) if isinstance(root, JsonObject) else None
    if found is None or not isinstance(found.value, JsonObject):
        raise WrongForm(f'{path} has no object "{section}"', "put the options into it")
    for key, node in found.value:
        for each in node.value if isinstance(node.value, list) else [node]:
            yield RawOption(key, _json_text(each), Spot(path, each.line))


def _json_text(node: JsonNode) -> str:
    value = node.value
    if isinstance(value, bool) or value is None:
        return "1" if value else "0"
    if isinstance(value, JsonObject | list):
        raise WrongForm("an option is text, a number or a list of these", "write it so", node.line)
    return value if isinstance(value, str) else str(int(value))


def read_xml_options(text: str, path: str, section: str) -> Iterator[RawOption]:
    """
    Yield the options of the <uwsgi> element of an XML file, with those of <app> as mounts.

    Raises WrongForm for what is not well-formed, and for entities of the file's own.
    """
    found = _Xml(path, section)
    parser = ParserCreate("utf-8")
    parser.StartElementHandler = lambda name, given: found.begin(
        name, given, parser.CurrentLineNumber
    )
    parser.EndElementHandler = lambda name: found.end()
    parser.CharacterDataHandler = found.pieces.append
    # Entities that stand for one another grow beyond any memory.
    parser.EntityDeclHandler = lambda *declared: found.refuse_entity(parser.CurrentLineNumber)
    try:
        parser.Parse(text.encode("latin-1"), True)
    except ExpatError as error:
        reason = str(error).partition(":")[0]
        raise WrongForm(f"this is not XML: {reason}", "correct the line", error.lineno) from None
    if not found.has_root:
        raise WrongForm(f"{path} has no element <uwsgi>", "put the options into one")
    yield from found.options


@dataclass(slots=True)
class _Xml:
    path: str
    section: str
    options: list[RawOption] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    has_root: bool = False
    _names: list[tuple[str, int, dict[str, str]]] = field(default_factory=list)
    _inside: int | None = None

    def begin(self, name: str, given: dict[str, str], line: int) -> None:
        self._names.append((name, line, given))
        self.pieces.clear()
        is_asked = self.section in ("uwsgi", given.get("id", self.section))
        if name == "uwsgi" and self._inside is None and not self.has_root and is_asked:
            self.has_root, self._inside = True, len(self._names)

    def end(self) -> None:
        name, line, given = self._names.pop()
        value = latin1("".join(self.pieces).strip())
        depth = len(self._names)
        if self._inside is not None and depth == self._inside:
            self._add(name, value, given, line)
        elif self._inside is not None and depth < self._inside:
            self._inside = None
        if not (self._names and self._names[-1][0] == "app"):
            self.pieces.clear()

    def refuse_entity(self, line: int) -> None:
        raise WrongForm("it declares an entity", "write the text where the entity stands", line)

    def _add(self, name: str, value: str, given: dict[str, str], line: int) -> None:
        if name == "app":
            value = f"{latin1(given.get('mountpoint', ''))}={value}"
            name = "mount"
        self.options.append(RawOption(latin1(name), value or "1", Spot(self.path, line)))
