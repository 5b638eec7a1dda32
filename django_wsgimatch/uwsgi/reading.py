"""
Read uWSGI's configuration files: ini, XML and JSON in, options out.

Mirrors uwsgi_ini_config(), uwsgi_xml_config(), uwsgi_json_config() and add_exported_option() of
uWSGI 2.0.31: files that an option names are read where it stands, those of ``inherit`` at the end.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from ..apache.lines.directive import Directive, Refusal, Spot, Unreadable
from ..apache.lines.limits import TooMuch, Volume
from ..apache.reading.includes import is_private
from ..others.texts import DEEPEST, read_source
from .forms import RawOption, read_ini, read_json_options, read_xml_options
from .logic import ENDS, LogicFacts, is_logic, replacements
from .magic import Placeholders, magic_letters, replace_letters
from .options import UwsgiInstance, UwsgiOption, make_option

_MOST_FILES = 1000
_AT_ONCE = ("ini", "include", "config", "xml", "json", "js", "yaml", "yml")
_FORMS = {"ini": read_ini, "xml": read_xml_options, "json": read_json_options}
_ENDINGS = {".xml": "xml", ".json": "json", ".js": "json", ".yaml": "yaml", ".yml": "yaml"}
_YAML = (
    "uWSGI's YAML is not read here: `uwsgi --yaml FILE --show-config` prints it as an ini file, "
    "which is"
)


def read_instance(
    path: str,
    environ: Mapping[str, str],
    volume: Volume,
    *,
    before: tuple[str, ...] = (),
    after: tuple[str, ...] = (),
    given: tuple[tuple[str, str, Spot], ...] = (),
) -> UwsgiInstance:
    """
    Return the options of the uWSGI that a file stands for; ``path`` may end in ``:section``.

    ``before`` and ``after`` are files that an emperor has every vassal read, ``given`` are options
    that it gives, with their places. What cannot be read is a refusal: nothing is raised.
    """
    reader = _Reader(environ, volume)
    for file in before:
        reader.open(file, Spot(file, 1), "")
    reader.open(path, Spot(path, 1), "")
    for key, value, spot in given:
        reader.add(RawOption(key, value, spot))
    for file in after:
        reader.open(file, Spot(file, 1), "")
    reader.open_inherited()
    values = Placeholders.of(environ, reader.options)
    options = reader.resolved(values)
    return UwsgiInstance(path, options, tuple(reader.refusals), frozenset(values.used))


class _Reader:
    """Where reading has come to; nothing in it is raised but what ends it."""

    def __init__(self, environ: Mapping[str, str], volume: Volume) -> None:
        self.options: list[UwsgiOption] = []
        self.refusals: list[Refusal] = []
        self._environ = environ
        self._volume = volume
        self._open: list[tuple[str, str]] = []
        self._last = ""
        self._is_over = self._is_private = False
        self._count = 0
        self._values: dict[str, str] = {}
        self._inherited: list[tuple[str, UwsgiOption]] = []
        self._first: dict[str, str] = {}
        self._logic: UwsgiOption | None = None

    def open(self, name: str, spot: Spot, text: str) -> None:
        """Read a file where it is named; ``text`` is the option that names it."""
        if self._is_over:
            return
        try:
            self._read(name)
        except Unreadable as error:
            self._is_over = isinstance(error, TooMuch)
            at = getattr(error, "line", None)
            place = spot if at is None else Spot(_split(name)[0], at)
            self.refusals.append(Refusal(place, text, error.reason, error.cure))

    def open_inherited(self) -> None:
        """Read what ``inherit`` names; uWSGI does so after all else."""
        while self._inherited:
            base, option = self._inherited.pop(0)
            self.open(_beside(base, option.value), option.line.spot, _text(option))

    def resolved(self, values: Placeholders) -> tuple[UwsgiOption, ...]:
        """Return the options with their placeholders filled in, as long as there is room."""
        found: list[UwsgiOption] = []
        for each in self.options:
            option = each if each.line.is_off else values.resolve(each)
            try:
                self._volume.add_text(len(option.value), "its placeholders stand for too much")
            except TooMuch as error:
                spot = option.line.spot
                self.refusals.append(Refusal(spot, option.key, error.reason, error.cure))
                break
            found.append(option)
        return tuple(found)

    def add(self, raw: RawOption) -> None:
        """Take an option, as often as the logical one before it says."""
        option = make_option(raw.key, raw.value, raw.spot, is_private=self._is_private)
        if raw.key in ENDS or is_logic(raw.key):
            self._begin_logic(option)
        elif self._logic is None:
            self._take(option)
        else:
            self._repeat(option, self._logic)

    def _begin_logic(self, option: UwsgiOption) -> None:
        self.options.append(option)
        self._logic = None if option.key in ENDS else option

    def _repeat(self, option: UwsgiOption, logic: UwsgiOption) -> None:
        facts = LogicFacts(self._environ, self._values)
        words = [*replacements(logic.key, logic.value, facts)]
        for word in words:
            value = option.value.replace("%(_)", word)
            self._volume.add_lines(1, "its loops are too long")
            name, spot = option.line.name, option.line.spot
            self._take(make_option(name, value, spot, is_private=option.is_private))
        if not words:
            because = f"{logic.line.name} {logic.line.rest} in {logic.line.spot} does not hold"
            self.options.append(replace(option, line=_off(option, because)))

    def _take(self, option: UwsgiOption) -> None:
        self.options.append(option)
        self._values.setdefault(option.line.name, option.value)
        base = self._open[-1][0] if self._open else option.line.spot.file
        if option.key in _AT_ONCE:
            # A section without a file is one of the file that was opened last.
            is_section = option.value.startswith(":")
            name = self._last + option.value if is_section else _beside(base, option.value)
            self.open(name, option.line.spot, _text(option))
        elif option.key == "inherit":
            self._inherited.append((base, option))

    def _read(self, name: str) -> None:
        path, section = _split(name)
        real = os.path.realpath(path)
        if (real, section) in self._open:
            raise Unreadable(
                f"{name} includes itself, and uWSGI would never end", "take out the line"
            )
        if len(self._open) == DEEPEST:
            raise Unreadable(
                f"more than {DEEPEST} files are included in one another", "include fewer"
            )
        form = _ENDINGS.get(os.path.splitext(path)[1].lower(), "ini")
        if form == "yaml":
            raise Unreadable("this file is YAML", _YAML)
        self._count += 1
        if self._count > _MOST_FILES:
            raise TooMuch(
                f"the import gives up: one uWSGI reads more than {_MOST_FILES:,} files",
                "include fewer, or import them one by one",
            )
        letters = self._letters(path, section)
        text = read_source(path, self._volume)
        lines = "\n".join(replace_letters(line, letters) for line in text.split("\n"))
        # What the command line or an emperor names is shown.
        is_named = not self._open or real == self._open[0][0]
        before, self._is_private = self._is_private, not is_named and is_private(path)
        self._open.append((real, section))
        self._last = path
        try:
            for raw in _FORMS[form](lines, path, section or "uwsgi"):
                self.add(raw)
        finally:
            self._open.pop()
            self._is_private = before

    def _letters(self, path: str, section: str) -> dict[str, str]:
        letters = magic_letters(path, section)
        # Those of the first file stay, in upper case.
        self._first = self._first or {key.upper(): value for key, value in letters.items()}
        return {**self._first, **letters}


def _split(name: str) -> tuple[str, str]:
    path, colon, section = name.rpartition(":")
    return (path, section) if colon else (name, "")


def _beside(base: str, name: str) -> str:
    """Return the file that is named within another."""
    return os.path.join(os.path.dirname(base), name)


def _text(option: UwsgiOption) -> str:
    return f"{option.line.name} {option.line.rest}"


def _off(option: UwsgiOption, because: str) -> Directive:
    return replace(option.line, is_off=True, because=because)
