"""Frames to a group of a served project that its front would never send."""

from __future__ import annotations

import os
import socket
import time

from django_wsgimatch.daemon.front.front import token_of
from django_wsgimatch.daemon.place import Place
from django_wsgimatch.daemon.servers.directory import Directory, running_servers
from django_wsgimatch.daemon.wire.control import give_order
from django_wsgimatch.daemon.wire.protocol import encode_request
from tests.support.groups import Site, base_of
from tests.support.wsgi import make_environ


def directory_of(at: Site) -> Directory:
    """The folder of a server's sockets."""
    [(_, directory)] = running_servers([base_of(at.project)])
    return directory


def token_at(at: Site, group: str) -> bytes:
    """A place's token, as the manager tells it to the server's user."""
    order = {"do": "place", "process_group": group, "application_group": ""}
    return token_of(give_order(directory_of(at).manager, order))


def request(at: Site, token: bytes, script: str, **more: str) -> bytes:
    """A request for a script of a project, or for one beside it, to the group ``blog``."""
    environ = {**make_environ(), "REMOTE_USER": "admin"}
    environ |= {"mod_wsgi.process_group": "blog", "mod_wsgi.application_group": ""}
    environ["SCRIPT_FILENAME"] = os.path.normpath(at.project / script)
    environ["mod_wsgi.callable_object"] = "application"
    return encode_request({**environ, **more}, {}, 1, time.monotonic(), 0, token)


def answer_to(path: str, data: bytes) -> bytes:
    """What a place says to a request before it closes the connection."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(path)
        connection.sendall(data)
        try:
            return b"".join(iter(lambda: connection.recv(65536), b""))
        except ConnectionResetError:
            return b""


def asked(at: Site, group: str, script: str, **more: str) -> bytes:
    """What a group answers to a request that has its token and names a script."""
    path = directory_of(at).socket(Place(group, ""))
    given = {"mod_wsgi.process_group": group, **more}
    return answer_to(path, request(at, token_at(at, group), script, **given))
