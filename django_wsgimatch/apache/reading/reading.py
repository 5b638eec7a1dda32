"""
Read an Apache configuration: text in, directives out, as ap_build_config() reads it.

The grammar is Apache's: continuations, quotes, sections, Define and ``${NAME}``, Include,
<IfDefine> and its like, macros. What Apache would refuse, and what is none of its own, is a
`Refusal`; reading goes on behind it.
"""

from __future__ import annotations

import os

from ...aliases.directives import get_word
from ..lines.conditions import CONDITIONS
from ..lines.directive import (
    ApacheConfiguration,
    Directive,
    Refusal,
    Spot,
    Surroundings,
    Unreadable,
)
from ..lines.limits import TooMuch, Volume
from ..lines.lines import LONGEST, Line
from ..lines.templates import is_control, placeholder
from .dump import is_dump, read_dump
from .includes import read_text_of
from .macros import Macro
from .progress import Progress, Source, follow, open_source
from .sections import check_section, make_section

_MARK = "\xef\xbb\xbf"
# So much of the line at which the import gives up is reported, in characters.
_SHOWN = 200


def read_file(path: str, options: Surroundings | None = None) -> ApacheConfiguration:
    """
    Return what a configuration file consists of, and the files that it includes.

    A file that cannot be read is a `Refusal`: nothing is raised.
    """
    try:
        text = read_text_of(os.fsencode(path).decode("latin-1"), Volume().room)
    except Unreadable as error:
        refusal = Refusal(Spot(path, 1), "", error.reason, error.cure)
        return ApacheConfiguration((), (refusal,))
    return read_text(text, path, options)


def read_text(text: str, name: str, options: Surroundings | None = None) -> ApacheConfiguration:
    """
    Return what the text of a configuration consists of.

    The text has a character a byte: it was read as latin-1. It may be what ``apache2ctl -t -D
    DUMP_CONFIG`` has printed. ``name`` is the file's, for messages.
    """
    options = options or Surroundings()
    root = options.server_root
    if root is None:
        root = os.path.dirname(os.path.abspath(name))
    progress = Progress(options, os.fsencode(root).decode("latin-1"))
    try:
        progress.volume.add_text(len(text), "this file is too long")
        if is_dump(text):
            progress.volume.add_lines(text.count("\n"), "this file is too long")
            return read_dump(text, name)
        open_source(progress, text, name)
    except TooMuch as error:
        progress.give_up(Spot(name, 1), "", error)
    while progress.sources:
        source = progress.sources[-1]
        source.is_begun = True
        _read_on(progress, source)
    # What the command line names is shown, however it is read again.
    progress.private -= {name, os.path.abspath(name)}
    return progress.configuration()


def _read_on(progress: Progress, source: Source) -> None:
    """Read a file up to its end, or to the end of a line that includes another."""
    for line in source.lines:
        if not line.text or line.text.startswith("#"):
            continue
        try:
            _read_line(progress, source, line)
        except TooMuch as error:
            progress.give_up(line.spot, line.text[:_SHOWN], error)
            return
        except Unreadable as error:
            progress.refuse(line, error)
        if progress.sources[-1] is not source:
            return
    progress.sources.pop()
    for each in source.nesting.unclosed():
        reason, cure = f"<{each.name}> was not closed", f"write </{each.name}> behind its last line"
        progress.refuse(Line(each.spot, f"<{each.name}"), Unreadable(reason, cure))


def _read_line(progress: Progress, source: Source, line: Line) -> None:
    _check_bytes(line)
    template = placeholder(line.text)
    if template is not None:
        _read_template(source, line)
        raise Unreadable(
            f"{template} is a placeholder that a template left",
            "render the template first, and import what comes out of it",
        )
    if source.nesting.off:
        _read_off(progress, source, line)
    elif not source.nesting.ends_condition(line.text):
        _read_directive(progress, source, line)


