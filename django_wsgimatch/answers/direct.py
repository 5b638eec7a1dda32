"""What an entry without an application answers a uri with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..aliases.alias import Alias, Redirection
from ..aliases.file_options import FileOptions
from ..aliases.groups import Server
from ..aliases.resolve import Rules
from ..aliases.roots import folder_of
from ..aliases.table import Match
from ..server.pages import error_page
from .extras import with_headers_of_files
from .files.serving import serve_file
from .redirects import send_redirect

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@dataclass(frozen=True, slots=True)
class Direct:
    """
    The answer to a uri of an entry that redirects or has files.

    ``where`` is the URL that it redirects to, "" for a status without one, or the name of the file,
    "" where that would be too long.
    """

    alias: Alias
    uri: str
    where: str


def is_direct(alias: Alias) -> bool:
    """Whether an entry redirects or has files."""
    return isinstance(alias.answer, Redirection | FileOptions)


def direct(match: Match) -> Direct:
    """Return the answer of an entry that redirects or has files to the uri that it matches."""
    return Direct(match.alias, match.uri, match.url or match.filename)


def foretell(
    answer: Direct,
    rules: Rules,
    server: Server,
    query: str = "",
    *,
    scheme: str = "http",
    mount_point: str = "",
) -> tuple[int, str | None]:
    """Return the status that a GET would be answered with, and where it would be sent to."""
    environ = {
        "REQUEST_METHOD": "HEAD",
        "SCRIPT_NAME": "",
        "PATH_INFO": answer.uri,
        "QUERY_STRING": query,
        "SERVER_NAME": server.name,
        "SERVER_PORT": server.port,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": scheme,
    }
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
        started.append((status, headers))

    body = send(
        answer, mount_point, rules, environ, start_response, server_of=lambda environ: server
    )
    for _ in body:
        pass
    if (close := getattr(body, "close", None)) is not None:
        close()
    status, headers = started[-1]
    return int(status[:3]), dict(headers).get("Location")


def send(
    answer: Direct,
    mount_point: str,
    rules: Rules,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    *,
    server_of: Callable[[WSGIEnvironment], Server],
) -> Iterable[bytes]:
    """
    Answer one request (PEP 3333).

    ``mount_point`` is what the server itself has taken off the uri. ``server_of`` tells what host a
    request was sent to.
    """
    given = answer.alias.answer
    if isinstance(given, Redirection):
        return send_redirect(
            given.status,
            answer.where,
            environ,
            start_response,
            server=server_of(environ),
            mount_point=mount_point,
        )
    return send_from_folder(answer, mount_point, rules, environ, start_response)


def send_from_folder(
    answer: Direct,
    mount_point: str,
    rules: Rules,
    environ: WSGIEnvironment,
    start_response: StartResponse,
) -> Iterable[bytes]:
    """Answer one request (PEP 3333) for a file of an entry; the rest as send() has it."""
    given = answer.alias.answer
    assert isinstance(given, FileOptions)
    if not answer.where:
        return error_page(500, environ, start_response)
    own = given.follow_symlinks
    start_response = with_headers_of_files(answer.alias.extras, start_response)
    return serve_file(
        answer.where,
        environ,
        start_response,
        given,
        uri=mount_point + answer.uri,
        base_directory=rules.base_directory,
        roots=folder_of(answer.alias, rules.base_directory),
        follow_symlinks=rules.follow_symlinks if own is None else own,
    )
