"""The command of an import, run: what gunicorn and Python's ssl do with what Apache's lines say."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from django_wsgimatch.apache.importing import import_configuration
from django_wsgimatch.apache.lines.directive import Surroundings
from django_wsgimatch.apache.reading.reading import read_file
from django_wsgimatch.apache.writing.fragment import python_lines
from tests.support.servers import PROJECT, start, stop, wait_for

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
REQUEST = b"GET /app HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n"
SCRIPT = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"asked by {environ['wsgi.url_scheme']}.".encode()]
"""
# From Python 3.13 on clients ask for all that RFC 5280 does.
AUTHORITY = """\
basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign
subjectKeyIdentifier=hash
"""
SIGNED = "authorityKeyIdentifier=keyid\n"
PREFERRED, OTHER = "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"


@dataclass(frozen=True, slots=True)
class Certificates:
    """What openssl has made: of a root, of one that the root has signed, and of a server."""

    root: Path
    middle: Path
    server: Path
    key: Path


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def sign(folder, name, issuer, extension):
    """Make the key and the certificate of a name, signed by an issuer, or by itself."""
    (folder / f"{name}.ext").write_text(extension)
    new = ["req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key"]
    openssl(folder, *new, "-out", f"{name}.csr")
    signing = ["-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key", "-CAcreateserial"]
    openssl(
        folder,
        *("x509", "-req", "-in", f"{name}.csr", "-days", "2", "-extfile", f"{name}.ext"),
        *(["-key", f"{name}.key"] if issuer == name else signing),
        *("-out", f"{name}.pem"),
    )


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    sign(folder, "root", "root", AUTHORITY)
    sign(folder, "middle", "root", AUTHORITY + SIGNED)
    sign(folder, "shop.test", "middle", "subjectAltName=DNS:shop.test\n" + SIGNED)
    names = ("root.pem", "middle.pem", "shop.test.pem", "shop.test.key")
    return Certificates(*(folder / name for name in names))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture(scope="module")
def address(certificates, tmp_path_factory):
    """Serve what an import writes of a site with TLS, by the command that it names."""
    folder = tmp_path_factory.mktemp("site") / "project"
    shutil.copytree(PROJECT, folder)
    port = free_port()
    (folder / "app.wsgi").write_text(SCRIPT)
    configuration = folder / "site.conf"
    configuration.write_text(
        f"Listen 127.0.0.1:{port}\n<VirtualHost 127.0.0.1:{port}>\nSSLEngine on\n"
        f"SSLCertificateFile {certificates.server}\nSSLCertificateKeyFile {certificates.key}\n"
        f"SSLCertificateChainFile {certificates.middle}\n"
        f"SSLProtocol all -SSLv3\nSSLHonorCipherOrder on\n"
        f"SSLCipherSuite {PREFERRED}:{OTHER}\nWSGIApplicationGroup %{{GLOBAL}}\n"
        f"WSGIScriptAlias /app {folder}/app.wsgi\n</VirtualHost>\n"
    )
    settings = import_configuration(read_file(str(configuration), Surroundings())).settings
    assert settings is not None
    (folder / "imported.py").write_text("\n".join(python_lines(settings, "site.conf")))
    with (folder / "settings.py").open("a") as file:
        file.write("\nfrom imported import *\n")
    [command] = settings.servers.commands
    log = folder / "server.log"
    process = start([sys.executable, *command], folder, log, None)
    try:
        wait_for(process, log, lambda: "Listening at: https" in log.read_text())
        yield "127.0.0.1", port
    finally:
        stop(process)


def connected(address, context):
    """A connection with TLS."""
    plain = socket.create_connection(address, timeout=20)
    return context.wrap_socket(plain, server_hostname="shop.test")


def test_the_command_of_an_import_serves_https(address, certificates):
    context = ssl.create_default_context(cafile=str(certificates.root))

    with connected(address, context) as connection:
        connection.sendall(REQUEST)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    # Only who is sent the certificate in the middle can follow the chain to the root.
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"asked by https." in answer


def test_the_server_s_order_of_ciphers_counts_without_an_option(address, certificates):
    context = ssl.create_default_context(cafile=str(certificates.root))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{OTHER}:{PREFERRED}")

    with connected(address, context) as connection:
        chosen = connection.cipher()

    assert chosen is not None
    assert chosen[0] == PREFERRED


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_newer_versions_are_spoken(address, certificates, version):
    context = ssl.create_default_context(cafile=str(certificates.root))
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]

    with connected(address, context) as connection:
        spoken = connection.version()

    assert spoken == version.replace("_", ".")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_older_versions_are_refused(address, certificates):
    context = ssl.create_default_context(cafile=str(certificates.root))
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")

    with pytest.raises((ssl.SSLError, ConnectionError)):
        connected(address, context)
