"""The options of an entry whose files answer: read and judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..aliases.file_options import FileOptions
from ..exceptions import DirectiveError


def read_file_options(given: Mapping[str, Any]) -> FileOptions:
    """Return how files are answered. Raises DirectiveError."""
    for name, value in given.items():
        if name not in _FILE_SHAPES:
            known = ", ".join(_FILE_SHAPES)
            raise DirectiveError(f"{name!r} is not an option of files; the options are {known}")
        _check_shape(name, value)
    made = {name: _frozen(value) for name, value in given.items()}
    return FileOptions(**made)


def _check_shape(name: str, value: object) -> None:
    is_fit, shape = _FILE_SHAPES[name]
    if not is_fit(value):
        raise DirectiveError(f"{name} should be {shape}, not {value!r}")


def _are_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping) and _are_texts([*value, *value.values()])


_TEXT = (lambda value: isinstance(value, str), "text")
_FLAG = (lambda value: isinstance(value, bool), "True or False")
_SUFFIXES = (_is_mapping, "a dict of suffixes to text")
_FILE_SHAPES: dict[str, tuple[Callable[[object], bool], str]] = {
    "index": (_are_texts, "a list of names of files"),
    "cache_control": _TEXT,
    "expires": (lambda value: type(value) is int, "a number of seconds"),
    "charset": _TEXT,
    "precompressed": _FLAG,
    "immutable": _FLAG,
    "forced_type": _TEXT,
    "types": _SUFFIXES,
    "encodings": _SUFFIXES,
}


def _frozen(value: Any) -> Any:
    """A value that can be compared and shared: lists and dicts become tuples."""
    if isinstance(value, Mapping):
        return tuple((name.lower().removeprefix("."), text) for name, text in value.items())
    return tuple(value) if isinstance(value, list) else value
