"""
NGINX Unit as the tests start it, from a configuration's file.

``WSGIMATCH_UNITD`` names the program where it is not on the path, ``WSGIMATCH_UNIT_MODULES`` the
folder of its modules. Debian has no package; `./configure && make && ./configure python && make
python` in its sources takes a minute.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.raw_http import Answer, fetch
from tests.support.servers import listens, start, stop, wait_for

UNITD = os.environ.get("WSGIMATCH_UNITD") or shutil.which("unitd")
MODULES = os.environ.get("WSGIMATCH_UNIT_MODULES")


class _Control(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


@contextmanager
def running_unit(folder: Path, configuration: str) -> Iterator[Path]:
    """Run Unit with a configuration that listens on ``folder/socket``; yield that socket."""
    control, log = folder / "control.sock", folder / "unit.log"
    (folder / "state").mkdir()
    command = [
        *(str(UNITD), "--no-daemon", "--control", f"unix:{control}"),
        *("--pid", f"{folder}/unit.pid", "--log", str(log), "--tmp", str(folder)),
        *("--statedir", f"{folder}/state", *(["--modulesdir", MODULES] if MODULES else [])),
    ]
    process = start(command, folder, folder / "output.log", None)
    try:
        wait_for(process, folder / "output.log", lambda: listens(control))
        configure_unit(folder, configuration)
        yield folder / "socket"
    finally:
        stop(process)


def configure_unit(folder: Path, configuration: str) -> None:
    """Give a running Unit another configuration."""
    connection = _Control(folder / "control.sock")
    try:
        connection.request("PUT", "/config", configuration.encode())
        answer = connection.getresponse()
        said = answer.read().decode()
    finally:
        connection.close()
    assert answer.status == 200, f"{json.loads(said)}\n{(folder / 'unit.log').read_text()}"


def ask_unit(listener: Path, target: str, host: str) -> Answer:
    """Ask once."""
    with suppress(FileNotFoundError):
        return fetch(listener, target.encode(), headers={b"Host": host.encode()})
    raise AssertionError(f"nobody listens on {listener}")
