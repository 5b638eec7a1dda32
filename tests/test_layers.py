"""Which folder of the package imports which, and where Django begins."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "django_wsgimatch"
# A folder, or a module of the package itself, imports what stands before it. Those up to the last
# line without Django know nothing of it.
LOWER = """
    exceptions text whole_files asroot aliases.patterns.pcre aliases.patterns aliases.index aliases
    entries settings_guard scripts daemon.wire daemon daemon.servers daemon.manager daemon.front
    daemon.group.worker daemon.group plan comparing apache.lines apache.outcomes apache.reading
    apache.covering apache.resolving apache.processes apache.writing apache doctor.uris
"""
UPPER = """
    doctor.told doctor.targets doctor.table project conf preloading places server dispatcher
    doctor.processes doctor doctor.projects preview checks cli wsgi gunicorn management.commands
    apps __main__
"""
ORDER = [*LOWER.split(), *UPPER.split()]


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


MODULES = {name_of(path): path for path in PACKAGE.rglob("*.py") if path.stem != "__init__"}


def room(module: str) -> str:
    return module.rpartition(".")[0] or module


def imported(module: str) -> Iterator[str]:
    """All that a module imports, wherever in the file, as absolute names."""
    package = MODULES[module].parent.relative_to(PACKAGE.parent).parts
    for node in ast.walk(ast.parse(MODULES[module].read_bytes())):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            source = ".".join([*base, *filter(None, [node.module])])
            yield from (f"{source}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Call) and "import_module" in ast.dump(node.func):
            yield from (str(each.value) for each in node.args if isinstance(each, ast.Constant))


def own_imports(module: str) -> set[str]:
    """The modules of the package that a module imports."""
    names = {name.removeprefix(f"{PACKAGE.name}.") for name in imported(module)}
    return {name if name in MODULES else room(name) for name in names} & {*MODULES} - {module}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_from_its_own_folder_and_lower_ones(module):
    lower = ORDER[: ORDER.index(room(module)) + 1]

    assert {room(name) for name in own_imports(module)} <= {*lower}


def test_no_import_goes_in_a_circle():
    TopologicalSorter({module: own_imports(module) for module in MODULES}).prepare()


@pytest.mark.parametrize("module", [name for name in MODULES if room(name) in LOWER.split()])
def test_what_stands_below_the_settings_knows_no_django(module):
    assert "django" not in {name.split(".")[0] for name in imported(module)}


def test_what_runs_as_root_is_the_standard_library_and_our_own():
    for module in [name for name in MODULES if room(name) == "asroot"] + ["daemon.starter"]:
        own = {PACKAGE.name} if room(module) == "asroot" else set()
        assert {name.split(".")[0] for name in imported(module)} <= sys.stdlib_module_names | own
    assert len(MODULES["daemon.starter"].read_text().splitlines()) < 250
