"""Who may change the code that runs, or put more there: users, groups, and whoever uploads."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from ...text import quoted, readable
from ..findings.finding import Diagnosed, Finding, Findings, Subject, listed
from .files import TargetPlace

# Below this, users are the system's: services, not people.
FIRST_PERSON = 1000
APART = "Keep scripts and uploads in separate directories."


@dataclass(frozen=True, slots=True)
class Guarded(Diagnosed):
    """
    A script or a directory of scripts, and what the user knows it by.

    ``user`` is the one that it runs as, where that is known, by number.
    """

    where: str
    path: str
    user: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a path, and the name in it that leads on to the scripts, "" for the last one."""

    path: str
    inner: str
    status: os.stat_result

    @property
    def is_above(self) -> bool:
        """Whether it is a directory above that of the scripts."""
        return bool(self.inner)

    def lets_write(self, bit: int) -> bool:
        """Whether the users of a mode bit can change what is here."""
        mode = self.status.st_mode
        # In a directory such as /tmp nobody can rename what belongs to others.
        return bool(mode & bit) and not (self.is_above and mode & stat.S_ISVTX)

    @property
    def what(self) -> str:
        """What comes of it, behind "may write"."""
        if not stat.S_ISDIR(self.status.st_mode):
            return f"the script {quoted(self.path)}"
        if self.is_above:
            return (
                f"to {quoted(self.path)}, and replace {quoted(self.inner)}, which leads to the "
                "scripts"
            )
        return f"to {quoted(self.path)}, and files put there run"


def writer_findings(guarded: Iterable[Guarded]) -> Findings:
    """Yield who else may change what runs; each path is named once."""
    seen: set[tuple[str, bool, int | None]] = set()
    for each in guarded:
        for step in _steps(each.path):
            key = (step.path, step.is_above, each.user)
            if key in seen:
                # What lies above it has been looked at, too.
                break
            seen.add(key)
            yield from _findings_of_step(each, step)


def _findings_of_step(guarded: Guarded, step: Step) -> Findings:
    path = readable(step.path)
    if step.lets_write(stat.S_IWOTH):
        yield guarded.finding(
            "W012",
            f"any user of this machine may write {step.what}.",
            f"chmod o-w {path}",
        )
    elif guarded.user and _may_change(guarded.user, step):
        yield guarded.finding(
            "W032",
            f"the application runs as {_name(guarded.user)!r}, who may write {step.what}. "
            "Attackers who get into it could change the code for good.",
            f"Let another user own it, and let {_name(guarded.user)} only read it: chown root "
            f"{path}",
        )
    elif step.lets_write(stat.S_IWGRP) and (others := _others(step)):
        yield guarded.finding(
            "W033",
            f"{listed(others, most=3)}, of the group {_group_name(step.status.st_gid)!r}, may "
            f"write {step.what}.",
            f"chmod g-w {path}",
        )


def _steps(path: str) -> Iterator[Step]:
    """The path itself and the directories above it, the innermost first."""
    inner = ""
    is_first_directory = True
    while True:
        try:
            status = os.stat(path.encode("latin-1"))
        except OSError:
            return
        is_directory = stat.S_ISDIR(status.st_mode)
        yield Step(path, "" if is_first_directory else inner, status)
        is_first_directory = is_first_directory and not is_directory
        above, _, inner = path.rpartition("/")
        if not inner:
            return
        path = above or "/"


def _may_change(user: int, step: Step) -> bool:
    # An owner without the right to write may give it to himself.
    return step.status.st_uid == user or (
        step.lets_write(stat.S_IWGRP) and _name(user) in _members(step.status.st_gid)
    )


def _others(step: Step) -> list[str]:
    """The members of a path's group that are neither root nor its owner."""
    return sorted(_members(step.status.st_gid) - {_name(0), _name(step.status.st_uid)})


@lru_cache(maxsize=256)
def _members(group: int) -> frozenset[str]:
    try:
        named = grp.getgrgid(group).gr_mem
    except KeyError:
        named = []
    return frozenset([*named, *_users_by_group().get(group, ())])


@lru_cache(maxsize=1)
def _users_by_group() -> dict[int, list[str]]:
    users: dict[int, list[str]] = {}
    for entry in pwd.getpwall():
        users.setdefault(entry.pw_gid, []).append(entry.pw_name)
    return users


@lru_cache(maxsize=256)
def _name(user: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(user).pw_name
    return f"#{user}"


def _group_name(group: int) -> str:
    with suppress(KeyError):
        return grp.getgrgid(group).gr_name
    return f"#{group}"


@dataclass(frozen=True, slots=True)
class Uploads:
    """Directories into which others than the site's developers write; no slash at the end."""

    media: str | None = None
    static: str | None = None


def root_findings(
    places: Iterable[tuple[Subject, TargetPlace]],
    roots: Iterable[tuple[str, str]],
    uploads: Uploads,
) -> Findings:
    """
    Yield the directories of scripts into which others could put code.

    ``roots`` are the configured ones, as (name of the setting, directory); the directories that
    the aliases lead to are added.
    """
    owners = {root or "/": where for where, root in roots}
    for subject, place in places:
        if place.state == "script":
            owners.setdefault(os.path.dirname(place.path), subject.where)
        elif place.state == "directory":
            owners.setdefault(place.path, subject.where)
    for root, where in owners.items():
        yield from _root_findings(where, root, uploads)


def _root_findings(where: str, root: str, uploads: Uploads) -> Findings:
    if uploads.media and _is_below(root, uploads.media):
        yield Finding(
            "E014",
            where,
            f"scripts are in {quoted(root)}, inside MEDIA_ROOT: uploaded files would run.",
            APART,
        )
    if uploads.static and _is_below(root, uploads.static):
        yield Finding(
            "W014",
            where,
            f"scripts are in {quoted(root)}, inside STATIC_ROOT: anyone can download their source "
            "as static files.",
            "Move the scripts out of STATIC_ROOT.",
        )


def _is_below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")
