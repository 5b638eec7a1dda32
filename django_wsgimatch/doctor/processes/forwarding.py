"""
May clients tell the server its SCRIPT_NAME? gunicorn's settings, read without running them.

gunicorn takes a request header of that name from those in ``forwarded_allow_ips``, where it is
among the ``forwarder_headers`` (it is, by default), and from everybody where ``header_map`` is
"dangerous". The dispatcher takes it off the uri, so that the header chooses the alias.
"""

from __future__ import annotations

import argparse
import ast
import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ...text import quoted
from ..findings.finding import Finding, Findings

_NAMES = (
    *("forwarded_allow_ips", "forwarder_headers", "header_map"),
    *("worker_class", "threads", "timeout"),
)
_SHORT = {"worker_class": "-k", "timeout": "-t"}
_DEFAULTS = {"forwarder_headers": "SCRIPT_NAME,PATH_INFO", "header_map": "drop"}
_CONFIGURATION = "gunicorn.conf.py"
_COMMAND, _TRUSTED = "GUNICORN_CMD_ARGS", "FORWARDED_ALLOW_IPS"
_ANYBODY = ("*", "0.0.0.0/0", "::/0")


@dataclass(frozen=True, slots=True)
class SettingValue:
    """A setting's value, None where it cannot be told, and where it stands."""

    value: str | None
    where: str


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
    taken = headers.value if headers else _DEFAULTS["forwarder_headers"]
    if trusted is None or trusted.value is None or taken is None:
        return
    names = {name.strip().upper() for name in taken.split(",")}
    open_to = [each for each in trusted.value.split(",") if each.strip() in _ANYBODY]
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
                    value = node.value.value if isinstance(node.value, ast.Constant) else None
                    yield target.id, str(value) if isinstance(value, str | int) else None
