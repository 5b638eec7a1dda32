"""
Run where Python starts, by ``django_wsgimatch.pth``, for root's ``manage.py wsgimatch`` alone.

manage.py itself belongs to the project, and loads its settings before any command of ours: root
must be somebody else by then.
"""

from __future__ import annotations

import os
import sys

from ..exceptions import SettingError
from .commands import COMMAND, run


def main(words: list[str]) -> None:
    """Act on a command line of root's."""
    at = words.index(COMMAND) if COMMAND in words else 0
    is_ours = at > 1 and len(words) > at + 1 and not words[at + 1].startswith("-")
    if not is_ours:
        return
    try:
        run(words)
    except (SettingError, OSError) as error:
        print(f"wsgimatch: {error}", file=sys.stderr, flush=True)
        os._exit(1)
