"""What a tenant, or somebody who can change the settings, tries against a server of root's."""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import signal
import socket
import textwrap
import time
from contextlib import suppress
from pathlib import Path

import pytest

from django_wsgimatch.exceptions import ManagerError
from tests.support.groups import wait_until
from tests.support.rooted import (
    GROUPS,
    OTHER,
    SECRETS,
    SERVER,
    TENANT,
    needs_root,
    processes,
    served,
    uid,
    write_project,
)

pytestmark = needs_root


@pytest.fixture(scope="module")
def site(root_s_home):
    with served(write_project(root_s_home, "faults")) as site:
        yield site


@pytest.fixture
def tenant(site):
    """Group a, hostile for one test; after it, it is as new."""
    yield site
    site.restarted("a")


def answers_soon(site, name):
    """Whether a group answers within the time that another tenant may disturb it for."""
    before = time.monotonic()
    return site.answers(name) and time.monotonic() - before < DISTURBED


# How long another tenant may be disturbed: 2 s, and as much again as a busy machine takes.
DISTURBED = 5.0


def test_exactly_one_process_stays_root(site):
    assert site.stay_root() == [True]


@pytest.mark.parametrize(
    ("group", "user"), [("a", TENANT), ("b", OTHER), ("plain", SERVER), ("here", SERVER)]
)
def test_who_runs_each_group(site, group, user):
    assert site.told(group, "import os; told = os.getresuid()") == [uid(user)] * 3


def test_the_group_that_is_not_allowed_says_so_and_the_others_serve(site):
    said = "cannot be started: the starter refuses: user 1 is not allowed"

    status, error = site.ask("denied").status, site.place("denied")["error"]

    assert (status, error[: len(said)]) == (503, said)
    assert f"[wsgimatch] denied {said}" in site.log


def test_settings_are_read_by_the_server_s_user_alone(site):
    assert site.readers == {uid(SERVER)}


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("group", ["a", "b"])
def test_no_secret_of_the_server_s_is_inherited(site, group, name):
    told = site.told(group, f"import os; told = os.environ.get({name!r})")

    assert told is None


def test_what_a_tenant_has_of_the_environment(site):
    told = site.told("a", "import os; told = sorted(os.environ)")

    # SERVER_SOFTWARE is gunicorn's own, in the group.
    assert [name for name in told if not re.fullmatch("LC_.*|LANG|TZ|PATH", name)] == [
        *("HOME", "LOGNAME", "SERVER_SOFTWARE", "USER", "WSGIMATCH_GROUP")
    ]


def test_a_group_of_the_server_s_user_keeps_the_server_s_environment(site):
    told = site.told("plain", "import os; told = os.environ.get('SECRET_KEY')")

    assert told == SECRETS["SECRET_KEY"]


@pytest.mark.parametrize("what", ["environ", "mem", "maps", "fd", "cwd"])
@pytest.mark.parametrize("whose", ["starter", "manager", "server"])
def test_a_tenant_looks_into_no_process_of_the_server_s(site, whose, what):
    pid = {"starter": site.starter, "manager": site.manager, "server": lambda: site.process.pid}
    path = f"/proc/{pid[whose]()}/{what}"

    told = site.told("a", LOOKS_INTO.format(path))

    assert told in ("PermissionError", "nothing")


LOOKS_INTO = """
import os
try:
    if os.path.isdir({0!r}):
        told = [os.readlink(os.path.join({0!r}, name)) for name in os.listdir({0!r})] or "nothing"
    else:
        told = open({0!r}, "rb").read(10).decode("latin-1") or "nothing"
except OSError as error:
    told = type(error).__name__
"""


@pytest.mark.parametrize("group", ["a", "b"])
def test_a_tenant_can_gain_no_rights(site, group):
    status = site.told(group, "told = open('/proc/self/status').read()")

    found = dict(re.findall("^(NoNewPrivs|CapPrm|CapEff|CapAmb):\t(.*)$", status, re.MULTILINE))
    nothing = "0" * 16
    assert found == {"CapPrm": nothing, "CapEff": nothing, "CapAmb": nothing, "NoNewPrivs": "1"}


