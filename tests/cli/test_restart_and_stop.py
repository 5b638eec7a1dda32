"""``restart --wait`` and ``stop --wait`` end when it is over, and say how it went."""

from __future__ import annotations

import os
import re
import signal
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
from tests.support.commands import Waiting, run_for
from tests.support.groups import site
from tests.support.renewals import AGAIN, BOOT, SLOW, deploy, deployed, put

APPLICATION = """\
def application(environ, start_response):
    start_response("200 OK", [])
    return [VERSION]
"""
# Each test has a group of its own, whose script bears its name: one server is enough for them all.
GROUPS = {
    "two": {"processes": 2, "threads": 1},
    "part": {"python_path": ["{project}/lib"]},
    "nowhere": {"log_file": "{project}/nowhere/log"},
    **{name: {} for name in ("broken", "dying", "stopped", "gone", "looping", "lazy", "tenants")},
}
ALIASES = f"""\
*(script_alias(f"/{{n}}", f"{{n}}.wsgi", process_group=n, application_group="%{{GLOBAL}}")
  for n in {[name for name in GROUPS if name not in ("lazy", "tenants")]!r}),
script_alias("/lazy", "lazy.wsgi", process_group="lazy"),
script_alias("/a", "tenants.wsgi", process_group="tenants", application_group="a"),
script_alias("/b", "tenants.wsgi", process_group="tenants", application_group="b"),
"""


class Group:
    """A group of the server that the tests share, and its script."""

    def __init__(self, at, name):
        self.at, self.name = at, name
        self.script = at.project / f"{name}.wsgi"

    def write(self, text=APPLICATION, version=1):
        put(self.script, f"VERSION = b'{version}'\n{text}")

    def get(self):
        return self.at.get(f"/{self.name}")

    @property
    def place(self):
        return self.at.place(self.name)

    def restart(self):
        return restart(self.at, name=self.name)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    project = tmp_path_factory.mktemp("shared")
    (project / "lib").mkdir()
    (project / "lib/part_of_it.py").touch()
    for name in GROUPS:
        text = "import os\nos._exit(7)\n" if name == "looping" else APPLICATION
        (project / f"{name}.wsgi").write_text(f"VERSION = b'1'\n{text}")
    groups = f"{GROUPS!r}".replace("{project}", str(project))
    with site(project, aliases=ALIASES, more=f"WSGIMATCH_PROCESS_GROUPS |= {groups}\n") as at:
        yield at


@pytest.fixture
def group(shared):
    """The group of a name."""
    return lambda name: Group(shared, name)


def ordered(at, *words):
    """The status, output and errors of a subcommand of the site's project, run by this process."""
    output, errors, status = run_for(at.project, *words)
    return status, output, errors


def restart(at, *words, name="blog"):
    return ordered(at, "restart", name, "--wait", *words)


def test_it_tells_which_processes_serve_the_new_code(group):
    two = group("two")
    two.get()
    two.at.until(lambda: len(two.place["processes"]) == 2)
    old = {each["pid"] for each in two.place["processes"]}
    two.write(version=2)
    # Typed, as users do.
    status, output, errors = Waiting(two.at.project, "restart", "two", "--wait").end()
    answer = two.get().body
    ready = {each["pid"] for each in two.place["processes"] if each["state"] == "ready"}

    first, second = output.splitlines()
    told = {int(pid) for pid in re.findall(r"\d+", second)}
    assert (status, errors, answer) == (0, "", b"2")
    assert first == "Restarting two."
    assert re.fullmatch(r"two: processes \d+, \d+ serve the new code\.", second)
    assert told == ready
    assert not told & old


@pytest.mark.parametrize(
    ("text", "error", "line"),
    [
        pytest.param("x = \n", "SyntaxError: invalid syntax", 2, id="no Python"),
        pytest.param("import no_such", "No module named 'no_such'", 2, id="a missing module"),
        pytest.param("1 / 0\n", "ZeroDivisionError: division by zero", 2, id="it raises"),
        pytest.param("raise SystemExit(3)\n", "SystemExit: 3", 2, id="it leaves"),
    ],
)
def test_code_that_does_not_load_is_told_with_its_line(group, text, error, line):
    broken = group("broken")
    broken.write()
    assert broken.get().body == b"1"
    broken.write(text)
    status, output, errors = broken.restart()
    answer = broken.get().body

    assert (status, output, answer) == (1, "Restarting broken.\n", b"1")
    assert errors.startswith(
        "broken: the new code does not load, the old code is still served: Target "
    )
    assert f"{error} (line {line} of {broken.script}).\n" in errors


