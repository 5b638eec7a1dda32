"""The settings of the demonstration site; what django-wsgimatch wants of them comes last."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django_wsgimatch import script_alias, script_alias_match
from testproject.secret import kept_secret

BASE_DIR = Path(__file__).resolve().parent
# All that the site writes: the database, the pictures, two secrets.
VAR_DIR = Path(os.environ.get("TESTPROJECT_VAR", BASE_DIR / "var"))
# The virtual environment of the neighbour that has another Python.
ELSEWHERE = VAR_DIR / "elsewhere"

SECRET_KEY = kept_secret(VAR_DIR / "secret-key")
DEBUG = False
# The site is there to be looked at, from whatever address it was started on.
ALLOWED_HOSTS = ["*"]

INSTALLED_APPS = [
    "testproject",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.sites",
    "django.contrib.staticfiles",
    "django_wsgimatch",
    "photologue",
    "sortedm2m",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": VAR_DIR / "db.sqlite3"},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "testproject.urls"
SITE_ID = 1
TIME_ZONE = "UTC"
USE_TZ = True
PHOTOLOGUE_GALLERY_SAMPLE_SIZE = 3

# Without DEBUG Django would say nothing of an error.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}

# Both lie under /files, which the first alias takes; testproject.urls says who serves them.
STATIC_URL = "/files/static/"
MEDIA_URL = "/files/media/"
MEDIA_ROOT = VAR_DIR / "media"

# `manage.py runserver` serves the table too.
WSGI_APPLICATION = "django_wsgimatch.wsgi.application"

# Balancers ask /-/wsgimatch/ready whether to send requests: see Containerfile and its neighbours.
WSGIMATCH_HEALTH_PATH = "/-/wsgimatch/"

WSGIMATCH_ALIASES = [
    script_alias_match("^/(admin|files|photologue)", "scripts/wsgi_handler.py/$1"),
    script_alias("/api", "scripts/django.wsgi/api"),
    "WSGIScriptAliasMatch ^/wsgi-scripts/([^/]+) wsgi-scripts/$1.wsgi",
]

# The neighbours: what runs in other places than this project.
WSGIMATCH_ALIASES += [
    script_alias("/guestbook", "neighbours/guestbook/wsgi.py", process_group="guestbook"),
    script_alias("/elsewhere", "neighbours/elsewhere.py", process_group="elsewhere"),
    script_alias("/red", "neighbours/coloured.wsgi", application_group="red"),
    script_alias("/blue", "neighbours/coloured.wsgi", application_group="blue"),
    script_alias_match(
        r"^/(tenant-\w+)",
        "neighbours/tenants/$1/wsgi.py",
        process_group="tenants",
        application_group="%{RESOURCE}",
    ),
]

# A process group for each; "elsewhere" has a Python of its own where the demo command found one.
WSGIMATCH_PROCESS_GROUPS: dict[str, dict[str, Any]] = {
    "guestbook": {
        "processes": 2,
        "threads": 4,
        "home": "neighbours",
        "python_path": ["neighbours"],
        "settings": "guestbook.settings",
        "environment": {
            "GUESTBOOK_VAR": str(VAR_DIR),
            "GUESTBOOK_SECRET": kept_secret(VAR_DIR / "guestbook-secret"),
        },
    },
    "elsewhere": {
        "threads": 2,
        "python_home": ELSEWHERE if (ELSEWHERE / "bin/python").exists() else None,
        "python_path": ["neighbours"],
        "inactivity_timeout": 60,
    },
    "tenants": {
        "threads": 2,
        "python_path": ["neighbours"],
        "inactivity_timeout": 60,
        "maximum_application_groups": 2,
    },
    "%{GLOBAL}": {"threads": 2, "inactivity_timeout": 300},
}
