"""What a request's path is remembered by, where that is not simply its request target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..answers.proxies.mount import MOUNT, own_mount_point
from .targets import is_clean, is_own_target, quoted_path

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def unusual_key(environ: WSGIEnvironment, target: str | None) -> str | None:
    """
    What a request's path is remembered by, where the request target is not simply its own.

    That is below a SCRIPT_NAME of the server's, and where it does not tell the target. None where
    the corridor must be walked.
    """
    script_name, path_info = environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "")
    if not target:
        path = path_info if is_own_target(path_info) else quoted_path(path_info)
        if not script_name:
            return path or "/"
        mount_point = own_mount_point(environ)
        if (mount_point and not is_clean(mount_point)) or path[:1] not in ("/", ""):
            return None
        if "/." in path:
            return None
        path = mount_point.rstrip("/") + path
    else:
        path, _, query = target.partition("?")
        if path_info[:1] not in ("/", "") or "#" in query or " " in query:
            return None
        if not query.isprintable():
            return None
    # Optimization: a call of before_path() for all of them took 0.1 us of 1.1.
    return f"{before_path(environ)}{path}" if MOUNT in environ else f"{script_name}%{path}"


def before_path(environ: WSGIEnvironment) -> str:
    """
    What stands before the path in an unusual key: all that a SCRIPT_NAME decides.

    No target that can be decoded holds a percent sign before a slash, and no SCRIPT_NAME of a
    server begins as MOUNT does.
    """
    script_name: str = environ.get("SCRIPT_NAME", "")
    mount: str | None = environ.get(MOUNT)
    return f"{script_name}%" if mount is None else f"{mount}%{script_name}%"
