"""From the options of a uWSGI to a process group."""

from __future__ import annotations

import glob
import os
from typing import Any

from ..daemon.option_values import ANSWERS
from ..others.draft import ROOT_USER, Draft, account_to_allow, path_within
from .options import UwsgiInstance, UwsgiOption

_MIB, _KIB = 1 << 20, 1 << 10
# What each becomes, and what its number is to be multiplied with; 0 for what is text.
_OPTIONS: dict[str, tuple[str, int]] = {
    "processes": ("processes", 1),
    "threads": ("threads", 1),
    "uid": ("user", 0),
    "gid": ("group", 0),
    "umask": ("umask", 0),
    "harakiri": ("request_timeout", 1),
    "max-requests": ("maximum_requests", 1),
    "max-worker-lifetime": ("restart_interval", 1),
    "listen": ("listen_backlog", 1),
    "limit-as": ("virtual_memory_limit", _MIB),
    "thread-stack-size": ("stack_size", _KIB),
    "prio": ("cpu_priority", 1),
}
_ALLOWED = "`serve --allow-user {0}`, started by root, lets it run as its user"


def add_group(draft: Draft, instance: UwsgiInstance, base: str) -> str:
    """
    Define the process group that runs as an instance does, and return its name.

    ``base`` is the directory that it is started in, or changes to.
    """
    name = draft.new_group_name(_stem(instance.file))
    # uWSGI's own defaults, where those of a process group differ.
    options: dict[str, Any] = {"processes": 1, "threads": 1}
    for key in _OPTIONS:
        if key in ("uid", "gid") and instance.owner is not None:
            continue
        if (given := instance.last(key)) is not None:
            _carry(draft, given, options, name)
            _note_earlier(draft, instance, given)
    _carry_owner(draft, instance, options, name)
    _note_allowed(draft, instance, options)
    _carry_places(draft, instance, options, base, name)
    _carry_environment(draft, instance, options, name)
    draft.add_group(name, options, instance.options[0].line)
    return name


def _stem(file: str) -> str:
    _, colon, section = file.rpartition(":")
    return section if colon and section else os.path.splitext(os.path.basename(file))[0]


def _carry(draft: Draft, given: UwsgiOption, options: dict[str, Any], name: str) -> None:
    option, factor = _OPTIONS[given.key]
    value: Any = given.value
    if factor:
        value = int(value) * factor if _is_whole(value) else value
    if option in ("user", "group") and value in ("root", "0"):
        draft.note(given.line, "needs you", ROOT_USER)
        return
    try:
        ANSWERS[option].read(value, "/")
    except (ValueError, TypeError, OverflowError):
        reason = f"{option} of a process group should be {ANSWERS[option].shape}: write it yourself"
        draft.note(given.line, "needs you", reason)
        return
    options[option] = value
    draft.note(given.line, "kept", f"{option} of the process group {name}")


def _is_whole(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) < 13


def _note_earlier(draft: Draft, instance: UwsgiInstance, last: UwsgiOption) -> None:
    for each in instance.all(last.key):
        if each is not last:
            draft.note(each.line, "not needed", f"{last.line.spot} replaces it")


def _carry_owner(draft: Draft, instance: UwsgiInstance, options: dict[str, Any], name: str) -> None:
    """Take the owner of a vassal's file, which counts with emperor-tyrant, whatever it says."""
    if instance.owner is None:
        return
    user, group = instance.owner
    for key in ("uid", "gid"):
        for each in instance.all(key):
            draft.note(each.line, "not needed", "emperor-tyrant takes the owner of the file")
    if user in ("root", "0"):
        draft.note(instance.options[0].line, "needs you", f"root owns the file: {ROOT_USER}")
        return
    options["user"], options["group"] = user, group
    text = f"the process group {name} runs as the owner of the file, {user}"
    draft.note(instance.options[0].line, "kept", text)


def _note_allowed(draft: Draft, instance: UwsgiInstance, options: dict[str, Any]) -> None:
    """Say how the server is started so that the group runs as its user."""
    if "user" in options:
        given = instance.last("uid") or instance.options[0]
        note = _ALLOWED.format(account_to_allow(options))
        draft.note(given.line if instance.owner is None else instance.options[0].line, "kept", note)


def _carry_places(
    draft: Draft, instance: UwsgiInstance, options: dict[str, Any], base: str, name: str
) -> None:
    for each in instance.all("chdir"):
        draft.note(each.line, "kept", f"home of the process group {name}")
    options["home"] = base
    if (home := instance.last("home")) is not None:
        options["python_home"] = path_within(base, home.value)
        draft.note(home.line, "kept", f"python_home of the process group {name}")
        _note_earlier(draft, instance, home)
    # Each is put before those before it, and all before the directory that uWSGI is in.
    paths = [base]
    for each in instance.all("pythonpath"):
        found = sorted(glob.glob(os.path.join(base, each.value))) or [each.value]
        paths[:0] = reversed([path_within(base, path) for path in found])
        draft.note(each.line, "kept", f"python_path of the process group {name}")
    options["python_path"] = list(dict.fromkeys(paths))


def _carry_environment(
    draft: Draft, instance: UwsgiInstance, options: dict[str, Any], name: str
) -> None:
    variables = {}
    for each in instance.all("env"):
        variable, equals, value = each.value.partition("=")
        if not equals or not variable:
            draft.note(each.line, "needs you", "a variable without a value: leave it out")
            continue
        variables[variable] = value
        draft.note(each.line, "kept", f"environment of the process group {name}")
    if variables:
        options["environment"] = variables
