"""Which Python a group runs by default: the one that the server runs in."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from django_wsgimatch.daemon.servers.own_python import own_python


def pythons(folder: Path, *names: str) -> Path:
    """A folder that looks like an installation or an environment, with these programs."""
    (folder / "bin").mkdir(parents=True)
    for name in names:
        (folder / "bin" / name).touch(0o755)
    return folder


@pytest.mark.parametrize(
    ("executable", "prefix", "expected"),
    [
        pytest.param("env/bin/python", "env", "env/bin/python", id="the environment's own"),
        pytest.param("usr/bin/python3", "usr", "usr/bin/python3", id="an installation"),
        pytest.param("usr/bin/uwsgi", "env", "env/bin/python3", id="uWSGI in an environment"),
        pytest.param("usr/bin/uwsgi", "usr", "usr/bin/python3", id="uWSGI in an installation"),
        pytest.param("env/bin/uwsgi", "env", "env/bin/python3", id="uWSGI from the environment"),
        pytest.param(
            "usr/bin/python3", "env", "env/bin/python3", id="an embedding server in an environment"
        ),
        pytest.param("", "env", "env/bin/python3", id="no executable"),
        pytest.param("usr/bin/python3", "bare", "usr/bin/python3", id="one without programs"),
        pytest.param("usr/bin/uwsgi", "short", "short/bin/python", id="one without python3"),
    ],
)
def test_own_python(tmp_path, monkeypatch, executable, prefix, expected):
    pythons(tmp_path / "env", "python", "python3", "uwsgi")
    pythons(tmp_path / "usr", "python3", "uwsgi")
    pythons(tmp_path / "short", "python")
    pythons(tmp_path / "bare")
    monkeypatch.setattr(sys, "executable", executable and str(tmp_path / executable))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / prefix))
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path / "usr"))

    assert own_python() == str(tmp_path / expected)