def test_a_tenant_holds_no_descriptor_of_another_s(site):
    """The control socket of the starter, other places' boards, the folder of sockets: none."""
    told = site.told("a", HOLDS)

    assert [word for word in told if ".board" in word and site.place("a")["name"] not in "a"] == []
    assert not [word for word in told if word.startswith("/") and not re.search(MAY_HOLD, word)]


HOLDS = """
import os
told = [os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")[:-1]]
"""
MAY_HOLD = r"^/dev/(null|u?random)$|/[0-9a-f]{16}\.\d+\.board$|^/memfd:|/wgunicorn|/proc/|/tmp/"


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param("pack('<q', 1 << 40)", id="a process id of 2**40"),
        pytest.param("pack('<q', -1)", id="a negative process id"),
        pytest.param("pack('<q', -(1 << 63))", id="the least process id"),
        pytest.param("pack('<q', 1)", id="the first process's"),
        pytest.param("pack('<qqd', 7, 2, float('nan'))", id="a worker that has begun never"),
        pytest.param("b'\\xff' * 100_000", id="all ones"),
        pytest.param("b''", id="a board that is cut off"),
    ],
)
def test_lies_on_the_board_and_an_arbiter_that_is_killed_hinder_no_other(tenant, lie):
    before = tenant.manager()
    tenant.ask("a", LIES.format(lie))

    others = [answers_soon(tenant, name) for name in ("b", "plain", "here")]
    status = {each["name"] for each in tenant.order(do="status")["places"]}

    assert others == [True] * 3
    assert status == set(GROUPS)
    tenant.until(lambda: tenant.answers("a"))
    assert tenant.manager() == before


LIES = """
import os, signal
from struct import pack
[board] = {{n for n in map(int, os.listdir("/proc/self/fd")[:-1])
            if os.readlink(f"/proc/self/fd/{{n}}").endswith(".board")}} & {{4}} or {{4}}
lie = {0}
if lie:
    for slot in range(6):
        size = (os.fstat(board).st_size - 4096) // 6
        os.pwrite(board, lie[: size - 8], 4096 + slot * size)
    os.pwrite(board, lie[:100], 0)
else:
    os.ftruncate(board, 0)
os.kill(os.getppid(), signal.SIGKILL)
"""


def test_another_tenant_s_process_on_the_board_is_not_signalled(tenant):
    [other] = [each["pid"] for each in tenant.place("b")["processes"]]
    tenant.ask("a", LIES.format(f"pack('<qqd', {other}, 2, 1.0)"))
    tenant.until(lambda: tenant.answers("a"))

    assert [each["pid"] for each in tenant.place("b")["processes"]] == [other]


def test_a_stray_that_takes_the_listening_socket_and_makes_it_block(tenant):
    manager = tenant.manager()
    tenant.told("a", STEALS)
    for _ in range(5):
        tenant.ask("a", "import os, signal; os.kill(os.getppid(), signal.SIGTERM)")
        assert answers_soon(tenant, "b")

    tenant.until(lambda: tenant.answers("a"))
    answer = tenant.order(do="ping")
    assert answer == {"pid": manager}


STEALS = """
import os, socket, struct
if not os.fork():
    os.setsid()
    if os.fork():
        os._exit(0)
    listener = socket.socket(fileno=os.dup(3))
    while True:
        try:
            os.set_blocking(listener.fileno(), True)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 0))
            listener.accept()[0].close()
        except OSError:
            pass
"""


@pytest.mark.parametrize("end", ["stop", "killed arbiter"])
def test_children_that_left_their_session_end_with_their_group(tenant, end):
    name = f"stray-{time.monotonic_ns()}"

    def has_left_children():
        # What an earlier test has ended may still be answering.
        tenant.ask("a", STRAYS.format(python=tenant.python, name=name))
        return len(named(name)) >= 3

    tenant.until(has_left_children)

    if end == "stop":
        tenant.order(do="stop", name="a")
    else:
        os.kill(tenant.place("a")["pid"], signal.SIGKILL)

    tenant.until(lambda: not named(name))


