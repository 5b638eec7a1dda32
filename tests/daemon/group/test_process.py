"""A group's first process: what it tells gunicorn."""

from __future__ import annotations

import os
import tempfile

import pytest

from django_wsgimatch.daemon.group import arbiter


def nowhere() -> str:
    raise FileNotFoundError("No usable temporary directory found")


@pytest.mark.parametrize(
    ("find", "is_writable", "expected"),
    [
        pytest.param(tempfile.gettempdir, True, None, id="a folder for temporary files"),
        pytest.param(nowhere, True, "/dev/shm", id="a read-only root"),
        pytest.param(nowhere, False, None, id="nothing that can be written"),
    ],
)
def test_workers_show_that_they_live_where_a_file_can_be(monkeypatch, find, is_writable, expected):
    monkeypatch.setattr(tempfile, "gettempdir", find)
    monkeypatch.setattr(os, "access", lambda *words: is_writable)

    assert arbiter.folder_for_signs_of_life() == expected
