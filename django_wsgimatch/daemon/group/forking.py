"""
The forker: from it all daemon processes of a warm parent's groups are forked.

It is the parent's first child, forked before the parent knew of any group, and does nothing else.
So a daemon process has in its memory nothing of another group. A process that is forked becomes
the parent's child, as its own parent has ended at once.

Optimization: a process that does more would write to its memory between two forks, and what it
had written to would be shared by no two processes. 200 idle groups take 4.8 MiB each, and took 8.5
where the parent itself forked.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

from gunicorn.arbiter import SERVER_SOFTWARE  # type: ignore[import-untyped]

from ..group_spec import Descriptors, GroupSpec
from ..raised import described
from ..servers.open_files import file_with
from ..wire.control import receive_message
from .arbiter import GroupApplication, Listener, take_log
from .process import set_up_process, show_words
from .worker.changes import Inherited
from .worker.group import Group
from .worker.worker import HELD_BACK, GroupWorker

NAME = "(wsgi:forker)"
# How long the forker may take to load modules, and to fork, and a process to become its parent's
# child, in seconds.
LONGEST_LOAD, PATIENCE = 60.0, 10.0
LOADED = b"loaded"
# In it the processes of a group, and what they start, have the number that their parent has given
# the group: it tells whose they are when they are left behind.
MARK = "WSGIMATCH_GROUP"
# What gunicorn's own workers end with that have not begun to serve.
NOT_BOOTED = 3
# What a process is told by, and its output, listening socket, board, and sign of life.
DESCRIPTORS = 5


@dataclass(frozen=True, slots=True)
class ProcessSetup:
    """
    What the processes of a group are given beside the spec.

    ``number`` is the group's; ``name`` is what lists of processes show; ``limits`` are hard limits
    by their names without RLIMIT_.
    """

    number: int
    name: str
    environment: Mapping[str, str]
    limits: Mapping[str, int]

    def require_limits(self) -> None:
        """Raise ValueError for a limit above this process's own, which only root may raise."""
        for name, number in self.limits.items():
            most = resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[1]
            if most != resource.RLIM_INFINITY and number > most:
                raise ValueError(f"not allowed to raise maximum limit: {name} is {most} at most")


class Forker:
    """The forker, as the parent sees it: its process, and a socket to it."""

    def __init__(self, pid: int, connection: socket.socket) -> None:
        self.pid = pid
        self._connection = connection
        self._has_loaded = False

    def fork(
        self, worker: GroupWorker, told: Mapping[str, Any], setup: ProcessSetup, output: int
    ) -> int:
        """
        Have a worker's process forked, and return its id.

        ``told`` is what the manager has told of the group, ``output`` a descriptor that it prints
        to. Raises OSError.
        """
        order = {
            "told": told,
            "setup": asdict(setup),
            "worker": [worker.age, worker.ppid, worker.slot_number, worker.must_load],
        }
        text = file_with(json.dumps(order), "wsgimatch-worker")
        group = worker.group
        given_files = [text, output, group.listener.fileno(), group.board_file, worker.tmp.fileno()]
        try:
            if not self._has_loaded:
                self._connection.settimeout(LONGEST_LOAD)
                self._has_loaded = self._connection.recv(16) == LOADED
                self._connection.settimeout(PATIENCE)
            socket.send_fds(self._connection, [b"fork"], given_files)
            answer = self._connection.recv(1000).decode()
        except OSError as error:
            # Later its answer would be taken for that to another order.
            raise SystemExit(
                f"The forker does not answer, and this process ends: {error}"
            ) from error
        finally:
            os.close(text)
        if not answer.isdecimal():
            raise OSError(f"no process can be forked: {answer or 'the forker has ended'}")
        return int(answer)


def start_forker(modules: Sequence[str], *own: socket.socket) -> Forker:
    """
    Start the forker, which loads ``modules``; ``own`` are this process's sockets, and not its.

    In the processes that it forks this does not return.
    """
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if not pid:
        for each in (mine, *own):
            each.close()
        show_words(NAME)
        # A new process would lose a signal that comes before it has handlers of its own.
        signal.pthread_sigmask(signal.SIG_BLOCK, HELD_BACK)
        load(modules)
        inherited = Inherited.by_now()
        # A full collection would write to all objects that the forked processes share.
        gc.collect()
        gc.freeze()
        _tell(its, LOADED)
        run_forked(_wait_for_order(its), inherited)
    its.close()
    return Forker(pid, mine)


def load(modules: Sequence[str]) -> None:
    """Import modules; what goes wrong is printed, and may go wrong again in the processes."""
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:
            print(f"preload: {name!r} cannot be imported: {described(error)}", file=sys.stderr)


