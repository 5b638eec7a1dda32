"""The project of the servers' benchmark with scripts that stay as they were loaded."""

from __future__ import annotations

from benchmarks.settings import *  # noqa: F403

WSGIMATCH_SCRIPT_RELOADING = False
