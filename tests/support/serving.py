"""A WSGI server of the standard library without a socket: one request in, one answer out."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from wsgiref.handlers import SimpleHandler
from wsgiref.validate import validator

from tests.support.oracle import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def serve(
    application: WSGIApplication,
    request: Request,
    headers: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    *,
    validate: bool = True,
) -> dict[str, Any]:
    """
    What a server of ``application`` answers: the status, and what a script of ``trees`` says.

    ``variables`` are what else the server puts into the environ. With ``validate``, what breaks
    PEP 3333 is a 500.
    """
    environ = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": request.target,
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": request.target.partition("?")[2],
        "SERVER_NAME": "server.test",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": request.host,
        **{key_of(name): value for name, value in (headers or {}).items()},
        **(variables or {}),
    }
    reply = io.BytesIO()
    handler = SimpleHandler(io.BytesIO(), reply, io.StringIO(), environ)
    handler.run(validator(application) if validate else application)
    head, _, body = reply.getvalue().partition(b"\r\n\r\n")
    said = json.loads(body) if b"application/json" in head else {}
    if "file" in said:
        said["file"] = os.fsencode(said["file"]).decode("latin-1")
    return {"status": int(head.split()[1]), **said}


def key_of(header: str) -> str:
    """The environ's key for a header."""
    return "HTTP_" + header.upper().replace("-", "_")


def no_content(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """A fallback whose answer nobody else gives: 204."""
    start_response("204 No Content", [])
    return []
