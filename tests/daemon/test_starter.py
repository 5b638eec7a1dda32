"""The process that stays root, alone: what lower users may say to it, and what it does then."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.fuzz.starter import fuzz
from tests.support.groups import wait_until
from tests.support.rooted import needs_root
from tests.support.rooted_starter import ALLOWED, starter

pytestmark = needs_root


@pytest.fixture(scope="module")
def running(root_s_home):
    with starter(root_s_home) as running:
        yield running


@pytest.fixture
def manager(running):
    manager = running.manager()
    yield manager
    manager.socket.close()


def status_of(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.split() for name, _, value in (line.partition(":") for line in lines)}


def becomes(pid, program):
    """Wait until a process has become its program: until then it is the starter's own copy."""
    wait_until(lambda: program.encode() in Path(f"/proc/{pid}/cmdline").read_bytes())


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        pytest.param({"user": 0}, "user 0 is not allowed: `--allow-user` names who is", id="root"),
        pytest.param(
            {"user": None}, "user None is not allowed: `--allow-user` names who is", id="nobody"
        ),
        pytest.param({"user": 1}, "user 1 is not allowed: `--allow-user` names who is", id="other"),
        pytest.param(
            {"group": 0},
            "'www-data' is not allowed group 0: `--allow-user www-data:GROUP`",
            id="root's group",
        ),
        pytest.param(
            {"groups": [33, 42]},
            "'www-data' is not allowed group 42: `--allow-user www-data:GROUP`",
            id="shadow among the groups",
        ),
        pytest.param(
            {"groups": [20]},
            "'www-data' is not allowed group 20: `--allow-user www-data:GROUP`",
            id="a group that another user may have",
        ),
    ],
)
def test_who_is_refused(running, manager, changes, refusal):
    answer = manager.answer(running.order(**changes))

    assert answer == {"refused": refusal}


def test_a_start_that_is_allowed_may_be_asked_about_and_starts_nothing(running, manager):
    before = {*running.children()}

    answers = [manager.answer(running.order(do="check", **who)) for who in ({}, {"user": 1})]

    assert answers == [
        {"allowed": True},
        {"refused": "user 1 is not allowed: `--allow-user` names who is"},
    ]
    assert {*running.children()} <= before


def test_root_is_refused_though_the_command_line_should_allow_it(root_s_home):
    with starter(root_s_home, ["root=0:0:0", *ALLOWED]) as running:
        answer = running.manager().answer(running.order(user=0, group=0, groups=[]))

    assert answer == {"refused": "user 0 is not allowed: `--allow-user` names who is"}


def test_a_group_that_is_allowed_by_name(running, manager):
    order = running.order(user=5, group=60, groups=[60, 20])

    pid = manager.answer(order)["pid"]
    becomes(pid, "sleep")
    status = status_of(pid)
    manager.kill(pid)

    assert status["Uid"] == ["5"] * 4
    assert status["Gid"] == ["60"] * 4
    assert status["Groups"] == ["20", "60"]


def test_a_process_has_no_rights_of_root_s_left(running, manager):
    # Other tests have processes of this user, too.
    order = running.order(limits={"NPROC": 5000, "CORE": 0, "NOFILE": 99})

    pid = manager.answer(order)["pid"]
    becomes(pid, "sleep")
    status, limits = status_of(pid), Path(f"/proc/{pid}/limits").read_text()
    descriptors = sorted(os.listdir(f"/proc/{pid}/fd"), key=int)
    manager.kill(pid)

    names = ("NoNewPrivs", "CapPrm", "CapEff", "CapAmb", "Uid", "Gid", "Groups")
    nothing = ["0" * 16]
    assert [status[name] for name in names] == [
        *(["1"], nothing, nothing, nothing),
        *(["33"] * 4, ["33"] * 4, ["33"]),
    ]
    rows = [line.split() for line in limits.splitlines()]
    assert [row[-3:] for row in rows if row[1:3] == ["processes", "5000"]] == [
        ["5000", "5000", "processes"]
    ]
    assert [row[-3:-1] for row in rows if "open" in row] == [["99", "99"]]
    assert descriptors == ["0", "1", "2", "3", "4", "5"]


