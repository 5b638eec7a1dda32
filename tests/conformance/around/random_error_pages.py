"""Random sites that answer with errors of all kinds, with ErrorDocument lines for some of them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from random import Random

TREE = {
    "files/x.txt": "0123456789",
    "files/page.html": "<p>a page of an error</p>",
    "files/index.html": "<p>an index</p>",
    "files/secret.txt": "a secret",
    "broken.wsgi": "1/0\n",
}
# {SHA} of "secret-cy".
USERS = "ann:{SHA}u8SS5DZYKLP0EektQ/jDoNAZVNI=\n"
_AUTHORIZATION = "Basic " + base64.b64encode(b"ann:secret-cy").decode()

_STATUSES = (401, 403, 404, 405, 410, 413, 416, 500, 501)
_PAGES = (
    *('"<h1>Sorry</h1>"', '"a &amp; b"', '"caf\xe9"', "plain", '"\\"quoted"', "default"),
    *("/tell/page", "/tell/page?a=1&b", "/tell", "/tell/%7euser/%20x", "/tell/page?s=404"),
    *("/tell/page?s=302", "/tell/page?s=503", "/tell/login/x", "/f/page.html", "/f/", "/f"),
    *("/f/secret.txt", "/f/nothing", "/nowhere", "/forbidden/x", "/login/x", "/away", "/gone"),
    *("/broken", "https://elsewhere.example/sorry", "http://elsewhere.example/?a=b"),
)
_PLAIN_PAGES = ('"<h1>Too long</h1>"', "default", "/f/page.html", "/nowhere", "https://x.example/")
_OPTIONAL = (
    "LimitRequestBody 5",
    "RedirectMatch 410 ^/hidden",
    "RedirectMatch 404 ^/tell/hidden",
)
_SITE = """\
WSGIScriptAlias /tell {ROOT}/tell.wsgi
WSGIScriptAlias /broken {ROOT}/broken.wsgi
WSGIScriptAlias /nofile {ROOT}/nofile.wsgi
WSGIScriptAlias /forbidden {ROOT}/tell.wsgi
WSGIScriptAlias /login {ROOT}/tell.wsgi
Alias /f {ROOT}/files
Redirect gone /gone
Redirect /away /f/x.txt
<Location /forbidden>
Require all denied
</Location>
<Location /f/secret.txt>
Require all denied
</Location>
"""
_LOGIN = """\
<Location {}>
AuthType Basic
AuthName here
AuthBasicProvider file
AuthUserFile {{ROOT}}/users
Require valid-user
</Location>
"""
_TARGETS = (
    *("/missing?q=1&r", "/missing", "/m%20i/s%2e", "/forbidden/x", "/forbidden?", "/login/y?a=b"),
    *("/gone", "/hidden/1", "/tell/hidden", "/broken/z", "/nofile/z?x=y", "/f/nothing", "/f/x.txt"),
    # Not /f/secret.txt: Apache sends it to everybody where it is the page of its own refusal.
    *("/tell/ok?s=404", "/tell/ok?s=500", "/tell/login/a", "/away", "/f", "/tell"),
    "/f/page.html",
)
_METHODS = ("GET", "GET", "GET", "GET", "HEAD", "HEAD", "POST", "POST")
# Where no entry answers, Apache's default handler answers these for a file that is not there.
_OTHER_METHODS = ("DELETE", "FOO")
_OF_SCRIPT = ("/tell", "/tell/ok?s=404", "/tell/ok?s=500")
_OF_NOBODY = ("/m", "/hidden")
_CONDITIONS: tuple[dict[str, str], ...] = (
    *({}, {}, {}, {"If-None-Match": "*"}, {"If-Match": '"other"'}, {"Range": "bytes=0-3"}),
    {"If-Modified-Since": "Fri, 01 Jan 2038 00:00:00 GMT"},
    {"If-Unmodified-Since": "Thu, 01 Jan 1998 00:00:00 GMT"},
    {"Range": "bytes=50-60"},
    {"Connection": "close"},
    *({"Authorization": _AUTHORIZATION}, {"Authorization": _AUTHORIZATION[:-2]}),
)


def random_error_pages(rng: Random) -> str:
    """Lines of a site: what answers, and pages for some errors."""
    lines = [_SITE, _LOGIN.format("/login"), _LOGIN.format("/tell/login")]
    lines += [f"{line}\n" for line in _OPTIONAL if rng.random() < 0.5]
    lines += [f"{line}\n" for line in _documents(rng, 0.8)]
    if rng.random() < 0.3:
        section = rng.choice(("Location /", "LocationMatch ^/"))
        lines += [f"<{section}>\n", *(f"{line}\n" for line in _documents(rng, 0.3))]
        lines.append(f"</{section.split()[0]}>\n")
    return "".join(lines)


def _documents(rng: Random, share: float) -> Iterator[str]:
    for status in _STATUSES:
        if rng.random() < share:
            pages = _PLAIN_PAGES if status == 413 else _PAGES
            yield f"ErrorDocument {status} {rng.choice(pages)}"


def random_error_request(rng: Random) -> tuple[str, str, dict[str, str], bytes]:
    """A method, a target, headers and a body."""
    target = rng.choice(_TARGETS)
    is_nobody_s = target.startswith(_OF_NOBODY)
    method = rng.choice(_METHODS if is_nobody_s else (*_METHODS, *_OTHER_METHODS))
    # Of a body that is too long the application of a page would be told, too.
    lengths = (0, 3, 11) if target in _OF_SCRIPT else (0, 3)
    body = b"x" * rng.choice(lengths) if method == "POST" else b""
    return method, target, dict(rng.choice(_CONDITIONS)), body
