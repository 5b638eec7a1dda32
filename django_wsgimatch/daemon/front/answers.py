"""What a manager answers to ``wsgimatch status``, ``restart`` and ``stop``, held to its form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...exceptions import ManagerError
from ...text import shown
from ..statements import LARGEST_COUNT
from ..wire.control import Order

# The longest text of an answer, in characters: a label joins the names of two groups.
LONGEST_TEXT = 20_000

Read = Callable[[Any], Any]
Form = Mapping[str, Any]


def read_status(answer: Order) -> Order:
    """
    Return the answer to the order "status".

    Every value that the command shows has its type; text can be written in any encoding that has
    its characters. Raises ManagerError for an answer that has not its form.
    """
    return _checked(answer, "status", _SERVER)


def read_places(answer: Order) -> Order:
    """Return the answer to "restart" or "stop", the names of places. Raises ManagerError."""
    return _checked(answer, "places", {"places": [_text]})


def read_order(answer: Order) -> Order:
    """Return the same answer, with what to ask for its outcome by. Raises ManagerError."""
    return _checked(answer, "places", {"places": [_text], "since": _number})


def read_outcomes(answer: Order) -> list[Order]:
    """Return the answer to "outcome": what has become of each place. Raises ManagerError."""
    return [*_checked(answer, "outcomes", _OUTCOMES)["outcomes"]]


def _checked(answer: Order, what: str, shape: Form) -> Order:
    try:
        return dict(_read(answer, shape))
    except _Malformed as error:
        raise ManagerError(
            f"the manager's answer makes no sense: {what}{error}. It may be of another version: "
            "restart the server"
        ) from None


class _Malformed(Exception):
    """Where a value does not fit, and what it is."""


def _read(value: Any, shape: Any) -> Any:
    """Return a value in its form: a dict of shapes, a list with one for all items, or a Read."""
    if callable(shape):
        return shape(value)
    _require(value, isinstance(value, type(shape)))
    if isinstance(shape, list):
        return [_read(item, shape[0]) for item in value]
    found = dict(value)
    for name, each in shape.items():
        try:
            found[name] = _read(value.get(name), each)
        except _Malformed as error:
            raise _Malformed(f".{name}{error}") from None
    return found


def _require(value: object, is_well: bool) -> None:
    if not is_well:
        raise _Malformed(f" is {shown(repr(value)[:60])}")


def _or_none(read: Read) -> Read:
    return lambda value: None if value is None else read(value)


def _text(value: Any) -> str:
    _require(value, isinstance(value, str) and len(value) <= LONGEST_TEXT)
    # What is no UTF-8 in a path is a lone surrogate, which no terminal takes.
    return str(value).encode("utf-8", "backslashreplace").decode()


def _any_text(value: Any) -> Any:
    """Text that is compared, and not shown."""
    _require(value, isinstance(value, str))
    return value


def _count(value: Any) -> Any:
    _require(value, type(value) is int and 0 <= value <= LARGEST_COUNT)
    return value


def _number(value: Any) -> Any:
    # Nothing compares with what is no number.
    is_number = type(value) in (int, float)
    _require(value, is_number and -LARGEST_COUNT <= value <= LARGEST_COUNT)
    return value


_PROCESS: Form = {
    "pid": _count,
    "state": _text,
    "uptime": _or_none(_number),
    "requests": _count,
    "busy": _count,
    "memory": _or_none(_count),
}
_PLACE: Form = {
    "name": _text,
    "process_group": _text,
    "application_group": _text,
    "state": _text,
    "socket": _or_none(_text),
    "pid": _or_none(_count),
    "processes": [_PROCESS],
    "python": _or_none(_text),
    "settings": _or_none(_text),
    "uptime": _or_none(_number),
    "requests": _count,
    "busy": _count,
    "threads": _count,
    "memory": _or_none(_count),
    "restarts": _count,
    "error": _text,
    "error_time": _or_none(_number),
}
_OUTCOME: Form = {
    "name": _text,
    "state": _text,
    "pids": [_count],
    "error": _text,
}
_OUTCOMES: Form = {"outcomes": [_OUTCOME]}
_SERVER: Form = {
    "server": _count,
    "pid": _count,
    "started": _number,
    "project": _any_text,
    "places": [_PLACE],
}
