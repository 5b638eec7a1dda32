"""
A warm parent: it has loaded what the groups of one Python and one user share, and runs them.

It runs as that user from its first line on and loads nothing of an application. In it each group
has an arbiter (``shared``); the arbiters do their rounds one after another, and have the daemon
processes forked (``forking``). The manager (``manager.warm_parents``) says which groups to start
and what to signal them, and is told what becomes of them. The parent says again and again that it
is there, and ends when the manager has gone, after its groups.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..group_spec import Descriptors, GroupSpec
from ..servers.open_files import allow_open_files
from ..wire.control import LONGEST_START, Order, receive_message
from .arbiter import GroupApplication, take_log
from .forking import Forker, ProcessSetup, start_forker
from .shared import SharedArbiter
from .strays import Strays
from .worker.group import Group

# The descriptor of the socket to the manager.
CONTROL = 3
# How often it says that it is there, and looks after what is to be killed, in seconds.
PATIENCE, PAUSE = 5.0, 0.05
# The arbiters do their rounds at least so often, in seconds, as gunicorn's do.
ROUND = 1.0
# The status of a group that could not be started.
NOT_STARTED = 127


def run_parent(modules: Sequence[str]) -> None:
    """Run groups as the manager orders, until it is gone; their processes begin with modules."""
    control = socket.socket(fileno=CONTROL)
    WarmParent(control, start_forker(modules, control)).run()


class Voice:
    """
    Standard error of this process: what is printed goes to the group whose turn it is.

    What finds no room in a group's output is lost: no group keeps the others waiting.
    """

    def __init__(self, output: int) -> None:
        self.output = output

    def write(self, text: str) -> None:
        """Print a text."""
        poller = select.poll()
        poller.register(self.output, select.POLLOUT)
        if poller.poll(0):
            os.write(self.output, text.encode("utf-8", "backslashreplace"))

    def flush(self) -> None:
        """All is printed at once."""


@dataclass(frozen=True, slots=True)
class KeptGroup:
    """A group in the parent: its arbiter, and the descriptor that its processes print to."""

    arbiter: SharedArbiter
    output: int

    def close(self) -> None:
        """Close what is open of a group that has ended."""
        group = self.arbiter.group
        group.listener.close()
        group.board.map.close()
        os.close(group.board_file)
        os.close(self.output)


class WarmParent:
    """Takes the manager's orders over ``control``."""

    def __init__(self, control: socket.socket, forker: Forker) -> None:
        allow_open_files()
        self._control = control
        self._forker = forker
        self._is_open = True
        self._voice = sys.stderr = Voice(2)
        # By the numbers that the manager has given them; those that have ended, too, as long as
        # something is left of them.
        self._groups: dict[int, KeptGroup] = {}
        self._strays = Strays(forker.pid)
        self._ended: set[int] = set()
        # When it was last said that this process is there, and when all are to do their rounds.
        self._told = self._due = 0.0

    def run(self) -> None:
        """Work until there is nothing left to do."""
        woken, wakes = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        for signum in (signal.SIGCHLD, signal.SIGWINCH):
            signal.signal(signum, lambda number, frame: None)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        while self._is_open or self._groups or self._strays:
            self._tell_that_it_lives()
            waits_for: list[Any] = [woken, *([self._control] if self._is_open else [])]
            ready = select.select(waits_for, [], [], self._patience())[0]
            if self._control in ready:
                self._take_order()
            if woken in ready:
                os.read(woken, 4096)
                self._bury_the_dead()
            if ready and not self._is_due:
                self._do_rounds([n for n, each in self._groups.items() if each.arbiter.has_news()])
            elif self._is_due:
                self._due = time.monotonic() + ROUND
                self._do_rounds([*self._groups])
            if woken in ready or self._ended or not self._is_open:
                self._clear_up()

    @property
    def _is_due(self) -> bool:
        return bool(self._groups) and time.monotonic() >= self._due

    def _patience(self) -> float:
        if self._ended or not self._is_open:
            # Strays that are killed may leave others behind.
            return PAUSE
        return max(self._due - time.monotonic(), 0.0) if self._groups else PATIENCE

    def _take_order(self) -> None:
        data, descriptors = receive_message(self._control, LONGEST_START, 8)
        if not data:
            self._is_open = False
            for each in self._groups.values():
                each.arbiter.is_abandoned = True
            self._due = 0.0
            return
        order = json.loads(data)
        if order["do"] == "start":
            self._start(order, descriptors)
        elif order["id"] in self._groups:
            self._signal(order["id"], order["signal"])

    def _signal(self, number: int, signum: int) -> None:
        arbiter = self._groups[number].arbiter
        if signum == signal.SIGKILL:
            arbiter.kill()
        else:
            arbiter.signal(signum, None)
        self._do_round(number)

    def _start(self, order: Order, descriptors: list[int]) -> None:
        text, output, listener, board, lifeline = descriptors
        number: int = order["id"]
        self._send({"begun": number})
        # The socket to the manager says when that is gone.
        os.close(lifeline)
        setup = ProcessSetup(number, order["name"], order["environment"], order["limits"])
        self._voice.output = output
        try:
            setup.require_limits()
            with open(text, encoding="utf-8") as file:
                told = json.load(file)
            spec = GroupSpec.from_json(told["spec"])
            group = Group(spec, Descriptors(listener, board, -1), told["packages"])
        except (OSError, ValueError) as error:
            self._send({"ended": number, "status": NOT_STARTED, "error": str(error)[:500]})
            self._send({"gone": number})
            for descriptor in (output, listener, board):
                os.close(descriptor)
            return
        fork = partial(self._forker.fork, told=told, setup=setup, output=output)
        arbiter = SharedArbiter(GroupApplication(group), fork)
        self._groups[number] = KeptGroup(arbiter, output)
        take_log(arbiter.log, told["zone"])
        arbiter.begin()

    def _bury_the_dead(self) -> None:
        """Let the arbiters see which of their processes have ended, and reap all others."""
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        with suppress(ChildProcessError):
            while found := os.waitid(os.P_ALL, 0, flags):
                pid = found.si_pid
                for number, each in self._groups.items():
                    if pid in each.arbiter.WORKERS:
                        each.arbiter.is_settled = False
                        self._do_round(number)
                        break
                else:
                    os.waitpid(pid, 0)
                if pid == self._forker.pid:
                    raise SystemExit("The forker has ended, and so does this process.")

    def _do_rounds(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self._do_round(number)

    def _do_round(self, number: int) -> None:
        arbiter = self._groups[number].arbiter
        if arbiter.status is not None:
            return
        self._voice.output = self._groups[number].output
        arbiter.turn()
        if arbiter.status is not None:
            self._ended.add(number)
            self._send({"ended": number, "status": arbiter.status, "error": ""})

    def _clear_up(self) -> None:
        """Kill what groups that have ended have left; forget those that have left nothing."""
        self._strays.look({number: each.arbiter for number, each in self._groups.items()})
        if not self._is_open:
            self._strays.kill(None)
        for number in [*self._ended]:
            self._groups[number].arbiter.kill()
            self._strays.kill(number)
            if not self._strays.has_any_of(number):
                self._ended.discard(number)
                self._groups.pop(number).close()
                self._send({"gone": number})

    def _tell_that_it_lives(self) -> None:
        if time.monotonic() - self._told >= PATIENCE:
            self._told = time.monotonic()
            # A manager that does not read has heard enough.
            with suppress(OSError):
                self._control.send(json.dumps({"warm": os.getpid()}).encode(), socket.MSG_DONTWAIT)

    def _send(self, event: Order) -> None:
        with suppress(OSError):
            self._control.send(json.dumps(event).encode())