def test_the_line_of_a_module_that_does_not_load_is_told(group):
    part = group("part")
    module = part.at.project / "lib/part_of_it.py"
    part.write(f"import part_of_it\n{APPLICATION}")
    part.get()
    put(module, "\n\nVERSION = undefined\n")
    status, _, errors = part.restart()

    assert status == 1
    assert f"NameError: name 'undefined' is not defined (line 3 of {module})" in errors


def test_new_processes_that_die_while_they_load_are_told(group):
    dying = group("dying")
    dying.get()
    dying.write("import os\nos._exit(7)\n")
    status, _, errors = dying.restart()
    answer = dying.get().body

    assert (status, answer) == (1, b"1")
    assert re.fullmatch(
        r"dying: the new code does not load, the old code is still served: "
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
        put(tmp_path / "app.wsgi", f"{SLOW}1 / 0\n")
        slow.restart()
        slow.at.until(lambda: slow.loads == ["1", "2"])
        slow.deploy("3")
        put(tmp_path / "app.wsgi", SLOW)
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
        put(tmp_path / "app.wsgi", SLOW)
        waiting = Waiting(tmp_path, "restart", "blog", "--wait")
        assert waiting.process.stdout is not None
        waiting.process.stdout.readline()
        (tmp_path / "hold").unlink()
        status, output, errors = waiting.end()

    assert (status, errors) == (0, "")
    assert "serves the new code" in output


def test_a_place_that_was_stopped_is_started_by_it(group):
    place = group("stopped")
    place.get()
    stopped = ordered(place.at, "stop", "stopped", "--wait")
    left = place.place["processes"]
    place.write(version=2)
    status, output, _ = place.restart()
    answer = place.get().body

    assert stopped == (0, "Stopping stopped.\nstopped: its processes have ended.\n", "")
    assert (left, status, answer) == ([], 0, b"2")
    assert "serves the new code" in output


def test_a_place_that_was_stopped_and_does_not_load_its_script_is_told(group):
    gone = group("gone")
    gone.get()
    ordered(gone.at, "stop", "gone", "--wait")
    gone.write("1 / 0\n")
    status, _, errors = gone.restart()

    assert status == 1
    assert errors.startswith(
        f"gone: the new processes do not load '{gone.script}': Target WSGI script "
    )
    assert f"ZeroDivisionError: division by zero (line 2 of {gone.script}).\n" in errors


def test_a_group_in_a_crash_loop_is_told_at_once(group):
    looping = group("looping")
    looping.get()
    looping.at.until(lambda: looping.place["state"] == "failed")
    status, _, errors = looping.restart()

    assert status == 1
    assert re.match(
        r"looping: did not start: it ended with status 6: process \d+ exited with status 7 while "
        r"it loaded",
        errors,
    )


def test_a_group_that_cannot_be_started_is_told(group):
    nowhere = group("nowhere")
    nowhere.get()
    status, _, errors = nowhere.restart()

    assert status == 1
    assert errors.startswith("nowhere: cannot be started: [Errno 2] No such file or directory")


def test_scripts_that_nobody_has_asked_for_are_not_waited_for(group):
    lazy = group("lazy")
    lazy.write("1 / 0\n")
    lazy.get()
    lazy.at.until(lambda: lazy.place["state"] == "running")

    assert lazy.restart()[0] == 0


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


def test_each_place_of_a_process_group_is_told(shared):
    shared.get("/a")
    shared.get("/b")
    status, output, _ = restart(shared, name="tenants")

    assert status == 0
    assert sorted(re.sub(r"\d+", "N", line) for line in output.splitlines()[1:]) == [
        "tenants/a: process N serves the new code.",
        "tenants/b: process N serves the new code.",
        "tenants: process N serves the new code.",
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
