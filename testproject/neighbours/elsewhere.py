"""A Django project in one file, for another virtual environment: it has no more than Django."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path
from place import facts

settings.configure(
    SECRET_KEY=os.urandom(16).hex(),
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
)


def place(request, rest=""):
    return JsonResponse(facts(request.environ))


urlpatterns = [path("", place), path("<path:rest>", place)]
application = get_wsgi_application()
