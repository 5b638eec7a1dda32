"""Servers of one user in several PID namespaces, as of containers that share a volume or /run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from django_wsgimatch.daemon.servers.directory import MARKER, running_servers, sweep
from tests.support.groups import HOOKS, PLAIN, base_of, site, sockets_of, write_project
from tests.support.servers import environment, running
from tests.support.small_projects import ROOT
from tests.thorough import mostly_thorough

CONTAINER = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
ALIASES = (
    'script_alias("/blog", "app.wsgi", process_group="blog", application_group="%{GLOBAL}"),\n'
)


def can_have_one():
    if shutil.which(CONTAINER[0]) is None:
        return False
    return subprocess.run([*CONTAINER, "true"], check=False, capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(not can_have_one(), reason="needs root, and unshare")


@contextmanager
def container(project, sockets, command):
    """A server that sees no processes but its own, with the sockets in another one's folder."""
    more = f"WSGIMATCH_SOCKET_DIRECTORY = {str(sockets)!r}\n"
    write_project(project, {"blog": {}}, ALIASES, more)
    with running([*CONTAINER, *command], project, environment()) as server:
        try:
            yield server
        finally:
            children = f"/proc/{server.process.pid}/task/{server.process.pid}/children"
            with open(children) as file:
                os.kill(int(file.read()), signal.SIGTERM)
            server.process.wait(60)


@pytest.mark.parametrize("command", mostly_thorough([HOOKS, PLAIN]), ids=["serve", "gunicorn"])
def test_a_server_in_another_container_leaves_a_living_ones_folder(tmp_path, command):
    with site(tmp_path / "here", command=command) as at:
        before = at.told("/blog")
        [(_, directory)] = running_servers([base_of(at.project)])
        identity = os.stat(directory.path).st_ino
        with container(tmp_path / "there", sockets_of(at.project), command) as other:
            assert other.get(b"/blog").status == 200
            assert os.stat(directory.path).st_ino == identity
            assert at.place("blog")["state"] == "running"
            assert at.told("/blog") == before
        # With the first process of a container all others are killed.
        sweep(base_of(at.project))

        assert sorted(os.listdir(base_of(at.project))) == [MARKER, directory.name]
        assert at.told("/blog") == before
        assert "had been removed" not in at.log


# Mounts the project, makes all else read-only but /tmp, and becomes the server: process 1.
READ_ONLY = """\
set -e
mount --make-rprivate /
mount --bind "$PWD" /mnt
mount -o remount,ro,bind /
mount -t tmpfs -o mode=1777 tmpfs /tmp
cd /mnt
exec "$@"
"""


@pytest.mark.skipif(
    any(path.is_relative_to("/tmp") for path in (ROOT, Path(sys.prefix))),
    reason="the checkout is in /tmp, and the container has a /tmp of its own",
)
def test_process_1_on_a_read_only_root_serves_its_groups_and_ends_at_a_term(tmp_path):
    more = 'WSGIMATCH_SOCKET_DIRECTORY = "/tmp"\n'
    write_project(tmp_path, {"blog": {}}, ALIASES, more)
    at_mount = [word.replace("{socket}", "/mnt/socket") for word in HOOKS]
    command = [*CONTAINER, "sh", "-c", READ_ONLY, "container", *at_mount]

    with running(command, tmp_path, environment()) as server:
        told = json.loads(server.get(b"/blog").body)
        children = f"/proc/{server.process.pid}/task/{server.process.pid}/children"
        os.kill(int(Path(children).read_text()), signal.SIGTERM)
        status = server.process.wait(60)
        log = server.log.read_text()

    assert told["pid"] != 1
    assert "[1] [INFO] Starting gunicorn" in log
    assert "Shutting down: Master" in log
    assert status == 0
