"""The page about proxies: its lines in a real nginx and Apache, with gunicorn behind them."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.documentation import blocks
from tests.support.groups import sockets_of, wait_until
from tests.support.oracle import APACHE, MODULES, answers, end_session, free_port
from tests.support.servers import ENTRY, GUNICORN, environment, running, start, stop, wait_for
from tests.support.trees import open_directory

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
PAGE = "howto/behind-a-proxy.rst"
SOCKET = "/run/mysite/mysite.sock"
# Who asks: it is this machine, and nobody else.
CLIENT = "127.0.0.77"
TELL = """
import json

def application(environ, start_response):
    told = {name: value for name, value in environ.items() if type(value) is str}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]
"""
SETTINGS = """
from django_wsgimatch import script_alias
SECRET_KEY = "x"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django_wsgimatch"]
ROOT_URLCONF = "front_settings"
BASE_DIR = {folder!r}
WSGIMATCH_SOCKET_DIRECTORY = {sockets!r}
WSGIMATCH_PROCESS_GROUPS = {{"blog": {{}}}}
WSGIMATCH_ALIASES = [
    script_alias("/here", "tell.wsgi"),
    script_alias("/blog", "tell.wsgi", process_group="blog"),
]
WSGIMATCH_VIRTUAL_HOSTS = {{"evil.example": [script_alias("/", "nowhere.wsgi")]}}
urlpatterns = []
{more}
"""
NGINX_FRAME = """
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
daemon off;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
{site}
    }}
}}
"""
APACHE_FRAME = """
ServerRoot "{folder}"
DefaultRuntimeDir "{folder}"
PidFile "{folder}/httpd.pid"
ErrorLog "{folder}/error.log"
Listen 127.0.0.1:{port}
ServerName front.example
User {user}
Group {user}
{modules}
<Location />
AuthType Basic
AuthName "members"
AuthBasicProvider file
AuthUserFile "{folder}/users"
Require valid-user
</Location>
{site}
"""
APACHE_MODULES = (
    *("mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic"),
    *("headers", "proxy", "proxy_http"),
)
# All that a client may say of itself, in every spelling that becomes the same key.
NAMES = (
    *("Forwarded", "X-Forwarded-For", "X-Real-IP", "X-Client-IP", "X-Forwarded-Proto", "X-Scheme"),
    *("X-Forwarded-Host", "X-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Script-Name"),
    *("X-Remote-User", "X-SSL-Client-S-DN"),
)
LIES = {
    "Forwarded": "for=9.9.9.9;proto=https;host=evil.example",
    **dict.fromkeys(("X-Forwarded-For", "X-Real-IP", "X-Client-IP"), "9.9.9.9"),
    **dict.fromkeys(("X-Forwarded-Proto", "X-Scheme"), "https"),
    **dict.fromkeys(("X-Forwarded-Host", "X-Host"), "evil.example"),
    "X-Forwarded-Port": "443",
    **dict.fromkeys(("X-Forwarded-Prefix", "X-Script-Name"), "/evil"),
    **dict.fromkeys(("X-Remote-User", "X-SSL-Client-S-DN"), "admin"),
}
WITH_UNDERSCORES = {name.replace("-", "_"): value for name, value in LIES.items() if "-" in name}


def lines(language: str, number: int = 0) -> str:
    """The text of one of the page's blocks."""
    return [each.text for each in blocks(PAGE) if each.language == language][number]


@contextmanager
def gunicorn(folder: Path, more: str) -> Iterator[None]:
    """Serve a site on a unix socket, with the page's settings."""
    (folder / "tell.wsgi").write_text(TELL)
    sockets = sockets_of(folder)
    text = SETTINGS.format(folder=str(folder), sockets=str(sockets), more=more)
    (folder / "front_settings.py").write_text(text)
    environ = environment("front_settings")
    environ["PYTHONPATH"] += f"{os.pathsep}{folder}"
    log = ["--access-logfile", str(folder / "access.log"), "--access-logformat", "%(h)s %(U)s"]
    try:
        with running([*GUNICORN, "--threads", "2", *log, ENTRY], folder, environ):
            yield
    finally:
        shutil.rmtree(sockets, ignore_errors=True)


