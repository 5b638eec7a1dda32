"""The folders of entries that answer with files: whether they are there, and what lies in them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from ...aliases.file_options import FileOptions
from ...aliases.resolve import Rules
from ...aliases.roots import folder_of
from ...text import quoted, readable
from ..findings.finding import Findings, Subject, listed
from .files import TargetPlace
from .listing import Listings

# So many folders of an entry are looked at, so deep, and so many files are named.
_MOST_FOLDERS, _DEEPEST, _MOST_NAMED = 500, 4, 3
# What holds source, passwords or data, by the whole name of a file or folder.
_PRIVATE = re.compile(
    r"\.git|\.hg|\.svn|\.env(?:\..*)?|\.ht(?:passwd|access|group).*|\.netrc|\.pgpass|id_(?:rsa|ed25519)"
    r"|.*\.(?:py|pyc|wsgi|sqlite3?|db|pem|key|kdbx|sql(?:\.gz)?|bak|swp)",
    re.IGNORECASE,
)


def served_findings(
    subjects: Iterable[Subject],
    places: Iterable[tuple[Subject, TargetPlace]],
    rules: Rules,
    listings: Listings,
    guarded: Callable[[Subject, str], bool],
) -> Findings:
    """
    Yield what is wrong with the folders of entries.

    ``places`` are those of the scripts, ``guarded`` tells whether access rules hold for a uri.
    """
    scripts = {script for _, place in places for script in (*place.scripts, *place.below)}
    for subject in subjects:
        if isinstance(subject.alias.answer, FileOptions):
            [folder] = folder_of(subject.alias, rules.base_directory)
            yield from _folder_findings(subject, folder)
            inside = [script for script in scripts if script.startswith(f"{folder}/")]
            private = dict.fromkeys((*_private_below(folder, listings), *inside))
            yield from _private_files(subject, folder, private, guarded)


def _folder_findings(subject: Subject, folder: str) -> Findings:
    path = os.fsencode(folder.encode("latin-1"))
    target = quoted(subject.alias.target)
    if not os.path.exists(path):
        if os.path.lexists(path):
            what = f"{quoted(folder)} is a link that leads nowhere"
        else:
            what = f"there is no {quoted(folder)}"
        yield subject.finding(
            "E050",
            f"the path {target} does not exist: {what}. {_effect(subject, 404)}",
            "Make it, as `manage.py collectstatic` does for static files, or fix the path. A "
            "relative path starts at settings.BASE_DIR.",
        )
        return
    is_folder = os.path.isdir(path)
    if subject.alias.target.endswith("/") and not is_folder:
        yield subject.finding(
            "E050",
            f"the path {target} ends in a slash, and {quoted(folder)} is a file. "
            f"{_effect(subject, 404)}",
            "Remove the slash.",
        )
    elif not os.access(path, os.R_OK | (os.X_OK if is_folder else 0)):
        yield subject.finding(
            "E051",
            f"this user may not read {quoted(folder)}. {_effect(subject, 403)}",
            "Let the server's user read it and enter all directories above it: namei -l "
            f"{readable(folder)}",
        )


def _comes_first(subject: Subject) -> bool:
    """Whether the files come before the table, which answers where they are not there."""
    return subject.where.startswith("WSGIMATCH_FILES_FIRST")


def _effect(subject: Subject, status: int) -> str:
    if _comes_first(subject):
        return "No file answers first."
    return f"Every request gets {status}."


def uploaded_findings(subjects: Iterable[Subject], media: str | None, rules: Rules) -> Findings:
    """Yield the files before the table whose folder takes uploads, at URLs of their choice."""
    for subject in subjects:
        [folder] = folder_of(subject.alias, rules.base_directory)
        is_upload = media is not None and f"{folder}/".startswith(f"{media.rstrip('/')}/")
        if is_upload and subject.alias.location == "/":
            yield subject.finding(
                "W100",
                f"uploaded files are in {quoted(folder)}, and answer any URL before the "
                "application does: what somebody has uploaded as 'login' is the page of /login.",
                "Serve MEDIA_ROOT below a location of its own: alias('/media', MEDIA_ROOT) in "
                "WSGIMATCH_ALIASES.",
            )


def _private_files(
    subject: Subject,
    folder: str,
    paths: Iterable[str],
    guarded: Callable[[Subject, str], bool],
) -> Findings:
    if subject.alias.kind != "plain":
        return
    uris = ((path, _uri_of(subject, folder, path)) for path in paths)
    named = [(path, uri) for path, uri in uris if uri is not None and not guarded(subject, uri)]
    if named:
        path, uri = named[0]
        names = listed([quoted(path) for path, _ in named], most=_MOST_NAMED)
        place = "in WSGIMATCH_ALIASES" if _comes_first(subject) else "before this entry"
        yield subject.finding(
            "W092",
            f"anyone can download {names}: {quoted(uri)} is answered with {quoted(path)}.",
            "Keep in that folder only what everybody may have, or close the rest "
            f"{place}: deny_match(r'/\\.|\\.(py|sqlite3)$').",
        )


def _private_below(folder: str, listings: Listings) -> Iterator[str]:
    """The files and folders below a folder by whose names one knows them, the nearest first."""
    level = [folder]
    left = _MOST_FOLDERS
    for _ in range(_DEEPEST):
        deeper = []
        for path in level:
            found = listings[path]
            private = [name for name in (*found.directories, *found.files) if _is_private(name)]
            yield from (f"{path}/{name}" for name in private)
            deeper += [f"{path}/{name}" for name in found.directories if name not in private]
        level = list(islice(deeper, left))
        left -= len(level)


def _is_private(name: str) -> bool:
    return _PRIVATE.fullmatch(name) is not None


def _uri_of(subject: Subject, folder: str, path: str) -> str | None:
    """The uri that an entry answers with a file, None where another entry takes it."""
    uri = subject.alias.location.rstrip("/") + path[len(folder) :]
    match = subject.match(uri)
    if match is None:
        return None
    found = os.path.normpath(match.filename)
    # A relative one begins elsewhere.
    is_it = found == path if found.startswith("/") else path.endswith(f"/{found}")
    return uri if is_it else None
