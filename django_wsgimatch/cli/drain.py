"""``manage.py wsgimatch drain``: balancers send no more requests to the running servers."""

from __future__ import annotations

from argparse import ArgumentParser

from ..conf import configuration
from ..configured import Configuration
from ..daemon.servers.directory import running_servers
from ..exceptions import ManagerError
from ..places import project_name, socket_directories
from .common.output import Output
from .common.running_servers import manager_refusal, where_looked
from .common.subcommand import Options, Subcommand

NOBODY_ASKS = (
    "WSGIMATCH_HEALTH_PATH is None, so no balancer asks whether a server is ready. Give it a path "
    "such as '/-/wsgimatch/' and start the server again"
)
NOTHING_TO_DRAIN = (
    "no running server of this project: {}. Ask as the user that the server runs as, in its "
    "container"
)


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("turn", choices=["on", "off"])


def _run(options: Options, output: Output) -> int:
    """Have the running servers of this project answer `ready` with 503, or as they are."""
    is_on = options["turn"] == "on"
    try:
        servers = _drain(configuration(), on=is_on)
    except ManagerError as error:
        raise manager_refusal(error) from error
    said = "is draining: it says that it is not ready" if is_on else "has stopped draining"
    for server in servers:
        output.stdout.write(f"Server {server} {said}.")
    return 0


def _drain(configured: Configuration, *, on: bool) -> list[int]:
    """
    Have this project's running servers say that they are not ready, or no longer.

    Returns their main processes. Raises ManagerError where there is none, or none can be told.
    """
    if configured.values["HEALTH_PATH"] is None:
        raise ManagerError(NOBODY_ASKS)
    bases = socket_directories(configured)
    name = project_name()
    drained = []
    for owner, directory in running_servers(bases):
        if directory.is_of_project(name):
            try:
                directory.drain(on=on)
            except OSError as error:
                raise ManagerError(f"server {owner.pid}: {error}") from error
            drained.append(owner.pid)
    if not drained:
        raise ManagerError(NOTHING_TO_DRAIN.format(where_looked(bases)))
    return drained


SUBCOMMAND = Subcommand(_add_arguments, _run)
