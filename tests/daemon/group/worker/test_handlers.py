"""Signal handlers that an application registers in a group's process."""

from __future__ import annotations

import logging
import os
import signal
import threading

import pytest

from django_wsgimatch.daemon.group.worker.handlers import ignore_handlers
from tests.support.groups import site
from tests.thorough import mostly_thorough

LAZY = 'script_alias("/blog", "app.wsgi", process_group="blog"),\n'
BOOT = 'script_alias("/blog", "app.wsgi", process_group="blog", application_group="%{GLOBAL}"),\n'
SCRIPT = """\
import signal

signal.signal(signal.SIGTERM, signal.SIG_IGN)


def application(environ, start_response):
    start_response("200 OK", [])
    return [b"{}"]
"""


@pytest.fixture
def ignoring(monkeypatch):
    monkeypatch.setattr(signal, "signal", signal.signal)
    ignore_handlers()


def nothing(signum, frame):
    """Never called."""


def test_a_handler_is_ignored_and_the_one_before_returned(ignoring, caplog):
    before = signal.getsignal(signal.SIGUSR1)
    with caplog.at_level(logging.WARNING, "django_wsgimatch"):
        returned = signal.signal(signal.SIGUSR1, nothing)

    assert (returned, signal.getsignal(signal.SIGUSR1)) == (before, before)
    [message] = caplog.messages
    assert message.startswith(f"The handler for SIGUSR1 that is registered at '{__file__}', line ")


def test_it_is_ignored_in_any_thread(ignoring):
    returned = []
    thread = threading.Thread(
        target=lambda: returned.append(signal.signal(signal.SIGUSR1, nothing))
    )
    thread.start()
    thread.join()

    assert returned == [signal.getsignal(signal.SIGUSR1)]


def test_a_signal_that_there_is_not_is_an_error(ignoring):
    with pytest.raises(ValueError, match="out of range"):
        signal.signal(4711, nothing)


def test_a_forked_process_has_handlers_of_its_own(ignoring):
    pid = os.fork()
    if not pid:
        signal.signal(signal.SIGUSR1, nothing)
        os._exit(signal.getsignal(signal.SIGUSR1) is nothing)
    _, status = os.waitpid(pid, 0)

    assert os.waitstatus_to_exitcode(status) == 1


@pytest.mark.parametrize(
    "aliases", mostly_thorough([LAZY, BOOT], BOOT), ids=["by a request", "ahead"]
)
def test_a_script_that_registers_a_handler_is_loaded_and_ended(tmp_path, aliases):
    (tmp_path / "app.wsgi").write_text(SCRIPT)
    with site(tmp_path, aliases=aliases) as at:
        status = at.get("/blog").status
        [process] = at.place("blog")["processes"]
        log = at.server.wait_for_log("The handler for SIGTERM that is registered at ")
        at.order(do="stop", name="blog")
        at.until(lambda: not os.path.exists(f"/proc/{process['pid']}"))

    assert status == 200
    assert f"'{tmp_path / 'app.wsgi'}', line 3, is ignored" in log
