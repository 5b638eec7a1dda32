"""How many requests a process of the server answers at a time, as far as the server tells."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def threads_of(environ: WSGIEnvironment) -> int | None:
    """
    Return how many threads answer requests in this process; None where nobody tells.

    It is called where a request is answered: gunicorn and cheroot tell by what has called.
    """
    if not environ.get("wsgi.multithread"):
        return 1
    for ask in (_gunicorn, _waitress, _cheroot, _uwsgi, _mod_wsgi):
        threads = ask(environ)
        if type(threads) is int and threads > 0:
            return threads
    return None


def threads_at_start() -> int | None:
    """Return the threads of granian, which tells where it loads the application, or None."""
    for frame in _frames():
        target, given = frame.f_locals.get("target"), frame.f_locals.get("args")
        module = str(frame.f_globals.get("__name__"))
        if module.startswith("granian.") and callable(target) and isinstance(given, tuple):
            threads = _argument(target, given, "blocking_threads")
            if type(threads) is int and threads > 0:
                return threads
    return None


def _argument(target: Callable[..., Any], given: tuple[Any, ...], name: str) -> object:
    """An argument of a call whose last ones are given."""
    names = [each for each in inspect.signature(target).parameters if each != "self"]
    offset = names.index("loop") + 1 if "loop" in names else 0
    return dict(zip(names[offset:], given, strict=False)).get(name)


def _gunicorn(environ: WSGIEnvironment) -> object:
    if "gunicorn.socket" not in environ:
        return None
    for caller in _callers():
        cfg: Any = getattr(caller, "cfg", None)
        if cfg is not None and hasattr(caller, "worker_connections"):
            # Where greenlets answer, it is their number that is limited.
            has_threads = type(caller).__name__ == "ThreadWorker"
            return cfg.threads if has_threads else cfg.worker_connections
    return None


def _waitress(environ: WSGIEnvironment) -> object:
    channel = getattr(environ.get("waitress.client_disconnected"), "__self__", None)
    return _attribute(channel, "server", "adj", "threads")


def _cheroot(environ: WSGIEnvironment) -> object:
    if "cheroot" not in sys.modules:
        return None
    found = (_attribute(caller, "server", "requests", "min") for caller in _callers())
    return next((least for least in found if least is not None), None)


def _uwsgi(environ: WSGIEnvironment) -> object:
    options = getattr(sys.modules.get("uwsgi"), "opt", {})
    threads = options.get("threads", b"")
    return int(threads) if isinstance(threads, bytes | str) and threads.isdigit() else None


def _mod_wsgi(environ: WSGIEnvironment) -> object:
    return getattr(sys.modules.get("mod_wsgi"), "threads_per_process", None)


def _attribute(value: object, *names: str) -> object:
    for name in names:
        value = getattr(value, name, None)
    return value


def _callers() -> Iterator[object]:
    """The objects whose methods have called, the nearest first."""
    for frame in _frames():
        if "self" in frame.f_code.co_varnames[:1]:
            yield frame.f_locals.get("self")


def _frames() -> Iterator[FrameType]:
    found: FrameType | None = sys._getframe(1)
    while found is not None:
        yield found
        found = found.f_back
