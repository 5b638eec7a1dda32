"""
A group's first process, where it has one of its own: ``serve --process-group`` becomes it.

What holds for all processes of a group, as mod_wsgi does before it starts Python, is set here; a
group that shares its arbiter's process with others sets it in each process that is forked.
"""

from __future__ import annotations

import importlib
import json
import locale
import logging
import os
import sys
import threading
from contextlib import suppress

from ..group_spec import Descriptors, GroupSpec
from .arbiter import GroupApplication, GroupArbiter, take_log
from .environment_file import read_environment_file
from .paths import set_sys_path
from .worker.group import Group

logger = logging.getLogger("django_wsgimatch")


def run_arbiter(text: str) -> None:
    """Run a group until it is told to end. ``text`` is the manager's JSON."""
    told = json.loads(text)
    spec = GroupSpec.from_json(told["spec"])
    set_up_process(spec)
    group = Group(spec, Descriptors(**told["descriptors"]), told["packages"])
    arbiter = GroupArbiter(GroupApplication(group))
    take_log(arbiter.log, told["zone"])
    arbiter.run()


def set_up_process(spec: GroupSpec) -> None:
    """Do what holds for all processes of a group, as mod_wsgi does before it starts Python."""
    options = spec.options
    if spec.backend != "process":
        # Before the application's folders are in sys.path; few groups have sub interpreters.
        importlib.import_module("django_wsgimatch.daemon.group.worker.nesting")
    show_name(spec.display_name)
    if options.environment_file:
        os.environ.update(read_environment_file(options.environment_file))
    os.chdir(options.home or spec.directory)
    if options.umask is not None:
        os.umask(options.umask)
    set_what_may_fail(spec)
    if options.switch_interval:
        sys.setswitchinterval(options.switch_interval)
    set_sys_path(spec.sys_path, options.python_path)
    sys.argv[:] = ["mod_wsgi"]
    for stream in (sys.stdout, sys.stderr):
        # What an application prints should be read at once, and must never be an error.
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]


def set_what_may_fail(spec: GroupSpec) -> None:
    """Set what a machine may not have or allow; as in mod_wsgi the group starts without it."""
    options, name = spec.options, spec.place.label
    if options.cpu_priority:
        try:
            os.setpriority(os.PRIO_PROCESS, 0, options.cpu_priority)
        except OSError as error:
            text = "Couldn't set CPU priority %d of process group '%s': %s."
            logger.warning(text, options.cpu_priority, name, error.strerror)
    if options.locale:
        try:
            locale.setlocale(locale.LC_ALL, options.locale)
        except locale.Error:
            text = (
                "Unsupported locale setting '%s' of process group '%s'. Consider using 'C.UTF-8'."
            )
            logger.warning(text, options.locale, name)
    if options.stack_size:
        try:
            threading.stack_size(options.stack_size)
        except ValueError as error:
            text = "Couldn't set stack size %d of process group '%s': %s."
            logger.warning(text, options.stack_size, name, error)


def show_name(name: str) -> None:
    """Let lists of processes show a name, as far as the kernel has room for it (15 bytes)."""
    with suppress(OSError), open("/proc/self/comm", "wb", buffering=0) as file:
        file.write(name.encode("latin-1", "replace")[:15])


def show_words(name: str) -> None:
    """Let lists of processes show a name as the last word of this process's command line."""
    with suppress(OSError, ValueError, IndexError):
        with open("/proc/self/stat", encoding="latin-1") as file:
            start, end = map(int, file.read().rpartition(")")[2].split()[45:47])
        with open("/proc/self/cmdline", "rb") as file:
            words = file.read().split(b"\0")
        own = b"\0".join([*words[:2], name.encode("latin-1", "replace")])
        with open("/proc/self/mem", "r+b", buffering=0) as memory:
            memory.seek(start)
            memory.write(own[: end - start - 1].ljust(end - start, b"\0"))
