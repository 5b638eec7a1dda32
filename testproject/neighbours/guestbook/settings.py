"""The settings of the guestbook: a project of its own, that knows nothing of its neighbours."""

from __future__ import annotations

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent
VAR_DIR = Path(os.environ["GUESTBOOK_VAR"])

SECRET_KEY = os.environ["GUESTBOOK_SECRET"]
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["guestbook"]
MIDDLEWARE = [
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": VAR_DIR / "guestbook.sqlite3"},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "guestbook.urls"
USE_TZ = True
# Another project's cookies come from the same host: these have a name and a path of their own.
CSRF_COOKIE_NAME = "guestbook_csrf"
CSRF_COOKIE_PATH = "/guestbook"
