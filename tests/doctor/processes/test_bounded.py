"""Programs that are not trusted: what they print, how long they run and what they leave."""

from __future__ import annotations

import os
import sys
import threading
import time

import pytest

from django_wsgimatch.doctor.processes import bounded
from django_wsgimatch.doctor.processes.bounded import (
    Bounds,
    Ended,
    Program,
    run_bounded,
)


def python(source: str) -> Program:
    return Program([sys.executable, "-c", source], {}, "/")


def test_what_a_program_says():
    source = "import sys; print(sys.stdin.read()); print('x', file=sys.stderr); sys.exit(3)"

    ended = run_bounded(python(source), Bounds(30), b"given" * 100)

    assert ended == Ended(3, b"given" * 100 + b"\n", "x\n")


@pytest.mark.parametrize("given", [b"", b"x", b"x" * 100_000])
@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs files that are in no folder")
def test_no_folder_for_temporary_files_is_needed(monkeypatch, given):
    monkeypatch.setattr("tempfile.tempdir", "/nonexistent")

    assert run_bounded(
        python("import sys; print(len(sys.stdin.read()))"), Bounds(30), given
    ).output == (b"%d\n" % len(given))


def test_a_long_input_is_taken_by_one_that_does_not_read():
    assert run_bounded(python("print(1)"), Bounds(30), b"x" * (1 << 20)).output == b"1\n"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param(
            "import os\nwhile True: os.write(1, b'x' * 65536)",
            "it prints more than 65,536 bytes to standard output",
            id="standard output without end",
        ),
        pytest.param(
            "import os\nwhile True: os.write(2, b'x' * 65536)",
            "it prints more than 16,777,216 bytes to standard error",
            id="standard error without end",
        ),
    ],
)
def test_a_program_that_prints_without_end_is_ended(source, reason):
    ended = run_bounded(python(source), Bounds(30))

    assert ended == Ended(-1, failure=reason)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("import time; time.sleep(60)", id="one that sleeps"),
        pytest.param("import os, time; os.close(1); os.close(2); time.sleep(60)", id="silently"),
        pytest.param(
            "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nwhile True: pass",
            id="one that ignores signals",
        ),
        pytest.param(
            "import time\nwhile True: print(1, flush=True); time.sleep(.01)", id="drop by drop"
        ),
    ],
)
def test_a_program_that_takes_too_long_is_ended(source):
    ended = run_bounded(python(source), Bounds(0.2, output=1 << 20))

    assert ended == Ended(-1, failure="it takes more than 0.2 s", is_late=True)


def test_of_errors_the_end_is_kept(monkeypatch):
    monkeypatch.setattr(bounded, "KEPT_ERRORS", 10)

    ended = run_bounded(python("import os; os.write(2, b'x' * 100 + b'the reason')"), Bounds(30))

    assert ended.errors == "the reason"


# The child ends by itself, later than the test would fail.
FORK = """
import os, signal, time
if os.fork():
    os.write(1, b"said")
    os._exit(0)
signal.alarm(10)
"""


@pytest.mark.parametrize(
    "child",
    [
        pytest.param("time.sleep(60)", id="in its process group"),
        pytest.param("os.setsid(); time.sleep(60)", id="in a session of its own"),
        pytest.param("os.setsid()\nwhile True: os.write(2, b'x' * 65536)", id="and print on"),
    ],
)
def test_children_that_hold_the_output_open_hold_nobody_up(child):
    assert run_bounded(python(FORK + child), Bounds(5)).output == b"said"


def test_what_a_program_leaves_in_its_group_is_ended():
    source = (
        "import os, time\nread, write = os.pipe()\nchild = os.fork()\n"
        "if child:\n    print(child, flush=True)\n    os._exit(0)\ntime.sleep(60)"
    )

    child = int(run_bounded(python(source), Bounds(30)).output)

    wait_until_gone(child)


def wait_until_gone(process: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{process}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return
        except FileNotFoundError:
            return
        time.sleep(0.01)
    pytest.fail(f"{process} lives on")


def test_a_program_has_no_terminal():
    source = "import os; print(os.getsid(0) == os.getpid())"

    assert run_bounded(python(source), Bounds(30)).output == b"True\n"


def test_a_program_is_ended_when_the_command_is_interrupted():
    stop = threading.Event()
    stop.set()

    ended = run_bounded(python("import time; time.sleep(60)"), Bounds(30, stop=stop))

    assert ended == Ended(-1, failure="it was interrupted")


def test_a_program_that_is_not_there():
    ended = run_bounded(Program(["/no/such/program"], {}, "/"), Bounds(30))

    assert ended == Ended(-1, failure="[Errno 2] No such file or directory: '/no/such/program'")
