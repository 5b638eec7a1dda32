"""Pages of the settings in place of our own small ones: what Apache does for ErrorDocument."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes

from ..aliases.uri import authority_of
from ..answers.proxies.asked import host_of, request_target
from ..answers.proxies.mount import own_mount_point, replaces_script_name
from ..daemon.log_limits import ONCE_IN, Seldom
from ..entry_options.error_pages import ErrorPage, PagesByHost
from .pages import is_own, own_line, redirect_page

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("django_wsgimatch")

# As Apache sends the text of an ErrorDocument.
_TEXT = "text/html; charset=iso-8859-1"
# What a page says of its own body, and what is only said with the status of the error.
_OF_BODY = ("content-type", "content-length")
_OF_STATUS = ("allow", "www-authenticate", "retry-after")
# The request for a page is a GET without a body and without conditions: a page of an error is
# neither "not modified" nor a part of itself.
_NOT_ASKED = frozenset(
    (
        *("CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"),
        *("HTTP_EXPECT", "HTTP_RANGE", "HTTP_IF_RANGE", "HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"),
        *("HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE", "REDIRECT_QUERY_STRING"),
    )
)

_AGAIN = "%s answers %s itself: clients get the small page"

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Error:
    """A page of our own that has been made and not sent: what it began with."""

    line: str
    headers: Headers
    # What start_response() was told beside these: that it takes the place of another response.
    more: tuple[Any, ...]

    def kept(self) -> Headers:
        """Return the headers that are the error's, whatever page is sent."""
        return [(name, value) for name, value in self.headers if name.lower() not in _OF_BODY]


class _Start:
    """A start_response() that holds back pages of our own, as long as the application is called."""

    def __init__(self, start_response: StartResponse, is_held: Callable[[str], bool]) -> None:
        self._start_response = start_response
        self._is_held: Callable[[str], bool] | None = is_held
        self._error: _Error | None = None

    def __call__(self, status: str, headers: Headers, *more: Any) -> Callable[[bytes], object]:
        if self._is_held is None or not self._is_held(status):
            return self._start_response(status, headers, *more)
        self._error = _Error(status, headers, more)
        return _write_nothing

    def held(self) -> _Error | None:
        """Return what was held back, and let all pass from now on."""
        self._is_held = None
        return self._error


