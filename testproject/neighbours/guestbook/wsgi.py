"""The guestbook's entry; its settings are named by the process group that it runs in."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
