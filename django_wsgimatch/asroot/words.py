"""What of gunicorn's command line concerns root: who to become, and what only root can bind."""

from __future__ import annotations

import argparse
import runpy
from dataclasses import dataclass
from typing import Any

from .common_options import Parser, sort_words
from .gunicorn_command import for_gunicorn
from .trust import require_trusted


@dataclass(frozen=True, slots=True)
class ServeWords:
    """
    A command line, read.

    ``rest`` is what gunicorn is given: all but what is root's alone. ``settings`` is the settings
    module that ``--settings`` names, None without it.
    """

    user: str | None
    group: str | None
    binds: tuple[str, ...]
    allowed: tuple[str, ...]
    may_be_root: bool
    config: str | None
    settings: str | None
    rest: tuple[str, ...]


def read_words(given: list[str]) -> ServeWords:
    """
    Read the arguments of ``serve``.

    A configuration file may say ``user``, ``group``, ``bind`` and ``wsgimatch_allow_users``, where
    the words do not; root reads it only if nobody else can write it. Raises SettingError.
    """
    known, rest = _parser().parse_known_args(for_gunicorn(given))
    kept = [word for name, value in _kept(known) for word in (f"--{name}", value)]
    file = _read_config(known.config)
    users = file.get("wsgimatch_allow_users", ())
    binds = known.bind or file.get("bind", ())
    return ServeWords(
        user=known.user or _text(file.get("user")),
        group=known.group or _text(file.get("group")),
        binds=(binds,) if isinstance(binds, str) else tuple(binds),
        allowed=(*known.allow_user, *([users] if isinstance(users, str) else users)),
        may_be_root=known.allow_root,
        config=known.config,
        settings=sort_words(given).settings,
        rest=(*kept, *rest),
    )


def _parser() -> Parser:
    parser = Parser()
    parser.add_argument("-u", "--user")
    parser.add_argument("-g", "--group")
    parser.add_argument("-b", "--bind", action="append", default=[])
    parser.add_argument("-c", "--config")
    parser.add_argument("--allow-user", action="append", default=[])
    parser.add_argument("--allow-root", action="store_true")
    parser.add_argument("--initgroups", action="store_true")
    return parser


def _kept(known: argparse.Namespace) -> list[tuple[str, str]]:
    """What gunicorn is told, too, in its own words."""
    found = [("user", known.user), ("group", known.group), ("config", known.config)]
    found += [("bind", bind) for bind in known.bind]
    return [(name, value) for name, value in found if value is not None]


def _read_config(config: str | None) -> dict[str, Any]:
    if config is None or config.startswith("python:"):
        return {}
    path = config.removeprefix("file:")
    require_trusted([path])
    return runpy.run_path(path)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
