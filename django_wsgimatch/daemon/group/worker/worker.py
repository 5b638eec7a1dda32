"""
A daemon process: a gunicorn worker whose threads accept requests from fronts.

gunicorn's arbiter starts it, watches over it and ends it. Mirrors what mod_wsgi's daemon process
does with maximum-requests, restart-interval, request-timeout and the limits.
"""

from __future__ import annotations

import logging
import math
import os
import platform
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Iterable, Mapping
from itertools import islice
from types import FrameType
from typing import TYPE_CHECKING, Any

from gunicorn.workers.base import Worker  # type: ignore[import-untyped]

from ....settings_guard import VARIABLE
from ...board import LEAVING, READY
from ...raised import described
from ...script_owner import ScriptOwner
from ...statements import MOST_SCRIPTS
from .changes import Inherited, LoadedFiles, change_time
from .handlers import ignore_handlers
from .loading import Loader, file_of_script
from .serving import base_environ
from .threads import RequestThreads, Work
from .watching import FailedLoad, Watch, files_of, forget_templates

if TYPE_CHECKING:
    from .group import Group
    from .nesting import InterpreterLoader

logger = logging.getLogger("django_wsgimatch")

# How often a process looks after itself, in seconds.
TICK = 1.0
# The signals that wait until a new process has handlers for them.
HELD_BACK = {signal.SIGTERM, signal.SIGQUIT, signal.SIGINT, signal.SIGHUP}
# The exit status of a process that cannot load what the process before it had loaded.
NOT_LOADED = 5


