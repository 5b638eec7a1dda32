"""The words of ``serve --process-group NAME``, which runs one process group and no server."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from ..exceptions import SettingError
from .common_options import Parser, sort_words

OPTION = "--process-group"
NO_USER_OF_GROUP = (
    "started as root, the process group has nobody to become, and nothing of a project runs as "
    "root. Name its user: User= in its unit, or --user NAME here. In a container where root is all "
    "there is: --allow-root, or WSGIMATCH_ALLOW_ROOT=1"
)


@dataclass(frozen=True, slots=True)
class GroupWords:
    """
    A command line, read.

    ``path`` is where the group is to listen; None where it is given a socket, or its options say
    where. ``user`` is for root alone: whom to become.
    """

    name: str
    path: str | None = None
    user: str | None = None
    may_be_root: bool = False


def is_for_group(words: Sequence[str]) -> bool:
    """Whether ``serve`` is to run one process group, and no server."""
    return any(word == OPTION or word.startswith(f"{OPTION}=") for word in words)


def read_group_words(given: Sequence[str]) -> GroupWords:
    """Read the arguments of ``serve``. Raises SettingError."""
    parser = Parser()
    parser.add_argument(OPTION, required=True)
    parser.add_argument("-b", "--bind")
    parser.add_argument("--user")
    parser.add_argument("--allow-root", action="store_true")
    known, rest = parser.parse_known_args(sort_words(given).rest)
    if rest:
        raise SettingError(
            f"{' '.join(rest)}: `serve {OPTION} NAME` takes --bind, --user and --allow-root alone. "
            "How many processes it has, and all else, is among its options in "
            "WSGIMATCH_PROCESS_GROUPS; its unix group is Group= in its unit"
        )
    path = _path(known.bind) if known.bind is not None else None
    return GroupWords(known.process_group, path, known.user, known.allow_root)


def _path(bind: str) -> str:
    if not bind.startswith("unix:") or bind == "unix:":
        raise SettingError(
            f"--bind {bind}: a process group listens on a unix socket: write --bind unix:/path"
        )
    return os.path.abspath(bind.removeprefix("unix:"))
