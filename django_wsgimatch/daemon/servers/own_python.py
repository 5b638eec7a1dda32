"""Which Python runs this server, and where the packages lie that its groups need of it."""

from __future__ import annotations

import importlib.util
import os
import sys

from ...exceptions import SettingError

PACKAGES = ("gunicorn", "django_wsgimatch")


def own_python() -> str:
    """
    Return the Python of this process, that of its virtual environment if it has one.

    A server that embeds Python has another program for executable, as uWSGI, or the Python that
    the environment was made from, as mod_wsgi with python-home.
    """
    executable = sys.executable or ""
    is_python = os.path.basename(executable).startswith("python")
    has_environment = sys.prefix != sys.base_prefix
    if is_python and (not has_environment or _lies_in(executable, sys.prefix)):
        return executable
    found = [os.path.join(sys.prefix, "bin", name) for name in ("python3", "python")]
    usable = [path for path in found if os.access(path, os.X_OK)]
    return next(iter(usable), executable if is_python else found[0])


def _lies_in(path: str, directory: str) -> bool:
    return os.path.abspath(path).startswith(os.path.join(os.path.abspath(directory), ""))


def own_packages() -> dict[str, str]:
    """Return where gunicorn and this package lie. Raises SettingError without gunicorn."""
    found = {}
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is None or not spec.submodule_search_locations:
            raise SettingError(
                f"process groups and application groups need {name}, which is not installed: "
                'pip install "django-wsgimatch[gunicorn]"'
            )
        found[name] = os.path.dirname(os.path.abspath(spec.submodule_search_locations[0]))
    return found
