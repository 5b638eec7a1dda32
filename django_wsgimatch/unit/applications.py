"""Unit's applications: each becomes a process group, each of its targets what entries name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..daemon.option_values import ANSWERS
from ..others.draft import ROOT_USER, Draft, account_to_allow, path_within
from .members import UnitMember, note_all

_TYPE = re.compile(r"python(?:\s+[0-9.]+)?")
_MODULE = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NOT_WSGI = (
    "{0} is no WSGI application: its URLs answer 403 until you decide. Leave it where it is, and "
    "send it its URLs in the server in front"
)
_ALLOWED = "`serve --allow-user {0}`, started by root, lets it run as its user"
_ISOLATED = (
    "no process group has namespaces, another root or cgroups: say them in the systemd unit of the "
    "server, or of the group (`serve --process-group`)"
)
_OUTPUT = "`log_file` of the process group is the file for both outputs; Unit opens it as root"
# What each becomes, and the least that Unit takes.
_OPTIONS = {
    "user": "user",
    "group": "group",
    "threads": "threads",
    "thread_stack_size": "stack_size",
}
_LIMITS = {"timeout": "request_timeout", "requests": "maximum_requests"}


@dataclass(frozen=True, slots=True)
class UnitTarget:
    """What an entry needs to send requests to an application: ``prefix`` becomes SCRIPT_NAME."""

    group: str
    target: str
    prefix: str
    source: UnitMember


def read_application(draft: Draft, name: str, application: UnitMember) -> dict[str, UnitTarget]:
    """
    Define an application's process group, and return its targets by name, "" for the only one.

    What runs no WSGI application has none.
    """
    if (reason := _not_wsgi(name, application)) is not None:
        note_all(draft, application, "needs you", reason)
        return {}
    group = draft.new_group_name(name)
    targets = _targets(draft, group, application)
    draft.add_group(group, _options(draft, group, application), application.line)
    return targets


def _not_wsgi(name: str, application: UnitMember) -> str | None:
    kind, protocol = application.get("type"), application.get("protocol")
    if kind is None or _TYPE.fullmatch(kind.text or "") is None:
        return _NOT_WSGI.format(f"the application {name}")
    if protocol is not None and protocol.text != "wsgi":
        return _NOT_WSGI.format(f"the application {name} is ASGI: it")
    return None


def _targets(draft: Draft, group: str, application: UnitMember) -> dict[str, UnitTarget]:
    given = application.get("targets")
    found = {}
    sources = {"": application} if given is None else dict(given.items())
    for name, source in sources.items():
        target = _target(draft, group, source)
        if target is not None:
            found[name] = target
    return found


def _target(draft: Draft, group: str, source: UnitMember) -> UnitTarget | None:
    module, callable_, prefix = (source.get(key) for key in ("module", "callable", "prefix"))
    name = "application" if callable_ is None else callable_.text or ""
    path = "" if module is None else module.text or ""
    factory = source.get("factory")
    is_factory = factory is not None and factory.value is True
    if not (_MODULE.fullmatch(path) and _NAME.fullmatch(name)):
        reason = f"{path}:{name} names no module and callable: write an entry for a file"
        note_all(draft, module, "needs you", reason)
        return None
    target = f"{path}:{name}{'()' if is_factory else ''}"
    for each in (module, callable_, factory):
        note_all(draft, each, "kept", f"the target {target}")
    note_all(draft, prefix, "kept", "SCRIPT_NAME of its entries")
    start = "" if prefix is None else (prefix.text or "").removesuffix("/")
    return UnitTarget(group, target, start, source if module is None else module)


def _options(draft: Draft, group: str, application: UnitMember) -> dict[str, Any]:
    # Unit's own defaults, where those of a process group differ.
    options: dict[str, Any] = {"processes": 1, "threads": 1}
    note_all(draft, application.get("type"), "changed", "python_home of a process group names one")
    note_all(draft, application.get("protocol"), "not needed", "WSGI is what there is")
    _carry_processes(draft, group, application.get("processes"), options)
    for key, option in _OPTIONS.items():
        _carry(draft, group, application.get(key), option, options)
    if "user" in options:
        note = _ALLOWED.format(account_to_allow(options))
        note_all(draft, application.get("user"), "kept", note)
    limits = application.get("limits")
    for key, option in _LIMITS.items():
        _carry(draft, group, None if limits is None else limits.get(key), option, options)
    if limits is not None:
        note_all(draft, limits.get("shm"), "not needed", "requests go over a socket here")
    _carry_paths(draft, group, application, options)
    _carry_variables(draft, group, application.get("environment"), options)
    note_all(draft, application.get("isolation"), "needs you", _ISOLATED)
    for key in ("stdout", "stderr"):
        note_all(draft, application.get(key), "needs you", _OUTPUT)
    return options


def _carry(
    draft: Draft, group: str, given: UnitMember | None, option: str, options: dict[str, Any]
) -> None:
    if given is None:
        return
    if option in ("user", "group") and given.value in ("root", "0"):
        note_all(draft, given, "needs you", ROOT_USER)
        return
    try:
        ANSWERS[option].read(given.value, "/")
    except (ValueError, TypeError, OverflowError):
        reason = f"{option} of a process group should be {ANSWERS[option].shape}: write it yourself"
        note_all(draft, given, "needs you", reason)
        return
    options[option] = given.value
    note_all(draft, given, "kept", f"{option} of the process group {group}")


def _carry_processes(
    draft: Draft, group: str, given: UnitMember | None, options: dict[str, Any]
) -> None:
    if given is None or not given.items():
        _carry(draft, group, given, "processes", options)
        return
    _carry(draft, group, given.get("max"), "processes", options)
    reason = f"the process group {group} always has all its processes"
    for key in ("spare", "idle_timeout"):
        note_all(draft, given.get(key), "changed", reason)


def _carry_paths(
    draft: Draft, group: str, application: UnitMember, options: dict[str, Any]
) -> None:
    directory = application.get("working_directory")
    base = "/" if directory is None or directory.text is None else directory.text
    if directory is not None:
        options["home"] = base
        note_all(draft, directory, "kept", f"home of the process group {group}")
    home = application.get("home")
    if home is not None and home.text:
        options["python_home"] = path_within(base, home.text)
        note_all(draft, home, "kept", f"python_home of the process group {group}")
    path = application.get("path")
    if path is not None:
        options["python_path"] = [path_within(base, each) for each in path.texts()]
        note_all(draft, path, "kept", f"python_path of the process group {group}")


def _carry_variables(
    draft: Draft, group: str, given: UnitMember | None, options: dict[str, Any]
) -> None:
    if given is None:
        return
    options["environment"] = {name: each.text or "" for name, each in given.items()}
    note_all(draft, given, "kept", f"environment of the process group {group}")
