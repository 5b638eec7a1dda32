"""The settings of the servers that benchmarks.groups measures."""

from __future__ import annotations

import os
from pathlib import Path

from django_wsgimatch import script_alias

BASE_DIR = Path(__file__).resolve().parent
SECRET_KEY = "only for the benchmarks"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django_wsgimatch"]
ROOT_URLCONF = "benchmarks.settings_groups"
USE_TZ = True
urlpatterns: list[object] = []

WSGIMATCH_SOCKET_DIRECTORY = os.environ.get("WSGIMATCH_BENCH_SOCKETS")
WSGIMATCH_PROCESS_GROUPS = {
    "hop": {"processes": 2, "threads": 4},
    "idle": {"threads": 4, "inactivity_timeout": 1},
}
WSGIMATCH_ALIASES = [
    script_alias("/here", "hop.wsgi"),
    script_alias("/floor", "hop.wsgi"),
    script_alias("/hop", "hop.wsgi", process_group="hop"),
    script_alias("/idle", "hop.wsgi", process_group="idle"),
]
