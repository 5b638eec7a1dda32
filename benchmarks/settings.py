"""The Django project of the servers' benchmark: the three documented aliases."""

from __future__ import annotations

from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent
SECRET_KEY = "only for the benchmarks"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django_wsgimatch"]
WSGIMATCH_ALIASES = [
    "WSGIScriptAliasMatch ^/(admin|files|photologue) handler.py/$1",
    "WSGIScriptAlias /api django.wsgi/api",
    "WSGIScriptAliasMatch ^/wsgi-scripts/([^/]+) $1.py",
]
