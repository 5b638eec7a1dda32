from __future__ import annotations

import os

import pytest

from django_wsgimatch.answers.access.kept_files import UserFiles, parse_groups, parse_users
from django_wsgimatch.exceptions import AccessFileError


def test_a_file_of_users_is_read_as_apache_reads_it():
    text = (
        "# ann:no\n\n  bob:one \r\nbob:second\ncy::two:a comment\nquin\ntwo\\\nlines:three\n"
        ":four\nnul:fi\0ve\nlast:six"
    )

    assert dict(parse_users(text)) == {
        "bob": "one",
        "cy": "two",
        "quin": "",
        "twolines": "three",
        "": "four",
        "nul": "fi",
        "last": "six",
    }


def test_nothing_is_read_behind_a_line_that_apache_could_not_hold():
    text = f"ann:one\n{'x' * 9000}:two\nbob:three\n"

    assert dict(parse_users(text)) == {"ann": "one"}


def test_a_file_of_groups_is_read_as_apache_reads_it():
    text = '# no: ann\nstaff: ann bob\nAdmins : cy "h i"\nstaff: eve\nempty:\n'

    assert dict(parse_groups(text)) == {
        "ann": {"staff"},
        "bob": {"staff"},
        "eve": {"staff"},
        "cy": {"admins"},
        "h i": {"admins"},
    }


def test_a_file_is_read_again_when_it_has_changed(tmp_path):
    path = tmp_path / "users"
    path.write_text("ann:one\n")
    files = UserFiles(interval=0)
    before = dict(files.users(str(path)))

    path.write_text("ann:two\n")

    assert (before, dict(files.users(str(path)))) == ({"ann": "one"}, {"ann": "two"})


def test_a_file_is_not_looked_at_before_the_interval_has_passed(tmp_path):
    path = tmp_path / "users"
    path.write_text("ann:one\n")
    files = UserFiles(interval=60)
    files.users(str(path))

    path.unlink()

    assert dict(files.users(str(path))) == {"ann": "one"}


def test_a_file_that_has_not_changed_is_not_read_again(tmp_path):
    path = tmp_path / "users"
    path.write_text("ann:one\n")
    os.utime(path, (1_000_000, 1_000_000))
    files = UserFiles(interval=0)

    assert files.users(str(path)) is files.users(str(path))


def test_a_file_that_is_gone_lets_nobody_in_until_it_is_back(tmp_path):
    path = tmp_path / "users"
    path.write_text("ann:one\n")
    files = UserFiles(interval=0)
    files.users(str(path))
    path.unlink()

    with pytest.raises(AccessFileError) as caught:
        files.users(str(path))
    path.write_text("ann:two\n")

    assert str(caught.value) == f"'{path}' cannot be read: No such file or directory"
    assert dict(files.users(str(path))) == {"ann": "two"}


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo], ids=["a folder", "a pipe"])
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path, make):
    make(tmp_path / "users")

    with pytest.raises(AccessFileError) as caught:
        UserFiles(interval=0).groups(str(tmp_path / "users"))

    assert "cannot be read: " in str(caught.value)
