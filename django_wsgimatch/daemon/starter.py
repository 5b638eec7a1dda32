"""
The one process of ours that stays root, where the server is started as root.

For managers, which run as the server's own user (``processes`` is their side), it starts a process
as a user that root has allowed, signals one that it has started, and tells that one has ended. It
reads its command line and its sockets, nothing else, and imports the standard library alone:
``python -I -S`` runs this file by its path. A manager without root uses ``Children`` itself.

The words: the descriptor of the control socket, each message on which brings a manager's socket;
the project's folder; the accounts, ``NAME=UID:GID:GID,GID``, at last the groups that may be asked
for. With "start" come five descriptors: input, output, and the process's 3, 4 and 5.
"""

import ctypes
import fcntl
import json
import os
import resource
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn

LONGEST_MESSAGE, MOST_MANAGERS, MOST_CHILDREN = 1 << 17, 8, 4096
# In seconds; what a manager or a server has left behind gets the grace to end by itself.
PAUSE, PATIENCE, GRACE_OF_MANAGER, GRACE_OF_SERVER = 0.05, 5.0, 60.0, 1.5
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
SET_CHILD_SUBREAPER, SET_NO_NEW_PRIVS, NOW = 36, 38, socket.MSG_DONTWAIT
Order = dict[str, Any]


class Child:
    """A process that was started, until nothing is left of its session."""

    def __init__(self, pid: int, failure: socket.socket) -> None:
        self.pid, self.failure, self.deadline = pid, failure, float("inf")
        self.end: Any = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None
        self.has_ended = self.is_killed = False

    def send(self, signum: int) -> None:
        """Signal the process; SIGKILL counts for all of its session."""
        self.is_killed = self.is_killed or signum == signal.SIGKILL
        if not self.has_ended and self.end is not None:
            signal.pidfd_send_signal(self.end, signum)
        elif not self.has_ended:
            os.kill(self.pid, signum)


class Children(dict[int, Child]):
    """
    The processes that this process has started, by their ids.

    It is their subreaper: what they leave behind, ``strays`` with their sessions, is killed.
    """

    strays: dict[int, int] = {}  # noqa: RUF012

    def start(self, order: Order, descriptors: list[int]) -> Child:
        """Start a process; it is there at once, whatever becomes of it."""
        prctl(SET_CHILD_SUBREAPER, 1)
        failure, its = socket.socketpair()
        if not (pid := os.fork()):
            _become(order, descriptors, its.detach())
        its.close()
        # Where this fails, the process has no place, and is killed.
        self[pid] = Child(pid, failure)
        return self[pid]

    def look(self) -> list[Order]:
        """Kill what is late or has no place any more, reap, and return what there is to tell."""
        for late in [c for c in self.values() if not c.is_killed and time.monotonic() > c.deadline]:
            late.send(signal.SIGKILL)
        told: list[Order] = []
        with suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                if ended := self.get(found[0]):
                    status, ended.has_ended = os.waitstatus_to_exitcode(found[1]), True
                    error = ended.failure.recv(500).decode("utf-8", "replace")
                    told.append({"ended": ended.pid, "status": status, "error": error})
        children = {*map(int, _read(f"/proc/self/task/{os.getpid()}/children").split())}
        self.strays = strays = {pid: os.getsid(pid) for pid in children - {*self}}
        for pid, session in strays.items():
            # Daemon processes that have lost their arbiter may answer what they have begun.
            if session not in self or self[session].is_killed:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for child in [c for c in self.values() if c.has_ended and c.pid not in strays.values()]:
            told.append({"gone": self.pop(child.pid).pid})
            child.failure.close()
            if child.end is not None:
                os.close(child.end)
        return told


