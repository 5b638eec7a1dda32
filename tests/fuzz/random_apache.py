"""Random Apache configurations: most of them sound, all of them close to what Apache refuses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

WORDS = (
    *(
        "a",
        "b1",
        "/srv/x",
        '"a b"',
        "'q\"r'",
        '"x\\"y\\\\z"',
        "a\\\\b",
        "a\\b",
        '"open',
        "#c",
        "x\\",
    ),
    *(
        "${A}",
        "${aA}",
        "${B}/y",
        "${NOPE}",
        "${map:x}",
        "${",
        "$1",
        "%{GLOBAL}",
        "<b>",
        ">",
        "\xe9",
    ),
    *("$p", "$pq", "@v", "\t", "\x0b", '""', "'", "a>", "x\\\\\\"),
)
NAMES = ("UnsetEnv", "unsetenv", '"UnsetEnv"', "UnsetEnv>", "  UnsetEnv", "${U}")
# Each may stand in those before it, and in none behind it.
SECTIONS = (
    ("VirtualHost", "*:80"),
    ("Directory", "/srv"),
    ("Files", '"a b"'),
    ("If", "\"%{HTTP_HOST} == 'x'\""),
)
CONDITIONS = (
    *("IfModule mod_info.c", "IfModule !mod_info.c", "IfModule nope_module", "IfModule !nope.c"),
    *("IfDefine X", "IfDefine !X", "IfDefine A", "IfDefine !${A}", "IfModule env_module x"),
    *("IfVersion >= 2.4", "IfVersion < 2.4", "IfVersion !~ ^2", "IfVersion = /^2[.]4/"),
    *("IfFile main.conf", "IfFile !nowhere.conf", "IfDirective UnsetEnv", "IfSection VirtualHost"),
    *("IfVersion >= 2.x", "IfDefine", 'IfFile "main.conf"', "IfModule ! mod_info.c"),
)
FILES = ("main.conf", "one.conf", "sub/two.conf", "sub/three.conf")
INCLUDES = (
    *("one.conf", "sub/two.conf", '"sub/t*.conf"', "sub", "nowhere.conf", "no*/x.conf", "s?b/t*"),
    *("./sub/../one.conf", "sub/[!t]wo.conf", "main.conf"),
)
STRAY = (
    *(
        "</IfModule>",
        "</Directory>",
        "</Files",
        "<Directory /x",
        "</Macro>",
        "Use nobody",
        "Use m1",
    ),
    *("Define a:b c", "Define", "UnDefine", "Include", "UndefMacro m1", "< a>", "</>", "<>", ">"),
    *("\\", "\\\\", "ServerRoot", "LoadModule", "Use m2 1 2", '"" x'),
)
# Apache takes them for something, or for nothing.
FOREIGN = (
    *("\x00", "\xef\xbb\xbf", "UnsetEnv a\x00b", "{{ x }}", "<Directory @X@>", "{% endif %}"),
    *("<If {{ y }}>", "</Files>{{ z }}", "<%= a %>", "%name%", "\xff\xfe"),
)


def random_configuration(
    random: Random, slips: float = 0.02, stray: Sequence[str] = STRAY
) -> dict[str, str]:
    """
    Return the files of a configuration, ``main.conf`` among them, as latin-1 text.

    ``slips`` is how probable it is for a line to be one of ``stray``, or out of its place.
    """
    writer = _Writer(random, slips, stray)
    return {name: writer.file(depth) for depth, name in enumerate(FILES)}


class _Writer:
    def __init__(self, random: Random, slips: float, stray: Sequence[str]) -> None:
        self.random = random
        self.slips = slips
        self.stray = stray

    def file(self, depth: int) -> str:
        """Files include those behind them only, but for slips."""
        lines = list(self.block(0, 6, FILES[depth] == "main.conf"))
        text = "".join(f"{self.broken(line)}{self.line_end()}" for line in lines)
        # Behind a Use line, mod_macro loses a last line without a line feed.
        has_macros = any(line.lower().startswith("use ") for line in lines)
        is_open = self.random.random() < 0.2 and not has_macros
        return text.removesuffix("\n") if is_open else text

    def line_end(self) -> str:
        return "\r\n" if self.random.random() < 0.1 else "\n"

    def broken(self, line: str) -> str:
        """Break a line in two, with one backslash or two."""
        if self.random.random() < 0.8:
            return line
        position = self.random.randrange(len(line) + 1)
        # Two leave one there: no name, and no directive to ask for, has any.
        is_free = " " in line[:position].lstrip() and not line.startswith("<If")
        backslashes = "\\" * self.random.choice([1, 1, 2] if is_free else [1])
        return f"{line[:position]}{backslashes}{self.line_end()}{line[position:]}"

    def block(self, level: int, size: int, includes: bool) -> Iterator[str]:
        for _ in range(self.random.randint(0, size)):
            if self.random.random() < self.slips:
                yield self.random.choice(self.stray)
            else:
                kind = self.random.choice(_KINDS)
                yield from kind(self, level, size - 1, includes)

    def directive(self, level: int, size: int, includes: bool) -> Iterator[str]:
        yield f"{self.random.choice(NAMES)} z{self.words(3)}"

    def words(self, most: int) -> str:
        words = self.random.choices(WORDS, k=self.random.randint(0, most))
        return "".join(f"{self.random.choice([' ', '  ', chr(9)])}{word}" for word in words)

    def section(self, level: int, size: int, includes: bool) -> Iterator[str]:
        if level == len(SECTIONS):
            return
        level = self.random.randrange(level, len(SECTIONS))
        name, argument = SECTIONS[level]
        yield f"<{self.cased(name)} {argument}{self.random.choice(['>', ' >', '> x'])}"
        yield from self.block(level + 1, size, includes)
        yield self.closing(name)

    def condition(self, level: int, size: int, includes: bool) -> Iterator[str]:
        text = self.random.choice(CONDITIONS[:-4] if self.random.random() < 0.95 else CONDITIONS)
        yield f"<{text}>"
        yield from self.block(level, size, includes)
        yield self.closing(text.split()[0])

    def cased(self, name: str) -> str:
        return self.random.choice([name, name, name.lower(), name.upper()])

    def closing(self, name: str) -> str:
        if self.random.random() > self.slips:
            return f"</{self.cased(name)}>"
        return self.random.choice([f"</{name} >", f"</{name}> x", f"</{name}", "", "</Location>"])

    def define(self, level: int, size: int, includes: bool) -> Iterator[str]:
        name = self.random.choice(["A", "aa", "B", "X", "U"])
        value = (
            "UnsetEnv"
            if name == "U"
            else self.random.choice(["", "v", '"v w"', "${A}z", '"v\\\\"'])
        )
        yield self.random.choice(
            [f"Define {name} {value}", f"Define {name} {value}", f"undefine {name}"]
        )

    def macro(self, level: int, size: int, includes: bool) -> Iterator[str]:
        name = self.random.choice(["m1", "M2"])
        parameters = ["$p", "$pq", "@v"][: self.random.randint(0, 3)]
        yield f"<Macro {name} {' '.join(parameters)}>"
        yield from self.block(len(SECTIONS), min(size, 3), False)
        yield self.closing("Macro")
        values = self.random.choices(
            ["a", '"b c"', "$pq", "'x\"y\\\\'", '""', "${A}"], k=len(parameters)
        )
        yield f"{self.random.choice(['Use', 'use'])} {name.lower()} {' '.join(values)}"

    def include(self, level: int, size: int, includes: bool) -> Iterator[str]:
        if includes and level == 0:
            which = INCLUDES[:4] if self.random.random() > self.slips else INCLUDES
            name = self.random.choice(["Include", "IncludeOptional"])
            yield f"{name} {self.random.choice(which)}"

    def nothing(self, level: int, size: int, includes: bool) -> Iterator[str]:
        yield self.random.choice(["", "  ", "# c", " # <Directory /x>", "#"])


_KINDS = (
    *(_Writer.directive,) * 5,
    *(_Writer.section, _Writer.condition, _Writer.define, _Writer.nothing) * 2,
    *(_Writer.macro, _Writer.include),
)
