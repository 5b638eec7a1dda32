"""What a request asks for, from its environ: the uri and the host, as the corridor reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...aliases.hosts.validity import is_valid_host
from ...aliases.resolve import Rules, without_mount_point
from ...aliases.uri import authority_of, from_path_info, parse_target
from ...exceptions import BadTarget
from ...text import cut, shown
from .mount import own_mount_point

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


_LONGEST_SHOWN = 200
# The uri that an entry has made of the request's, which everything behind it works on. As a target
# it begins with the server's own mount point, and it may have two slashes in a row.
REWRITTEN = "wsgimatch.uri"


@dataclass(frozen=True, slots=True)
class Asked:
    """The uri, decoded, normalised and below the server's mount point; and the host."""

    uri: str
    host: str


def asked_of(environ: WSGIEnvironment, rules: Rules) -> Asked | None:
    """
    Return what a request asks for, None where the corridor refuses it before any entry.

    ``environ`` is a WSGI environ, with the target as the server tells it, or without.
    """
    target = request_target(environ)
    mount_point, path = own_mount_point(environ), environ.get("PATH_INFO") or "/"
    if (mount_point and not path.startswith("/")) or lacks_host(environ):
        return None
    host = environ.get("HTTP_HOST", "")
    if host and authority_of(target) is None and not is_valid_host(host):
        return None
    if (rewritten := environ.get(REWRITTEN)) is not None:
        return Asked(without_mount_point(rewritten, mount_point), host)
    try:
        if not target:
            return Asked(from_path_info(path, merge_slashes=rules.merge_slashes), host)
        parsed = parse_target(
            target,
            allow_encoded_slashes=rules.allow_encoded_slashes,
            merge_slashes=rules.merge_slashes,
        )
    except BadTarget:
        return None
    uri = without_mount_point(parsed.uri, mount_point) if mount_point else parsed.uri
    return Asked(uri, host if parsed.host is None else parsed.host)


def request_target(environ: WSGIEnvironment) -> str:
    """Return the request target as the server tells it, "" where it does not."""
    target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    return target


def host_of(environ: WSGIEnvironment) -> str:
    """Return the host that a request names, be it valid or not; "" where it names none."""
    host: str = authority_of(request_target(environ)) or environ.get("HTTP_HOST") or ""
    return host


def shown_target(environ: WSGIEnvironment) -> str:
    """Return what a log shows of a request's target, or of its path where no target is told."""
    return shown(cut(request_target(environ) or environ.get("PATH_INFO", ""), _LONGEST_SHOWN))


def lacks_host(environ: WSGIEnvironment) -> bool:
    """Whether a request of HTTP/1.1 names no host: its header is missing, or empty and all."""
    host = environ.get("HTTP_HOST")
    if host or environ.get("SERVER_PROTOCOL") != "HTTP/1.1":
        return False
    return host is None or authority_of(request_target(environ)) is None
