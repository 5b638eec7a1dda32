"""The Django project again, for /api: the alias puts "/api" back in front of the PATH_INFO."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "testproject.settings")

application = get_wsgi_application()
