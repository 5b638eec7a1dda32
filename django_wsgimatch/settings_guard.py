"""Which DJANGO_SETTINGS_MODULE does a script ask for? Read from its source, without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

VARIABLE = "DJANGO_SETTINGS_MODULE"


def settings_modules(source: bytes) -> tuple[str, ...]:
    """
    The settings modules that a script's source sets in the environment, in order.

    Found are the literal ones: ``os.environ[...] = "x"``, ``setdefault(..., "x")``,
    ``putenv(..., "x")`` and ``update(...)``, but not what stands below
    ``if __name__ == "__main__":``. Source that does not parse has none.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return ()
    return tuple(dict.fromkeys(name for node in _executed(tree) for name in _asked_by(node)))


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not _is_main_guard(child):
            yield child
            yield from _executed(child)


def _is_main_guard(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Compare)
        and isinstance(node.test.left, ast.Name)
        and node.test.left.id == "__name__"
    )


def _asked_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Subscript) and _text(target.slice) == VARIABLE:
                yield from _texts(node.value)
    elif isinstance(node, ast.Call):
        yield from _asked_by_call(node)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if key is not None and _text(key) == VARIABLE:
                yield from _texts(value)


def _asked_by_call(call: ast.Call) -> Iterator[str]:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name in ("setdefault", "putenv") and len(call.args) == 2 and _text(call.args[0]) == VARIABLE:
        yield from _texts(call.args[1])
    if name == "update":
        for keyword in call.keywords:
            if keyword.arg == VARIABLE:
                yield from _texts(keyword.value)


def _text(node: ast.expr) -> str | None:
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) else None


def _texts(node: ast.expr) -> Iterator[str]:
    text = _text(node)
    if text is not None:
        yield text