def told(port: int, target: str, headers: Mapping[str, str] | None = None) -> dict[str, str]:
    """What the script says of a request of a client."""
    connection = http.client.HTTPConnection("127.0.0.1", port, 30, source_address=(CLIENT, 0))
    password = base64.b64encode(b"ann:secret").decode()
    head = {"Host": "shop.example", "Authorization": f"Basic {password}", **(headers or {})}
    connection.request("GET", target, headers=head)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    assert response.status == 200, body
    said: dict[str, str] = json.loads(body)
    return said


def facts(said: Mapping[str, str]) -> dict[str, str]:
    """What proxies may tell, and what is left of their headers."""
    names = ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST", "SCRIPT_NAME", "PATH_INFO")
    others = ("REMOTE_USER", "SSL_CLIENT_S_DN", "wsgimatch.peer", "HTTP_FORWARDED")
    kept = [name for name in said if name.startswith("HTTP_X_")]
    return {name: said[name] for name in (*names, *others, *sorted(kept)) if name in said}


@contextmanager
def nginx(folder: Path, site: str) -> Iterator[int]:
    """Run nginx with a server of some lines; its port."""
    port = free_port()
    site = site.replace(SOCKET, str(folder / "socket"))
    # Root's nginx becomes a user who may not enter the tests' folders.
    user = "" if os.geteuid() else "user root;"
    text = NGINX_FRAME.format(folder=folder, port=port, site=site, user=user)
    (folder / "nginx.conf").write_text(text)
    log = folder / "nginx.log"
    process = start([str(NGINX), "-c", str(folder / "nginx.conf")], folder, log, None)
    try:
        wait_for(process, log, lambda: answers(port))
        yield port
    finally:
        stop(process)


@contextmanager
def apache(folder: Path, site: str) -> Iterator[int]:
    """Run Apache with some lines, which asks everybody for a password; its port."""
    port = free_port()
    digest = base64.b64encode(hashlib.sha1(b"secret").digest()).decode()
    (folder / "users").write_text(f"ann:{{SHA}}{digest}\n")
    modules = "\n".join(
        f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in APACHE_MODULES
    )
    text = APACHE_FRAME.format(
        folder=folder, port=port, modules=modules, user="www-data",
        site=site.replace(SOCKET, str(folder / "socket")),
    )  # fmt: skip
    (folder / "httpd.conf").write_text(text)
    command = [str(APACHE), "-D", "FOREGROUND", "-f", str(folder / "httpd.conf")]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for(process, folder / "error.log", lambda: answers(port))
        yield port
    finally:
        end_session(process)


needs_nginx = pytest.mark.skipif(not NGINX, reason="needs nginx")
needs_apache = pytest.mark.skipif(
    not all((MODULES / f"mod_{name}.so").exists() for name in APACHE_MODULES),
    reason="needs apache2",
)


@pytest.fixture(scope="module")
def behind_nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    folder = tmp_path_factory.mktemp("nginx")
    with gunicorn(folder, lines("python")), nginx(folder, lines("nginx")) as port:
        yield folder, port


