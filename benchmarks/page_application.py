"""The Django project of that page: as a module, and as a WSGI script."""

from __future__ import annotations

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