class GroupWorker(Worker):  # type: ignore[misc]
    """One daemon process of a place."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.group: Group = self.app.group
        # What the arbiter knows of it: when it was started (time.monotonic()), and whether it has
        # ever been ready.
        self.forked, self.was_ready = 0.0, False
        self.slot_number, self.must_load = self.group.before_fork()

    def init_process(self) -> None:
        """Take a slot on the board, keep the limits, then do as any gunicorn worker does."""
        self.slot = self.group.board.slot(self.slot_number)
        self.slot.begin_worker(os.getpid())
        self.slot.say(python=platform.python_version())
        logging.getLogger("django_wsgimatch").addHandler(LastError(self))
        is_developed = self.group.watch is not None
        inherited = Inherited() if is_developed else self.group.inherited
        self.files = LoadedFiles(inherited, is_whole=is_developed)
        self.watch = Watch(self.files, self.group.watch or ()) if is_developed else None
        set_limits(self.group)
        super().init_process()

    def init_signals(self) -> None:
        """Add what gunicorn's workers do not know: HUP, and the limit of CPU time."""
        super().init_signals()
        signal.signal(signal.SIGHUP, self.handle_hup)
        signal.signal(signal.SIGXCPU, self.handle_xcpu)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD_BACK)

    def load_wsgi(self) -> None:
        """Load ahead what the processes before this one had loaded, and what mod_wsgi would."""
        options = self.group.options
        ignore_handlers()
        self.loader = Loader(
            reloading=self.group.reloading,
            interval=self.group.reload_interval,
            settings_module=options.settings,
            owner=ScriptOwner.of(options.script_user, options.script_group),
            confinement=self.group.confinement,
            process_group=self.group.process_group,
            renew=self.renew,
            tell=self.tell,
            fail=self.note_failure,
            tell_used=self.tell_used,
        )
        if self.preload(self.must_load):
            if self.watch is not None:
                self.tell_arbiter_of_files()
            # Not an error of its own: the one before says why.
            logger.warning("Worker (pid:%s) cannot replace the one before it.", os.getpid())
            sys.exit(NOT_LOADED)
        loaded = self.loader.scripts.loaded
        self.preload({path: [] for path in self.group.preload if path not in loaded})
        self.slot.say(unloaded=self.count_unloaded())
        self.files.note()

    def preload(self, scripts: Mapping[str, Iterable[str]]) -> bool:
        """Load scripts, log what goes wrong, and return whether something has."""
        errors = self.loader.preload(scripts)
        for error in errors:
            logger.error("%s", error, exc_info=error.__cause__)
        return bool(errors)

    def run(self) -> None:
        """Serve until the arbiter says so, or is gone."""
        self.abandoned: set[Work] = set()
        self.is_retiring = self.has_told_its_end = False
        options = self.group.options
        finder: Loader | InterpreterLoader = self.loader
        if self.group.backend != "process":
            # run_arbiter() has loaded it, for those groups that have any.
            from .nesting import InterpreterLoader

            finder = InterpreterLoader(self.group, self.loader, self.renew)
        self.threads = RequestThreads(
            self.group.listener,
            base_environ(multithread=options.threads > 1, multiprocess=options.processes > 1),
            finder.find,
            self.slot,
            threads=options.threads,
            trusted=self.group.trusted,
            token=self.group.token,
            queue_timeout=options.queue_timeout,
            on_ready=self.say_that_it_is_ready,
            on_request=self.count_request,
            on_failure=self.fail,
        )
        self.threads.start()
        started = time.monotonic()
        while self.alive and self.ppid == os.getppid():
            self.notify()
            self.wait(TICK)
            if self.watch is not None and not self.is_retiring:
                self.renew_if_edited(self.watch)
            if options.request_timeout:
                self.end_overdue(options.request_timeout)
            if options.startup_timeout and self.loader.is_late(options.startup_timeout):
                limit = f"startup-timeout, {options.startup_timeout:g} s"
                self.retire(f"no script was loaded within {limit}")
            if options.restart_interval and time.monotonic() - started > options.restart_interval:
                self.retire(f"restart-interval of {options.restart_interval:g} s")
        self.leave()

    def say_that_it_is_ready(self) -> None:
        """
        Have the processes before this one end, before it takes a request.

        A request that ends this process has not ended one that loads. And who has had an answer of
        this one hardly gets another of those before.
        """
        self.slot.set_state(READY)
        self.group.wake_arbiter()

    def leave(self) -> None:
        """Answer what has been accepted, then end; what hangs is not waited for."""
        self.slot.set_state(LEAVING)
        self.threads.close()
        options = self.group.options
        seconds = max(options.graceful_timeout, options.eviction_timeout)
        deadline = time.monotonic() + seconds
        while not self.threads.join(0.05) and time.monotonic() < deadline:
            self.notify()
            self.tell_that_it_is_closed()
            if options.request_timeout:
                self.end_overdue(options.request_timeout)
            if self.abandoned and self.threads.are_only_at(self.abandoned):
                break
        self.tell_that_it_is_closed()
        # Threads of the application's own, and what it does at exit, get this much time, and
        # not even a process that holds the interpreter's lock gets more.
        signal.setitimer(signal.ITIMER_REAL, max(options.shutdown_timeout, 0.1))
        if self.abandoned:
            sys.stderr.flush()
            os._exit(0)

    def tell_that_it_is_closed(self) -> None:
        """Tell once that all further requests go to other processes, as soon as it is so."""
        if not self.has_told_its_end and self.threads.is_closed:
            self.has_told_its_end = True
            self.slot.say(closed=True)

    def wait(self, seconds: float) -> None:
        """Sleep, but not through a signal or a call of wake()."""
        if select.select([self.PIPE[0]], [], [], seconds)[0]:
            os.read(self.PIPE[0], 4096)

    def count_request(self, count: int) -> None:
        """Let another process take over after maximum-requests."""
        most = self.group.options.maximum_requests
        if most and count >= most and not self.is_retiring:
            self.retire(f"maximum-requests of {most}")

    def retire(self, reason: str) -> None:
        """Ask for another process in place of this one, which serves until it is ready."""
        if not self.is_retiring:
            self.is_retiring = True
            logger.info("Worker (pid:%s) is to be replaced: %s.", os.getpid(), reason)
            self.slot.set_state(LEAVING)
            self.group.wake_arbiter()

    def fail(self) -> None:
        """End after the requests that are at work; called from any thread."""
        self.retire("it cannot go on")
        self.threads.close()
        self.alive = False
        os.write(self.PIPE[1], b"f")

    def renew(self, changed: float) -> None:
        """Ask for new processes, since code has changed (time.time()); "safe" serves until then."""
        self.slot.want_renewal(changed)
        self.group.ask_for_renewal()
        if self.group.reloading != "safe":
            self.retire("a script has changed")
            self.threads.close()
            self.alive = False
            os.write(self.PIPE[1], b"r")

    def end_overdue(self, timeout: float) -> None:
        """Answer 504 for requests that take longer than request-timeout, and be replaced."""
        for work in self.threads.overdue(timeout):
            if work not in self.abandoned:
                self.abandoned.add(work)
                logger.error(
                    "A request takes more than request-timeout, %g s. It is at:\n%s",
                    timeout,
                    stack_of(self.threads.frame_of(work)),
                )
                self.threads.abandon(work, f"request-timeout of {timeout:g} s")
                self.retire("a request takes too long")

    def tell(self, scripts: list[str], since: int) -> None:
        """Tell the board which scripts there are now, and whose settings."""
        # Django's logging configuration turns off the loggers that it does not know.
        logger.disabled = self.log.error_log.disabled = False
        self.files.note(since)
        unloaded = self.count_unloaded()
        self.slot.say(
            scripts=scripts[:MOST_SCRIPTS], settings=os.environ.get(VARIABLE), unloaded=unloaded
        )

    def tell_used(self) -> None:
        """Tell the board which callables of scripts requests ask for."""
        self.slot.say(used=dict(islice(self.loader.used().items(), MOST_SCRIPTS)))

    def note_failure(self, error: BaseException | None, since: int) -> None:
        """Note, while developing, the files of a script that did not load, and of its error."""
        if self.watch is not None:
            self.files.add(files_of(error))
            self.files.note(since)

    def tell_arbiter_of_files(self) -> None:
        """Leave behind, while developing, what this process has read and could not load."""
        self.files.add(filter(None, map(file_of_script, self.must_load)))
        self.files.note()
        # The arbiter has this file, too, and has no more use for it as a heartbeat.
        FailedLoad(self.files.noted()).write(self.tmp.fileno())

    def count_unloaded(self) -> int:
        """How many of the scripts that were to be loaded ahead are not."""
        return len({*self.group.preload} - {*self.loader.scripts.loaded})

    def handle_hup(self, signum: int, frame: FrameType | None) -> None:
        """Ask for renewal if a file of the code that is loaded here has changed since."""
        if changed := self.files.changed():
            self.ask_for_renewal(changed)

    def renew_if_edited(self, watch: Watch) -> None:
        """Ask for renewal, while developing, for each edit of the code that is loaded here."""
        forget_templates()
        if edited := watch.look():
            self.ask_for_renewal(edited)

    def ask_for_renewal(self, changed: str) -> None:
        """Ask for new processes, since a file has changed; this one serves until then."""
        logger.info("'%s' has changed since it was loaded.", changed)
        self.slot.want_renewal(change_time(changed))
        self.group.ask_for_renewal()

    def handle_xcpu(self, signum: int, frame: FrameType | None) -> None:
        """Mirrors mod_wsgi's cpu-time-limit: the process ends, another takes its place."""
        self.retire("it has used up its cpu-time-limit")


