"""
What can go wrong between a server and its groups, and where each is tested.

===  ==========================================================  ==================================
1    no socket, or nobody listens                                here; test_relay; load
2    the group goes away before its response, or in it           test_relay; test_groups
3    a process that ends has accepted a request                  test_kept_connections; load
4    an application hangs                                        test_groups (timeouts)
5    an application answers without reading the body             test_kept_connections; test_groups
6    the client goes away                                        test_groups
7    variables of the server's own reach the group               here
8    a process id is used again; a zombie                        here
9    an old group and its successor at one place                 test_groups (changed options); load
10   a group is too slow                                         test_groups (queue-timeout)
11   the server's main process is gone, its workers are not yet  here
12   a descriptor before the response's head                     here
13   others reach the sockets                                    test_directory; test_accounts
14   all arbiters' control sockets have one name                 here
15   a user that the server may not switch to                    test_accounts; test_groups
===  ==========================================================  ==================================

``load`` is ``make load``: it needs minutes, and 20,000 requests for each.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace

import pytest

from django_wsgimatch.asroot.gunicorn_command import arguments
from django_wsgimatch.daemon.definition import Definition
from django_wsgimatch.daemon.front.front import Places
from django_wsgimatch.daemon.manager.starting import SCRUBBED, environment_of
from django_wsgimatch.daemon.options import GroupOptions
from django_wsgimatch.daemon.place import Place
from django_wsgimatch.daemon.servers.owner import Owner, start_time, this_server
from django_wsgimatch.daemon.wire.protocol import FILE, HEAD, HINTS, LAST, frame
from django_wsgimatch.exceptions import DaemonError
from tests.support.groups import Site, site, sockets_of, wait_until
from tests.support.relayed import ask, descriptors, scripted, settled
from tests.support.servers import PYTHON
from tests.support.wsgi import make_environ
from tests.thorough import mostly_thorough


def test_a_place_that_is_not_there_is_made_by_the_request_that_needs_it(tmp_path):
    with site(tmp_path) as at:
        at.told("/here")
        at.order(do="stop", name="blog")
        status = at.get("/blog").status

    assert status == 200


@pytest.mark.parametrize("name", SCRUBBED)
def test_a_variable_of_the_server_s_own_does_not_reach_a_group(name, monkeypatch):
    monkeypatch.setenv(name, "the server's")

    assert name not in environment_of(GroupOptions(), None)


def test_a_process_that_has_the_id_of_one_that_ended_is_another():
    own = this_server()

    assert own.is_alive
    assert not replace(own, started=str(int(own.started) - 1)).is_alive


def test_a_zombie_is_dead():
    process = subprocess.Popen([sys.executable, "-c", ""])
    owner = Owner(process.pid, start_time(process.pid) or "")
    try:
        wait_until(lambda: not owner.is_alive)
        os.kill(process.pid, 0)
    finally:
        process.wait()


def test_a_worker_whose_server_has_ended_answers_503_for_its_groups(tmp_path):
    groups = {"blog": GroupOptions()}
    definition = Definition(0.0, sys.executable, {}, (), "/", groups=groups)
    ended = Owner(os.getpid(), "1")
    places = Places(definition, str(tmp_path), ended)

    with pytest.raises(DaemonError) as caught:
        places.relay(Place("blog", ""), make_environ(), lambda *response: print)

    assert (caught.value.status, str(caught.value)) == (
        503,
        "The server's main process has ended",
    )


@pytest.mark.parametrize("count", [1, 3])
def test_a_descriptor_that_comes_with_early_hints_is_kept_for_the_file_or_closed(tmp_path, count):
    (tmp_path / "file").write_bytes(b"inside")

    def reply(connection):
        with open(tmp_path / "file", "rb") as file:
            hints = frame(HINTS, b"\nLink:</x.css>; rel=preload")
            socket.send_fds(connection, [hints], [file.fileno()] * count)
        connection.sendall(frame(HEAD, b"200 OK\nContent-Length:6") + frame(FILE))

    with scripted(reply) as link:
        before = descriptors()
        outcome: bytes | int
        try:
            outcome = ask(link, make_environ()).body
        except DaemonError as error:
            outcome = error.status
        # One of them is the test's own end of the connection.
        assert settled(before + 1)

    assert outcome == (b"inside" if count == 1 else 500)


def test_a_descriptor_for_a_response_that_needs_none_is_closed():
    def reply(connection):
        with open("/dev/null", "rb") as file:
            hints = frame(HINTS, b"\nLink:</x.css>; rel=preload")
            socket.send_fds(connection, [hints], [file.fileno()])
        connection.sendall(frame(HEAD, b"200 OK") + frame(LAST, b"x"))

    with scripted(reply) as link:
        before = descriptors()
        with pytest.raises(DaemonError) as caught:
            ask(link, make_environ())
        assert settled(before + 1)

    assert caught.value.status == 500


def test_groups_have_no_control_socket(tmp_path):
    with site(tmp_path) as at:
        at.told("/blog")
        open_sockets = sockets_of_process(at.place("blog")["pid"])

    assert not [path for path in open_sockets if path.endswith(".ctl")]


def sockets_of_process(pid: int) -> list[str]:
    """The paths of the unix sockets that a process has open."""
    with open("/proc/net/unix") as file:
        paths = {line.split()[6]: line.split()[7] for line in file if len(line.split()) == 8}
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue
        if target.startswith("socket:["):
            found.append(paths.get(target[8:-1], ""))
    return found


def test_a_server_that_is_replaced_drains_its_groups_and_the_new_one_has_its_own(tmp_path):
    serve = arguments(["--bind", "unix:{socket}", "--pid", str(tmp_path / "pid")])

    with site(tmp_path, command=serve) as at:
        first = at.told("/blog")["parent"]
        at.server.process.send_signal(signal.SIGUSR2)
        new_pid = tmp_path / "pid.2"
        at.until(lambda: new_pid.exists() and new_pid.read_text().strip().isdecimal())
        new = int(new_pid.read_text())
        at.server.process.terminate()
        at.server.process.wait()
        at.until(lambda: answers(at, "/blog"))
        second = at.told("/blog")["parent"]
        at.until(lambda: first not in at.processes())
        os.kill(new, signal.SIGTERM)
        at.until(lambda: not at.processes())

    assert first != second


def answers(at: Site, target: str) -> bool:
    try:
        return at.get(target).status == 200
    except OSError:
        # gunicorn's old worker may hang up on a client when it ends.
        return False


@pytest.mark.parametrize(
    "words",
    mostly_thorough(
        [
            pytest.param([], id="sync"),
            pytest.param(["--threads", "2"], id="gthread"),
            pytest.param(["--workers", "2"], id="two workers"),
        ]
    ),
)
def test_a_server_that_is_killed_while_it_loads_leaves_no_manager(tmp_path, words):
    """The worker finds itself with process 1, or a subreaper, for a parent: those never end."""
    sockets = sockets_of(tmp_path)
    (tmp_path / "site_settings.py").write_text(
        "import os, time\n"
        "if os.environ.get('WAIT') and os.getppid() != int(os.environ['WAIT']):\n"
        "    open('loading', 'w').close()\n"
        "    while not os.path.exists('go_on'): time.sleep(0.01)\n"
        "from django_wsgimatch import script_alias\n"
        "SECRET_KEY, BASE_DIR, ALLOWED_HOSTS = 'x', os.getcwd(), ['*']\n"
        "INSTALLED_APPS, ROOT_URLCONF = ['django_wsgimatch'], 'site_settings'\n"
        "urlpatterns = []\n"
        "WSGIMATCH_PROCESS_GROUPS = {'g': {}}\n"
        f"WSGIMATCH_SOCKET_DIRECTORY = {str(sockets)!r}\n"
        "WSGIMATCH_ALIASES = [script_alias('/g', 'g.wsgi', process_group='g')]\n"
    )
    (tmp_path / "g.wsgi").write_text("def application(environ, start_response): ...\n")
    environment = {
        **os.environ,
        "GUNICORN_CMD_ARGS": f"--bind=unix:{tmp_path}/listen",
        "DJANGO_SETTINGS_MODULE": "site_settings",
        "WAIT": str(os.getpid()),
        "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)]),
    }
    log = tmp_path / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*PYTHON, "-m", "gunicorn", "--no-control-socket", *words, "django_wsgimatch.wsgi"],
            cwd=tmp_path,
            env=environment,
            stdout=output,
            stderr=output,
        )
    wait_until((tmp_path / "loading").exists)
    server.kill()
    server.wait()
    (tmp_path / "go_on").touch()

    wait_until(lambda: b"the server's main process has ended" in log.read_bytes())
    wait_until(lambda: b"Worker exiting" in log.read_bytes())
    assert list(sockets.rglob("*.sock")) == []
