"""
Tries what a process group's options ask of the system, and prints what fails, with the reason.

The word is JSON: the options by name, and under ``limits`` the kind of each that is a limit.
"""

import json
import locale
import os
import resource
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any


def _run_a_thread(size: int) -> None:
    threading.stack_size(size)
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


def _limit(kind: str) -> Callable[[int], None]:
    def set_limit(number: int) -> None:
        resource.setrlimit(getattr(resource, "RLIMIT_" + kind), (number, number))
        bytearray(1 << 20)

    return set_limit


def _failures(asked: dict[str, Any]) -> Iterator[tuple[str, str]]:
    trials: dict[str, Callable[[Any], object]] = {
        "home": os.chdir,
        "cpu_priority": lambda number: os.setpriority(os.PRIO_PROCESS, 0, number),
        "locale": lambda name: locale.setlocale(locale.LC_ALL, name),
        "stack_size": _run_a_thread,
        "memory_limit": _limit("DATA"),
        "virtual_memory_limit": _limit("AS"),
    }
    trials.update((name, _limit(kind)) for name, kind in asked["limits"].items())
    for name, attempt in trials.items():
        if asked.get(name):
            try:
                attempt(asked[name])
            except (OSError, ValueError, MemoryError, RuntimeError, locale.Error) as error:
                reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
                yield name, reason


if __name__ == "__main__":
    print(json.dumps(dict(_failures(json.loads(sys.argv[1])))))
