"""
Run where Python starts, by ``django_wsgimatch.pth``, for root's ``manage.py wsgimatch`` alone.

manage.py itself belongs to the project, and loads its settings before any command of ours: root
must be somebody else by then.
"""

from __future__ import annotations

import os
import sys

from ..exceptions import SettingError
from .commands import run, subcommand_of


def main(words: list[str]) -> None:
    """Act on a command line of root's."""
    if subcommand_of(words) is None:
        return
    try:
        run(words)
    except (SettingError, OSError) as error:
        print(f"wsgimatch: {error}", file=sys.stderr, flush=True)
        os._exit(1)
