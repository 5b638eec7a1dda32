"""Directives that decide how the lines behind them are read: Define, Include, Use and others."""

from __future__ import annotations

from collections.abc import Callable

from ..lines.directive import Directive, Section, Spot
from ..lines.limits import TooMuch
from ..lines.lines import Line, Lines, physical_lines
from ..lines.unreadable import Unreadable
from ..lines.words import split_words
from .includes import DEEPEST, absolute, is_private, named_files, read_text_of, readable_path
from .macros import Macro
from .nesting import Nesting
from .progress import Progress, Source

_WIDE_MARKS = ("\xff\xfe", "\xfe\xff")


def follow(progress: Progress, source: Source, directive: Directive) -> None:
    """Keep a directive, and do as it says; raises Unreadable where Apache would refuse it."""
    action = _ACTIONS.get(directive.name.lower())
    if action is not None:
        action(progress, source, directive)
    progress.keep(directive)


def open_source(
    progress: Progress, text: str, name: str, around: tuple[Section, ...] = (), depth: int = 0
) -> None:
    """Read a file next, within the sections that it is included in."""
    if text.startswith(_WIDE_MARKS):
        error = Unreadable("the file is UTF-16, which Apache cannot read", "save it as UTF-8")
        progress.refuse(Line(Spot(name, 1), ""), error)
        return
    count = text.count("\n") + 1
    progress.volume.add_lines(count, f"{name} has {count:,} lines")
    lines = Lines(physical_lines(text, name))
    progress.sources.append(Source(lines, Nesting(around), depth))


def _define(progress: Progress, source: Source, directive: Directive) -> None:
    progress.variables.define(split_words(directive.rest))


def _undefine(progress: Progress, source: Source, directive: Directive) -> None:
    progress.variables.undefine(split_words(directive.rest))


def _load_module(progress: Progress, source: Source, directive: Directive) -> None:
    name, _ = _arguments(directive, "the module's name", "its file")
    progress.modules.load(name)


def _set_root(progress: Progress, source: Source, directive: Directive) -> None:
    [path] = _arguments(directive, "a directory")
    progress.server_root = absolute(path, progress.server_root)


def _stop(progress: Progress, source: Source, directive: Directive) -> None:
    message = directive.rest.strip("\"'")
    raise Unreadable(f"Apache stops here: {message}", "do as it says, or delete the line")


def _use(progress: Progress, source: Source, directive: Directive) -> None:
    name, *values = split_words(directive.rest) or [""]
    macro = _macro(progress, name)
    if source.lines.is_in(macro.name):
        raise Unreadable(f"macro {name} uses itself", "delete this line from the macro")
    count = len(macro.body)
    progress.volume.add_lines(count, f"the lines of macro {name} are added here")
    lines = macro.used(values, directive.spot, progress.volume)
    progress.volume.add_text(
        sum(len(line.text) for line in lines), f"the lines of macro {name} are added here"
    )
    macro.is_used = True
    source.lines.insert(macro.name, lines)


def _forget_macro(progress: Progress, source: Source, directive: Directive) -> None:
    [name] = _arguments(directive, "the macro's name")
    del progress.macros[_macro(progress, name).name]


def _macro(progress: Progress, name: str) -> Macro:
    macro = progress.macros.get(name.lower())
    if macro is None:
        raise Unreadable(
            f"macro {name} is not defined in front of this line",
            "import the file that Apache reads first, which includes this one",
        )
    return macro


def _include(progress: Progress, source: Source, directive: Directive) -> None:
    [name] = _arguments(directive, "a path")
    if source.depth == DEEPEST:
        _give_up(progress)
    path = absolute(name, progress.server_root)
    optional = directive.name.lower() == "includeoptional"
    texts: list[tuple[str, str]] = []
    errors: list[Unreadable] = []
    files = named_files(path, optional=optional)
    progress.volume.add_files(len(files))
    for file in files:
        try:
            texts.append((readable_path(file), _text_of(progress, file)))
        except TooMuch:
            raise
        except Unreadable as error:
            errors.append(error)
    for file, text in reversed(texts):
        open_source(progress, text, file, source.nesting.sections, source.depth + 1)
    if errors:
        raise Unreadable("; ".join(error.reason for error in errors), errors[0].cure)


def _text_of(progress: Progress, file: str) -> str:
    text = read_text_of(file, progress.volume.room)
    progress.volume.add_text(len(text), f"{readable_path(file)} has {len(text):,} characters")
    if is_private(file):
        progress.private.add(readable_path(file))
    return text


def _arguments(directive: Directive, *names: str) -> list[str]:
    """Return the words of a directive that takes so many of them."""
    words = split_words(directive.rest)
    if len(words) != len(names) or not words[0]:
        raise Unreadable(
            f"{directive.name} takes {' and '.join(names)}, not {len(words)} arguments",
            "put an argument that holds blanks in quotes",
        )
    return words


def _give_up(progress: Progress) -> None:
    """Leave all files that the outermost Include line led to, but those not yet begun."""
    progress.sources[:] = [
        each
        for each in progress.sources
        if each.depth == 0 or (each.depth == 1 and not each.is_begun)
    ]
    raise Unreadable(
        f"exceeded maximum include depth of {DEEPEST}: files include each other without end, and "
        "are not read further",
        "do not include a file from within itself",
    )


_ACTIONS: dict[str, Callable[[Progress, Source, Directive], None]] = {
    "define": _define,
    "undefine": _undefine,
    "loadmodule": _load_module,
    "serverroot": _set_root,
    "error": _stop,
    "use": _use,
    "undefmacro": _forget_macro,
    "include": _include,
    "includeoptional": _include,
}
