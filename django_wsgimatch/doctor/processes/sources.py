"""
What a script does to its interpreter before the first request, read from its source.

Understood is what scripts are full of: ``os.path`` on ``__file__``, ``pathlib``, names that were
assigned before, and text put together from these.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ...settings_guard import VARIABLE, is_main_guard

# What a function or a method of a path makes of it.
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


@dataclass(frozen=True, slots=True)
class Variable:
    """
    An environment variable that a script gives a value.

    Only a ``default`` it is where a value that is there already is kept: ``setdefault()``.
    """

    name: str
    value: str
    default: bool


@dataclass(slots=True)
class Effects:
    """
    What the code at the top of a module does, as far as that can be told.

    ``paths`` are the directories that it puts on sys.path, those in front first; ``imports`` the
    modules that it imports, absolute names.
    """

    paths: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    variables: list[Variable] = field(default_factory=list)

    @property
    def settings_modules(self) -> tuple[Variable, ...]:
        """The Django settings that it asks for."""
        return tuple(each for each in self.variables if each.name == VARIABLE)


def effects_of(source: bytes, file: str) -> Effects:
    """Return what a module does, none where its source does not parse; ``file`` is its path."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Effects()
    reader = _Reader(file)
    for statement in _top_level(tree.body):
        reader.read(statement)
    return reader.effects


def _top_level(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when a module is imported, in order; of branches, all."""
    for statement in body:
        if isinstance(statement, ast.If) and is_main_guard(statement.test):
            yield from _top_level(statement.orelse)
            continue
        yield statement
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for name in ("body", "orelse", "handlers", "finalbody"):
            for inner in getattr(statement, name, ()):
                yield from _top_level(
                    inner.body if isinstance(inner, ast.ExceptHandler) else [inner]
                )


class _Reader:
    """Reads statements in order, and remembers what names stand for."""

    def __init__(self, file: str) -> None:
        self.effects = Effects()
        self.names = {"__file__": file}

    def read(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Import(names=names):
                self.effects.imports += [each.name for each in names]
            case ast.ImportFrom(module=str(module), names=names, level=0):
                self.effects.imports += [module, *(f"{module}.{each.name}" for each in names)]
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign(target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, value)
            case ast.AugAssign(target=target, value=value) if _is_sys_path(target):
                self.effects.paths += self._paths(_elements(value))
            case ast.For(target=ast.Name(id=name), iter=ast.Tuple() | ast.List() as several):
                self._loop(name, several.elts, statement.body)
            case ast.Expr(value=ast.Call() as call):
                self._call(call)

    def _loop(self, name: str, values: Iterable[ast.expr], body: Iterable[ast.stmt]) -> None:
        for value in values:
            text = _text_of(value, self.names)
            if text is not None:
                self.names[name] = text
                for statement in body:
                    self.read(statement)
        self.names.pop(name, None)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        text = _text_of(value, self.names)
        if isinstance(target, ast.Name):
            self.names.pop(target.id, None)
            if text is not None:
                self.names[target.id] = text
        elif _is_sys_path(getattr(target, "value", target)) or _is_sys_path(target):
            self.effects.paths[:0] = self._paths(_elements(value))
        elif isinstance(target, ast.Subscript) and _is_environ(target.value):
            self._set(_text_of(target.slice, self.names), text)

    def _call(self, call: ast.Call) -> None:
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        if owner is not None and _is_sys_path(owner):
            self._put_on_path(name, call.args)
        elif name == "addsitedir":
            self.effects.paths += self._paths(call.args[:1])
        elif name == "putenv" or (owner is not None and _is_environ(owner)):
            self._put_into_environment(name, call)

    def _put_on_path(self, how: str, arguments: list[ast.expr]) -> None:
        if how == "insert":
            self.effects.paths[:0] = self._paths(arguments[1:2])
        elif how == "append":
            self.effects.paths += self._paths(arguments[:1])
        elif how == "extend":
            self.effects.paths += self._paths(_elements(*arguments[:1]))

    def _put_into_environment(self, how: str, call: ast.Call) -> None:
        if how in ("setdefault", "putenv") and len(call.args) == 2:
            name, value = (_text_of(argument, self.names) for argument in call.args)
            self._set(name, value, default=how == "setdefault")
        elif how == "update":
            for argument in call.args:
                if isinstance(argument, ast.Dict):
                    for key, given in zip(argument.keys, argument.values, strict=True):
                        name = _text_of(key, self.names) if key is not None else None
                        self._set(name, _text_of(given, self.names))
            for keyword in call.keywords:
                self._set(keyword.arg, _text_of(keyword.value, self.names))

    def _set(self, name: str | None, value: str | None, *, default: bool = False) -> None:
        if name is not None and value is not None:
            self.effects.variables.append(Variable(name, value, default))

    def _paths(self, nodes: Iterable[ast.expr]) -> list[str]:
        texts = (_text_of(node, self.names) for node in nodes)
        # In which directory a relative path begins is the server's affair.
        return [os.path.normpath(text) for text in texts if text and os.path.isabs(text)]


def _elements(*nodes: ast.expr) -> list[ast.expr]:
    """The items of lists that are written out, also as parts of a sum."""
    found: list[ast.expr] = []
    for node in nodes:
        if isinstance(node, ast.List | ast.Tuple):
            found += node.elts
        elif isinstance(node, ast.BinOp):
            found += _elements(node.left, node.right)
    return found


def _is_sys_path(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "path" and _is_name(node.value, "sys")


def _is_environ(node: ast.expr) -> bool:
    return _is_name(node, "environ") or (
        isinstance(node, ast.Attribute) and node.attr == "environ" and _is_name(node.value, "os")
    )


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _text_of(node: ast.expr, names: Mapping[str, str]) -> str | None:
    """Return the text, or the path as text, that an expression stands for; None if not known."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return names.get(name)
        case ast.Call():
            return _text_of_call(node, names)
        case ast.Attribute(value=value, attr="parent"):
            return _above(_text_of(value, names), 1)
        case ast.Subscript(
            value=ast.Attribute(value=value, attr="parents"), slice=ast.Constant(value=int(number))
        ):
            return _above(_text_of(value, names), number + 1)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _together(_path, [_text_of(left, names), _text_of(right, names)])
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _together("".join, [_text_of(left, names), _text_of(right, names)])
        case ast.JoinedStr(values=values):
            return _together("".join, [_text_of(value, names) for value in values])
        case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
            return _text_of(value, names)
        case _:
            return None


def _text_of_call(node: ast.Call, names: Mapping[str, str]) -> str | None:
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    arguments = [_text_of(argument, names) for argument in node.args]
    if isinstance(node.func, ast.Attribute):
        # A method of a path, and not a function of os.path or a class of pathlib.
        own = _text_of(node.func.value, names)
        arguments = [*([] if own is None else [own]), *arguments]
    if name in _JOINING and arguments:
        return _together(_path, arguments)
    if name in _ONE and arguments and arguments[0] is not None:
        return _ONE[name](arguments[0])
    return None


def _together(join: Callable[[list[str]], str], parts: list[str | None]) -> str | None:
    known = [part for part in parts if part is not None]
    return join(known) if len(known) == len(parts) else None


def _path(parts: list[str]) -> str:
    return os.path.join(*parts)


def _above(path: str | None, levels: int) -> str | None:
    for _ in range(levels if path is not None else 0):
        path = os.path.dirname(path or "")
    return path
