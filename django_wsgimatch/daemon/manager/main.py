"""Becoming the manager: a process of its own, with its signals and its descriptors."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys

from ..servers.directory import directory_of, remove_directory
from ..servers.open_files import allow_open_files
from ..servers.owner import Owner, end_of
from .logs import ServerLog
from .manager import Manager
from .processes import LocalProcesses, Processes, StartedByRoot
from .warm_parents import WarmParents


def run_manager() -> None:
    """Run the manager that standard input describes; say so on standard output once it is there."""
    told = json.loads(sys.stdin.read())
    owner = Owner(*told["owner"])
    directory = directory_of(owner, told["base"])
    ready = _detach()
    end = end_of(owner)
    if end is None and not owner.is_alive:
        # The server has ended while this process was started: nobody else removes the folder.
        remove_directory(directory)
        return
    allow_open_files()
    processes, starter = _processes(told["starter"])
    log = _log(told["log"], told["stdout"])
    parents = WarmParents(processes, told["definition"]["packages"], log)
    manager = Manager(owner, directory, parents, log, starter)
    try:
        manager.listen()
    except OSError as error:
        os.write(ready, str(error).encode("utf-8", "backslashreplace"))
        return
    os.write(ready, b"ready\n")
    os.close(ready)
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    _handle_signals(manager, write)
    manager.begin(told["definition"])
    manager.run(end, read)


def _log(path: str | None, stdout: int | None) -> ServerLog:
    """The server's log; ``stdout`` is a descriptor of the server's standard output."""
    if stdout is not None:
        os.set_inheritable(stdout, False)
    return ServerLog(path, stdout=2 if stdout is None else stdout)


def _processes(starter: list[int] | None) -> tuple[Processes, int | None]:
    """Who starts processes, and which process of root's that is; ``starter`` is its socket too."""
    if starter is None:
        return LocalProcesses(), None
    descriptor, pid = starter
    os.set_inheritable(descriptor, False)
    return StartedByRoot(socket.socket(fileno=descriptor)), pid


def _detach() -> int:
    """Become a process of its own; return where to say that it is ready."""
    if os.fork():
        os._exit(0)
    nothing = os.open(os.devnull, os.O_RDWR)
    ready = os.dup(1)
    os.dup2(nothing, 0)
    # What is printed by mistake belongs into the log.
    os.dup2(2, 1)
    os.close(nothing)
    os.chdir("/")
    return ready


def _handle_signals(manager: Manager, wakeup: int) -> None:
    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(signum, lambda number, frame: manager.close())
    for signum in (signal.SIGCHLD, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(signum, lambda number, frame: None)
