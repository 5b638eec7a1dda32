"""``manage.py wsgimatch restart``: new processes in the place of a group's."""

from __future__ import annotations

from .common.orders import OrderWords, order_subcommand


def _done(pids: list[int]) -> str:
    if len(pids) == 1:
        return f"process {pids[0]} serves the new code"
    return f"processes {', '.join(map(str, pids))} serve the new code"


RESTART = OrderWords(
    do="restart",
    said="Restarting",
    done=_done,
    late="its new processes are not ready after {:g} s; they are waited for no longer",
)
SUBCOMMAND = order_subcommand(RESTART)
