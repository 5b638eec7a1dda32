"""The Django app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, register


class WSGIMatchConfig(AppConfig):
    """Registers the system checks."""

    name = "django_wsgimatch"
    verbose_name = "WSGI script aliases"

    def ready(self) -> None:
        """Let ``manage.py check`` and whatever else runs Django's checks run the quick ones."""
        register(run_settings_checks, "wsgimatch")


def run_settings_checks(**kwargs: Any) -> list[CheckMessage]:
    """Check the settings by themselves: quick, and without a look at the file system."""
    # Optimization: what checks is loaded where it checks, and not by each command and worker.
    from . import checks

    return checks.check_settings(**kwargs)
