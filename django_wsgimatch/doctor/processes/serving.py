"""
How the server is started, as far as it is written down: its own prefix, its patience, its trust.

May clients tell the server its SCRIPT_NAME? gunicorn takes a request header of that name from those
in ``forwarded_allow_ips``, where it is among the ``forwarder_headers`` (it is, by default), and
from everybody where ``header_map`` is "dangerous". The dispatcher takes it off the uri, so that the
header chooses the alias. gunicorn's settings are read without running them.
"""

from __future__ import annotations

import argparse
import ast
import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ...daemon.options import GroupOptions
from ...text import quoted
from ..findings.finding import DiagnosedGroup, Finding, Findings

VARIABLE = "SCRIPT_NAME"
# gunicorn's own: the time of a request is limited in workers of one thread only.
_SYNC = "sync"
_TIMEOUT = 30.0
_NAMES = (
    *("forwarded_allow_ips", "forwarder_headers", "header_map"),
    *("worker_class", "threads", "timeout", "bind"),
)
_SHORT = {"worker_class": "-k", "timeout": "-t", "bind": "-b"}
_HEADERS = "SCRIPT_NAME,PATH_INFO"
_CONFIGURATION = "gunicorn.conf.py"
_COMMAND, _TRUSTED = "GUNICORN_CMD_ARGS", "FORWARDED_ALLOW_IPS"
ANYBODY = ("*", "0.0.0.0/0", "::/0")


@dataclass(frozen=True, slots=True)
class SettingValue:
    """A setting's value, None where it cannot be told, and where it stands."""

    value: str | None
    where: str


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


def forwarding_findings(directory: str, environ: Mapping[str, str], uri: str = "/") -> Findings:
    """
    Yield why anybody's SCRIPT_NAME counts, for a server that is started in a directory.

    ``uri`` is an example that an alias matches.
    """
    given = gunicorn_settings(directory, environ)
    mapping, trusted, headers = (given.get(n) for n in ("header_map", *_NAMES[:2]))
    if mapping is not None and mapping.value == "dangerous":
        reason = "header_map is 'dangerous'"
        yield _accepted(mapping.where, reason, 'Set header_map = "drop", its default.', uri)
        return
    taken = headers.value if headers else _HEADERS
    if trusted is None or trusted.value is None or taken is None:
        return
    names = {name.strip().upper() for name in taken.split(",")}
    open_to = [each for each in trusted.value.split(",") if each.strip() in ANYBODY]
    if open_to and names & {"SCRIPT_NAME", "*"}:
        yield _accepted(
            trusted.where,
            f"forwarded_allow_ips is {trusted.value!r} and forwarder_headers {taken!r}",
            "List the addresses of the server in front in forwarded_allow_ips, or set "
            'forwarder_headers = "".',
            uri,
        )


def _accepted(where: str, reason: str, cure: str, uri: str) -> Finding:
    return Finding(
        "W036",
        where,
        f"{reason}: gunicorn accepts a SCRIPT_NAME header from any client. With SCRIPT_NAME: /x, "
        f"{quoted('/x' + uri)} is answered as {quoted(uri)}: access rules of the server in front "
        "for that URL do not apply, and the links in the response begin with '/x'.",
        f"{cure} In any case, let the server in front delete the header.",
    )


def gunicorn_settings(directory: str, environ: Mapping[str, str]) -> dict[str, SettingValue]:
    """Return what is known of gunicorn's settings, as it would read them in a directory."""
    options = _command_line(environ)
    given = {}
    if _TRUSTED in environ:
        given["forwarded_allow_ips"] = SettingValue(environ[_TRUSTED], _TRUSTED)
    file = str(options.pop("config") or _CONFIGURATION).removeprefix("file:")
    for name, value in _assigned(os.path.join(directory, file)):
        given[name] = SettingValue(value, file)
    for name, value in options.items():
        if value is not None:
            given[name] = SettingValue(value, _COMMAND)
    return given


def _command_line(environ: Mapping[str, str]) -> dict[str, str | None]:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("-c", "--config")
    for name in _NAMES:
        short = [_SHORT[name]] if name in _SHORT else []
        parser.add_argument(*short, f"--{name.replace('_', '-')}")
    try:
        known, _ = parser.parse_known_args(shlex.split(environ.get(_COMMAND, "")))
    except (ValueError, argparse.ArgumentError):
        # gunicorn does not start with these.
        known, _ = parser.parse_known_args([])
    return vars(known)


def _assigned(path: str) -> Iterator[tuple[str, str | None]]:
    """The settings that a configuration file assigns, None for what is not written out."""
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id in _NAMES:
                    yield target.id, _written(node.value)


def _written(node: ast.expr) -> str | None:
    """A value that is written out, a list with commas between its values."""
    if isinstance(node, ast.List | ast.Tuple):
        values = [_written(each) for each in node.elts]
        return ",".join(value for value in values if value is not None)
    value = node.value if isinstance(node, ast.Constant) else None
    return str(value) if isinstance(value, str | int) else None
