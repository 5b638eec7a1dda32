"""What an application says of the place it runs in; knows nothing of this site."""

import json
import os
import platform
import sys

ANSWERED = 0


def facts(environ):
    """The process, the interpreter and the groups that answer a request."""
    global ANSWERED
    ANSWERED += 1
    django = sys.modules.get("django")
    return {
        "pid": os.getpid(),
        "python": platform.python_version(),
        "django": django.get_version() if django else None,
        "settings": os.environ.get("DJANGO_SETTINGS_MODULE"),
        "process_group": environ["mod_wsgi.process_group"],
        "application_group": environ["mod_wsgi.application_group"],
        "answered": ANSWERED,
    }


def application(environ, start_response):
    """Answer every URL with the facts."""
    body = json.dumps(facts(environ), indent=1).encode()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [body]
