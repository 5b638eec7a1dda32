"""What stands around an application, beside what Apache's own modules make of it."""

from __future__ import annotations

import http.client
import io
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from django_wsgimatch import script_alias
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.dispatcher import Dispatcher
from django_wsgimatch.entries import to_alias
from tests.answers.scripts import OBEDIENT
from tests.support.both_servers import apache, needs_apache
from tests.support.oracle import MODULES
from tests.support.trees import open_directory
from tests.support.wsgi import get

pytestmark = needs_apache

# What each location has in Apache and in an entry.
VARIABLES = {
    "trac.env_path": "/srv/trac",
    "SERVER_NAME": "lie",
    "HTTP_X_FOO": "set",
    "REMOTE_USER": "me",
    "QUERY_STRING": "lie",
    "CONTENT_TYPE": "lie/lie",
    "HTTPS": "on",
    "EMPTY": "",
}
HEADERS = [
    ("set", "X-Set", "set"),
    ("append", "X-App", "app"),
    ("merge", "X-Mer", "mer"),
    ("add", "X-Add", "add"),
    ("setifempty", "X-Sie", "sie"),
    ("unset", "X-Un"),
    ("set", "X-Aset", "aset", "always"),
    ("append", "X-Aset", "more", "always"),
]
OPTIONS: dict[str, dict[str, Any]] = {
    "/env": {"environ": VARIABLES},
    "/headers": {"headers": HEADERS},
    "/charset": {"charset": "utf-8"},
    "/expires": {"expires": 3600},
    "/limit": {"body_limit": 10},
}
OWN = "X-Set=a;X-App=a;X-Mer=mer, z;X-Add=a;X-Sie=a;X-Un=a;X-Aset=a"


def _header_line(action: str, name: str, *more: str) -> str:
    always = "always " if more[-1:] == ("always",) else ""
    value = " ".join(more).removesuffix("always").strip()
    return f"Header {always}{action} {name} {value}".rstrip()


def configuration() -> str:
    modules = "".join(
        f"LoadModule {name}_module {MODULES}/mod_{name}.so\n"
        for name in ("env", "headers", "expires")
    )
    variables = "".join(f'SetEnv {name} "{value}"\n' for name, value in VARIABLES.items())
    headers = "".join(_header_line(*each) + "\n" for each in HEADERS)
    return f"""{modules}WSGIScriptAlias / {{directory}}/a.wsgi
<Location /env>
{variables}</Location>
<Location /headers>
{headers}</Location>
<Location /charset>
AddDefaultCharset utf-8
</Location>
<Location /expires>
ExpiresActive On
ExpiresDefault "access plus 1 hour"
</Location>
<Location /limit>
LimitRequestBody 10
</Location>
"""


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[str, Dispatcher]]:
    """The address of Apache, and a dispatcher with the same site."""
    with open_directory() as directory:
        script = directory / "a.wsgi"
        script.write_text(OBEDIENT)
        entries = [script_alias(at, f"{script}{at}", **each) for at, each in OPTIONS.items()]
        table = AliasTable(to_alias(entry, process_groups=(), variables={}) for entry in entries)
        with apache(directory, configuration(), ()) as address:
            yield address, Dispatcher(table)


def asked_of_apache(address: str, target: str, headers: dict[str, str], body: bytes):
    host = urlsplit(address).netloc
    connection = http.client.HTTPConnection(host, timeout=30)
    with closing(connection):
        connection.request("POST" if body else "GET", target, body or None, headers)
        response = connection.getresponse()
        return response.status, response.getheaders(), response.read()


@pytest.mark.parametrize(
    ("target", "headers", "body"),
    [
        pytest.param("/env/x?q=1", {}, b"", id="variables"),
        pytest.param("/env/x", {"X-Foo": "client"}, b"", id="a header that the client sends"),
        pytest.param("/headers", {}, b"", id="headers"),
        pytest.param("/headers", {"X-Send": OWN}, b"", id="headers beside its own"),
        pytest.param("/headers", {"X-Send": OWN, "X-Status": "404 No"}, b"", id="of an error"),
        pytest.param("/headers", {"X-Send": "X-Add=a;X-Add=b"}, b"", id="headers that come twice"),
        pytest.param("/charset", {"X-Type": "text/html"}, b"", id="a charset"),
        pytest.param("/charset", {"X-Type": "text/html; charset=x"}, b"", id="its own charset"),
        pytest.param("/charset", {"X-Type": "text/css"}, b"", id="no charset"),
        pytest.param("/expires", {}, b"", id="expires"),
        pytest.param("/expires", {"X-Status": "302 Found"}, b"", id="expires of a redirect"),
        pytest.param("/expires", {"X-Status": "404 No"}, b"", id="expires of an error"),
        pytest.param("/expires", {"X-Send": "Expires=0"}, b"", id="its own Expires"),
        pytest.param("/expires", {"X-Send": "Cache-Control=private"}, b"", id="Cache-Control"),
        pytest.param("/limit", {}, b"x" * 10, id="a body"),
        pytest.param("/limit", {}, b"x" * 11, id="a body that is too long"),
    ],
)
def test_the_same_as_apache(both, target, headers, body):
    address, dispatcher = both
    length = {"CONTENT_LENGTH": str(len(body))} if body else {}

    status, theirs, content = asked_of_apache(address, target, headers, body)
    ours = get(dispatcher, target, headers=headers, **{"wsgi.input": io.BytesIO(body), **length})

    assert ours.code == status
    if status != 413:
        assert _shown(ours.headers) == _shown(theirs)
        assert _variables(ours.body) == _variables(content)


def _shown(headers) -> list[tuple[str, str]]:
    """The headers in question; when a response expires depends on the clock."""
    return sorted(
        (name, "soon" if name == "Expires" and value != "0" else value)
        for name, value in headers
        if name.startswith("X-") or name in ("Content-Type", "Cache-Control", "Expires")
    )


def _variables(body: bytes) -> dict[str, str | None]:
    told = json.loads(body)
    same = ("SERVER_NAME",)
    names = [name for name in (*VARIABLES, "wsgi.url_scheme") if name not in same]
    return {name: told.get(name) for name in names} | {"body": told["body"]}
