"""Why a server does not start: what its operator reads instead of a traceback."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

# gunicorn ends with this status where a worker does, instead of starting one after another.
STATUS = 3


class CannotStart(ImproperlyConfigured):
    """The settings cannot be used; the text says all of it, as ``wsgimatch check`` does."""
