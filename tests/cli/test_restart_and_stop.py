"""``restart --wait`` and ``stop --wait`` end when it is over, and say how it went."""

from __future__ import annotations

import os
import re
import signal
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from django_wsgimatch.cli.common import orders
from django_wsgimatch.cli.restart import RESTART
from django_wsgimatch.cli.stop import STOP
from django_wsgimatch.conf import configuration
from django_wsgimatch.daemon.front.answers import read_order, read_outcomes
from django_wsgimatch.exceptions import ManagerError, ManagerGone
from tests.support.commands import Waiting
from tests.support.groups import site
from tests.support.renewals import AGAIN, BOOT, SLOW, deploy, deployed
from tests.thorough import mostly_thorough

APPLICATION = """\
def application(environ, start_response):
    start_response("200 OK", [])
    return [VERSION]
"""
LAZY = 'script_alias("/blog", "app.wsgi", process_group="blog"),\n'
GROUPS = """\
script_alias("/a", "app.wsgi", process_group="blog", application_group="a"),
script_alias("/b", "app.wsgi", process_group="blog", application_group="b"),
"""


@contextmanager
def served(path, text=APPLICATION, version=1, aliases=BOOT, **options):
    write(path, text, version)
    with site(path, options, aliases=aliases) as at:
        yield at


def write(path, text=APPLICATION, version=1):
    (path / "app.wsgi").write_text(f"VERSION = b'{version}'\n{text}")


def restart(at, *words, name="blog"):
    return Waiting(at.project, "restart", name, "--wait", *words).end()


def test_it_tells_which_processes_serve_the_new_code(tmp_path):
    with served(tmp_path, processes=2, threads=1) as at:
        at.get("/blog")
        at.until(lambda: len(at.place("blog")["processes"]) == 2)
        old = {each["pid"] for each in at.place("blog")["processes"]}
        write(tmp_path, version=2)
        status, output, errors = restart(at)
        answer = at.get("/blog").body
        ready = {each["pid"] for each in at.place("blog")["processes"] if each["state"] == "ready"}

    first, second = output.splitlines()
    told = {int(pid) for pid in re.findall(r"\d+", second)}
    assert (status, errors, answer) == (0, "", b"2")
    assert first == "Restarting blog."
    assert re.fullmatch(r"blog: processes \d+, \d+ serve the new code\.", second)
    assert told == ready
    assert not told & old


@pytest.mark.parametrize(
    ("text", "error", "line"),
    mostly_thorough(
        [
            pytest.param("x = \n", "SyntaxError: invalid syntax", 2, id="no Python"),
            pytest.param("import no_such", "No module named 'no_such'", 2, id="a missing module"),
            pytest.param("1 / 0\n", "ZeroDivisionError: division by zero", 2, id="it raises"),
            pytest.param("raise SystemExit(3)\n", "SystemExit: 3", 2, id="it leaves"),
        ]
    ),
)
def test_code_that_does_not_load_is_told_with_its_line(tmp_path, text, error, line):
    with served(tmp_path) as at:
        at.get("/blog")
        write(tmp_path, text)
        status, output, errors = restart(at)
        answer = at.get("/blog").body

    assert (status, output, answer) == (1, "Restarting blog.\n", b"1")
    assert errors.startswith(
        "blog: the new code does not load, the old code is still served: Target "
    )
    assert f"{error} (line {line} of {tmp_path}/app.wsgi).\n" in errors


def test_the_line_of_a_module_that_does_not_load_is_told(tmp_path):
    (tmp_path / "lib").mkdir()
    part = tmp_path / "lib/part_of_it.py"
    part.write_text("")
    text = f"import part_of_it\n{APPLICATION}"
    with served(tmp_path, text, python_path=[str(tmp_path / "lib")]) as at:
        at.get("/blog")
        part.write_text("\n\nVERSION = undefined\n")
        status, _, errors = restart(at)

    assert status == 1
    assert f"NameError: name 'undefined' is not defined (line 3 of {part})" in errors


def test_new_processes_that_die_while_they_load_are_told(tmp_path):
    with served(tmp_path) as at:
        at.get("/blog")
        write(tmp_path, "import os\nos._exit(7)\n")
        status, _, errors = restart(at)
        answer = at.get("/blog").body

    assert (status, answer) == (1, b"1")
    assert re.fullmatch(
        r"blog: the new code does not load, the old code is still served: "
        r"process \d+ exited with status 7 while it loaded\.\n",
        errors,
    )


def test_it_waits_for_the_renewal_that_follows_the_one_that_runs(tmp_path):
    with deployed(tmp_path) as slow:
        slow.at.told("/blog")
        slow.hold()
        slow.deploy("2")
        slow.restart()
        slow.at.until(lambda: slow.loads == ["1", "2"])
        slow.deploy("3")
        waiting = Waiting(tmp_path, "restart", "blog", "--wait")
        slow.at.server.wait_for_log(AGAIN)
        was_over = waiting.is_over
        slow.release()
        status, output, _ = waiting.end()
        told = slow.at.told("/blog")

    assert (status, was_over, told["version"]) == (0, False, "3")
    assert f"process {told['pid']} serves the new code" in output


