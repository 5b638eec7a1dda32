"""What each module of the package imports, read from its text."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "django_wsgimatch"


def imported(path: Path) -> Iterator[str]:
    """All that a file imports, wherever in it, as absolute names; import_module("x") counts."""
    package = ".".join(path.relative_to(PACKAGE.parent).parts[:-1])
    for node in ast.walk(ast.parse(path.read_bytes())):
        match node:
            case ast.ImportFrom(module=source, names=names, level=level):
                base = resolve_name("." * level + (source or ""), package)
                yield from (f"{base}.{each.name}" for each in names)
            case ast.Import(names=names):
                yield from (each.name for each in names)
            case ast.Call(
                func=ast.Attribute(attr="import_module") | ast.Name(id="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield name


#: The files of the package's modules, by the module's name below the package.
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in PACKAGE.rglob("*.py")
    if path.stem != "__init__"
}


@functools.cache
def imports_of(module: str) -> frozenset[str]:
    """All that a module imports."""
    return frozenset(imported(MODULES[module]))


def folder_of(module: str) -> str:
    """The folder of a module, or its own name where it lies in none."""
    return module.rpartition(".")[0] or module


def own_imports(module: str) -> set[str]:
    """The modules of the package that a module imports."""
    names = {name.removeprefix(f"{PACKAGE.name}.") for name in imports_of(module)}
    return {name if name in MODULES else folder_of(name) for name in names} & {*MODULES} - {module}
