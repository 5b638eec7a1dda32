"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig


class WSGIMatchConfig(AppConfig):
    """Registers the system checks."""

    name = "django_wsgimatch"
    verbose_name = "WSGI script aliases"