def test_it_waits_for_the_renewal_that_follows_a_broken_one(tmp_path):
    with deployed(tmp_path) as slow:
        slow.at.told("/blog")
        slow.hold()
        slow.deploy("2")
        (tmp_path / "app.wsgi").write_text(f"{SLOW}1 / 0\n")
        slow.restart()
        slow.at.until(lambda: slow.loads == ["1", "2"])
        slow.deploy("3")
        (tmp_path / "app.wsgi").write_text(SLOW)
        waiting = Waiting(tmp_path, "restart", "blog", "--wait")
        slow.at.server.wait_for_log(AGAIN)
        slow.release()
        status, output, errors = waiting.end()
        told = slow.at.told("/blog")

    assert (status, errors, told["version"]) == (0, "", "3")
    assert f"process {told['pid']} serves the new code" in output


def test_it_waits_for_the_renewal_that_follows_the_first_start(tmp_path):
    with deployed(tmp_path, is_held=True) as slow:
        slow.at.until(lambda: slow.loads == ["1"])
        slow.deploy("2")
        waiting = Waiting(tmp_path, "restart", "blog", "--wait")
        # The order has been given by then.
        assert waiting.process.stdout is not None
        first = waiting.process.stdout.readline()
        slow.release()
        status, output, _ = waiting.end()
        told = slow.at.told("/blog")

    assert (first, status, told["version"]) == ("Restarting blog.\n", 0, "2")
    assert f"process {told['pid']} serves the new code" in output


def test_a_restart_while_a_start_fails_is_a_start_of_its_own(tmp_path):
    deploy(tmp_path, "1")
    (tmp_path / "hold").touch()
    (tmp_path / "app.wsgi").write_text(f"{SLOW}os._exit(7)\n")
    with site(tmp_path, {"python_path": [str(tmp_path / "lib")]}, aliases=BOOT) as at:
        at.until((tmp_path / "loads").exists)
        (tmp_path / "app.wsgi").write_text(SLOW)
        waiting = Waiting(tmp_path, "restart", "blog", "--wait")
        assert waiting.process.stdout is not None
        waiting.process.stdout.readline()
        (tmp_path / "hold").unlink()
        status, output, errors = waiting.end()

    assert (status, errors) == (0, "")
    assert "serves the new code" in output


def test_a_place_that_was_stopped_is_started_by_it(tmp_path):
    with served(tmp_path) as at:
        at.get("/blog")
        stopped = Waiting(at.project, "stop", "blog", "--wait").end()
        left = at.place("blog")["processes"]
        write(tmp_path, version=2)
        status, output, _ = restart(at)
        answer = at.get("/blog").body

    assert stopped == (0, "Stopping blog.\nblog: its processes have ended.\n", "")
    assert (left, status, answer) == ([], 0, b"2")
    assert "serves the new code" in output


def test_a_place_that_was_stopped_and_does_not_load_its_script_is_told(tmp_path):
    with served(tmp_path) as at:
        at.get("/blog")
        Waiting(at.project, "stop", "blog", "--wait").end()
        write(tmp_path, "1 / 0\n")
        status, _, errors = restart(at)

    assert status == 1
    assert errors.startswith(
        f"blog: the new processes do not load '{tmp_path}/app.wsgi': Target WSGI script "
    )
    assert f"ZeroDivisionError: division by zero (line 2 of {tmp_path}/app.wsgi).\n" in errors


def test_a_group_in_a_crash_loop_is_told_at_once(tmp_path):
    write(tmp_path, "import os\nos._exit(7)\n")
    with site(tmp_path, aliases=BOOT) as at:
        at.get("/blog")
        at.until(lambda: at.place("blog")["state"] == "failed")
        status, _, errors = restart(at)

    assert status == 1
    assert re.match(
        r"blog: did not start: it ended with status 6: process \d+ exited with status 7 while it "
        r"loaded",
        errors,
    )


def test_a_group_that_cannot_be_started_is_told(tmp_path):
    with served(tmp_path, log_file=str(tmp_path / "nowhere/log")) as at:
        at.get("/blog")
        status, _, errors = restart(at)

    assert status == 1
    assert errors.startswith("blog: cannot be started: [Errno 2] No such file or directory")


def test_scripts_that_nobody_has_asked_for_are_not_waited_for(tmp_path):
    with served(tmp_path, "1 / 0\n", aliases=LAZY) as at:
        at.get("/blog")
        at.until(lambda: at.place("blog")["state"] == "running")

        assert restart(at)[0] == 0


