"""Does this server renew itself when its code is edited? Then its groups do, too."""

from __future__ import annotations

import os
from typing import Any

from .owner import frame_of_arbiter, is_reloaded_by_django


def watch_of_this_server() -> tuple[str, ...] | None:
    """Return the files that this process's server watches beside its code, None if it does not."""
    if (frame := frame_of_arbiter()) is not None:
        return watch_of_gunicorn(frame.f_locals["self"].cfg)
    return () if is_reloaded_by_django() else None


def watch_of_gunicorn(cfg: Any) -> tuple[str, ...] | None:
    """Return gunicorn's ``reload_extra_files``, None where its ``reload`` is off."""
    if not cfg.reload:
        return None
    return tuple(map(os.path.abspath, cfg.reload_extra_files))
