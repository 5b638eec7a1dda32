"""
Run where Python starts, by ``django_wsgimatch.pth``, for root's commands of ours alone.

manage.py itself belongs to the project, and loads its settings before any command of ours; gunicorn
imports what lies in the current folder: root must be somebody else by then.
"""

from __future__ import annotations

import os
import sys

from ..exceptions import SettingError
from .commands import is_ours, run
from .launch import is_gunicorn, serve_by_hand


def act_as_root(words: list[str]) -> None:
    """Act on a command line of root's."""
    try:
        if is_ours(words):
            run(words)
        elif is_gunicorn(words):
            serve_by_hand(words)
    except (SettingError, OSError) as error:
        print(f"wsgimatch: {error}", file=sys.stderr, flush=True)
        os._exit(1)