def test_what_takes_longer_than_the_timeout_is_no_success(tmp_path):
    with deployed(tmp_path) as slow:
        slow.at.told("/blog")
        slow.hold()
        status, output, errors = restart(slow.at, "--timeout", "0.5")
        slow.release()

    assert (status, output) == (1, "Restarting blog.\n")
    assert errors == (
        "blog: its new processes are not ready after 0.5 s; they are waited for no longer.\n"
    )


def test_each_place_of_a_process_group_is_told(tmp_path):
    with served(tmp_path, aliases=GROUPS) as at:
        at.get("/a")
        at.get("/b")
        status, output, _ = restart(at)

    assert status == 0
    assert sorted(re.sub(r"\d+", "N", line) for line in output.splitlines()[1:]) == [
        "blog/a: process N serves the new code.",
        "blog/b: process N serves the new code.",
        "blog: process N serves the new code.",
    ]


def test_a_manager_that_is_killed_meanwhile_does_not_matter(tmp_path):
    with deployed(tmp_path) as slow:
        slow.at.told("/blog")
        slow.hold()
        slow.deploy("2")
        waiting = Waiting(tmp_path, "restart", "blog", "--wait")
        assert waiting.process.stdout is not None
        waiting.process.stdout.readline()
        os.kill(slow.at.order(do="status")["pid"], signal.SIGKILL)
        slow.release()
        status, output, errors = waiting.end()

    assert (status, errors) == (0, "")
    assert "serves the new code" in output


def test_a_timeout_for_nothing_is_refused():
    with pytest.raises(CommandError, match="--timeout needs --wait"):
        call_command("wsgimatch", "restart", "blog", "--timeout", "3")


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        pytest.param({"places": ["a"]}, "places.since is None", id="an older version"),
        pytest.param({"places": ["a"], "since": "x"}, "places.since is 'x'", id="a text"),
        pytest.param({"places": None, "since": 1.0}, "places.places is None", id="no places"),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(answer, wrong):
    with pytest.raises(ManagerError, match=wrong):
        read_order(answer)


def test_outcomes_that_make_no_sense_are_refused():
    with pytest.raises(ManagerError, match=r"outcomes\.outcomes\.pids is 5"):
        read_outcomes({"outcomes": [{"name": "a", "state": "done", "pids": 5, "error": ""}]})


@pytest.fixture
def manager(monkeypatch):
    """A manager that gives the answers that a test has put down for it."""
    answers: list[Any] = []
    where = SimpleNamespace(manager="/nowhere")
    order = [(where, {"places": ["blog"], "since": 1.0})]
    monkeypatch.setattr(orders, "order_each", lambda configured, **asked: order)
    monkeypatch.setattr(orders, "ASK", 0.0)

    def answer(path, asked):
        told = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(told, Exception):
            raise told
        return {"outcomes": [told]}

    monkeypatch.setattr(orders, "give_order", answer)
    return answers


DONE = {"name": "blog", "state": "done", "pids": [5], "error": ""}


def results(words=RESTART, seconds=60.0):
    return list(orders.order_and_wait(configuration(), words, "blog", seconds))[1:]


@pytest.mark.parametrize(
    ("answers", "line", "is_success"),
    [
        pytest.param([DONE], "blog: process 5 serves the new code.", True, id="at once"),
        pytest.param(
            [{**DONE, "state": "waiting"}, DONE],
            "blog: process 5 serves the new code.",
            True,
            id="later",
        ),
        pytest.param(
            [ManagerGone("x"), DONE],
            "blog: process 5 serves the new code.",
            True,
            id="from another manager",
        ),
        pytest.param([ManagerError("no")], "blog: no.", False, id="it refuses"),
        pytest.param(
            [{**DONE, "state": "failed", "error": "a\x1b[2J."}],
            "blog: a\\x1b[2J.",
            False,
            id="a failure",
        ),
    ],
)
def test_what_a_manager_tells_is_shown(manager, answers, line, is_success):
    manager += answers

    assert results() == [orders.OrderResult(line, is_success)]


LATE = "after 0.01 s; they are waited for no longer"


@pytest.mark.parametrize(
    ("answer", "words", "line"),
    [
        pytest.param(
            ManagerGone("x"), RESTART, f"its new processes are not ready {LATE}", id="gone"
        ),
        pytest.param(
            {**DONE, "state": "waiting"}, STOP, f"its processes have not ended {LATE}", id="stop"
        ),
        pytest.param(
            {**DONE, "state": "waiting", "error": "process 5 died of SIGSEGV."},
            RESTART,
            f"its new processes are not ready {LATE}. The newest error: process 5 died of SIGSEGV",
            id="a process that dies again and again",
        ),
    ],
)
def test_a_manager_that_never_tells_is_waited_for_no_longer_than_that(manager, answer, words, line):
    manager.append(answer)

    assert results(words, 0.01) == [orders.OrderResult(f"blog: {line}.", False)]
