"""Which Django project is it? The one that DJANGO_SETTINGS_MODULE or manage.py names."""

from __future__ import annotations

import os
import sys

from .doctor.findings.finding import CannotStart
from .settings_guard import VARIABLE, settings_modules


def use_settings_of_manage_py() -> None:
    """Without DJANGO_SETTINGS_MODULE, take the one that manage.py in the current folder names."""
    if os.environ.get(VARIABLE):
        return
    try:
        with open("manage.py", "rb") as file:
            found = settings_modules(file.read(), is_main=True)
    except OSError:
        found = ()
    if not found:
        raise CannotStart(
            f"Set {VARIABLE}, or start the server in the folder of a manage.py that names it."
        )
    os.environ[VARIABLE] = found[0]
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