STRAYS = """
import os, subprocess, sys, time
words = ["/bin/sh", "-c", "sleep 1000; : {name}"]
subprocess.Popen(words, start_new_session=True)
subprocess.Popen(words)
if not os.fork():
    os.setsid()
    if not os.fork():
        os.execv(words[0], words)
    os._exit(0)
time.sleep(0.2)
told = None
"""


def named(name):
    return [each.pid for each in processes() if any(name in word for word in each.words)]


def test_a_fork_bomb_hinders_no_other(tenant):
    tenant.told("a", BOMB)

    answers = [answers_soon(tenant, name) for name in ("b", "plain", "here")]
    tenant.order(do="stop", name="a")

    assert answers == [True] * 3
    tenant.until(lambda: len([p for p in processes() if p.user == uid(TENANT)]) < 10)


BOMB = """
import os, resource, time
if not os.fork():
    os.setsid()
    resource.setrlimit(resource.RLIMIT_NPROC, (60, 60))
    while True:
        try:
            os.fork()
        except OSError:
            time.sleep(0.01)
"""


ORDERS = [
    pytest.param({"do": "stop", "name": "b"}, id="stop another"),
    pytest.param({"do": "restart", "name": "b"}, id="restart another"),
    pytest.param({"do": "status"}, id="status"),
    pytest.param({"do": "define", "definition": {}}, id="define"),
    pytest.param({"do": "place", "process_group": "", "application_group": 5}, id="odd place"),
]


@pytest.mark.parametrize("how", ["itself", "by a child", "by a stray", "by one that has ended"])
@pytest.mark.parametrize("order", ORDERS)
def test_a_group_of_the_server_s_user_gives_no_orders(site, order, how):
    """Whoever connects may have ended by the time that the manager looks."""
    path = f"{site.project}/readers/1.{how.replace(' ', '-')}"
    site.told("plain", ORDERED.format(path=site.manager_socket, order=order, how=how, told=path))
    try:
        wait_until(lambda: os.path.exists(path))
        told = Path(path).read_text()
    finally:
        Path(path).unlink(missing_ok=True)

    assert json.loads(told) == {"error": f"a process of a group may not {order['do']}"}


ORDERED = """
import json, os, socket, time
path = {told!r}

def give(connect):
    connection = socket.socket(socket.AF_UNIX)
    if connect == "here":
        connection.connect({path!r})
    else:
        # The connection is the child's, who ends before anything is said.
        read, write = socket.socketpair()
        pid = os.fork()
        if not pid:
            connection.connect({path!r})
            socket.send_fds(write, [b"x"], [connection.fileno()])
            os._exit(0)
        connection = socket.socket(fileno=socket.recv_fds(read, 1, 1)[1][0])
        os.waitpid(pid, 0)
    connection.sendall(json.dumps({order!r}).encode() + b"\\n")
    told = connection.recv(1 << 20)
    with open(path + "~", "wb") as file:
        file.write(told)
    os.rename(path + "~", path)

how = {how!r}
if how == "itself":
    give("here")
elif how == "by one that has ended":
    give("child")
elif not os.fork():
    if how == "by a stray":
        os.setsid()
        if os.fork():
            os._exit(0)
        time.sleep(0.1)
    give("here")
    os._exit(0)
told = None
"""


def test_bytes_that_drip_into_the_manager_delay_no_other(site):
    site.told("plain", DRIPS.format(path=site.manager_socket))
    site.order(do="stop", name="b")

    assert answers_soon(site, "b")


DRIPS = """
import os, socket, time
if not os.fork():
    connections = []
    for _ in range(60):
        connections.append(socket.socket(socket.AF_UNIX))
        connections[-1].connect({path!r})
    end = time.monotonic() + 4
    while time.monotonic() < end:
        for connection in connections:
            try:
                connection.send(b"[")
            except OSError:
                pass
        time.sleep(0.05)
    os._exit(0)
"""


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\n", id="nothing"),
        pytest.param(b"5\n", id="a number"),
        pytest.param(b"[" * 100_000 + b"\n", id="deep"),
        pytest.param(b'{"do": ["stop"]}\n', id="an order that is a list"),
        pytest.param(b'{"do": "restart", "name": {}}\n', id="a name that is none"),
        pytest.param(b'{"do": "define", "definition": {"groups": 1}}\n', id="half a definition"),
        pytest.param(b"\xff\xfe\n", id="no text"),
    ],
)
def test_odd_orders_are_errors_of_their_own(site, data):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(site.manager_socket)
        connection.sendall(data)
        told = json.loads(connection.recv(100_000))

    assert list(told) == ["error"]
    assert site.answers("b")


