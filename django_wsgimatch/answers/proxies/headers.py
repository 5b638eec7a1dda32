"""
The headers that proxies are known to send, what each is for, and what is made of its value.

mod_wsgi 6's registry of them (wsgi_environ.c), and what others send besides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ...aliases.hosts.validity import HIGHEST_PORT, is_valid_host
from ...aliases.uri import origin_form
from .addresses import Networks, bare_address
from .forwarded import BLANKS, Forwarded, forwarded, forwarded_for, last_item
from .mount import clean_prefix, put_before, put_in_place

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Purpose = Literal["client", "scheme", "host", "server", "port", "script name"]
Apply = Callable[["WSGIEnvironment", str, Networks], None]

FORWARDED = "HTTP_FORWARDED"
_FORWARDED_FOR = "HTTP_X_FORWARDED_FOR"
_ON, _OFF = ("on", "true", "1"), ("off", "false", "0")


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """
    A header: its key in the environ, its purposes, and how its value is applied.

    ``apply`` sets what the value tells in an environ, and nothing for a value that tells nothing.
    """

    key: str
    purposes: tuple[Purpose, ...]
    apply: Apply


def _apply_forwarded_for(environ: WSGIEnvironment, value: str, networks: Networks) -> None:
    if found := forwarded_for(value, networks):
        client, environ[_FORWARDED_FOR] = found
        set_client(environ, client)


def _apply_forwarded(environ: WSGIEnvironment, value: str, networks: Networks) -> None:
    found: Forwarded | None = forwarded(value, networks)
    if found:
        set_client(environ, found.client)
        environ[FORWARDED] = found.kept
        _set_host(environ, found.host)
        set_scheme(environ, found.scheme)


def _apply_client(environ: WSGIEnvironment, value: str, networks: Networks) -> None:
    set_client(environ, bare_address(value.strip(BLANKS)))


def _apply_scheme(environ: WSGIEnvironment, value: str, networks: Networks) -> None:
    set_scheme(environ, last_item(value))


def _apply_protocol(environ: WSGIEnvironment, value: str, networks: Networks) -> None:
    protocol = last_item(value).lower()
    # As gunicorn's secure_scheme_headers have it.
    set_scheme(environ, "https" if protocol == "ssl" else protocol)


def _apply_flag(environ: WSGIEnvironment, value: str, networks: Networks) -> None:
    flag = last_item(value).lower()
    if flag in _ON or flag in _OFF:
        environ["wsgi.url_scheme"] = "https" if flag in _ON else "http"


def _apply_host(environ: WSGIEnvironment, value: str, networks: Networks) -> None:
    _set_host(environ, last_item(value))


def _apply_server(environ: WSGIEnvironment, value: str, networks: Networks) -> None:
    name = last_item(value)
    if name and ":" not in name and is_valid_host(name):
        environ["SERVER_NAME"] = name


def _apply_port(environ: WSGIEnvironment, value: str, networks: Networks) -> None:
    port = last_item(value)
    if port.isdecimal() and len(port) <= 5 and 1 <= int(port) <= HIGHEST_PORT:
        environ["SERVER_PORT"] = port


def _apply_prefix(environ: WSGIEnvironment, value: str, networks: Networks) -> None:
    prefix = clean_prefix(last_item(value))
    if prefix is not None:
        put_before(environ, prefix)


def _apply_script_name(environ: WSGIEnvironment, value: str, networks: Networks) -> None:
    script_name = clean_prefix(last_item(value))
    if script_name is not None:
        put_in_place(environ, script_name)


def set_client(environ: WSGIEnvironment, address: str) -> None:
    """Set who asks."""
    environ["REMOTE_ADDR"] = address
    # The name of the proxy is not that of the client.
    environ.pop("REMOTE_HOST", None)


def set_scheme(environ: WSGIEnvironment, scheme: str) -> None:
    """Set a scheme, if it is one."""
    if scheme.lower() in ("https", "http"):
        environ["wsgi.url_scheme"] = scheme.lower()


def _set_host(environ: WSGIEnvironment, host: str) -> None:
    """Set a host: the dispatcher looks whether it is valid, as it does with a Host header."""
    if not host:
        return
    environ["HTTP_HOST"] = host
    for key in ("RAW_URI", "REQUEST_URI"):
        if environ.get(key, "/")[:1] != "/":
            # The host of an absolute-form target would count more than the header.
            environ[key] = origin_form(environ[key])


def environ_key(header: str) -> str:
    """Return the environ's key for a request header."""
    return f"HTTP_{header.upper().replace('-', '_')}"


def _registry() -> dict[str, ProxyHeader]:
    known: dict[tuple[Purpose, Apply], str] = {
        ("client", _apply_forwarded_for): "X-Forwarded-For",
        ("client", _apply_client): "X-Client-IP X-Real-IP X-Cluster-Client-IP True-Client-IP "
        "CF-Connecting-IP Fastly-Client-IP X-Envoy-External-Address",
        ("host", _apply_host): "X-Forwarded-Host X-Host X-Original-Host",
        ("server", _apply_server): "X-Forwarded-Server",
        ("port", _apply_port): "X-Forwarded-Port",
        ("script name", _apply_script_name): "X-Script-Name X-Forwarded-Script-Name",
        ("script name", _apply_prefix): "X-Forwarded-Prefix",
        ("scheme", _apply_scheme): "X-Forwarded-Proto X-Forwarded-Scheme X-Scheme X-Url-Scheme",
        ("scheme", _apply_protocol): "X-Forwarded-Protocol",
        ("scheme", _apply_flag): "X-Forwarded-HTTPS X-Forwarded-SSL X-HTTPS Front-End-Https",
    }
    found = {"Forwarded": ProxyHeader(FORWARDED, ("client", "scheme", "host"), _apply_forwarded)}
    for (purpose, apply), names in known.items():
        found |= {name: ProxyHeader(environ_key(name), (purpose,), apply) for name in names.split()}
    return found


# By their names, as they are usually written.
KNOWN = _registry()
