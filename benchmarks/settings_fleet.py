"""The settings of the server that benchmarks.fleet measures: as many groups as it is told."""

from __future__ import annotations

import os
from pathlib import Path

from django_wsgimatch import script_alias

BASE_DIR = Path(__file__).resolve().parent
SECRET_KEY = "only for the benchmarks"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django_wsgimatch"]
ROOT_URLCONF = "benchmarks.settings_fleet"
USE_TZ = True
urlpatterns: list[object] = []

COUNT = int(os.environ.get("WSGIMATCH_BENCH_GROUPS", "10"))
# "boot" or "demand", "" for what the groups do by default.
START = os.environ.get("WSGIMATCH_BENCH_START")

WSGIMATCH_FALLBACK = None
WSGIMATCH_SOCKET_DIRECTORY = os.environ.get("WSGIMATCH_BENCH_SOCKETS")
WSGIMATCH_PROCESS_GROUPS = {
    f"g{number}": {"threads": 4} | ({"start": START} if START else {}) for number in range(COUNT)
}
WSGIMATCH_ALIASES = [
    script_alias("/here", "hop.wsgi"),
    *(
        script_alias(f"/g{number}", "hop.wsgi", process_group=f"g{number}")
        for number in range(COUNT)
    ),
]
