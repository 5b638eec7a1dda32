"""The documentation's pages, read as text: code blocks, tables, commands and what they print."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


@dataclass(frozen=True, slots=True)
class Block:
    """A code block of a page: its language, caption and text."""

    page: str
    line: int
    language: str
    caption: str
    text: str


def read(page: str) -> str:
    return (DOCS / page).read_text()


def blocks(page: str) -> Iterator[Block]:
    source = read(page)
    pattern = r"^( *)\.\. code-block:: (\w+)\n(?:\1   :caption: (.*)\n)?\n((?:(?:\1   .*)?\n)+)"
    for found in re.finditer(pattern, source, re.MULTILINE):
        text = textwrap.dedent(found[4]).strip("\n") + "\n"
        line = source.count("\n", 0, found.start()) + 1
        yield Block(page, line, found[2], found[3] or "", text)


def rows(text: str) -> Iterator[list[tuple[str, ...]]]:
    """The bodies of reStructuredText's simple tables, cells without their backticks."""
    rule = r"^ *=+(?: +=+)+\n"
    for found in re.finditer(rf"({rule})(?:.*\n)+?{rule}((?:.*\n)+?){rule}", text, re.MULTILINE):
        starts = [column.start() for column in re.finditer("=+", found[1])]
        spans = list(zip(starts, [*starts[1:], None], strict=True))
        lines = found[2].splitlines()
        yield [tuple(line[a:b].strip().replace("``", "") for a, b in spans) for line in lines]


def commands(text: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output
