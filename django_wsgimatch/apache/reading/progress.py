"""What has been read of a configuration, and what holds for the lines to come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..lines.conditions import Conditions, Modules, Variables
from ..lines.directive import (
    ApacheConfiguration,
    Directive,
    Refusal,
    Remark,
    Section,
    Spot,
    Surroundings,
    Unreadable,
)
from ..lines.limits import TooMuch, Volume
from ..lines.lines import Line, Lines, physical_lines
from .includes import (
    DEEPEST,
    absolute,
    exists,
    is_private,
    named_files,
    read_text_of,
    readable_path,
)
from .macros import Macro
from .sections import Nesting


@dataclass(slots=True)
class Source:
    """
    A file that is being read.

    ``depth`` is how many Include lines led to it, and ``is_begun`` whether a line of it has been
    read.
    """

    lines: Lines
    nesting: Nesting
    depth: int
    is_begun: bool = False


class Progress:
    """
    A configuration that is being read.

    The last of ``sources`` is read first; the one before it then goes on behind its Include line.
    ``volume`` is held against the limits. ``private`` are the included files that root reads and
    others may not.
    """

    def __init__(self, options: Surroundings, server_root: str) -> None:
        self.server_root = server_root
        self.variables = Variables(options.defines, options.environ)
        self.modules = Modules(options.modules)
        self.conditions = Conditions(
            self.variables,
            self.modules,
            options.version,
            lambda path: exists(absolute(path, self.server_root)),
        )
        self.macros: dict[str, Macro] = {}
        self.sources: list[Source] = []
        self.volume = Volume()
        self.private: set[str] = set()
        self._read: list[Directive | Macro] = []
        self._refusals: list[Refusal] = []
        self._remarks: dict[str, Remark] = {}

    def keep(self, read: Directive | Macro) -> None:
        """Remember a directive, or a macro, for its lines if nobody uses it."""
        self._read.append(read)

    def refuse(self, line: Line, error: Unreadable) -> None:
        """Add a line that cannot be read."""
        self._refusals.append(Refusal(line.spot, line.text, error.reason, error.cure))

    def give_up(self, spot: Spot, text: str, error: TooMuch) -> None:
        """Leave all that has been read: where there is too much of it, the reason is enough."""
        self.sources.clear()
        self._read.clear()
        self._remarks.clear()
        text = "" if spot.file in self.private else text
        self._refusals = [Refusal(spot, text, error.reason, error.cure)]
        # The reason should be shown, wherever it lies.
        self.private.clear()

    def resolve(self, line: Line) -> str:
        """Return the text of a line with variables filled in; one without a value is remarked."""
        text, unknown = self.fill_in(line)
        for name in unknown:
            remark = (
                f"${{{name}}} has no value and stays as it is: give it one in the environment, or "
                "with Define in front of this line"
            )
            self._remarks.setdefault(name, Remark(line.spot, remark))
        return text

    def fill_in(self, line: Line) -> tuple[str, list[str]]:
        """Return the text of a line with variables filled in, and the names without a value."""
        most = self.volume.room + len(line.text)
        text, unknown = self.variables.resolve(line.text, most)
        more = len(text) - len(line.text)
        if more > 0:
            self.volume.add_text(more, f"variables make this line {len(text):,} characters long")
        return text, unknown

    def configuration(self) -> ApacheConfiguration:
        return ApacheConfiguration(
            tuple(self._directives()),
            tuple(self._refusals),
            tuple(self._remarks.values()),
            frozenset(self.private),
            self.modules.is_loaded("dir_module"),
            self.modules.may_run_files,
        )

    def _directives(self) -> Iterator[Directive]:
        for each in self._read:
            if isinstance(each, Directive):
                yield each
            elif not each.is_used:
                yield from each.unused()


_WIDE_MARKS = ("\xff\xfe", "\xfe\xff")


def follow(progress: Progress, source: Source, directive: Directive) -> None:
    """Keep a directive, and do as it says; raises Unreadable where Apache would refuse it."""
    action = _ACTIONS.get(directive.key)
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
    progress.variables.define(directive.words)


def _undefine(progress: Progress, source: Source, directive: Directive) -> None:
    progress.variables.undefine(directive.words)


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
    name, *values = directive.words or [""]
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
    optional = directive.key == "includeoptional"
    texts: list[tuple[str, str]] = []
    errors: list[Unreadable] = []
    files = named_files(path, optional=optional)
    progress.volume.add_lines(len(files), f"{readable_path(path)} is included")
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
    words = directive.words
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
