from __future__ import annotations

import os
from typing import Any

import pytest

from django_wsgimatch import access, basic
from django_wsgimatch.doctor.access.login_files import ServedFolder, login_file_findings
from django_wsgimatch.doctor.access.section_findings import DiagnosedSection
from django_wsgimatch.entry_options.access import to_section

SHA = "{SHA}u8SS5DZYKLP0EektQ/jDoNAZVNI="


def absolute(path: Any) -> str:
    return os.fspath(path)  # type: ignore[no-any-return]


@pytest.fixture
def users(tmp_path):
    path = tmp_path / "users"
    path.write_text(f"ann:{SHA}\n")
    path.chmod(0o640)
    return path


def found(served=(), **files):
    entry = access("/a", auth=basic("x", **files), require="valid-user")
    sections = [DiagnosedSection("A", to_section(entry, absolute))] * 2
    return [each.id for each in login_file_findings(sections, served)]


def test_a_good_file_of_users(users):
    assert found(users=users) == []


@pytest.mark.parametrize("mode", [0o644, 0o642], ids=oct)
def test_a_file_that_others_may_read_or_change(users, mode):
    users.chmod(mode)

    assert found(users=users) == ["W080"]


def test_missing_files_are_told_once_each(tmp_path):
    assert found(users=tmp_path / "a", groups=tmp_path / "b") == ["E040", "E040"]


def test_a_folder_is_no_file(tmp_path):
    assert found(users=tmp_path) == ["E040"]


def test_a_file_that_is_served_wherever_links_lead(users, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    served = [ServedFolder(str(tmp_path / "link"), "STATIC_ROOT")]

    assert found(served, users=users) == ["E041"]


def test_a_file_beside_what_is_served(users, tmp_path):
    assert found([ServedFolder(f"{tmp_path}/use", "STATIC_ROOT")], users=users) == []


@pytest.mark.parametrize("entry", ["secret", "$y$j9T$x$y", "{SSHA}x", ""])
def test_entries_with_which_nobody_can_log_in(users, entry):
    users.write_text(f"bob:{entry}\n")

    assert found(users=users) == ["W084"]


def test_no_entry_is_shown(users):
    users.write_text("bob:secret\n")
    entry = access("/a", auth=basic("x", users=users), require="valid-user")

    [finding] = login_file_findings([DiagnosedSection("A", to_section(entry, absolute))], [])

    assert "secret" not in str(finding)
