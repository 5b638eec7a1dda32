"""A body of which nobody knew the length, and that is longer than its entry allows: 413."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from ..server.limited_body import LimitedBody

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Answer = Callable[[], Iterable[bytes]]


def limited_body(environ: WSGIEnvironment) -> LimitedBody | None:
    """Return a request's body where only reading it tells whether it is too long."""
    body = environ["wsgi.input"]
    return body if isinstance(body, LimitedBody) and not environ.get("CONTENT_LENGTH") else None


def within_limit(
    body: LimitedBody, environ: WSGIEnvironment, answer: Answer, too_long: Answer
) -> Iterable[bytes]:
    """
    Return an application's answer, or what says that the body was too long.

    Mirrors LimitRequestBody, whose ap_http_filter() answers by itself: what the application makes
    of its error does not count, unless a part of its response has been made before.
    """
    response: Iterable[bytes] = []
    try:
        response = answer()
        response = _begun(response, environ.get("wsgi.file_wrapper"))
    except Exception:
        if body.error is None:
            _close(response)
            raise
    if body.error is None:
        return response
    _close(response)
    return too_long()


def instead(body: LimitedBody, start_response: StartResponse) -> StartResponse:
    """Return what starts a response in place of one that has been started and not sent."""
    error = body.error
    assert error is not None
    assert error.__traceback__ is not None
    told = type(error), error, error.__traceback__
    return lambda status, headers, *more: start_response(status, headers, told)


class _Begun:
    """A response of which some pieces have been made already."""

    def __init__(self, response: Iterator[bytes]) -> None:
        self._response = response
        self._pieces: Iterator[bytes] = response

    def begin(self) -> None:
        """Make pieces up to the first that is not empty: a server sends the head with any."""
        made = []
        for piece in self._response:
            made.append(piece)
            if piece:
                break
        self._pieces = chain(made, self._response)

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """Close the application's response (PEP 3333)."""
        _close(self._response)


def _begun(response: Iterable[bytes], wrapper: object) -> Iterable[bytes]:
    """Return a response that has read what its beginning depends on; a file has read all."""
    is_file = isinstance(wrapper, type) and isinstance(response, wrapper)
    if is_file or not isinstance(response, Iterator):
        return response
    begun = _Begun(response)
    begun.begin()
    return begun


def _close(response: Iterable[bytes]) -> None:
    if (close := getattr(response, "close", None)) is not None:
        close()
