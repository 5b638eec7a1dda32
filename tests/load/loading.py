"""Threads that put load on something for as long as a block runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager


@contextmanager
def kept_running(
    clients: Sequence[Callable[[], object]], stopping: threading.Event
) -> Iterator[None]:
    """Run each client in a thread of its own; at the end set ``stopping`` and wait for all."""
    threads = [threading.Thread(target=client) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
