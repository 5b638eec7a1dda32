"""What a manager says of its places, as ``status`` asks for it."""

from __future__ import annotations

from typing import Any

PLACE: dict[str, Any] = {
    "name": "blog",
    "process_group": "blog",
    "application_group": "",
    "state": "running",
    "pid": 10,
    "processes": [{"pid": 11}, {"pid": 12}],
    "python": "3.13.0",
    "settings": "blog.settings",
    "uptime": 200.0,
    "requests": 7,
    "busy": 1,
    "threads": 30,
    "memory": 25 << 20,
    "restarts": 2,
    "error": "Error in GET /:\x1b[2J",
    "error_time": None,
}
STOPPED = {
    **PLACE,
    "name": "shop",
    "state": "stopped",
    "processes": [],
    "python": None,
    "settings": None,
    "uptime": None,
    "memory": None,
    "error": "",
}
