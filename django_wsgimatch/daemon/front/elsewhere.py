"""
Process groups that somebody else runs: those with the option ``socket``.

The server connects to the socket, and neither starts nor ends anything there. A systemd unit does,
or whoever starts ``manage.py wsgimatch serve --process-group NAME``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from ...aliases.groups import GLOBAL
from ..options import GroupOptions

_CURE = (
    "process group {0!r} is run elsewhere: `systemctl status` of its .socket and its .service says "
    "whether it runs and whether user {1} may connect (SocketUser=). Without systemd, start "
    "`manage.py wsgimatch serve --process-group {0}`"
)
_NO_PROCESSES = (
    "process group {0!r} is run elsewhere (its option `socket`) and has processes for {GLOBAL} "
    "alone, none for the application group {1!r}"
)
WRITE_GLOBAL = (
    f"Write application_group={GLOBAL!r} for it, or WSGIMATCH_APPLICATION_GROUP = {GLOBAL!r} if "
    "the entry names none."
)


def cure(name: str) -> str:
    """Return what to do where nobody answers at a process group's socket."""
    return _CURE.format(name, os.geteuid())


def refusal(name: str, application_group: str) -> str:
    """Return why an application group cannot be had in a process group that is run elsewhere."""
    return _NO_PROCESSES.format(name, application_group, GLOBAL=GLOBAL)


def mistakes(groups: Mapping[str, GroupOptions]) -> Iterator[tuple[str, str]]:
    """Yield (process group, what is wrong) for sockets at which the wrong group would answer."""
    owners: dict[str, str] = {}
    for name, options in groups.items():
        if options.socket is None:
            continue
        if name == GLOBAL:
            yield name, "socket should be left out: the embedded process group is the server's own"
        elif options.socket in owners:
            other = owners[options.socket]
            yield name, f"socket {options.socket!r} is also that of process group {other!r}"
        owners.setdefault(options.socket, name)
