"""
How large the package is, by folder: run ``python -m tests.house.counts``.

A line of code holds more than blanks, a comment or a docstring. ``python -m tests.house.counts
PATH...`` counts other trees as well, such as another checkout's ``django_wsgimatch``.
"""

from __future__ import annotations

import argparse
import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.code_lines import code_lines

PACKAGE = Path(__file__).resolve().parents[2] / "django_wsgimatch"
MOST_LINES_OF_A_FILE = 450
MOST_LINES_OF_A_FUNCTION = 45
MOST_FILES_OF_A_FOLDER = 14
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Function:
    """A function, and its lines from ``def`` to its end, all counted."""

    name: str
    lines: int


@dataclass(frozen=True, slots=True)
class Module:
    """What is counted of a file; ``public`` are its own functions and classes, and which it is."""

    path: Path
    lines: int
    functions: tuple[Function, ...]
    public: tuple[tuple[str, str], ...]


def count(path: Path) -> Module:
    """Count a file of Python."""
    source = path.read_text()
    tree = ast.parse(source)
    functions = [
        Function(node.name, 1 + (node.end_lineno or node.lineno) - node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, _FUNCTIONS)
    ]
    return Module(path, source.count("\n"), tuple(functions), tuple(_public(tree)))


def modules(root: Path) -> list[Module]:
    """Count all files of Python below a folder."""
    return [count(path) for path in sorted(root.rglob("*.py"))]


def twice(counted: Iterable[Module]) -> dict[tuple[str, str], list[Path]]:
    """Return the public names that several modules bear, with the kind and the files of each."""
    bearers: dict[tuple[str, str], list[Path]] = {}
    for module in counted:
        for name in dict.fromkeys(module.public):
            bearers.setdefault(name, []).append(module.path)
    return {name: paths for name, paths in bearers.items() if len(paths) > 1}


def _public(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)) and not node.name.startswith("_"):
            yield ("class" if isinstance(node, ast.ClassDef) else "function", node.name)


def _folders(root: Path, counted: list[Module]) -> Iterator[str]:
    yield f"{'folder':34}{'code':>8}{'files':>7}{'median':>8}{'longest':>9}"
    for folder in sorted({module.path.parent for module in counted}):
        yield _row(folder, root, [each for each in counted if each.path.parent == folder])
    yield _row(None, root, counted)


def _row(folder: Path | None, root: Path, inside: list[Module]) -> str:
    name = "all" if folder is None else folder.relative_to(root.parent).as_posix()
    lines = [function.lines for each in inside for function in each.functions] or [0]
    code = sum(len(code_lines(each.path.read_text())) for each in inside)
    files = sum(each.path.stem != "__init__" for each in inside)
    return f"{name:34}{code:8}{files:7}{median(lines):8.1f}{max(lines):9}"


def faults(root: Path, counted: list[Module]) -> Iterator[str]:
    """Yield what is too large or named twice in a tree, a line each."""
    for module in counted:
        name = module.path.relative_to(root.parent).as_posix()
        if module.lines > MOST_LINES_OF_A_FILE:
            yield f"{name} has {module.lines} lines"
        for function in module.functions:
            if function.lines > MOST_LINES_OF_A_FUNCTION:
                yield f"{name} has {function.lines} lines in {function.name}()"
    files = Counter(each.path.parent for each in counted if each.path.stem != "__init__")
    for folder, number in files.items():
        if number > MOST_FILES_OF_A_FOLDER:
            yield f"{folder.relative_to(root.parent).as_posix()} has {number} files"
    for (kind, word), paths in sorted(twice(counted).items()):
        where = ", ".join(path.relative_to(root).as_posix() for path in paths)
        yield f"the {kind} {word} is in {where}"


def report(root: Path) -> str:
    """Return the table of a tree, and what is too large or named twice in it."""
    counted = modules(root)
    return "\n".join([*_folders(root, counted), "", *faults(root, counted)])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, default=[PACKAGE])
    for each in parser.parse_args().paths:
        print(report(each.resolve()))