class LastError(logging.Handler):
    """Keeps the newest error on the board, for ``wsgimatch status``."""

    def __init__(self, worker: GroupWorker) -> None:
        super().__init__(logging.ERROR)
        self.worker = worker

    def emit(self, record: logging.LogRecord) -> None:
        """Tell the board."""
        text = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            text = f"{text.removesuffix('.')}: {described(record.exc_info[1])}"
        self.worker.slot.say(error=text[:500], error_time=record.created)


def set_limits(group: Group) -> None:
    """Keep memory-limit, virtual-memory-limit and cpu-time-limit, as mod_wsgi does."""
    options = group.options
    for kind, limit in (
        (resource.RLIMIT_DATA, options.memory_limit),
        (resource.RLIMIT_AS, options.virtual_memory_limit),
    ):
        if limit:
            resource.setrlimit(kind, (limit, limit))
    if options.cpu_time_limit:
        seconds = math.ceil(options.cpu_time_limit)
        # The signal asks to end; who does not is ended.
        hard = seconds + int(options.graceful_timeout + options.shutdown_timeout) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))


def stack_of(frame: FrameType | None) -> str:
    """Return a thread's stack as a traceback shows it."""
    return "".join(traceback.format_stack(frame)) if frame is not None else "(it has just ended)"
