"""Ask a WSGI application as a server would, both sides held to PEP 3333 by wsgiref.validate."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# What a server's own environ gains.
FOR_LOGS = {
    *("wsgimatch.alias", "wsgimatch.process_group", "wsgimatch.script_name"),
    *("REMOTE_USER", "AUTH_TYPE"),
}
# A script that answers with the text in its environ, and looks at it as a validating server does.
TELL = """\
import json
from wsgiref.validate import validator

def tell(callable_object):
    @validator
    def application(environ, start_response):
        said = {name: value for name, value in environ.items() if type(value) is str}
        said |= {"__file__": __file__, "__name__": __name__, "callable": callable_object}
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(said).encode()]
    return application

application = tell("application")
other = tell("other")
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an application answered."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def code(self) -> int:
        return int(self.status[:3])

    @property
    def told(self) -> dict[str, str]:
        """What a script that holds ``TELL`` was given."""
        said: dict[str, str] = json.loads(self.body)
        return said

    @property
    def corridor(self) -> tuple[int, str | None, str | None, str | None]:
        """Status, script, SCRIPT_NAME and PATH_INFO."""
        said = self.told if self.code == 200 else {}
        found = [said.get(name) for name in ("SCRIPT_FILENAME", "SCRIPT_NAME", "PATH_INFO")]
        return (self.code, found[0], found[1], found[2])


def make_environ(
    target: str = "/",
    *,
    method: str = "GET",
    script_name: str = "",
    headers: Mapping[str, str] | None = None,
    without: Iterable[str] = (),
    **more: Any,
) -> WSGIEnvironment:
    """The environ that gunicorn makes of a request target (latin-1), ``without`` some, and more."""
    path, _, query = target.partition("?")
    decoded = unquote_to_bytes(path.encode("latin-1")).decode("latin-1")
    environ: dict[str, Any] = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "REQUEST_METHOD": method,
        "QUERY_STRING": query,
        "RAW_URI": target,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "HTTP_HOST": "localhost",
        "SCRIPT_NAME": script_name,
        # What a server makes of "*" or an absolute form differs; nobody should look at it here.
        "PATH_INFO": decoded.removeprefix(script_name) if decoded.startswith("/") else "/",
        **{"HTTP_" + name.upper().replace("-", "_"): v for name, v in (headers or {}).items()},
    }
    return {name: value for name, value in environ.items() if name not in without} | more


def call(application: WSGIApplication, environ: WSGIEnvironment) -> Answer:
    """Ask once and read the whole answer; the environ may gain what is for an access log alone."""
    started: list[tuple[str, list[tuple[str, str]]]] = []
    seen: list[tuple[WSGIEnvironment, WSGIEnvironment]] = []

    def watched(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen.append((environ, dict(environ)))
        return application(environ, start_response)

    def start_response(status, headers, exc_info=None):
        if exc_info:
            # What has been started and not sent is replaced (PEP 3333).
            started.clear()
        started.append((status, headers))
        return lambda data: None

    answered = validator(watched)(dict(environ), start_response)
    try:
        body = b"".join(answered)
    finally:
        answered.close()  # type: ignore[attr-defined]
    kept = [{k: v for k, v in after.items() if k not in FOR_LOGS} for after, _ in seen]
    assert kept == [before for _, before in seen]
    [(status, headers)] = started
    return Answer(status, headers, body)


def get(application: WSGIApplication, target: str = "/", **environ: Any) -> Answer:
    """Ask for a request target."""
    return call(application, make_environ(target, **environ))


def write_scripts(directory: Path, *names: str, source: str = TELL) -> Path:
    """Write scripts below a directory and return the first."""
    for name in names:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return directory / names[0]
