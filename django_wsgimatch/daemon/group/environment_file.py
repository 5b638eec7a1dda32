"""The file that a group's environment variables stand in, as systemd's EnvironmentFile."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from ...exceptions import SettingError
from ..options import READ_AT_START


def read_environment_file(path: str) -> dict[str, str]:
    """
    Return the variables of a file: a line ``NAME=value`` each.

    Blank lines, and those that begin with ``#`` or ``;``, are passed over; a value may stand in
    quotes. Raises SettingError.
    """
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingError(
            f"environment_file {path!r} cannot be read: {reason}. The group's user must be able to."
        ) from None
    return dict(_variables(text, path))


def _variables(text: str, path: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        name, equals, value = line.removeprefix("export ").partition("=")
        name = name.strip()
        if not equals or not name.replace("_", "a").isalnum() or "\0" in value:
            raise SettingError(f"{path}:{number} should be NAME=value.")
        if name.startswith(READ_AT_START):
            raise SettingError(
                f"{path}:{number}: {name} is read before the file is: write it in `environment`."
            )
        yield name, _unquoted(value.strip(), path, number)


def _unquoted(value: str, path: str, number: int) -> str:
    if value[:1] not in ("'", '"'):
        return value
    try:
        [word] = shlex.split(value)
    except ValueError:
        # The value itself may be a password.
        raise SettingError(f"{path}:{number}: the quotes of the value do not end it.") from None
    return word
