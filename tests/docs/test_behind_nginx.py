"""The page about nginx: its configuration before a real nginx, with gunicorn behind it."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.documentation import blocks
from tests.support.servers import (
    ENTRY,
    GUNICORN,
    environment,
    listens,
    running,
    start,
    stop,
    wait_for,
)

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(not (NGINX and OPENSSL), reason="needs nginx and openssl")

PAGE = "howto/nginx.rst"
FRAME = """\
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
{site}
}}
"""
SETTINGS = """
SECRET_KEY = "x"
ALLOWED_HOSTS = ["www.example"]
INSTALLED_APPS = ["django_wsgimatch"]
ROOT_URLCONF = "front_settings"
BASE_DIR = {folder!r}
WSGIMATCH_HEALTH_PATH = "/-/wsgimatch/"
WSGIMATCH_DRAIN_SECONDS = 0
WSGIMATCH_SOCKET_DIRECTORY = {folder!r}
WSGIMATCH_ALIASES = ["WSGIScriptAlias /show show.wsgi"]
urlpatterns = []
"""


def configuration(folder: Path) -> str:
    """The page's, with this folder's paths, and with sockets in place of ports."""
    [block] = [each for each in blocks(PAGE) if each.caption.endswith("mysite.conf")]
    places = {
        "listen 80;": f"listen unix:{folder}/http;",
        "listen 443 ssl;": f"listen unix:{folder}/https ssl;",
        "/etc/ssl/www.example.pem": f"{folder}/cert.pem",
        "/etc/ssl/private/www.example.key": f"{folder}/key.pem",
        "/run/mysite/mysite.sock": f"{folder}/socket",
        "/srv/mysite/static/": f"{folder}/static/",
    }
    site = block.text
    for written, here in places.items():
        assert written in site
        site = site.replace(written, here)
    # Root's nginx becomes a user who may not enter the tests' folders.
    user = "" if os.geteuid() else "user root;"
    return FRAME.format(folder=folder, site=site, user=user)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Iterator[Path]:
    """The folder of a site that nginx and gunicorn serve as the page says."""
    folder: Path = tmp_path_factory.mktemp("front")
    key = ["-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem"]
    command = [str(OPENSSL), "req", "-x509", *key, "-days", "2", "-subj", "/CN=www.example"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    [show] = [each for each in blocks(PAGE) if each.caption == "scripts/show.wsgi"]
    (folder / "show.wsgi").write_text(show.text)
    (folder / "front_settings.py").write_text(SETTINGS.format(folder=str(folder)))
    (folder / "static").mkdir()
    (folder / "static" / "site.css").write_text("body {}")
    (folder / "nginx.conf").write_text(configuration(folder))
    environ = environment("front_settings")
    environ["PYTHONPATH"] += f"{os.pathsep}{folder}"
    with running([*GUNICORN, "--threads", "2", ENTRY], folder, environ):
        log = folder / "nginx.log"
        nginx = start([str(NGINX), "-c", str(folder / "nginx.conf")], folder, log, None)
        try:
            wait_for(nginx, log, lambda: listens(folder / "https"))
            yield folder
        finally:
            stop(nginx)


class OverSocket(http.client.HTTPConnection):
    """A connection to nginx by one of its sockets, ``http`` or ``https``."""

    def __init__(self, path: Path) -> None:
        super().__init__("www.example", timeout=30)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self.path))
        if self.path.name == "https":
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.sock = context.wrap_socket(self.sock, server_hostname="www.example")


def ask(
    folder: Path, target: str, *, scheme: str = "https", headers: Mapping[str, str] | None = None
) -> tuple[int, str | None, str]:
    """A response's status, Location and body."""
    connection = OverSocket(folder / scheme)
    connection.request("GET", target, headers=headers or {})
    response = connection.getresponse()
    answer = (response.status, response.getheader("Location"), response.read().decode())
    connection.close()
    return answer


def told(folder: Path, target: str, **headers: str) -> dict[str, str]:
    """What the page's script says of a request."""
    status, _, body = ask(folder, target, headers=headers)
    assert status == 200, body
    return dict(line.split(" ", 1) for line in body.splitlines())


def test_http_is_redirected_to_https_with_its_query(folder):
    status, location, _ = ask(folder, "/show/a?b=c", scheme="http")

    assert (status, location) == (301, "https://www.example/show/a?b=c")


def test_an_application_sees_what_the_page_says(folder):
    assert told(folder, "/show/y") == {
        "wsgi.url_scheme": "'https'",
        "HTTP_HOST": "'www.example'",
        "SCRIPT_NAME": "'/show'",
        "PATH_INFO": "'/y'",
        "REMOTE_ADDR": "''",
        # nginx has it from the unix socket that the test connects by.
        "HTTP_X_FORWARDED_FOR": "'unix:'",
    }


def test_what_a_client_says_of_itself_is_overwritten(folder):
    forged = {"X-Forwarded-For": "10.1.1.1", "X-Forwarded-Proto": "http"}

    seen = told(folder, "/show/y", **forged)

    assert (seen["HTTP_X_FORWARDED_FOR"], seen["wsgi.url_scheme"]) == ("'unix:'", "'https'")


def test_a_script_name_that_a_client_sends_does_not_get_through(folder):
    assert ask(folder, "/x/show", headers={"SCRIPT_NAME": "/x"})[0] == 404


def test_the_request_target_comes_through_as_it_was_sent(folder):
    assert told(folder, "/show//a/../b")["PATH_INFO"] == "'/b'"
    assert ask(folder, "/show/a%2Fb")[0] == 404


@pytest.mark.parametrize("page", ["live", "ready"])
def test_nobody_outside_asks_how_the_server_is(folder, page):
    assert ask(folder, f"/-/wsgimatch/{page}")[0] == 404


def test_files_are_nginx_s(folder):
    assert ask(folder, "/static/site.css") == (200, None, "body {}")
