"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig

from . import checks


class WSGIMatchConfig(AppConfig):
    """Registers the system checks."""

    name = "django_wsgimatch"
    verbose_name = "WSGI script aliases"

    def ready(self) -> None:
        """Register the checks that ``manage.py check`` runs."""
        checks.register()
