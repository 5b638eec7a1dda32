"""The settings that benchmarks.tables measures: as many entries, of the kind, as it is told."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.index import location
from django_wsgimatch import script_alias, script_alias_match
from django_wsgimatch.entries import Entry

BASE_DIR = Path(__file__).resolve().parent
SECRET_KEY = "only for the benchmarks"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django_wsgimatch"]
USE_TZ = True

HERE = "/here"
KIND = os.environ.get("WSGIMATCH_BENCH_KIND", "mixed")
COUNT = int(os.environ.get("WSGIMATCH_BENCH_ENTRIES", "10"))


def prefixes(number: int) -> Entry:
    return script_alias(f"/app{number}", f"/srv/app{number}/wsgi.py")


def mixed(number: int) -> Entry:
    text = location(number)
    if text.startswith("^"):
        return script_alias_match(text, f"/srv/app{number}/$1.wsgi")
    return script_alias(text, f"/srv/app{number}/wsgi.py")


KINDS: Mapping[str, Callable[[int], Entry]] = {each.__name__: each for each in (prefixes, mixed)}

WSGIMATCH_FALLBACK = None
WSGIMATCH_ALIASES = [script_alias(HERE, "hop.wsgi")]
if KIND == "hosts":
    WSGIMATCH_VIRTUAL_HOSTS = {
        f"www{number}.example.org": [script_alias("/", f"/srv/app{number}/wsgi.py")]
        for number in range(COUNT)
    }
else:
    WSGIMATCH_ALIASES += map(KINDS[KIND], range(COUNT))
