"""How the server is started, as far as it is written down: its own prefix, and its patience."""

from __future__ import annotations

from collections.abc import Mapping

from ...daemon.options import GroupOptions
from ..findings.finding import DiagnosedGroup, Finding, Findings
from .forwarding import SettingValue, gunicorn_settings

VARIABLE = "SCRIPT_NAME"
# gunicorn's own: the time of a request is limited in workers of one thread only.
_SYNC = "sync"
_TIMEOUT = 30.0


def mount_findings(environ: Mapping[str, str]) -> Findings:
    """Yield why no URL lies below the SCRIPT_NAME in the environment of a server."""
    prefix = environ.get(VARIABLE, "")
    if not prefix or (prefix.startswith("/") and not prefix.endswith("/")):
        return
    good = f"/{prefix.strip('/')}" if prefix.strip("/") else ""
    what = "ends in a slash" if prefix.endswith("/") else "does not begin with a slash"
    url = f"/{prefix.strip('/')}/x" if good else "/x"
    rest = "x" if prefix.endswith("/") else f"/{prefix}/x"
    yield Finding(
        "W060",
        VARIABLE,
        f"the environment has {prefix!r}, which {what}: a server started with it removes it from "
        f"{url!r} and leaves {rest!r}. Every URL answers 404, or 500 under gunicorn.",
        f"export {VARIABLE}={good}" if good else f"unset {VARIABLE}",
    )


def patience_findings(
    groups: Mapping[str, GroupOptions], directory: str, environ: Mapping[str, str]
) -> Findings:
    """Yield the process groups that may take longer than gunicorn's workers wait for them."""
    timeout, where = _patience(gunicorn_settings(directory, environ))
    if timeout is None:
        return
    for name, options in groups.items():
        option, seconds = _longest(options)
        if seconds > timeout:
            yield DiagnosedGroup(name, options).finding(
                "W061",
                f"{option} is {seconds:g} s, and the timeout of the server's workers is "
                f"{timeout:g} s ({where}): gunicorn's class 'sync' kills a worker that is busy "
                "for longer. The request then gets 500, even if the group is still working on it.",
                "Serve with threads, where timeout does not limit requests: `wsgimatch serve "
                f"--threads 8`. Or serve with --timeout {seconds:g}. Write either into "
                "gunicorn.conf.py, where this check sees it.",
            )


def _patience(given: Mapping[str, SettingValue]) -> tuple[float | None, str]:
    """For how long a worker may be busy, None for any time or where it cannot be told."""
    worker, threads, timeout = (given.get(n) for n in ("worker_class", "threads", "timeout"))
    if worker is not None and worker.value != _SYNC:
        return None, ""
    if threads is not None and threads.value != "1":
        return None, ""
    if timeout is None:
        return _TIMEOUT, "gunicorn's default"
    try:
        seconds = float(timeout.value or "x")
    except ValueError:
        return None, ""
    return seconds or None, timeout.where


def _longest(options: GroupOptions) -> tuple[str, float]:
    """What is set of a group's limits for one request, the longest."""
    default = GroupOptions()
    names = ("request_timeout", "socket_timeout", "response_socket_timeout")
    values = ((name, float(getattr(options, name))) for name in names)
    given = [(name, value) for name, value in values if value != getattr(default, name)]
    return max(given, key=lambda each: each[1], default=("request_timeout", 0.0))
