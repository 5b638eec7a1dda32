"""
Application groups as sub interpreters of this process: mod_wsgi's own way, for those who ask.

An interpreter listens on a socket that only this process's user may use, and its threads answer
as a daemon process's do, so the relay reaches it as it reaches a group. It has modules, settings,
sys.path, sys.argv and os.environ of its own; a crash, the memory, the working directory and the
time zone are the whole process's. It needs Python 3.13: before that, Django does not work in one.
"""

from __future__ import annotations

import atexit
import importlib
import json
import logging
import mmap
import os
import socket
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ....exceptions import DaemonError
from ...board import Shape, Slot
from ...front.gate import NO_LIMITS, Limits
from ...front.link import Link
from ...group_spec import new_token
from ...manager.admission import FULL
from ...place import Place
from ...wire.wire import release_waiters
from .handlers import ignore_handlers
from .loading import Loader
from .serving import base_environ
from .threads import RequestThreads

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

logger = logging.getLogger("django_wsgimatch")

OLDEST_PYTHON = (3, 13)
MODES = {"interpreter": "legacy", "interpreter-own-gil": "isolated"}
# Extension modules that must have been loaded in the main interpreter before any other: without
# it, one of them that is loaded in two interpreters at once crashed the process.
PREIMPORT = (
    *("datetime", "_datetime", "_strptime", "decimal", "zoneinfo", "_zoneinfo", "sqlite3", "ssl"),
    *("ctypes", "asyncio", "pyexpat", "socket", "json", "pickle", "uuid", "multiprocessing"),
)
_HERE = os.path.dirname(os.path.abspath(__file__))
BOOT = os.path.join(os.path.dirname(_HERE), "boot.py")
# What an interpreter runs first.
PROGRAM = os.path.join(_HERE, "interpreter_boot.py")
# How long the threads of an interpreter may take to end, in seconds.
SECONDS_TO_END = 5.0


@dataclass(slots=True, eq=False)
class SubInterpreter:
    """A running sub interpreter: its number, its listening socket, and how it is reached."""

    number: int
    listener: socket.socket
    link: Link


@dataclass(eq=False, repr=False)
class Interpreters:
    """
    The sub interpreters of this process, by the application group of their place.

    ``backend`` is "interpreter" (they share this one's lock) or "interpreter-own-gil". They are
    made at the first request, so never before a server has forked its workers. At most ``most``
    (0: no limit) have names that clients have chosen: none can end without its process.
    """

    backend: str
    packages: Mapping[str, str]
    settings_module: str | None = None
    threads: int = 15
    label: str = ""
    most: int = 0
    limits: Limits = NO_LIMITS
    _running: dict[Place, SubInterpreter] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        self._environ = dict(os.environ)
        # gunicorn's and Django's own threads know nothing of these.
        atexit.register(self.close)

    def link(self, place: Place, environ: WSGIEnvironment) -> Link:
        """
        Return how an application group is reached, its interpreter made if it is not there.

        Raises DaemonError.
        """
        running = self._running.get(place)
        if running is None:
            with self._lock:
                running = self._running.get(place) or self._make_one_more(place, environ)
                self._running[place] = running
        return running.link

    def close(self) -> None:
        """End all interpreters; the process, where their threads do not end in time."""
        deadline = time.monotonic() + SECONDS_TO_END
        for running in self._running.values():
            with suppress(OSError):
                running.listener.shutdown(socket.SHUT_RDWR)
        for running in self._running.values():
            if not self._end(running, max(deadline - time.monotonic(), 0.1)):
                logger.error("A sub interpreter does not end: the process ends without it.")
                sys.stderr.flush()
                # Python would wait for it for ever.
                os._exit(0)
        self._running.clear()

    def _make_one_more(self, place: Place, environ: WSGIEnvironment) -> SubInterpreter:
        chosen = sum(other.is_chosen for other in self._running)
        if place.is_chosen and 0 < self.most <= chosen:
            raise DaemonError(503, FULL.format(self.most))
        return self._make(place.application_group, environ)

    def _make(self, name: str, environ: WSGIEnvironment) -> SubInterpreter:
        for module in PREIMPORT:
            with suppress(ImportError):
                importlib.import_module(module)
        backend: Any = importlib.import_module("_interpreters")
        path = f"\0wsgimatch-{os.getpid()}-{os.urandom(12).hex()}"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        release_waiters(listener, 1.0)
        listener.listen(100)
        number: int = backend.create(MODES[self.backend])
        token = new_token()
        told = {
            "boot": BOOT,
            "packages": dict(self.packages),
            "sys_path": sys.path,
            "environ": self._environ,
            "listener": os.dup(listener.fileno()),
            "threads": self.threads,
            "settings_module": self.settings_module,
            "token": token,
            "label": "/".join(filter(None, (self.label, name))),
        }
        with open(PROGRAM, encoding="utf-8") as program:
            failed = backend.exec(number, program.read(), {"told_text": json.dumps(told)})
        if failed is not None:
            listener.close()
            reason = getattr(failed, "formatted", failed)
            raise DaemonError(500, f"the sub interpreter '{name}' does not start: {reason}")
        logger.info("Sub interpreter '%s' has been made.", name)
        link = Link(
            path,
            lambda: bytes.fromhex(token),
            lambda request_id: True,
            gate=self.limits.gate(environ),
            body_timeout=self.limits.body_timeout,
        )
        return SubInterpreter(number, listener, link)

    def _end(self, running: SubInterpreter, seconds: float) -> bool:
        backend: Any = importlib.import_module("_interpreters")
        done = threading.Event()

        def end() -> None:
            backend.exec(running.number, "inside.close()")
            backend.destroy(running.number)
            done.set()

        threading.Thread(target=end, daemon=True).start()
        ended = done.wait(seconds)
        running.listener.close()
        return ended


class Inside:
    """What stands in a sub interpreter: its environment, its scripts and its threads."""

    def __init__(self, told: dict[str, Any]) -> None:
        keep_environ(told["environ"])
        ignore_handlers()
        sys.argv[:] = ["mod_wsgi"]
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(f"[{told['label']}] %(levelname)s %(message)s"))
        logger.addHandler(handler)
        self._listener = socket.socket(fileno=told["listener"])
        shape = Shape(1, told["threads"])
        slot = Slot(mmap.mmap(-1, shape.size), 0, told["threads"])
        # A changed script is for a new process: nothing is loaded anew in here.
        loader = Loader(reloading=False, settings_module=told["settings_module"])
        self._threads = RequestThreads(
            self._listener,
            base_environ(multithread=True, multiprocess=True),
            loader.find,
            slot,
            threads=told["threads"],
            trusted=frozenset([os.geteuid()]),
            token=bytes.fromhex(told["token"]),
            is_daemon=False,
        )
        self._threads.start()

    def close(self) -> None:
        """Wait for the threads: the socket takes no more requests."""
        self._threads.close()
        self._threads.join(SECONDS_TO_END)
        self._listener.close()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()


def keep_environ(environ: Mapping[str, str]) -> None:
    """
    Give this interpreter environment variables of its own.

    os.environ is a copy already, but writes to it reach the process's environment, that all
    interpreters are made from. So they no longer do; child processes get what stands here.
    """
    os.putenv = os.unsetenv = lambda *values: None  # type: ignore[assignment]
    os.environ.clear()
    os.environ.update(environ)
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
