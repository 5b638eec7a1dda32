"""
Files below an Alias, as Apache's default handler, mod_dir, mod_mime and mod_expires answer.

A file is opened and looked at for each request, so what was uploaded a moment ago is served and
what was deleted is not.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from ...aliases.file_options import FileOptions
from ...aliases.target import FollowSymlinks
from ...exceptions import TargetError
from ...server.pages import error_page
from ...text import quoted
from .codings import accepted
from .media_types import DIRECTORY_TYPE, describe
from .redirect import absolute_url
from .representation import Headers, expires_of_type, expiry
from .sending import OpenFile, send_file
from .walk import FoundFile, close, exists_at, find_file

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger("django_wsgimatch")

Find = Callable[..., FoundFile]

ALLOW = ("Allow", "HEAD,GET,POST,OPTIONS")
# The default handler sends a file for POST, too.
READING = frozenset({"GET", "HEAD", "POST"})
# Methods that Apache knows and the default handler does not; others are 501.
KNOWN = frozenset(
    (
        *("PUT", "DELETE", "CONNECT", "TRACE", "PATCH", "PROPFIND", "PROPPATCH", "MKCOL", "COPY"),
        *("MOVE", "LOCK", "UNLOCK", "VERSION-CONTROL", "CHECKOUT", "UNCHECKOUT", "CHECKIN"),
        *("UPDATE", "LABEL", "REPORT", "MKWORKSPACE", "MKACTIVITY", "BASELINE-CONTROL", "MERGE"),
    )
)

# What a redirect is to mod_expires.
_PAGE: Headers = (("Content-Type", "text/html"),)

MISSING = "File does not exist"
NO_INDEX = "No matching DirectoryIndex found"
UNREADABLE = "File permissions deny access"


def serve_file(
    filename: str,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    options: FileOptions,
    *,
    uri: str,
    base_directory: str = "/",
    roots: tuple[str, ...] | None = None,
    follow_symlinks: FollowSymlinks = True,
) -> Iterable[bytes]:
    """
    Answer a request (PEP 3333) with a file, as Apache does below an Alias.

    ``filename`` is what the entry makes of the uri, ``uri`` the decoded path of the whole URL,
    with the server's own SCRIPT_NAME; both are latin-1. ``roots`` are the directories that files
    may lie in, None for any.
    """
    find: Find = partial(
        find_file, base_directory=base_directory, roots=roots, follow_symlinks=follow_symlinks
    )
    method = environ["REQUEST_METHOD"]
    reading = method in READING
    try:
        found = find(filename, reading=reading)
        if found.is_directory and method != "TRACE":
            if uri[-1:] != "/":
                return _redirect(uri + "/", found, options, environ, start_response)
            indexed = _find_index(find, found, options, reading)
            if isinstance(indexed, str):
                return _redirect(uri + indexed, found, options, environ, start_response)
            found = indexed
    except TargetError as error:
        return _refuse(error.status, error.reason, uri, environ, start_response)
    if not reading:
        return _answer_without_file(found, options, environ, start_response)
    if found.descriptor is None or found.status is None:
        status, reason = _why_not(found, method)
        return _refuse(status, reason, uri, environ, start_response)
    file = OpenFile(found.descriptor, found.path, found.path, found.status)
    if options.precompressed:
        file = _compressed(find, file, environ)
    return send_file(file, options, environ, start_response)


def _find_index(
    find: Find, directory: FoundFile, options: FileOptions, reading: bool
) -> FoundFile | str:
    """
    Return the file that answers for a directory, or the directory where there is none.

    Where the index is a directory itself, return what its URL has behind the other's. Raises
    TargetError where an index is there that nobody may come to, and no other.
    """
    refused: TargetError | None = None
    for name in options.index:
        try:
            found = find(f"{directory.path}/{name}", reading=reading)
        except TargetError as error:
            refused = error
            continue
        if found.is_file:
            return found
        if found.is_directory:
            return name.rstrip("/") + "/"
    if refused is not None:
        raise refused
    return directory


def _compressed(find: Find, file: OpenFile, environ: WSGIEnvironment) -> OpenFile:
    """Return the compressed file beside a file that the client prefers, or that file."""
    for coding, suffix in accepted(environ.get("HTTP_ACCEPT_ENCODING", "")):
        try:
            # Optimization: most have none; to find that out by walking took 18 us instead of 3.
            if not exists_at(file.path + suffix):
                continue
            found = find(file.path + suffix)
        except TargetError:
            continue
        if found.descriptor is None or found.status is None:
            continue
        # One that is older was made of what the file held before.
        if int(found.status.st_mtime) >= int(file.status.st_mtime):
            file.close()
            return OpenFile(found.descriptor, found.path, file.path, found.status, coding)
        close(found)
    return file


def _why_not(found: FoundFile, method: str) -> tuple[int, str]:
    """The status and the reason where there is no file to send."""
    if found.is_directory:
        # mod_autoindex refuses GET and HEAD; the default handler has nothing for POST.
        return (404 if method == "POST" else 403), NO_INDEX
    return (403, UNREADABLE) if found.is_file else (404, MISSING)


def _answer_without_file(
    found: FoundFile,
    options: FileOptions,
    environ: WSGIEnvironment,
    start_response: StartResponse,
) -> Iterable[bytes]:
    """Answer a method that gets no file, whether there is one or not."""
    method = environ["REQUEST_METHOD"]
    if method != "OPTIONS":
        status = 405 if method in KNOWN else 501
        return error_page(status, environ, start_response, [ALLOW])
    described: Headers = describe(found.path.rpartition("/")[2], options)
    if found.is_directory:
        described = (("Content-Type", options.forced_type or DIRECTORY_TYPE),)
    added = _expiry(described, found.status, options)
    headers = [ALLOW, ("Content-Length", "0"), *described, *added]
    if options.cache_control is not None:
        headers = [each for each in headers if each[0] != "Cache-Control"]
        headers.append(("Cache-Control", options.cache_control))
    start_response("200 OK", headers)
    return []


def _refuse(
    status: int, reason: str, uri: str, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    if logger.isEnabledFor(logging.INFO):
        # Any visitor can cause it.
        logger.info("%s: %s", quoted(uri), reason)
    return error_page(status, environ, start_response)


def _redirect(
    uri: str,
    directory: FoundFile,
    options: FileOptions,
    environ: WSGIEnvironment,
    start_response: StartResponse,
) -> Iterable[bytes]:
    """Send a client to a directory's own URL, as fixup_dir() does."""
    location = ("Location", absolute_url(uri, environ))
    added = _expiry(_PAGE, directory.status, options)
    return error_page(301, environ, start_response, [location, *added])


def _expiry(described: Headers, status: os.stat_result | None, options: FileOptions) -> Headers:
    expires = expires_of_type(described, options)
    if expires is None:
        return ()
    return expiry(expires, None if status is None else status.st_mtime_ns, time.time())
