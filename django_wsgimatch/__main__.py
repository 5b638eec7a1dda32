"""``python -I -m django_wsgimatch SUBCOMMAND``: what ``manage.py wsgimatch SUBCOMMAND`` does."""

from __future__ import annotations

import os
import sys

from .asroot.common_options import sort_words
from .asroot.hook import act_as_root


def run_subcommand(words: list[str]) -> None:
    """Run a subcommand for the project in this folder."""
    if os.geteuid() == 0:
        act_as_root([sys.executable, "manage.py", "wsgimatch", *words])
    from django.core.management import execute_from_command_line

    from .doctor.findings.finding import CannotStart
    from .project import use_settings_of_manage_py

    try:
        if sort_words(words).settings is None:
            use_settings_of_manage_py()
    except CannotStart as error:
        sys.exit(f"wsgimatch: {error}")
    execute_from_command_line(["manage.py", "wsgimatch", *words])


if __name__ == "__main__":
    run_subcommand(sys.argv[1:])