def test_why_a_process_could_not_become_its_program(running, manager):
    pid = manager.answer(running.order(program="/nowhere/python"))["pid"]
    told = [manager.receive(), manager.receive()]

    said = "[Errno 2] No such file or directory: '/nowhere/python'"
    assert told == [{"ended": pid, "status": 127, "error": said}, {"gone": pid}]


def test_processes_that_end_at_once_hinder_no_later_one(running, manager):
    """Descriptors are used again as soon as they are closed."""
    answers = []
    for _ in range(50):
        answers.append(manager.answer(running.order(program="/bin/true")))
        answers.append(manager.answer(running.order()))
        manager.kill(answers[-1]["pid"])

    assert [answer for answer in answers if "pid" not in answer] == []


def test_only_its_own_process_is_signalled(running, manager):
    other = running.manager()
    pid = other.answer(running.order())["pid"]
    becomes(pid, "sleep")

    for target in (pid, -1, 0, 1, -pid, running.process.pid, os.getpid()):
        manager.send(json.dumps({"do": "signal", "pid": target, "signal": 9}).encode(), [])
    refused = manager.answer(running.order(user=0))
    lives = os.path.exists(f"/proc/{pid}")
    other.kill(pid)

    # The last order is answered after the others: those are passed over without a word.
    assert "refused" in refused
    assert lives


@pytest.mark.parametrize(
    "kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["stream", "datagram"]
)
@pytest.mark.parametrize("family", [socket.AF_UNIX, socket.AF_INET], ids=["unix", "inet"])
def test_a_descriptor_that_is_no_manager_s_socket(running, manager, kind, family):
    with socket.socket(family, kind) as strange:
        socket.send_fds(running.control, [b"manager"], [strange.fileno()])
        answer = manager.answer(running.order(user=0))

    assert "refused" in answer


@pytest.mark.parametrize(
    "path",
    ["/dev/null", "/proc/self/mem", "/", "/dev/zero"],
    ids=["device", "mem", "folder", "zero"],
)
def test_a_descriptor_that_is_no_socket_at_all(running, manager, path):
    descriptor = os.open(path, os.O_RDONLY)
    socket.send_fds(running.control, [b"manager"], [descriptor])
    os.close(descriptor)
    answer = manager.answer(running.order(user=0))

    assert "refused" in answer


def test_a_manager_that_makes_its_socket_block_and_reads_nothing(running, manager):
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with mine, its:
        socket.send_fds(running.control, [b"manager"], [its.fileno()])
        mine.setblocking(False)
        for _ in range(1000):
            # What a description may do is for whoever shares it to say.
            its.setblocking(True)
            try:
                mine.send(b"[]")
            except BlockingIOError:
                break
        answer = manager.answer(running.order(user=0))

    assert "refused" in answer


def test_a_manager_that_reads_the_starter_s_end_itself(running, manager):
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with mine, its:
        socket.send_fds(running.control, [b"manager"], [its.fileno()])
        its.setblocking(True)
        stolen = subprocess.Popen(
            [sys.executable, "-c", STEALS.format(mine.fileno(), its.fileno())],
            pass_fds=[mine.fileno(), its.fileno()],
        )
        answers = [manager.answer(running.order(user=0)) for _ in range(300)]
        stolen.kill()
        stolen.wait()

    assert all("refused" in answer for answer in answers)


STEALS = """\
import socket
mine, its = (socket.socket(fileno=number) for number in ({}, {}))
while True:
    try:
        its.setblocking(True)
        mine.send(b"[]", socket.MSG_DONTWAIT)
        its.recv(100, socket.MSG_DONTWAIT)
        mine.recv(100, socket.MSG_DONTWAIT)
    except BlockingIOError:
        pass
"""


