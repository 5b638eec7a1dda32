"""One name, one meaning: what the package's public classes and functions are called."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "django_wsgimatch"


def modules_by_name() -> dict[str, set[str]]:
    """The modules that define each public class and function."""
    modules = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        for node in ast.parse(path.read_bytes()).body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                modules[node.name].add(str(path.relative_to(PACKAGE)))
    return {name: found for name, found in modules.items() if not name.startswith("_")}


def test_no_two_modules_have_a_public_class_or_function_of_one_name():
    twice = {name: found for name, found in modules_by_name().items() if len(found) > 1}

    assert twice == {}
