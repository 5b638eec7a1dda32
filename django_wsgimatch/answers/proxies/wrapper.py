"""The WSGI wrapper that stands before an application behind proxies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .trusted import TrustedProxies

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class BehindProxies:
    """
    An application that sees who asked the proxies, and nothing of the proxies themselves.

    It changes the server's own environ, so that the server's access log has the client, too.
    """

    def __init__(self, application: WSGIApplication, proxies: TrustedProxies) -> None:
        self.application = application
        self.proxies = proxies

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        self.proxies.apply(environ)
        return self.application(environ, start_response)