class ErrorPages:
    """
    A WSGI application that asks another one, and replaces the small pages of errors.

    ``pages`` are those of WSGIMATCH_ERROR_PAGES. What an application answers stays as it is. For a
    URL-path the same application is asked again, access rules and all; where that is an error too,
    or a redirect, the client gets the small page of the first error. Mirrors ap_die() and
    ap_send_error_response().
    """

    def __init__(self, application: WSGIApplication, pages: PagesByHost) -> None:
        self.application = application
        self._pages = pages
        self._statuses = {own_line(status): status for status in pages.statuses}
        self._seldom = Seldom(ONCE_IN)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        # What the layers below add to the environ is not the next request's.
        asked = {**environ}
        start = _Start(start_response, lambda line: self._page(line, asked) is not None)
        body = self.application(environ, start)
        error = start.held()
        page = None if error is None else self._page(error.line, asked)
        if error is None or page is None:
            return body
        if page.kind == "path":
            return self._ask(page, error, body, asked, start_response)
        _close(body)
        if page.kind == "text":
            return _send_text(page.value, error, asked, start_response)
        return redirect_page(302, page.value, asked, _started_instead(error, start_response))

    def _page(self, line: str, environ: WSGIEnvironment) -> ErrorPage | None:
        """Return what takes the place of a response that begins with a line, None for nothing."""
        status = self._statuses.get(line)
        if status is None or not is_own(line):
            return None
        return self._pages.for_host(host_of(environ)).get(status)

    def _ask(
        self,
        page: ErrorPage,
        error: _Error,
        small: Iterable[bytes],
        asked: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        """Answer with what a URL-path answers, or with the small page where that is an error."""
        start = _Start(_started_as(error, start_response), is_own)
        try:
            body = self.application(_environ_for(page.value, error, asked), start)
        except Exception:
            logger.exception("Error in %s", _told(page))
            start_response(error.line, error.headers, sys.exc_info())
            return small
        if (again := start.held()) is not None:
            _close(body)
            if self._seldom.is_due(page.where):
                logger.warning(_AGAIN, _told(page), again.line)
            start_response(error.line, error.headers, *error.more)
            return small
        _close(small)
        return _without_body(body) if asked["REQUEST_METHOD"] == "HEAD" else body


def _send_text(
    text: str, error: _Error, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Answer with a text of the settings; what the charset has no byte for is a reference."""
    page = text.encode("latin-1", "xmlcharrefreplace")
    headers = [("Content-Type", _TEXT), ("Content-Length", str(len(page)))]
    start_response(error.line, [*headers, *error.kept()], *error.more)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [page]


def _started_instead(error: _Error, start_response: StartResponse) -> StartResponse:
    """Return what starts a response with another status than the error's."""
    kept = [each for each in error.kept() if each[0].lower() not in _OF_STATUS]
    return lambda status, headers, *more: start_response(status, [*headers, *kept], *error.more)


def _started_as(error: _Error, start_response: StartResponse) -> StartResponse:
    """
    Return what starts the response of a page: the status is the error's, unless it has its own.

    Under mod_wsgi even the 200 of an application is sent: a page of an error that is none.
    """

    def start(status: str, headers: Headers, *more: Any) -> Callable[[bytes], object]:
        line = error.line if status[:3] == "200" else status
        own = {name.lower() for name, _ in headers}
        kept = [each for each in error.kept() if each[0].lower() not in own]
        return start_response(line, [*headers, *kept], *(more or error.more))

    return start


def _environ_for(target: str, error: _Error, asked: WSGIEnvironment) -> WSGIEnvironment:
    """
    Return the environ of the request for a page, as after an internal redirect of Apache's.

    A SCRIPT_URL is added to what Apache says: Django takes REDIRECT_URL for the page's own URL
    where there is none, and all links of the page would lead astray.
    """
    path, _, query = target.partition("?")
    mount_point, path_info = own_mount_point(asked), unquote_to_bytes(path).decode("latin-1")
    environ = {name: value for name, value in asked.items() if name not in _NOT_ASKED}
    if (authority := authority_of(request_target(asked))) is not None and "HTTP_HOST" in asked:
        environ["HTTP_HOST"] = authority
    for name in ("RAW_URI", "REQUEST_URI"):
        if name in environ:
            environ[name] = quote(mount_point, encoding="latin-1") + target
    environ |= {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path_info,
        "QUERY_STRING": query,
        "wsgi.input": io.BytesIO(),
        "REDIRECT_STATUS": error.line[:3],
        "REDIRECT_REQUEST_METHOD": asked["REQUEST_METHOD"],
    }
    if asked.get("QUERY_STRING"):
        environ["REDIRECT_QUERY_STRING"] = asked["QUERY_STRING"]
    if not replaces_script_name(asked):
        environ["REDIRECT_URL"] = mount_point + asked.get("PATH_INFO", "")
        environ["SCRIPT_URL"] = asked.get("SCRIPT_NAME", "") + path_info
    return environ


def _without_body(body: Iterable[bytes]) -> Iterable[bytes]:
    """Let a response begin, and drop its body: HEAD asks for the head of a GET."""
    try:
        # An application has started its response by the first piece at the latest (PEP 3333).
        next(iter(body), None)
    finally:
        _close(body)
    return []


def _told(page: ErrorPage) -> str:
    return f"{page.where}: {page.value!r}"


def _write_nothing(data: bytes) -> None:
    """Take what would be written of a page that is held back: nothing is."""


def _close(body: Iterable[bytes]) -> None:
    if (close := getattr(body, "close", None)) is not None:
        close()
