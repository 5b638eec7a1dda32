"""The threads of a daemon process that accept requests."""

from __future__ import annotations

import errno
import mmap
import threading
from typing import Any

from django_wsgimatch.daemon.board import Shape, Slot
from django_wsgimatch.daemon.group.worker.threads import RequestThreads


class Listener:
    """A listening socket that tells when somebody accepts, and has been shut down."""

    def __init__(self):
        self.has_been_asked = threading.Event()

    def accept(self):
        self.has_been_asked.set()
        raise OSError(errno.EINVAL, "shut down")


def test_a_process_says_that_it_is_ready_before_it_takes_a_request():
    listener: Any = Listener()
    told = []

    def say_ready():
        # As a busy machine may have it: the thread has all the time that it needs.
        told.append(listener.has_been_asked.wait(0.2))

    threads = RequestThreads(
        listener,
        {},
        lambda environ: lambda environ, start_response: [],
        Slot(mmap.mmap(-1, Shape(1, 1).size), 0, 1),
        threads=1,
        trusted=frozenset(),
        token=b"",
        on_ready=say_ready,
    )
    threads.start()
    has_ended = threads.join(60)

    assert told == [False]
    assert has_ended
    assert listener.has_been_asked.is_set()
