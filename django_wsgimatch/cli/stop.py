"""``manage.py wsgimatch stop``: a group's processes end, until the next request to it."""

from __future__ import annotations

from .common.orders import OrderWords, order_subcommand

STOP = OrderWords(
    do="stop",
    said="Stopping",
    done=lambda pids: "its processes have ended",
    late="its processes have not ended after {:g} s; they are waited for no longer",
)
SUBCOMMAND = order_subcommand(STOP)
