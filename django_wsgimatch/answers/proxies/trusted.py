"""
Which proxies are trusted, and what of a request's headers is theirs.

As WSGITrustedProxies and WSGITrustedProxyHeaders of mod_wsgi 6 (wsgi_process_proxy_headers() in
wsgi_environ.c): of the headers of a purpose that is named, those that are named are taken from a
trusted peer, in their order, and all others are dropped. From anybody else all of them are dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .addresses import Networks, bare_address, is_trusted_peer
from .forwarded import BLANKS
from .headers import KNOWN, ProxyHeader, Purpose, set_client, set_scheme

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# The environ's key for REMOTE_ADDR as the server has it: there where a request had such headers.
PEER = "wsgimatch.peer"

# What a request is, and may come from a header of one's own beside the variables.
CLIENT, SCHEME = "REMOTE_ADDR", "wsgi.url_scheme"

# What Apache writes into a header for a variable that has no value.
_NO_VALUE = ("", "(null)")


@dataclass(frozen=True, slots=True, eq=False)
class TrustedProxies:
    """
    Whom to trust, and with what.

    ``headers`` are taken in their order. ``variables`` are the environ's keys of variables and of
    the headers that they come from. ``all_keys`` are the headers of all purposes that are named,
    and those of the variables.
    """

    networks: Networks
    headers: tuple[ProxyHeader, ...]
    variables: tuple[tuple[str, str], ...]
    all_keys: frozenset[str]
    has_scheme: bool

    @classmethod
    def of(
        cls,
        networks: Networks,
        headers: Iterable[ProxyHeader],
        variables: Iterable[tuple[str, str]],
    ) -> TrustedProxies:
        """Return the value for what the settings name."""
        named, pairs = tuple(headers), tuple(variables)
        purposes = {purpose for header in named for purpose in header.purposes}
        rivals = (each.key for each in KNOWN.values() if not purposes.isdisjoint(each.purposes))
        keys = frozenset([*rivals, *[key for _, key in pairs]])
        has_scheme = "scheme" in purposes or any(name == SCHEME for name, _ in pairs)
        return cls(networks, named, pairs, keys, has_scheme)

    def trusts(self, environ: WSGIEnvironment) -> bool:
        """Whether who has connected to the server is a trusted proxy."""
        return is_trusted_peer(self.networks, environ.get("REMOTE_ADDR", ""))

    def apply(self, environ: WSGIEnvironment) -> None:
        """
        Make of a server's environ what it would be without proxies between it and the client.

        REMOTE_ADDR, wsgi.url_scheme, HTTP_HOST, SERVER_NAME, SERVER_PORT and SCRIPT_NAME, as far as
        headers for them are named, and the variables; ``wsgimatch.peer`` is the REMOTE_ADDR before.
        """
        found = self.all_keys.intersection(environ)
        if self.has_scheme:
            environ["wsgi.url_scheme"] = scheme_of_connection(environ)
        peer = environ.get("REMOTE_ADDR", "")
        is_trusted = is_trusted_peer(self.networks, peer)
        if is_trusted:
            self._set_variables(environ)
        if not found:
            return
        environ[PEER] = peer
        for key in found - self._taken(environ) if is_trusted else found:
            del environ[key]

    def _taken(self, environ: WSGIEnvironment) -> set[str]:
        """Apply the headers that are named; return the keys that are kept, one for a purpose."""
        kept: dict[Purpose, str] = {}
        for header in self.headers:
            value = environ.get(header.key)
            if value is not None:
                header.apply(environ, value, self.networks)
                for purpose in header.purposes:
                    kept[purpose] = header.key
        return {*kept.values(), *[key for _, key in self.variables]}

    def _set_variables(self, environ: WSGIEnvironment) -> None:
        """
        Set the variables that come from headers.

        Without its header there is none: what the server has set speaks of the proxy. Client and
        scheme are the proxy's then.
        """
        for name, key in self.variables:
            value = environ.get(key, "")
            if name == SCHEME:
                set_scheme(environ, value)
            elif name == CLIENT:
                if value not in _NO_VALUE:
                    set_client(environ, bare_address(value.strip(BLANKS)))
            elif value not in _NO_VALUE:
                environ[name] = value
            else:
                environ.pop(name, None)


def scheme_of_connection(environ: WSGIEnvironment) -> str:
    """
    Return the scheme that a server was asked with.

    gunicorn and uWSGI let headers decide: gunicorn from those in its ``forwarded_allow_ips``, which
    need not be the proxies that are trusted here, uWSGI from anybody.
    """
    connection = environ.get("gunicorn.socket")
    if connection is not None:
        return "https" if hasattr(connection, "getpeercert") else "http"
    if "uwsgi.version" in environ:
        return "https" if environ.get("HTTPS", "").lower() in ("on", "1") else "http"
    scheme: str = environ["wsgi.url_scheme"]
    return scheme
