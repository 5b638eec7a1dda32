"""
What an expression of a script says of a path or another text, told without running it.

Understood is what scripts are full of: ``os.path`` on ``__file__``, ``pathlib``, names that were
assigned before, and text put together from these.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Mapping

_ONE: Mapping[str, Callable[[str], str]] = {
    "dirname": os.path.dirname,
    "abspath": os.path.normpath,
    "realpath": os.path.normpath,
    "normpath": os.path.normpath,
    "resolve": os.path.normpath,
    "absolute": os.path.normpath,
    "expanduser": os.path.expanduser,
    "fspath": str,
    "as_posix": str,
    "str": str,
}
_JOINING = ("join", "joinpath", "Path", "PurePath")


def text_of(node: ast.expr, names: Mapping[str, str]) -> str | None:
    """Return the text, or the path as text, that an expression stands for; None if not known."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return names.get(name)
        case ast.Call():
            return _text_of_call(node, names)
        case ast.Attribute(value=value, attr="parent"):
            return _above(text_of(value, names), 1)
        case ast.Subscript(
            value=ast.Attribute(value=value, attr="parents"), slice=ast.Constant(value=int(number))
        ):
            return _above(text_of(value, names), number + 1)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _joined([text_of(left, names), text_of(right, names)])
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _concatenated([text_of(left, names), text_of(right, names)])
        case ast.JoinedStr(values=values):
            return _concatenated([text_of(value, names) for value in values])
        case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
            return text_of(value, names)
        case _:
            return None


def _text_of_call(node: ast.Call, names: Mapping[str, str]) -> str | None:
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    arguments = [text_of(argument, names) for argument in node.args]
    if isinstance(node.func, ast.Attribute):
        # A method of a path, and not a function of os.path or a class of pathlib.
        own = text_of(node.func.value, names)
        arguments = [*([] if own is None else [own]), *arguments]
    if name in _JOINING and arguments:
        return _joined(arguments)
    if name in _ONE and arguments and arguments[0] is not None:
        return _ONE[name](arguments[0])
    return None


def _joined(parts: list[str | None]) -> str | None:
    known = [part for part in parts if part is not None]
    return os.path.join(*known) if len(known) == len(parts) else None


def _concatenated(parts: list[str | None]) -> str | None:
    known = [part for part in parts if part is not None]
    return "".join(known) if len(known) == len(parts) else None


def _above(path: str | None, levels: int) -> str | None:
    for _ in range(levels if path is not None else 0):
        path = os.path.dirname(path or "")
    return path