@needs_nginx
@pytest.mark.parametrize("alias", ["/here", "/blog"])
@pytest.mark.parametrize("headers", [{}, LIES], ids=["an honest client", "one who lies"])
def test_nginx_tells_who_asks_whatever_the_client_says(behind_nginx, alias, headers):
    _, port = behind_nginx

    said = facts(told(port, f"{alias}/x", headers))

    # What is for purposes that are not trusted here is the client's business.
    others = {
        "HTTP_X_FORWARDED_HOST": "evil.example",
        "HTTP_X_FORWARDED_PORT": "443",
        "HTTP_X_FORWARDED_PREFIX": "/evil",
        "HTTP_X_HOST": "evil.example",
        "HTTP_X_REMOTE_USER": "admin",
        "HTTP_X_SCRIPT_NAME": "/evil",
        "HTTP_X_SSL_CLIENT_S_DN": "admin",
    }
    assert said == {
        "REMOTE_ADDR": CLIENT,
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "shop.example",
        "SCRIPT_NAME": alias,
        "PATH_INFO": "/x",
        "wsgimatch.peer": "",
        "HTTP_X_FORWARDED_FOR": CLIENT,
        "HTTP_X_FORWARDED_PROTO": "http",
        **(others if headers else {}),
    }


@needs_nginx
@pytest.mark.parametrize("alias", ["/here", "/blog"])
def test_underscores_do_not_reach_an_application(behind_nginx, alias):
    _, port = behind_nginx

    said = facts(told(port, f"{alias}/x", WITH_UNDERSCORES))

    assert said["REMOTE_ADDR"] == CLIENT
    assert [name for name in said if name.startswith("HTTP_X_")] == [
        *("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO")
    ]


@needs_nginx
def test_gunicorn_s_access_log_has_the_client(behind_nginx):
    folder, port = behind_nginx

    told(port, "/here/logged")

    # gunicorn writes the line when the answer is sent.
    wait_until(lambda: f"{CLIENT} /here/logged\n" in (folder / "access.log").read_text())


@pytest.fixture(scope="module")
def below_a_prefix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("prefix")
    more = lines("python").replace('Proto"]', 'Proto", "X-Forwarded-Prefix"]')
    with gunicorn(folder, more), nginx(folder, lines("nginx", 1)) as port:
        yield port


@needs_nginx
@pytest.mark.parametrize("alias", ["/here", "/blog"])
@pytest.mark.parametrize(("prefix", "lies"), [("", LIES), ("/shop", {}), ("/shop", LIES)])
def test_prefix_that_nginx_removes(below_a_prefix, alias, prefix, lies):
    said = told(below_a_prefix, f"{prefix}{alias}/x?y", lies)

    assert [said[name] for name in ("SCRIPT_NAME", "PATH_INFO", "QUERY_STRING")] == [
        *(f"{prefix}{alias}", "/x", "y")
    ]


@pytest.fixture(scope="module")
def behind_apache() -> Iterator[int]:
    # Apache's own user may enter this folder.
    with open_directory() as folder, gunicorn(folder, lines("python", 1)):
        (folder / "socket").chmod(0o777)
        with apache(folder, lines("apache")) as port:
            yield port


@needs_apache
@pytest.mark.parametrize("alias", ["/here", "/blog"])
@pytest.mark.parametrize(
    "headers",
    [{}, LIES, WITH_UNDERSCORES],
    ids=["honest", "a liar", "a liar with underscores"],
)
def test_apache_tells_who_asks_and_who_that_is(behind_apache, alias, headers):
    said = told(behind_apache, f"{alias}/x", headers)

    names = ("REMOTE_USER", "REMOTE_ADDR", "wsgi.url_scheme", "SCRIPT_NAME", "PATH_INFO")
    assert {name: said.get(name) for name in (*names, "SSL_CLIENT_S_DN")} == {
        "REMOTE_USER": "ann",
        "REMOTE_ADDR": CLIENT,
        "wsgi.url_scheme": "http",
        "SCRIPT_NAME": alias,
        "PATH_INFO": "/x",
        "SSL_CLIENT_S_DN": None,
    }


@needs_apache
def test_client_who_has_apache_remove_headers_is_nobody(behind_apache):
    """RFC 9110 7.6.1: a proxy removes the headers that ``Connection`` names."""
    removed = {"Connection": "close, X-Remote-User, X-Forwarded-For, X-Forwarded-Proto"}

    said = told(behind_apache, "/here", removed)

    assert (said.get("REMOTE_USER"), said["REMOTE_ADDR"]) == (None, CLIENT)