@pytest.mark.parametrize("name", ["a", "b", "plain"])
def test_a_socket_that_was_deleted_is_made_again(site, name):
    path = site.order(do="place", process_group=name, application_group="")["socket"]
    os.unlink(path)
    site.order(do="restart", name=name)

    site.until(lambda: os.path.exists(path) and site.answers(name))
    site.until(lambda: site.place(name)["state"] == "running")


def test_a_folder_of_sockets_that_was_deleted_is_made_again(site):
    manager = site.manager()
    shutil.rmtree(os.path.dirname(site.manager_socket), ignore_errors=True)

    site.until(lambda: all(site.answers(name) for name in ("a", "b", "plain")))
    assert site.manager() == manager


def has_another_manager(site, before):
    found = [each.pid for each in site.processes() if each.is_manager]
    return bool(found) and before not in found


def test_the_manager_that_was_killed_is_back_before_anybody_asks(site):
    before = site.manager()
    os.kill(before, signal.SIGKILL)

    site.until(lambda: has_another_manager(site, before), DISTURBED)
    site.until(lambda: all(site.answers(name) for name in ("a", "b", "plain")))
    assert site.stay_root() == [True]


def are_managed(site, *names):
    """Whether groups answer, and are known to run to the manager that there is."""
    if not all(site.answers(name) for name in names):
        return False
    with suppress(ManagerError):
        return all(site.place(name)["state"] == "running" for name in names)
    return False


def test_a_manager_that_was_stopped_is_replaced_and_groups_serve_on_meanwhile(site):
    # A test before may have ended the manager, and groups answer before the next one is ready.
    site.until(lambda: are_managed(site, "a", "b", "plain"))
    before = site.manager()
    os.kill(before, signal.SIGSTOP)
    try:
        served_on = [site.answers(name) for name in ("a", "b", "plain", "here")]
        site.until(lambda: has_another_manager(site, before))
    finally:
        if os.path.exists(f"/proc/{before}"):
            os.kill(before, signal.SIGCONT)

    assert served_on == [True] * 4
    site.until(lambda: all(site.answers(name) for name in ("a", "b", "plain")))


@pytest.mark.parametrize("signum", [signal.SIGUSR1, signal.SIGHUP], ids=["USR1", "HUP"])
def test_a_signal_to_the_server_reads_nothing_as_root(site, signum):
    site.forget_readers()
    site.process.send_signal(signum)
    site.until(lambda: signum == signal.SIGUSR1 or site.readers)

    site.until(lambda: all(site.answers(name) for name in ("a", "b", "plain")))
    assert site.readers <= {uid(SERVER)}
    assert site.stay_root() == [True]


@pytest.mark.parametrize("do", ["restart", "stop"])
def test_strays_of_a_group_end_when_it_is_told_to_end(tenant, do):
    name = f"told-{time.monotonic_ns()}"
    tenant.told("a", STRAYS.format(python=tenant.python, name=name))

    tenant.order(do=do, name="a")
    if do == "restart":
        # Its first process stays, and with it what it has adopted, until it ends itself.
        tenant.until(lambda: tenant.answers("a"))
        tenant.order(do="stop", name="a")

    tenant.until(lambda: not named(name))


def test_a_log_file_that_a_tenant_makes_a_fifo_stalls_nobody(root_s_home):
    """The manager would wait in open() for somebody who reads."""
    logs = root_s_home / "logs"
    logs.mkdir()
    os.chown(logs, uid(TENANT), pwd.getpwnam(SERVER).pw_gid)
    logs.chmod(0o770)
    os.mkfifo(logs / "a.log")
    (logs / "a.log").chmod(0o666)
    groups = {**GROUPS, "a": {**GROUPS["a"], "log_file": str(logs / "a.log")}}
    with served(write_project(root_s_home, "fifo", groups), waits_for="b") as site:
        error = site.place("a")["error"]
        answers = site.answers("b")

    assert error.startswith("cannot be started: ")
    assert answers


