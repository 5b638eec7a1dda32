"""The lines that pass requests on: one for each entry, in Apache's order."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...aliases.alias import Alias
from ...answers.proxies.trusted import CLIENT, SCHEME
from ...apache.covering.partial_aliases import literally
from ..backend import Backend
from ..carried import Carried
from .lines.quoting import in_quotes, word

_SLASHES = re.compile("//+")
# In these a URL is spelt as in a request; everything else takes a pattern.
_PLAIN = re.compile(r"/[\w/.~-]*", re.ASCII)
# A backend that was away for a moment, to be restarted, is asked again at once.
_PARAMETERS = "retry=0"


def pass_line(alias: Alias, backend: Backend, *, is_raw: bool) -> str:
    """
    Return the line for an entry, "" where no URL can match it.

    ``is_raw`` has the URL go on as it was sent: REQUEST_URI is then the client's.
    """
    if alias.kind == "plain" and not alias.location.startswith("/"):
        return ""
    parameters = f"nocanon {_PARAMETERS}" if is_raw else _PARAMETERS
    if alias.kind == "plain" and _PLAIN.fullmatch(alias.location):
        path = _SLASHES.sub("/", alias.location)
        return f"ProxyPass {alias.location} {word(f'{backend.url}{path}')} {parameters}"
    pattern = location_pattern(alias) if alias.kind == "plain" else alias.location
    return f"ProxyPassMatch {word(pattern)} {word(backend.url)} {parameters}"


def location_pattern(alias: Alias) -> str:
    """Return the pattern that takes the URLs of a plain alias."""
    location = _SLASHES.sub("/", alias.location)
    end = "" if location.endswith("/") else "(?:/|$)"
    return f"^{literally(location)}{end}"


def told_headers(carried: Carried) -> tuple[tuple[str, ...], dict[str, str]]:
    """
    Return the headers by which Apache tells of a request, and by variable those of variables.

    Behind another proxy the usual ones are that proxy's, and the application may ask for them:
    client and scheme then have headers of their own.
    """
    users = ("REMOTE_USER", "AUTH_TYPE") if carried.has_users else ()
    variables = {name: header_of(name) for name in (*users, *carried.variables)}
    if not carried.is_behind:
        return _USUAL, variables
    return (), {CLIENT: header_of(CLIENT), SCHEME: _OWN_SCHEME} | variables


def header_lines(backend: Backend, carried: Carried) -> Iterator[str]:
    """
    Yield the section that tells the backend what it cannot see, and removes what clients say.

    What another proxy before this one says of clients stays: the application may ask for it.
    """
    headers, variables = told_headers(carried)
    sources = dict(zip(headers, (CLIENT, SCHEME), strict=bool(headers)))
    yield f"<Proxy {in_quotes(f'{backend.base}/*')}>"
    yield "    ProxyPreserveHost On"
    yield "    ProxyAddHeaders Off"
    yield f"    {_KEPT}"
    for header, name in (*sources.items(), *((h, n) for n, h in variables.items())):
        yield from _telling(header, name)
    for name in (*(() if carried.is_behind else _SCHEMES), *_PATHS):
        yield f"    RequestHeader unset {name}"
    yield "</Proxy>"


_USUAL = ("X-Forwarded-For", "X-Forwarded-Proto")
_OWN_SCHEME = "X-Request-Scheme"
# mod_proxy takes away what Connection names (RFC 9110 7.6.1): a client would have it take away what
# is told here, and pass for Apache itself.
_KEPT = r'RequestHeader edit* Connection "(?i)\b(?!(?:close|keep-alive|upgrade)\b)[^,\s]+" ""'
# By these gunicorn takes a request for one over TLS, and takes the path from others.
_SCHEMES = ("X-Forwarded-Protocol", "X-Forwarded-Ssl")
_PATHS = ("SCRIPT_NAME", "PATH_INFO")


def header_of(variable: str) -> str:
    """
    Return the header that carries a variable: X-Remote-User for REMOTE_USER.

    Those of mod_ssl have one hyphen only, X-SslClientVerify: each more doubles the spellings.
    """
    joint = "" if variable.startswith("SSL_") else "-"
    return "X-" + joint.join(each.capitalize() for each in variable.split("_"))


def _telling(header: str, name: str) -> Iterator[str]:
    """Yield the lines that put what Apache knows in the place of what a client says."""
    is_always = name in (CLIENT, SCHEME)
    # Some servers take an underscore for a hyphen.
    for spelt in _spellings(header):
        if spelt != header or not is_always:
            yield f"    RequestHeader unset {spelt}"
    value = "REQUEST_SCHEME" if name == SCHEME else name
    condition = "" if is_always else f' "expr=-n %{{{value}}}"'
    yield f'    RequestHeader set {header} "expr=%{{{value}}}"{condition}'


def _spellings(header: str) -> list[str]:
    found = [""]
    for number, part in enumerate(header.split("-")):
        joints = ("-", "_") if number else ("",)
        found = [f"{each}{joint}{part}" for each in found for joint in joints]
    return found
