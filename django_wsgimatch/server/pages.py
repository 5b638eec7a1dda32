"""The small pages that answer where no application does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_EXPLANATIONS = {
    301: "The resource has moved.",
    400: "The server could not understand the request.",
    401: "This page is for those who log in, and the server could not tell who you are.",
    403: "You do not have permission to access this resource.",
    404: "The requested URL was not found on this server.",
    405: "This resource cannot be asked with this method.",
    408: "The request's body did not come in time.",
    410: "The requested URL is gone for good.",
    411: "A request with this method and body needs a Content-Length.",
    413: "The request's body is longer than this URL takes.",
    416: "The resource has none of the bytes that were asked for.",
    500: "The server could not run the application for this URL. Its log says why.",
    501: "The server does not know this method.",
    503: "The application for this URL cannot be reached. Please try again later.",
    504: "The application for this URL did not answer in time.",
}

# The status lines of these pages, each one object. By the object another layer tells a page of our
# own: what an application says in the same words is another one. No environ and no header has to
# carry a mark, past applications that could see it.
_LINES: dict[str, str] = {}

# These have neither a body nor a type (RFC 9110 15.3.5, 15.4.5).
_WITHOUT_BODY = (204, 304)

# When a client may ask again after a 503, in seconds: what it was refused for passes soon.
RETRY_AFTER = 5

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{status} {phrase}</title>
<h1>{phrase}</h1>
<p>{explanation}</p>
</html>
"""


def error_page(
    status: int,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    more: Sequence[tuple[str, str]] = (),
) -> Iterable[bytes]:
    """
    Answer with an error status and a page that says what it means and nothing of the server.

    ``more`` are headers that the status asks for, such as Allow.
    """
    line, headers, page = _written(status)
    # A server may add to the list.
    if status in _WITHOUT_BODY:
        start_response(line, [*more])
        return []
    start_response(line, [*headers, *more])
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [page]


@cache
def _written(status: int) -> tuple[str, tuple[tuple[str, str], ...], bytes]:
    """The status line, the headers and the page of a status."""
    phrase = _phrase(status)
    explanation = _EXPLANATIONS.get(status, "The server is set up to answer so.")
    page = _PAGE.format(status=status, phrase=phrase, explanation=explanation).encode()
    headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(page)))]
    if status == 503:
        headers.append(("Retry-After", str(RETRY_AFTER)))
    return own_line(status), tuple(headers), page


def own_line(status: int) -> str:
    """Return the status line that the pages here begin with: the same object each time."""
    line = f"{status} {_phrase(status)}"
    return _LINES.setdefault(line, line)


def is_own(line: str) -> bool:
    """Whether a response that begins with a status line, this very object, is a page from here."""
    return _LINES.get(line) is line


def redirect_page(
    status: int, url: str, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Answer with a status that sends the client to another URL, and a page that has the link."""
    phrase = _phrase(status)
    if status in _WITHOUT_BODY:
        start_response(own_line(status), [("Location", url)])
        return []
    explanation = f'The document is <a href="{escape(url)}">here</a>.'
    page = _PAGE.format(status=status, phrase=phrase, explanation=explanation).encode("latin-1")
    headers = [
        ("Location", url),
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", str(len(page))),
    ]
    start_response(own_line(status), headers)
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [page]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Status"


def not_found(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The fallback of a table without one: a WSGI application that answers 404."""
    return error_page(404, environ, start_response)