def _read_directive(progress: Progress, source: Source, line: Line) -> None:
    name, rest = _name_and_rest(progress.resolve(line))
    if name.startswith("</"):
        source.nesting.close(name)
    elif not name:
        because = "Apache ignores a line whose first word is empty"
        progress.keep(Directive(name, rest, line.spot, source.nesting.sections, True, because))
    elif not name.startswith("<"):
        directive = Directive(name, rest, line.spot, source.nesting.sections)
        follow(progress, source, directive)
    elif name.lower() == "<macro":
        _define_macro(progress, source, line, rest)
    elif name[1:].lower() in CONDITIONS:
        _open_condition(progress, source, line, name[1:].lower(), rest)
    else:
        source.nesting.open_section(name[1:], rest, line.spot)
        check_section(name[1:], rest)


def _read_off(progress: Progress, source: Source, line: Line) -> None:
    """Read a line that takes no effect, as ap_soak_end_container() passes over it."""
    name, rest = get_word(progress.fill_in(line)[0])
    nesting = source.nesting
    if name.startswith("</"):
        nesting.close(name)
    elif name.startswith("<"):
        nesting.open_in_off(name[1:], rest, line.spot)
    else:
        progress.keep(Directive(name, rest, line.spot, nesting.sections, True, nesting.off))


def _open_condition(progress: Progress, source: Source, line: Line, key: str, rest: str) -> None:
    name = CONDITIONS[key]
    off = ""
    try:
        if not progress.conditions.hold(key, rest):
            asked = make_section(name, rest, line.spot).argument
            off = f"<{name} {asked}> in {line.spot} does not apply"
    finally:
        # Where Apache would stop, what stands in it is read all the same.
        source.nesting.open_condition(name, line.spot, off)


def _define_macro(progress: Progress, source: Source, line: Line, rest: str) -> None:
    macro = Macro(line.spot)
    progress.keep(macro)
    try:
        # Where the first line is wrong, the others are the macro's all the same.
        try:
            macro.read_header(rest)
        finally:
            macro.read_body(source.lines)
    except Unreadable:
        macro.broken = f"{macro.label} cannot be used"
        raise
    progress.macros[macro.name] = macro


def _read_template(source: Source, line: Line) -> None:
    """Open or close what a template's line does, for the lines behind it."""
    name, rest = get_word(line.text)
    nesting = source.nesting
    if is_control(line.text) or not name.startswith("<"):
        return
    title = name[1:].rstrip(">")
    if name.startswith("</"):
        nesting.close_if_named(title[1:])
    elif nesting.off:
        nesting.open_in_off(name[1:], rest, line.spot)
    elif title.lower() in CONDITIONS:
        nesting.open_condition(title, line.spot, "")
    else:
        nesting.open_section(title, rest, line.spot)


def _name_and_rest(text: str) -> tuple[str, str]:
    """
    Split a line as ap_build_config_sub() does.

    A bracket at the end of the first word goes, but for that of a closing line; a section without
    an argument so keeps one as its argument.
    """
    name, rest = get_word(text)
    if name == ">":
        raise Unreadable("Invalid command ''", "write a directive's name in front of the >")
    if name.endswith(">") and name[1:2] != "/":
        name = name[:-1]
    if name.startswith("<") and not rest:
        rest = ">"
    return name, rest


def _check_bytes(line: Line) -> None:
    """Raise Unreadable for bytes that are no text to Apache."""
    if "\0" in line.text:
        raise Unreadable(
            "a NUL byte, behind which Apache does not read the line", "delete it from the file"
        )
    if line.text.startswith(_MARK):
        raise Unreadable(
            "a byte order mark, which Apache takes for part of the first word",
            "save the file as UTF-8 without a BOM",
        )
    if len(line.text) > LONGEST:
        raise Unreadable(
            f"Line too long: Apache takes {LONGEST} bytes", "break it into several directives"
        )
