"""The running servers of this project, and what their managers are told to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandError

from ...configured import Configuration
from ...daemon.front.answers import read_places, read_status
from ...daemon.servers.directory import Directory, running_servers
from ...daemon.wire.control import Order, give_order
from ...exceptions import ManagerError
from ...places import project_name, socket_directories
from .subcommand import command_error

NONE_RUNS = (
    "no running server of this project has process groups or application groups: {}. Ask as the "
    "user that the server runs as"
)


def order_all(configured: Configuration, **order: Any) -> list[Order]:
    """
    Give an order to the managers of this project's running servers and return their answers.

    Raises ManagerError where there is none, where one cannot do it, or where its answer is none.
    """
    return [answer for _, answer in order_each(configured, **order)]


def order_each(configured: Configuration, **order: Any) -> list[tuple[Directory, Order]]:
    """Do the same, and return with each answer where its manager is."""
    bases = socket_directories(configured)
    name = project_name()
    answers = []
    for _, directory in running_servers(bases):
        try:
            status = give_order(directory.manager, {"do": "status"})
        except ManagerError:
            # It has no groups yet, or no more.
            continue
        status = read_status(status)
        if status["project"] == name:
            is_status = order["do"] == "status"
            asked = status if is_status else read_places(give_order(directory.manager, order))
            answers.append((directory, asked))
    if not answers:
        raise ManagerError(NONE_RUNS.format(where_looked(bases)))
    return answers


def where_looked(bases: Iterable[str]) -> str:
    """Return in which folders no server was found."""
    folders = ", ".join(map(repr, bases))
    return f"none has its folder in {folders}" if folders else "no folder of sockets is there"


def manager_refusal(error: ManagerError) -> CommandError:
    """Return what a subcommand raises where no manager runs, or one cannot do what it is told."""
    return command_error(f"{str(error)[:1].upper()}{str(error)[1:]}.")