@pytest.mark.parametrize(
    "blocks",
    [
        pytest.param("fifo", id="a fifo"),
        pytest.param("/dev/null", id="a device"),
        pytest.param("/proc", id="a folder"),
        pytest.param("socket", id="a socket that nobody writes to"),
    ],
)
def test_a_program_or_descriptors_that_block(running, manager, tmp_path, blocks):
    pair = socket.socketpair()
    program = blocks
    if blocks == "fifo":
        program = str(running.where / "fifo")
        os.mkfifo(program, 0o777)
    given = [pair[0].fileno()] * 5 if blocks == "socket" else None
    changes = {"environment": running.order()["environment"] | {"STAY": "0"}}
    if blocks != "socket":
        changes["program"] = program
    pid = manager.answer(running.order(**changes), given)["pid"]
    told = manager.kill(pid)
    for each in pair:
        each.close()

    assert told[-1] == {"gone": pid}


def test_descriptors_run_out_and_come_back(root_s_home):
    with starter(root_s_home, n=40) as running:
        hog, manager = running.manager(), running.manager()
        answers = [hog.answer(running.order()) for _ in range(60)]
        pids = running.children()
        hog.kill_all(pids)
        again = [manager.answer(running.order()) for _ in range(6)]

    assert len(pids) < len(answers)
    assert [answer for answer in again if "pid" not in answer] == []


def test_what_left_its_session_ends_with_the_rest(root_s_home):
    """Each of them is the child of another that has left its session too."""
    with starter(root_s_home) as running:
        manager = running.manager()
        script = running.where / "chain"
        script.write_text(CHAIN)
        script.chmod(0o755)
        pid = manager.answer(running.order(program=str(script)))["pid"]
        wait_until(lambda: len(list(running.where.glob("*.chain"))) == 6)
        chain = [int(path.stem) for path in running.where.glob("*.chain")]
        manager.socket.close()
        running.control.close()
        running.process.wait(60)

    assert [each for each in (pid, *chain) if os.path.exists(f"/proc/{each}")] == []


CHAIN = textwrap.dedent(f"""\
    #!{sys.base_prefix}/bin/python3
    import os, time, pathlib
    for depth in range(6):
        if os.fork():
            time.sleep(1000)
        os.setsid()
        pathlib.Path(os.environ["WHERE"], f"{{os.getpid()}}.chain").touch()
    time.sleep(1000)
    """).replace(f"{sys.base_prefix}/bin/python3", "/usr/bin/python3")


def test_one_that_forks_away_all_the_time_ends_too(root_s_home):
    with starter(root_s_home) as running:
        manager = running.manager()
        script = running.where / "runs"
        script.write_text(RUNS_AWAY)
        script.chmod(0o755)
        pid = manager.answer(running.order(program=str(script)))["pid"]
        wait_until(lambda: (running.where / "runs-away").exists())
        told = manager.kill(pid)
        running.control.close()
        running.process.wait(60)
        left = [p for p in os.listdir("/proc") if p.isdigit() and _runs(p, str(script))]

    assert told[-1] == {"gone": pid}
    assert left == []


RUNS_AWAY = """\
#!/usr/bin/python3
import os, pathlib, time
pathlib.Path(os.environ["WHERE"], "runs-away").touch()
for turn in range(1_000_000):
    if os.fork():
        os._exit(0)
    os.setsid()
"""


def _runs(pid, script):
    try:
        return script.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def test_signals_of_a_terminal_do_not_end_it(running, manager):
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        running.process.send_signal(signum)
    answer = manager.answer(running.order(user=0))

    assert "refused" in answer


def test_nothing_that_is_sent_makes_it_start_what_is_not_allowed(root_s_home):
    with starter(root_s_home) as running:
        found = fuzz(running, random.Random(20261129), 300)

    assert found.who <= {"33 33 33", "5 60 60", "5 60 60 20", "5 20 60 20", "5 20 20", "5 60 20"}
    assert found.answered == found.asked
    assert found.started > 0
