"""Process groups that would not start, and the cure."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec

from ...aliases.groups import GLOBAL, is_literal
from ...aliases.resolve import Rules
from ...asroot.commands import BY_ROOT
from ...asroot.running import allowed_users
from ...daemon.board import Shape
from ...daemon.group import boot
from ...daemon.group.worker.nesting import refusal_of_interpreters
from ...daemon.manager.starting import GroupAccount, account_of, needs_root, python_of
from ...daemon.options import GroupOptions
from ...daemon.script_owner import ScriptOwner
from ...daemon.servers.directory import try_base
from ...exceptions import SettingError
from ...text import quoted
from ..findings.finding import DiagnosedGroup, Finding, Findings, Progress, Subject, counted, untold
from .environment_files import environment_file_findings
from .pythons import PythonFacts, ask_python, import_error, old_version, trial_findings

OLDEST_PYTHON = (3, 10)
_SWITCH = (
    "Start the server as root, `manage.py wsgimatch serve --user ... --allow-user ...`, or remove "
    "user and group."
)
_LET_IN = (
    "Let that user read it and enter all directories above it; `namei -l` shows which one forbids "
    "it."
)


def undefined_groups(subjects: Iterable[Subject], rules: Rules) -> Findings:
    """Yield the names of process groups that nobody has defined."""
    for where, name in _named_groups(subjects, rules):
        if is_literal(name) and name not in (GLOBAL, *rules.process_groups):
            known = ", ".join(map(quoted, rules.process_groups)) or "none"
            yield Finding(
                "E006",
                where,
                f"the process group {quoted(name)} is not defined; the defined ones are: {known}. "
                "Requests get 500.",
                f"Define it: WSGIMATCH_PROCESS_GROUPS = {{{quoted(name)}: {{...}}}}; or leave it "
                "out.",
            )


def group_findings(
    groups: Mapping[str, GroupOptions],
    *,
    needs_places: bool,
    socket_directory: str,
    nesting: Collection[str] = (),
    progress: Progress = untold,
) -> Findings:
    """
    Yield what keeps process groups from starting; asks their Pythons, so it takes time.

    ``nesting`` are the process groups that are to have sub interpreters.
    """
    if needs_places and find_spec("gunicorn") is None:
        yield Finding(
            "E022",
            "WSGIMATCH_PROCESS_GROUPS",
            "gunicorn is not installed, and process groups run under gunicorn.",
            'pip install "django-wsgimatch[gunicorn]"',
        )
    room = sum(Shape.of(each.processes, each.threads).size for each in groups.values())
    if needs_places and (why := try_base(socket_directory, room)):
        yield Finding(
            "E021",
            "WSGIMATCH_SOCKET_DIRECTORY",
            f"the groups' sockets cannot be created in it: {why}. Requests to groups get 503.",
            "Name a directory that only the server's user can write to: the server makes its own "
            "folder in it. Without the setting, the server chooses one.",
        )
    for name, options in counted(tuple(groups.items()), "process groups", progress):
        yield from _findings_of_group(DiagnosedGroup(name, options), name in nesting)


def _findings_of_group(group: DiagnosedGroup, nests: bool) -> Findings:
    yield from _missing_directories(group)
    yield from environment_file_findings(group)
    yield from _open_socket_folder(group)
    try:
        ScriptOwner.of(group.options.script_user, group.options.script_group)
        account = account_of(group.options, may_switch=True)
        if account is not None and os.geteuid() != 0:
            if account.is_other:
                yield from _not_tried(group, account)
                return
            account = None
    except SettingError as error:
        yield group.finding("E017", f"{error}.", _SWITCH)
        return
    python = python_of(group.options, sys.executable)
    told = ask_python(python, _needed(group.options, account), account)
    if told.version is None:
        told = replace(told, version=old_version(python, account))
    if told.version is None or told.version < OLDEST_PYTHON:
        yield _useless_python(group, python, told, account)
        return
    yield from trial_findings(group, python, account)
    for path in told.unreadable:
        yield group.finding("E017", f"{group.user} cannot read {path!r}.", _LET_IN)
    if nests and (unfit := refusal_of_interpreters(told.version)):
        hint = "Without the setting, each application group has its own processes."
        yield group.finding("E006", f"{unfit}.", hint)
    if group.options.settings:
        has_server_path = group.name == GLOBAL and group.options.python_home is None
        sys_path = [os.path.abspath(path) for path in sys.path] if has_server_path else []
        yield from _unfit_settings(group, import_error(python, group.options, sys_path, account))


def _not_tried(group: DiagnosedGroup, account: GroupAccount) -> Findings:
    """What can be said of a group that runs as another user than this check."""
    allowed = allowed_users(os.getcwd())
    if group.options.socket is not None:
        yield _as_another(group, "`systemctl status` of its unit shows whether it runs.")
    elif allowed is None and BY_ROOT not in os.environ:
        yield group.finding("E017", f"{needs_root(group.options)}.", _SWITCH)
    elif allowed is not None and (reason := _refusal(account, allowed)):
        yield group.finding(
            "E017",
            f"the running server may not start it: {reason} is not allowed. Requests get 503.",
            f"Start the server with --allow-user {group.options.user}, or --allow-user "
            f"{group.options.user}:GROUP for a group that the user is not in.",
        )
    else:
        told = (
            "`manage.py wsgimatch status` shows whether it runs. If it does not, the server's log "
            "says why."
        )
        yield _as_another(group, told)


def _as_another(group: DiagnosedGroup, hint: str) -> Finding:
    return group.finding(
        "W040",
        f"it runs as {group.user}, and this check runs as another. So it did not test "
        "whether that user can run the group's Python and read its files.",
        hint,
    )


def _refusal(account: GroupAccount, allowed: Mapping[int, set[int]]) -> str:
    if account.user not in allowed:
        return f"user {account.user}"
    more = {account.group, *account.groups} - allowed[account.user]
    return f"group {min(more)}" if more else ""


def _unfit_settings(group: DiagnosedGroup, reason: str) -> Findings:
    if reason:
        yield group.finding(
            "E020",
            f"the settings module {group.options.settings!r} does not import there: {reason}.",
            "Add its folder to python_path, and install its dependencies in the group's virtual "
            "environment.",
        )


def _needed(options: GroupOptions, account: GroupAccount | None) -> Iterator[str]:
    """The files and directories that a group's user must be able to read."""
    file = options.environment_file
    # Who checks without an account may be another than the server's user, who alone may read it.
    if file is not None and account is not None and os.path.isfile(file):
        yield file
    yield boot.__file__
    gunicorn = find_spec("gunicorn")
    if gunicorn is not None and gunicorn.origin:
        yield gunicorn.origin
    yield from filter(os.path.isdir, options.python_path)