FORGED = textwrap.dedent("""\
    import json, os, sys
    if "django_wsgimatch.server.group_definition" in " ".join(sys.orig_argv):
        from django_wsgimatch.daemon.definition import Definition
        from django_wsgimatch.daemon.options import GroupOptions
        from django_wsgimatch.daemon.servers.own_python import own_packages
        from dataclasses import replace
        groups = {"good": GroupOptions(user="games", threads=1, start="boot")}
        told = Definition(
            time=10.0**12, python=EVIL, packages=own_packages(), sys_path=(), directory="/",
            project="forged", groups=groups,
        ).to_json()
        told["groups"] |= FORGED_GROUPS
        told |= CHANGES
        print(json.dumps({"definition": told, "base": BASE, "environment": ENVIRONMENT}))
        sys.stdout.flush()
        os._exit(0)
    """)


@pytest.fixture(scope="module")
def forged(root_s_home):
    """A project whose settings import a file that a lower user has changed: it forges all."""
    project = write_project(root_s_home, "forged", GROUPS, "from local import *\n")
    path = project.project / "local.py"
    mark = project.project / "readers" / "evil"
    evil = project.project / "evil.sh"
    evil.write_text(f'#!/bin/sh\nid -u >> {mark}.$$\nexec {project.python} "$@"\n')
    evil.chmod(0o755)
    path.write_text(f"EVIL = {str(evil)!r}\n")
    os.chown(path, uid(TENANT), 0)
    with served(project) as site:
        groups = {
            "root": {"user": "root"},
            "zero": {"user": "#0"},
            "gid0": {"user": TENANT, "group": "#0"},
            "shadow": {"user": TENANT, "supplementary_groups": ["shadow", "disk"]},
            "stranger": {"user": "daemon"},
        }
        options = "{name: {**__import__('dataclasses').asdict(GroupOptions(start='boot')), **given}"
        lines = [
            f"EVIL = {str(evil)!r}",
            f"BASE = {str(site.project / 'sockets' / 'wsgimatch-65534')!r}",
            f"ENVIRONMENT = {{'LD_PRELOAD': '/nowhere/evil.so', 'PATH': {os.environ['PATH']!r}}}",
            "CHANGES = {}",
        ]
        text = FORGED.replace("FORGED_GROUPS", f"{options} for name, given in {groups!r}.items()}}")
        path.write_text("\n".join(lines) + "\n" + text)
        site.process.send_signal(signal.SIGHUP)
        site.until(lambda: "shadow" in site.log)
        yield site


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("root", "user 'root' is refused", id="root"),
        pytest.param("zero", "user '#0' is refused", id="root's number"),
        pytest.param("gid0", "group '#0' is refused", id="root's group"),
        pytest.param("shadow", "'www-data' is not allowed group", id="shadow and disk"),
        pytest.param("stranger", "user 1 is not allowed", id="a user that root has not named"),
    ],
)
def test_a_forged_definition_is_refused_group_by_group(forged, name, said):
    forged.until(lambda: forged.place(name)["error"] != "")

    error = forged.place(name)["error"]

    assert said in error
    assert said in forged.log


def test_nothing_that_was_forged_runs_as_root(forged):
    forged.until(lambda: forged.place("good")["state"] == "running")

    users = {int(path.read_text().split()[0]) for path in forged.project.glob("readers/evil.*")}

    assert 0 not in users
    assert forged.stay_root() == [True]
    assert 0 not in forged.readers


def test_the_manager_s_own_starter_is_asked_by_a_tenant_of_the_server_s_user(site):
    """It finds the control socket of no process that it can reach without ptrace."""
    told = site.told("plain", "import os; told = os.environ.get('WSGIMATCH_STARTER')")

    assert told is None
