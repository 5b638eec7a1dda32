"""
The first lines that a sub interpreter runs: it finds this package where the main one does.

It is given as text; ``told_text`` stands in it before, as JSON. ``inside`` stays there for its end.
"""

import json
import sys
from typing import Any

if __name__ == "__main__":
    told: dict[str, Any] = json.loads(globals()["told_text"])
    names: dict[str, Any] = {"__name__": "wsgimatch_boot"}
    with open(told["boot"]) as file:
        exec(compile(file.read(), told["boot"], "exec"), names)
    sys.path[:] = told["sys_path"]
    sys.meta_path.insert(0, names["ServerPackages"](told["packages"]))
    from django_wsgimatch.daemon.group.worker.interpreters import Inside

    inside = Inside(told)
