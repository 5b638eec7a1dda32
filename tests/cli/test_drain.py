from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from django_wsgimatch.server.health import DRAINING
from tests.support.commands import run_for
from tests.support.groups import ALIASES, HOOKS, site
from tests.support.health import HEALTH, LIVE, health
from tests.support.servers import PYTHON, environment
from tests.thorough import mostly_thorough


def manage(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PYTHON, "-m", "django", "wsgimatch", *words],
        cwd=project,
        env={**environment(), "PYTHONPATH": f"{environment()['PYTHONPATH']}{os.pathsep}."},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "aliases",
    mostly_thorough(
        [pytest.param(ALIASES, id="with groups"), pytest.param("", id="without groups")]
    ),
)
def test_drain_on_and_off(tmp_path, aliases):
    groups = "" if aliases else "WSGIMATCH_PROCESS_GROUPS = {}\n"
    with site(tmp_path, aliases=aliases, more=HEALTH + groups, command=HOOKS) as at:
        at.until(lambda: health(at) == (200, "ready\n"))
        server = at.server.process.pid
        on = manage(tmp_path, "drain", "on")
        while_on = health(at), health(at, LIVE)
        off = [run_for(tmp_path, "drain", "off")[0] for _ in range(2)]
        after = health(at)

    assert on.stdout == f"Server {server} is draining: it says that it is not ready.\n", on.stderr
    assert while_on == ((503, f"{DRAINING}\n"), (200, "live\n"))
    assert off == [f"Server {server} has stopped draining.\n"] * 2
    assert after == (200, "ready\n")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        pytest.param("", "CommandError: WSGIMATCH_HEALTH_PATH is None, so no", id="no path"),
        pytest.param(HEALTH, "CommandError: No running server of this project", id="no server"),
    ],
)
def test_drain_says_why_it_cannot(tmp_path, more, reason):
    (tmp_path / "settings.py").write_text(
        f"SECRET_KEY = 'x'\nINSTALLED_APPS = ['django_wsgimatch']\n{more}"
        f"WSGIMATCH_SOCKET_DIRECTORY = {str(tmp_path)!r}\n"
    )

    done = manage(tmp_path, "drain", "on")

    assert (done.returncode, done.stderr[: len(reason)]) == (1, reason)
