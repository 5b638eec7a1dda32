"""The settings of a server of benchmarks.site_servers: the site that the environment names."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.site_cases import served_cases
from django_wsgimatch import script_alias, script_alias_match
from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.entries import Entry


def entry(alias: Alias) -> Entry:
    make = script_alias_match if alias.kind == "match" else script_alias
    return make(alias.location, alias.target)


BASE_DIR = Path(__file__).resolve().parent
SECRET_KEY = "only for the benchmarks"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django_wsgimatch"]
# It says how long the page is.
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "benchmarks.page"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR],
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
USE_TZ = True

_scripts, _name = os.environ["WSGIMATCH_BENCH_SCRIPTS"], os.environ["WSGIMATCH_BENCH_CASE"]
_case = served_cases(Path(_scripts))[_name]
_entries = [entry(alias) for alias in _case.aliases]

WSGIMATCH_SOCKET_DIRECTORY = os.environ["WSGIMATCH_BENCH_SOCKETS"]
WSGIMATCH_ALIASES = [] if _case.hosts else _entries
WSGIMATCH_VIRTUAL_HOSTS = dict.fromkeys(_case.hosts, _entries)
WSGIMATCH_CHUNKED_REQUEST = _case.options.get("chunked_request", True)
WSGIMATCH_FOLLOW_SYMLINKS = _case.rules.follow_symlinks
WSGIMATCH_PROCESS_GROUPS = {name: {"threads": 4} for name in _case.rules.process_groups}
WSGIMATCH_PROCESS_GROUP = _case.rules.process_group
WSGIMATCH_APPLICATION_GROUP = _case.rules.application_group
