"""What real servers tell of their threads."""

from __future__ import annotations

import textwrap

import pytest

from django_wsgimatch.daemon.front.gate import Limits
from django_wsgimatch.daemon.front.patience import BodyTimeout
from tests.support.servers import GRANIAN, GUNICORN, PYTHON, UWSGI, WAITRESS, environment, running
from tests.support.wsgi import make_environ

APPLICATION = textwrap.dedent(
    """\
    from django_wsgimatch.daemon.front.server_threads import threads_at_start, threads_of

    at_start = threads_at_start()


    def application(environ, start_response):
        told = str(at_start or threads_of(environ)).encode()
        start_response("200 OK", [("Content-Length", str(len(told)))])
        return [told]
    """
)
TOLD = "told:application"


@pytest.mark.parametrize(
    ("command", "threads"),
    [
        pytest.param([*GUNICORN, "--threads", "7", TOLD], "7", id="gunicorn, threads"),
        pytest.param([*GUNICORN, TOLD], "1", id="gunicorn, a process a request"),
        pytest.param([*GRANIAN, TOLD], "4", id="granian"),
        pytest.param([*WAITRESS, "--threads", "5", TOLD], "5", id="waitress"),
        pytest.param(
            [*PYTHON, "-m", "cheroot", "--bind", "{socket}", "--threads", "6", TOLD],
            "6",
            id="cheroot",
        ),
        pytest.param([*UWSGI, "--threads", "3", "--module", TOLD], "3", id="uWSGI, threads"),
        pytest.param([*UWSGI, "--module", TOLD], "1", id="uWSGI, a process a request"),
    ],
)
def test_servers_tell_of_their_threads(tmp_path, command, threads):
    (tmp_path / "told.py").write_text(APPLICATION)

    with running(command, tmp_path, environment(None)) as server:
        told = server.get(b"/").body.decode()

    assert told == threads


def test_nobody_tells():
    environ = make_environ()

    assert Limits(0.75).gate(environ) is None


def test_without_limits_there_is_no_gate():
    assert Limits(None, BodyTimeout(20, 500)).gate(make_environ()) is None
