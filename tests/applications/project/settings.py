"""A project with the three documented aliases; the tests copy it, and edit the copy."""

from __future__ import annotations

from pathlib import Path

from django_wsgimatch import script_alias, script_alias_match

BASE_DIR = Path(__file__).resolve().parent
SECRET_KEY = "kept by nobody"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django_wsgimatch"]
TIME_ZONE = "UTC"
ROOT_URLCONF = "urls"
WSGI_APPLICATION = "django_wsgimatch.wsgi.application"

WSGIMATCH_ALIASES = [
    script_alias_match("^/(admin|files|photologue)", "handler.py/$1"),
    script_alias("/api", "django.wsgi/api"),
    script_alias_match("^/wsgi-scripts/([^/]+)", "scripts/$1.wsgi"),
]