def _wait_for_order(connection: socket.socket) -> list[int]:
    """Fork as ordered; return, in a process that was forked, what it has been given."""
    while True:
        data, descriptors = receive_message(connection, 16, DESCRIPTORS)
        if not data:
            os._exit(0)
        read, write = os.pipe()
        try:
            between = os.fork()
        except OSError as error:
            os.write(write, str(error).encode())
        else:
            if not between and _fork_again(write):
                for descriptor in (read, write):
                    os.close(descriptor)
                connection.close()
                return descriptors
            if between:
                os.waitpid(between, 0)
        _tell(connection, os.read(read, 1000))
        for descriptor in (read, write, *descriptors):
            os.close(descriptor)


def _tell(connection: socket.socket, answer: bytes) -> None:
    # Where the parent has ended, the next look for an order says so.
    with suppress(ConnectionError):
        connection.send(answer)


def _fork_again(write: int) -> bool:
    """In the process in between: fork, tell the id, and end; True in the new process."""
    try:
        pid = os.fork()
    except OSError as error:
        os.write(write, str(error).encode())
        os._exit(0)
    if pid:
        os.write(write, str(pid).encode())
        os._exit(0)
    return True


class ForkedGroup(Group):
    """A group in one of its daemon processes, which the group's arbiter has chosen a slot for."""

    def __init__(
        self,
        spec: GroupSpec,
        packages: Mapping[str, str],
        descriptors: Descriptors,
        arbiter: int,
        slot_number: int,
        must_load: dict[str, list[str]],
    ) -> None:
        super().__init__(spec, descriptors, packages)
        self.pid = arbiter
        self.slot_number, self.must_load = slot_number, must_load

    def before_fork(self) -> tuple[int, dict[str, list[str]]]:
        """Return the slot of this process, and the scripts that it must be able to load."""
        return self.slot_number, self.must_load


class SignOfLife:
    """The file by whose time of change the arbiter sees that a worker lives, as gunicorn's."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def notify(self) -> None:
        """Say that this process lives."""
        now = time.monotonic()
        os.utime(self._descriptor, (now, now))

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def run_forked(descriptors: Sequence[int], inherited: Inherited) -> NoReturn:
    """Become a daemon process, and run it to its end."""
    text, output, listener, board, sign_of_life = descriptors
    with open(text, encoding="utf-8") as file:
        order = json.load(file)
    told, setup = order["told"], ProcessSetup(**order["setup"])
    age, parent, slot_number, must_load = order["worker"]
    take_setup(setup, output)
    spec = GroupSpec.from_json(told["spec"])
    set_up_process(spec)
    own = Descriptors(listener, board, -1)
    group = ForkedGroup(spec, told["packages"], own, parent, slot_number, must_load)
    group.inherited = inherited
    app = GroupApplication(group)
    log = app.cfg.logger_class(app.cfg)
    take_log(log, told["zone"])
    worker = GroupWorker(age, parent, [Listener(group.listener)], app, 0.0, app.cfg, log)
    worker.tmp.close()
    worker.tmp, worker.pid = SignOfLife(sign_of_life), os.getpid()
    wait_for_parent(parent)
    run_worker(worker)


def take_setup(setup: ProcessSetup, output: int) -> None:
    """Take what a group's processes are given."""
    os.setpgid(0, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    for name, number in setup.limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (number, number))
    os.environ.clear()
    os.environ.update(setup.environment)
    os.environ["SERVER_SOFTWARE"] = SERVER_SOFTWARE
    os.environ[MARK] = str(setup.number)
    time.tzset()
    # Optimization: a full collection would write to all objects that this process shares with the
    # forker, and so have pages of its own: 4.8 MiB a process.
    gc.freeze()
    show_words(setup.name)


def wait_for_parent(pid: int) -> None:
    """Wait until this process is the parent's child: whoever has forked it ends at once."""
    deadline = time.monotonic() + PATIENCE
    while os.getppid() != pid and time.monotonic() < deadline:
        time.sleep(0.001)


def run_worker(worker: GroupWorker) -> NoReturn:
    """Run a worker to its end. Mirrors the new process in gunicorn's Arbiter.spawn_worker()."""
    try:
        worker.log.info("Booting worker with pid: %s", worker.pid)
        worker.init_process()
        sys.exit(0)
    except Exception:
        worker.log.exception("Exception in worker process")
        sys.exit(-1 if worker.booted else NOT_BOOTED)
    finally:
        worker.log.info("Worker exiting (pid: %s)", worker.pid)
        worker.tmp.close()