class Starter:
    """Takes the orders of managers until the server is gone, and all that was started for it."""

    def __init__(self, control: socket.socket, accounts: dict[int, tuple[str, set[int]]]) -> None:
        self.control, self.accounts, self.is_open = control, accounts, True
        self.children = Children()
        # Each manager's socket, and the processes that it has had started.
        self.managers: dict[socket.socket, set[int]] = {}
        self.selector = selectors.DefaultSelector()
        self.selector.register(control, selectors.EVENT_READ, self._take_manager)

    def run(self) -> None:
        """Work until there is nothing left to do."""
        woken, wakes = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda signum, frame: None)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        self.selector.register(woken, selectors.EVENT_READ, partial(os.read, woken, 4096))
        while self.is_open or self.children or self.children.strays:
            soon = self.children.strays or any(c.deadline < 1e300 for c in self.children.values())
            for key, _ in self.selector.select(PAUSE if soon else PATIENCE):
                key.data()
            for event in self.children.look():
                pid = event.get("ended", event.get("gone"))
                for manager in [m for m, pids in self.managers.items() if pid in pids]:
                    self.managers[manager].discard(event.get("gone", 0))
                    self._send(manager, event)

    def _take_manager(self) -> None:
        data, descriptors, _, _ = socket.recv_fds(self.control, 64, 4)
        if not data:
            self.selector.unregister(self.control)
            self.is_open = False
            self._limit({*self.children}, GRACE_OF_SERVER)
        for descriptor in descriptors:
            try:
                found = socket.socket(fileno=descriptor)
            except OSError:  # It is no socket.
                os.close(descriptor)
                continue
            if found.type == socket.SOCK_SEQPACKET and len(self.managers) < MOST_MANAGERS:
                self.managers[found] = set()
                react = partial(self._take_order, found)
                self.selector.register(found, selectors.EVENT_READ, react)

    def _take_order(self, manager: socket.socket) -> None:
        descriptors: list[int] = []
        try:
            # Whether it blocks else is for whoever shares its description to say.
            data, descriptors, _, _ = socket.recv_fds(manager, LONGEST_MESSAGE, 8, NOW)
            if data:
                self._carry_out(manager, json.loads(data), descriptors)
            else:
                self._drop(manager)
        except (OSError, ValueError, LookupError, TypeError, RuntimeError) as error:
            self._send(manager, {"refused": str(error)})
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _carry_out(self, manager: socket.socket, order: Order, descriptors: list[int]) -> None:
        if order["do"] == "signal":
            if order["pid"] in self.managers[manager]:
                self.children[order["pid"]].send(signal.Signals(order["signal"]))
            return None
        self._require_allowed(order["user"], {order["group"], *order["groups"]})
        if order["do"] == "check":
            return self._send(manager, {"allowed": True})
        if len(descriptors) != 5 or len(self.children) >= MOST_CHILDREN:
            raise ValueError(f"5 descriptors are needed, and {MOST_CHILDREN} processes the most")
        child = self.children.start(order, descriptors)
        self.managers[manager].add(child.pid)
        return self._send(manager, {"pid": child.pid})

    def _require_allowed(self, user: int, groups: set[int]) -> None:
        if user not in self.accounts or user == 0:
            raise ValueError(f"user {user} is not allowed: `--allow-user` names who is")
        name, allowed = self.accounts[user]
        for group in groups - (allowed - {0}):
            raise ValueError(f"{name!r} is not allowed group {group}: `--allow-user {name}:GROUP`")

    def _drop(self, manager: socket.socket) -> None:
        if manager in self.managers:
            self._limit(self.managers.pop(manager), GRACE_OF_MANAGER)
            self.selector.unregister(manager)
            manager.close()

    def _limit(self, pids: set[int], seconds: float) -> None:
        for child in [self.children[pid] for pid in pids if pid in self.children]:
            child.deadline = min(child.deadline, time.monotonic() + seconds)

    def _send(self, manager: socket.socket, answer: Order) -> None:
        try:
            manager.send(json.dumps(answer).encode(), NOW)
        except OSError:  # It is gone, or does not read.
            self._drop(manager)


def _become(order: Order, descriptors: list[int], failure: int) -> NoReturn:
    """In the new process: become what was ordered."""
    try:
        os.setsid()
        prctl(SET_CHILD_SUBREAPER, 1)  # It adopts what its own leave: execve() keeps that.
        signal.set_wakeup_fd(-1)
        for signum in (*IGNORED, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(signum, signal.SIG_DFL)
        given = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 16) for descriptor in descriptors]
        failure = fcntl.fcntl(failure, fcntl.F_DUPFD_CLOEXEC, 16)
        for source, target in zip([*given, given[1]], (0, 1, 3, 4, 5, 2), strict=True):
            os.dup2(source, target)
        os.closerange(6, failure)
        os.closerange(failure + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        os.chdir("/")
        os.umask(0o022)
        if order["user"] is not None:
            os.setgroups(order["groups"])
            os.setresgid(order["group"], order["group"], order["group"])
            os.setresuid(order["user"], order["user"], order["user"])
            prctl(SET_NO_NEW_PRIVS, 1)
        for name, number in order["limits"].items():
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (number, number))
        program = order["program"] or sys.executable
        boot = os.path.join(os.path.dirname(os.path.abspath(__file__)), "group", "boot.py")
        os.execve(program, [program, boot, order["name"]], order["environment"])
    except BaseException as error:
        os.write(failure, str(error)[:500].encode("utf-8", "backslashreplace"))
    finally:
        os._exit(127)


def prctl(option: int, value: int) -> None:
    """Set an attribute of this process, where the system has it; execve() keeps it."""
    with suppress(AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _read(path: str) -> str:
    with suppress(OSError), open(path, encoding="latin-1") as file:
        return file.read()
    return ""


def _account(word: str) -> tuple[int, tuple[str, set[int]]]:
    name, _, ids = word.rpartition("=")
    user, group, groups = ids.split(":")
    return int(user), (name, {int(group), *map(int, filter(None, groups.split(",")))})


if __name__ == "__main__":
    for ignored in IGNORED:
        signal.signal(ignored, signal.SIG_IGN)
    Starter(socket.socket(fileno=int(sys.argv[1])), dict(map(_account, sys.argv[3:]))).run()
