"""What settings give for an option of process groups: read, or refused with the reason."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from ..exceptions import SettingError
from ..settings_guard import VARIABLE
from .options import LONGEST_SOCKET_PATH, REFUSED, GroupOptions, Kind

# No number is larger.
MOST = 10**12 - 1

# From a value and BASE_DIR to what GroupOptions holds. Raises ValueError for a value that will not
# do.
Read = Callable[[Any, str], Any]


@dataclass(frozen=True, slots=True)
class OptionAnswer:
    """
    What becomes of an option.

    ``shape`` are the words for "should be ..."; ``note`` says what it does here, or why it is
    refused and what to do instead. ``form`` is the shape's name, "" for what is refused.
    """

    kind: Kind
    shape: str
    note: str
    form: str = ""

    def read(self, value: Any, base: str) -> Any:
        """Return what GroupOptions holds. Raises ValueError for a value that will not do."""
        return SHAPES[self.form][1](value, base)


def _number(value: Any, kinds: Any, least: float, most: float) -> Any:
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value <= most:
        raise ValueError
    return value


def _whole(least: int, most: int = MOST) -> Read:
    return lambda value, base: _number(value, (int,), least, most)


def _seconds(value: Any, base: str) -> Any:
    return _number(value, (int, float), 0, MOST)


def _mask(value: Any, base: str) -> Any:
    number = int(value, 8) if isinstance(value, str) else value
    return _number(number, (int,), 0, 0o777)


def _text(value: Any, base: str) -> str:
    if not isinstance(value, str) or not value or "\0" in value or "\n" in value:
        raise ValueError
    return value


def _account(value: Any, base: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return f"#{value}"
    return _text(value, base)


def _path(value: Any, base: str) -> str:
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    return os.path.normpath(os.path.join(base, _text(path, base)))


def _socket_path(value: Any, base: str) -> str:
    path = _path(value, base)
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise ValueError
    return path


def _address(value: Any, base: str) -> str:
    scheme, _, path = _text(value, base).partition(":")
    if scheme != "unix" or not path or path.startswith("@"):
        raise ValueError
    # As gunicorn reads it.
    return _socket_path(path.removeprefix("//"), base)


def _items(value: Any, separator: str = "") -> list[Any]:
    """A list's items; with a separator, text may stand for a list."""
    given = value.split(separator) if separator and isinstance(value, str) else value
    if not isinstance(given, list | tuple):
        raise ValueError
    return [*given]


def _paths(value: Any, base: str) -> tuple[str, ...]:
    return tuple(_path(path, base) for path in _items(value, os.pathsep))


def _accounts(value: Any, base: str) -> tuple[str, ...]:
    given = (name.strip() if isinstance(name, str) else name for name in _items(value, ","))
    return tuple(_account(name, base) for name in given)


def _variables(value: Any, base: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise ValueError
    for name, text in value.items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise ValueError
        if not name or "=" in name or "\0" in name + text:
            raise ValueError
    return tuple(value.items())


def _names(value: Any, base: str) -> tuple[str, ...]:
    names = tuple(_text(name, base) for name in _items(value))
    if any("=" in name for name in names):
        raise ValueError
    return names


def _modules(value: Any, base: str) -> tuple[str, ...]:
    names = tuple(_text(name, base) for name in _items(value))
    if not all(part.isidentifier() for name in names for part in name.split(".")):
        raise ValueError
    return names


def _flag(value: Any, base: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _start(value: Any, base: str) -> str:
    if value not in ("boot", "demand"):
        raise ValueError
    return str(value)


SHAPES: dict[str, tuple[str, Read]] = {
    "count": ("a whole number, 1 or more", _whole(1)),
    "count or none": ("a whole number, 0 for no limit", _whole(0)),
    "size": ("a number of bytes, 0 for the system's own", _whole(0)),
    "size or none": ("a number of bytes, 0 for none", _whole(0)),
    "seconds": ("a number of seconds, 0 for no limit", _seconds),
    "priority": ("a whole number from -20 to 19", _whole(-20, 19)),
    "mask": ("a number such as 0o022, or text such as '022'", _mask),
    "flag": ("True or False", _flag),
    "text": ("non-empty text", _text),
    "account": ("a name or a number", _account),
    "accounts": ("a list of names or numbers", _accounts),
    "path": ("a path; a relative one begins in BASE_DIR", _path),
    "paths": ("a list of paths, or text with : between them", _paths),
    "socket path": (
        f"a path of at most {LONGEST_SOCKET_PATH} bytes; a relative one begins in BASE_DIR",
        _socket_path,
    ),
    "address": (
        f"'unix:' and a path of at most {LONGEST_SOCKET_PATH} bytes, relative to BASE_DIR or not",
        _address,
    ),
    "names": ("a list of names", _names),
    "modules": ("a list of modules' names", _modules),
    "variables": ("a dict of text to text", _variables),
    "start": ("'boot' or 'demand'", _start),
}


def _answer(kind: Kind, shape: str, note: str) -> OptionAnswer:
    return OptionAnswer(kind, SHAPES[shape][0], note, shape)


ANSWERS = {
    **{option.name: _answer(**option.metadata) for option in fields(GroupOptions)},
    **{name: OptionAnswer("refused", "left out", note) for name, note in REFUSED.items()},
}


def read_options(given: Any, base_directory: str) -> tuple[GroupOptions, tuple[SettingError, ...]]:
    """
    Return a process group's options, and every mistake in them.

    ``given`` is the value in WSGIMATCH_PROCESS_GROUPS; relative paths in it begin in
    ``base_directory``. An option with a mistake has its default.
    """
    if not isinstance(given, Mapping):
        return GroupOptions(), (SettingError(f"should be a dict of options, not {given!r}"),)
    values, errors = {}, []
    for name, value in given.items():
        answer = ANSWERS.get(name) if isinstance(name, str) else None
        if answer is None:
            errors.append(SettingError(_unknown(name)))
        elif answer.kind == "refused":
            errors.append(SettingError(f"{name} is refused: {answer.note}"))
        elif value is not None:
            try:
                values[name] = answer.read(value, base_directory)
            except (ValueError, TypeError, OverflowError):
                errors.append(SettingError(f"{name} should be {answer.shape}, not {value!r}"))
    if "script_user" in values and "script_group" in values:
        errors.append(SettingError("only one of script_user and script_group may be given"))
    if "address" in values:
        address = values.pop("address")
        if values.setdefault("socket", address) != address:
            errors.append(SettingError("only one of socket and address may be given"))
    # Its processes have one environment: where the variable is set there, it is their project.
    values.setdefault("settings", dict(values.get("environment", ())).get(VARIABLE) or None)
    return GroupOptions(**values), tuple(errors)


def _unknown(name: object) -> str:
    text = str(name)
    snake = text.replace("-", "_").lower()
    if snake in ANSWERS:
        return f"{name!r} is written {snake!r} here"
    # Only a mistake needs it.
    from difflib import get_close_matches

    close = get_close_matches(snake, ANSWERS, n=1)
    cure = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(ANSWERS)}"
    return f"{name!r} is not an option of a process group; {cure}"
