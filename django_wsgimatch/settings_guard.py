"""Which DJANGO_SETTINGS_MODULE does a script ask for? Read from its source, without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

VARIABLE = "DJANGO_SETTINGS_MODULE"
# Where it is only looked up.
_READ = re.compile(rb"\bget(?:env)?\(\s*([\"'])DJANGO_SETTINGS_MODULE\1")


def settings_modules(
    source: bytes, *, is_main: bool = False, with_defaults: bool = True
) -> tuple[str, ...]:
    """
    The settings modules that a script's source sets in the environment, in order.

    Found are the literal ones: ``os.environ[...] = "x"``, ``setdefault(..., "x")``,
    ``putenv(..., "x")`` and ``update(...)``, but only for a main program (``is_main``) what
    stands below ``if __name__ == "__main__":``. Without ``with_defaults`` those of ``setdefault``
    are left out, which change nothing where there is one. Source that does not parse has none.
    """
    # Optimization: the tree of a script of 100 lines takes 0.6 MiB, which its process keeps.
    if VARIABLE.encode() not in _READ.sub(b"", source):
        return ()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    nodes = _executed(tree, is_main)
    asking = (node for node in nodes if with_defaults or not _is_default(node))
    return tuple(dict.fromkeys(name for node in asking for name in _asked_by(node)))


def _executed(tree: ast.AST, is_main: bool) -> Iterator[ast.AST]:
    # No recursion: an expression may be nested deeper than Python's own stack goes.
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and not is_main and is_main_guard(node.test):
            waiting += reversed(node.orelse)
        else:
            waiting += reversed([*ast.iter_child_nodes(node)])


def is_main_guard(test: ast.expr) -> bool:
    """Return whether a condition is ``__name__ == "__main__"``."""
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
        and isinstance(test.ops[0], ast.Eq)
    )


def _is_default(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and _name_of(node) == "setdefault"


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
    name = _name_of(call)
    if name in ("setdefault", "putenv") and len(call.args) == 2 and _text(call.args[0]) == VARIABLE:
        yield from _texts(call.args[1])
    if name == "update":
        for keyword in call.keywords:
            if keyword.arg == VARIABLE:
                yield from _texts(keyword.value)


def _name_of(call: ast.Call) -> str:
    name: str = getattr(call.func, "attr", getattr(call.func, "id", ""))
    return name


def _text(node: ast.expr) -> str | None:
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) else None


def _texts(node: ast.expr) -> Iterator[str]:
    text = _text(node)
    if text is not None:
        yield text
