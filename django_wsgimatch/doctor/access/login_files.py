"""Files of users and groups: are they there, who can read them, and who could log in."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...answers.access.kept_files import UserFiles
from ...answers.access.passwords import hash_kind
from ...exceptions import AccessFileError
from ...text import quoted, readable
from ..findings.finding import Finding, Findings, listed
from .section_findings import DiagnosedSection

# So many users are named.
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class ServedFolder:
    """A folder whose files can be downloaded, and the name of the setting that says so."""

    path: str
    setting: str

    def holds(self, path: str) -> bool:
        """Whether a file lies in it, wherever links lead."""
        folder, file = (os.path.realpath(each.encode("latin-1")) for each in (self.path, path))
        return os.path.commonpath([folder, file]) == folder


@dataclass(frozen=True, slots=True)
class _LoginFile:
    """A file that a section names."""

    section: DiagnosedSection
    path: str
    is_of_users: bool

    @property
    def what(self) -> str:
        """What it is, and its path."""
        return f"the file of {'users' if self.is_of_users else 'groups'} {quoted(self.path)}"


def login_file_findings(
    sections: Iterable[DiagnosedSection], served: Iterable[ServedFolder]
) -> Findings:
    """Yield what is wrong with the files of users and groups; each is looked at once."""
    folders = tuple(served)
    for file in _files(sections):
        try:
            status = os.stat(file.path.encode("latin-1"))
            files = UserFiles(interval=0)
            users = files.users(file.path) if file.is_of_users else files.groups(file.path)
        except (OSError, ValueError, AccessFileError) as error:
            yield _unreadable(file, error)
            continue
        yield from _downloadable(file, folders)
        if file.is_of_users:
            yield from _open_to_users(file, status)
            yield from _useless(file, {name: str(entry) for name, entry in users.items()})


def _files(sections: Iterable[DiagnosedSection]) -> Iterator[_LoginFile]:
    seen = set()
    for each in sections:
        login = each.section.rules.login
        for path, is_of_users in ((login.users, True), (login.groups, False)):
            if path is not None and (path, is_of_users) not in seen:
                seen.add((path, is_of_users))
                yield _LoginFile(each, path, is_of_users)


def _unreadable(file: _LoginFile, error: Exception) -> Finding:
    reason = error.strerror if isinstance(error, OSError) else str(error).partition(": ")[2]
    outcome = (
        "whoever logs in gets 500" if file.is_of_users else "nobody is a member of any group (401)"
    )
    return file.section.finding(
        "E040",
        f"{file.what} cannot be read: {reason}. Until it can, {outcome}.",
        "Make the file with htpasswd, or correct the path; the server's user must be able to read "
        "it."
        if file.is_of_users
        else "Write a line for each group into it, as in 'staff: ann bob', or correct the path.",
    )


def _downloadable(file: _LoginFile, folders: Iterable[ServedFolder]) -> Findings:
    folder = next((each for each in folders if each.holds(file.path)), None)
    if folder is not None:
        yield file.section.finding(
            "E041",
            f"{file.what} lies below {folder.setting} ({quoted(folder.path)}): it can be "
            "downloaded.",
            "Move it out of every folder that is served, to /etc for example.",
        )


def _open_to_users(file: _LoginFile, status: os.stat_result) -> Findings:
    if status.st_mode & (stat.S_IROTH | stat.S_IWOTH):
        can = "change" if status.st_mode & stat.S_IWOTH else "read"
        yield file.section.finding(
            "W080",
            f"any user of this machine can {can} {file.what}.",
            f"chgrp it to the server's group, and: chmod 640 {readable(file.path)}",
        )


def _useless(file: _LoginFile, users: dict[str, str]) -> Findings:
    names = [readable(name) for name, entry in users.items() if hash_kind(entry) is None]
    if names:
        yield file.section.finding(
            "W084",
            f"{file.what} has entries with which nobody can log in, of {listed(names, _MOST_NAMED)}"
            ": a password in plain text, or a hash of another kind than bcrypt, APR1-MD5, {SHA} "
            "and crypt(3)'s DES, MD5, SHA-256 and SHA-512.",
            "Set these passwords again with htpasswd -B.",
        )
