"""Where a trusted proxy says that the site is mounted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# What SCRIPT_NAME means in an environ in which a proxy has told it: BEFORE or IN_PLACE, and then
# the server's own SCRIPT_NAME, which alone stands in the request target. The wrapper leaves it for
# the dispatcher.
MOUNT = "wsgimatch.mount"
# It stands before that of the alias, or takes its place.
BEFORE, IN_PLACE = "+", "="

# No segment is empty, and a browser takes a backslash for a slash: "//host" is another site.
_PREFIX = re.compile(r"(?:/[^/\\?#\x00-\x1f\x7f]+)*")
_DOTS = re.compile(r"/\.\.?(?:/|\Z)")


def clean_prefix(text: str) -> str | None:
    """
    Return a prefix without the slashes at its end, None for what can be none.

    None are ``//host``, which names another site in a link, a path with dots or with a query.
    """
    prefix = text.rstrip("/")
    return prefix if _PREFIX.fullmatch(prefix) and not _DOTS.search(prefix) else None


def put_before(environ: WSGIEnvironment, prefix: str) -> None:
    """Let a prefix stand before the SCRIPT_NAME of the server and of the alias."""
    if prefix:
        own = own_mount_point(environ)
        environ["SCRIPT_NAME"] = prefix + own
        environ[MOUNT] = BEFORE + own


def put_in_place(environ: WSGIEnvironment, script_name: str) -> None:
    """Let a SCRIPT_NAME take the place of that of the server and of the alias."""
    own = own_mount_point(environ)
    # The dispatcher looks for mount points where this is not empty, and makes it so.
    environ["SCRIPT_NAME"] = script_name or "/"
    environ[MOUNT] = IN_PLACE + own


def own_mount_point(environ: WSGIEnvironment) -> str:
    """Return the part of SCRIPT_NAME that the request target begins with."""
    mount: str | None = environ.get(MOUNT)
    own: str = environ.get("SCRIPT_NAME", "") if mount is None else mount[1:]
    return own


def replaces_script_name(environ: WSGIEnvironment) -> bool:
    """Whether a proxy has told the whole SCRIPT_NAME of the application."""
    mount: str = environ.get(MOUNT, "")
    return mount[:1] == IN_PLACE


def script_name_below(environ: WSGIEnvironment, script_name: str) -> str:
    """Return the SCRIPT_NAME of an application, of that of its alias."""
    given: str = environ.get("SCRIPT_NAME", "").rstrip("/")
    return given if replaces_script_name(environ) else given + script_name
