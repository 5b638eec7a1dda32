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

Read = Callable[[object], Any]


def read_status(answer: Order) -> Order:
    """
    Return the answer to the order "status".

    Every value that the command shows has its type; text can be written in any encoding that has
    its characters. Raises ManagerError for an answer that has not its form.
    """
    return _checked(answer, "status", _SERVER)


def read_places(answer: Order) -> Order:
    """Return the answer to "restart" or "stop", the names of places. Raises ManagerError."""
    return _checked(answer, "places", {"places": _list_of(_text)})


def read_order(answer: Order) -> Order:
    """Return the same answer, with what to ask for its outcome by. Raises ManagerError."""
    return _checked(answer, "places", {"places": _list_of(_text), "since": _number})


def read_outcomes(answer: Order) -> list[Order]:
    """Return the answer to "outcome": what has become of each place. Raises ManagerError."""
    outcomes: list[Order] = _checked(answer, "outcomes", _OUTCOMES)["outcomes"]
    return outcomes


def _checked(answer: Order, what: str, shape: Mapping[str, Read]) -> Order:
    try:
        return _object(shape)(answer)  # type: ignore[no-any-return]
    except _Malformed as error:
        raise ManagerError(
            f"the manager's answer makes no sense: {what}{error}. It may be of another version: "
            "restart the server"
        ) from None


class _Malformed(Exception):
    """Where a value does not fit, and what it is."""


def _object(shape: Mapping[str, Read]) -> Read:
    def read(value: object) -> Any:
        if not isinstance(value, dict):
            raise _Malformed(_shown(value))
        found = dict(value)
        for name, read_item in shape.items():
            try:
                found[name] = read_item(value.get(name))
            except _Malformed as error:
                raise _Malformed(f".{name}{error}") from None
        return found

    return read


def _list_of(read_item: Read) -> Read:
    def read(value: object) -> Any:
        if not isinstance(value, list):
            raise _Malformed(_shown(value))
        return [read_item(item) for item in value]

    return read


def _or_none(read: Read) -> Read:
    return lambda value: None if value is None else read(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise _Malformed(_shown(value))
    # What is no UTF-8 in a path is a lone surrogate, which no terminal takes.
    return value.encode("utf-8", "backslashreplace").decode()


def _any_text(value: object) -> str:
    """Text that is compared, and not shown."""
    if not isinstance(value, str):
        raise _Malformed(_shown(value))
    return value


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value <= LARGEST_COUNT:
        raise _Malformed(_shown(value))
    return value


def _number(value: object) -> float:
    # Nothing compares with what is no number.
    if type(value) not in (int, float) or not -LARGEST_COUNT <= value <= LARGEST_COUNT:  # type: ignore[operator]
        raise _Malformed(_shown(value))
    return value  # type: ignore[return-value]


def _shown(value: object) -> str:
    return f" is {shown(repr(value)[:60])}"


_PROCESS: Mapping[str, Read] = {
    "pid": _count,
    "state": _text,
    "uptime": _or_none(_number),
    "requests": _count,
    "busy": _count,
    "memory": _or_none(_count),
}
_PLACE: Mapping[str, Read] = {
    "name": _text,
    "process_group": _text,
    "application_group": _text,
    "state": _text,
    "socket": _or_none(_text),
    "pid": _or_none(_count),
    "processes": _list_of(_object(_PROCESS)),
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
_OUTCOME: Mapping[str, Read] = {
    "name": _text,
    "state": _text,
    "pids": _list_of(_count),
    "error": _text,
}
_OUTCOMES: Mapping[str, Read] = {"outcomes": _list_of(_object(_OUTCOME))}
_SERVER: Mapping[str, Read] = {
    "server": _count,
    "pid": _count,
    "started": _number,
    "project": _any_text,
    "places": _list_of(_object(_PLACE)),
}
