"""
A warm parent: it has loaded what the groups of one Python and one user share, and forks for them.

It runs as that user from its first line on, loads nothing of an application, and forks a group's
first process when the manager orders it: that has the group's descriptors, environment and limits
then, and goes on as one that was started by itself. It speaks as ``starter`` does, and as there
what a group leaves behind is killed. It says again and again that it is there, and ends when the
manager has gone, after its groups.
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import resource
import select
import signal
import socket
import time
from contextlib import suppress
from typing import Any

from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # noqa: F401

from ..starter import (
    LONGEST_MESSAGE,
    NOW,
    PATIENCE,
    PAUSE,
    SET_CHILD_SUBREAPER,
    Child,
    Children,
    Order,
    prctl,
)
from .process import DEFAULTS

# The descriptor of the socket to the manager.
CONTROL = 3
# Above the descriptors that a group's process is started with.
HIGH = 16


def fork_groups() -> str | None:
    """
    Fork as the manager orders, until it is gone.

    In each new process this returns what that is to read, as from its standard input; in the
    parent None, at the end.
    """
    # As gunicorn.glogging, this is what each arbiter would load and make for itself.
    DEFAULTS.append(Config(prog="wsgimatch"))
    # A full collection in a child would write to all objects that it shares with this process.
    gc.collect()
    gc.freeze()
    return WarmParent(socket.socket(fileno=CONTROL)).run()


class WarmParent:
    """Takes the manager's orders over ``control``."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children = Children()
        self._is_open = True

    def run(self) -> str | None:
        """Work until there is nothing left to do; in a new process, return what it is to read."""
        woken, wakes = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda signum, frame: None)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        while self._is_open or self._children or self._children.strays:
            self._tell_that_it_lives()
            waits_for: list[Any] = [woken, *([self._control] if self._is_open else [])]
            soon = PAUSE if self._children.strays else PATIENCE
            ready = select.select(waits_for, [], [], soon)[0]
            if woken in ready:
                os.read(woken, 4096)
            if self._control in ready and self._take_order():
                return _read_input()
            for event in self._children.look():
                self._send(event)
        return None

    def _take_order(self) -> bool:
        """Carry an order out; return whether this is a new process."""
        data, descriptors, _, _ = socket.recv_fds(self._control, LONGEST_MESSAGE, 8, NOW)
        self._is_open = bool(data)
        if not data:
            return False
        order = json.loads(data)
        if order["do"] == "start":
            return self._fork(order, descriptors)
        with suppress(OSError, KeyError):
            self._children[order["pid"]].send(signal.Signals(order["signal"]))
        return False

    def _fork(self, order: Order, descriptors: list[int]) -> bool:
        failure, its = socket.socketpair()
        pid = os.fork()
        if not pid:
            self._forget_all()
            failure.detach()
            become_group(order, descriptors, its.detach())
            return True
        its.close()
        for descriptor in descriptors:
            os.close(descriptor)
        self._children[pid] = Child(pid, failure)
        self._send({"pid": pid})
        return False

    def _forget_all(self) -> None:
        """Let go of the parent's descriptors: their numbers will be others' soon."""
        for child in self._children.values():
            child.failure.detach()
        self._children.clear()
        self._control.detach()

    def _tell_that_it_lives(self) -> None:
        # A manager that does not read has heard enough.
        with suppress(OSError):
            self._control.send(json.dumps({"warm": os.getpid()}).encode(), NOW)

    def _send(self, event: Order) -> None:
        try:
            self._control.send(json.dumps(event).encode())
        except OSError:
            self._is_open = False


def become_group(order: Order, descriptors: list[int], failure: int) -> None:
    """In a new process: become what was ordered, or end with the reason."""
    try:
        os.setsid()
        # A process that has been forked adopts by itself no more.
        prctl(SET_CHILD_SUBREAPER, 1)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        failure = place_descriptors(descriptors, failure)
        os.chdir("/")
        os.umask(0o022)
        for name, number in order["limits"].items():
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (number, number))
        os.environ.clear()
        os.environ.update(order["environment"])
        time.tzset()
        gc.freeze()
        show_words(order["name"])
        os.close(failure)
    except BaseException as error:
        os.write(failure, str(error)[:500].encode("utf-8", "backslashreplace"))
        os._exit(127)


def place_descriptors(descriptors: list[int], failure: int) -> int:
    """Put descriptors where a group expects them, and close all others but ``failure``."""
    given = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, HIGH) for descriptor in descriptors]
    failure = fcntl.fcntl(failure, fcntl.F_DUPFD_CLOEXEC, HIGH)
    for source, target in zip([*given, given[1]], (0, 1, 3, 4, 5, 2), strict=True):
        os.dup2(source, target)
    os.closerange(6, failure)
    os.closerange(failure + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    return failure


def show_words(name: str) -> None:
    """Let lists of processes show a name as the last word of this process's command line."""
    with suppress(OSError, ValueError, IndexError):
        with open("/proc/self/stat", encoding="latin-1") as file:
            start, end = map(int, file.read().rpartition(")")[2].split()[45:47])
        with open("/proc/self/cmdline", "rb") as file:
            words = file.read().split(b"\0")
        own = b"\0".join([*words[:2], name.encode("latin-1", "replace")])
        with open("/proc/self/mem", "r+b", buffering=0) as memory:
            memory.seek(start)
            memory.write(own[: end - start - 1].ljust(end - start, b"\0"))


def _read_input() -> str:
    with open(0, encoding="utf-8", closefd=False) as file:
        text = file.read()
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.close(nothing)
    return text