def _useless_python(
    group: DiagnosedGroup, python: str, told: PythonFacts, account: GroupAccount | None
) -> Finding:
    barred = _barrier(python, account) if account is not None and told.version is None else None
    if barred and group.options.python_home is not None:
        return group.finding(
            "E017",
            f"{group.user} cannot run the Python of python_home {group.options.python_home!r}: "
            f"that user may not enter {barred!r}, on the path to {os.path.realpath(python)!r}.",
            f"{_LET_IN} Or create the virtual environment with a Python that is not in a home "
            "directory: those are private to their owners.",
        )
    if group.options.python_home is None:
        return group.finding(
            "E017",
            f"{group.user} cannot run the server's own Python, {python!r}: {told.reason}.",
            f"{_LET_IN} Or name a python_home.",
        )
    if told.version is not None:
        what = f"Python {'.'.join(map(str, told.version))}"
    else:
        what = f"there is no Python at {python!r}: {told.reason}"
    return group.finding(
        "E018",
        f"python_home {group.options.python_home!r} cannot be used: {what}.",
        "Name a virtual environment or an installation of Python 3.10 or newer: the folder that "
        "contains bin/python.",
    )


def _open_socket_folder(group: DiagnosedGroup) -> Findings:
    """A folder where others could lay a socket of their own for the front to connect to."""
    if group.options.socket is None:
        return
    folder = os.path.dirname(group.options.socket)
    with suppress(OSError):
        mode = stat.S_IMODE(os.stat(folder).st_mode)
        if mode & stat.S_IWOTH:
            yield group.finding(
                "E021",
                f"others can write to {folder!r}, the folder of its socket (mode {mode:04o}). "
                "Anyone who can write there could impersonate the applications.",
                "Put the socket in its own folder, as RuntimeDirectory= makes one, or "
                "ListenStream= with DirectoryMode=0755.",
            )


def _missing_directories(group: DiagnosedGroup) -> Findings:
    python_path = (("python_path", path) for path in group.options.python_path)
    for name, path in (("home", group.options.home), *python_path):
        if path is not None and not os.path.isdir(path):
            yield group.finding(
                "E019",
                f"{name} {path!r} is not a directory.",
                "Fix the path. A relative path starts at settings.BASE_DIR.",
            )


def literal_groups(subject: Subject, rules: Rules) -> tuple[str, str] | None:
    """The names of an alias's groups, None where they differ from request to request."""
    alias = subject.alias
    names = (
        alias.process_group or rules.process_group,
        alias.application_group or rules.application_group,
    )
    return names if all(map(is_literal, names)) else None


def _named_groups(subjects: Iterable[Subject], rules: Rules) -> Iterator[tuple[str, str]]:
    if rules.process_group != GLOBAL:
        yield "WSGIMATCH_PROCESS_GROUP", rules.process_group
    for subject in subjects:
        if subject.alias.process_group is not None:
            yield subject.where, subject.alias.process_group


def _barrier(path: str, account: GroupAccount) -> str | None:
    """What an account may not pass on the way to a file, links followed, or may not run."""
    for step in _way(path):
        try:
            found = os.stat(step)
        except OSError:
            return None
        if not _may_pass(found, account):
            return step
    return None


def _way(path: str) -> Iterator[str]:
    """All directories above a file and above what it is a link to, then the file itself."""
    real = os.path.realpath(path)
    seen: dict[str, None] = {}
    for end in (os.path.abspath(path), real):
        names = end.split("/")[1:-1]
        seen.update(dict.fromkeys("/" + "/".join(names[:count]) for count in range(len(names) + 1)))
    yield from seen
    yield real


def _may_pass(found: os.stat_result, account: GroupAccount) -> bool:
    if found.st_uid == account.user:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid in (account.group, *account.groups):
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)
