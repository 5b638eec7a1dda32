from __future__ import annotations

import grp
import os
import pwd
from types import SimpleNamespace

import pytest

from django_wsgimatch.doctor.targets import writers
from django_wsgimatch.doctor.targets.writers import Guarded, writer_findings

OTHER = 54321


@pytest.fixture
def site(tmp_path, monkeypatch):
    (tmp_path / "apps/blog").mkdir(parents=True)
    (tmp_path / "apps/blog/blog.wsgi").write_text("")
    (tmp_path / "apps/blog/shop.wsgi").write_text("")
    # What stands above is the machine's own affair, and so are its users and groups.
    above = {str(path) for path in tmp_path.parents}
    stat = os.stat

    def own_stat(path, **options):
        if os.fsdecode(path) in above:
            return SimpleNamespace(st_mode=0o40755, st_uid=0, st_gid=0)
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", own_stat)
    members = {os.getgid(): frozenset([pwd.getpwuid(os.getuid()).pw_name, "root"])}
    monkeypatch.setattr(writers, "_members", lambda group: members[group])
    monkeypatch.setattr(writers, "_group_name", lambda group: "developers")
    return SimpleNamespace(path=tmp_path, members=members)


def found(site, *scripts, user=None):
    """The ids and the parts of the site that are named."""
    guarded = [Guarded("entry", f"{site.path}/{name}", user) for name in scripts]
    return [
        (each.id, each.hint.rpartition(" ")[2].replace(f"{site.path}/", ""))
        for each in writer_findings(guarded)
    ]


@pytest.mark.parametrize(
    ("part", "mode"),
    [
        pytest.param("apps", 0o755, id="as usual"),
        pytest.param("apps/blog", 0o700, id="for the owner alone"),
        pytest.param("apps", 0o1777, id="sticky above"),
        pytest.param("apps/blog", 0o775, id="a group of the owner alone"),
    ],
)
def test_nothing_to_say(site, part, mode):
    (site.path / part).chmod(mode)

    assert found(site, "apps/blog/blog.wsgi") == []


@pytest.mark.parametrize(
    "part",
    [
        pytest.param("apps/blog/blog.wsgi", id="script"),
        pytest.param("apps/blog", id="directory"),
        pytest.param("apps", id="directory above"),
    ],
)
@pytest.mark.parametrize(
    ("bit", "expected"),
    [
        pytest.param(0o002, "W012", id="everybody"),
        pytest.param(0o020, "W033", id="a group of several"),
    ],
)
def test_others_may_write(site, part, bit, expected):
    site.members[os.getgid()] = frozenset(["ann", "bob", "root"])
    (site.path / part).chmod(0o755 | bit)

    assert found(site, "apps/blog/blog.wsgi", "apps/blog/shop.wsgi") == [(expected, part)]


@pytest.mark.parametrize(
    ("part", "words"),
    [
        pytest.param("apps/blog/blog.wsgi", "may write the script", id="script"),
        pytest.param("apps/blog", "files put there run", id="directory"),
        pytest.param("apps", "replace 'blog', which leads to the scripts", id="directory above"),
    ],
)
def test_what_comes_of_it(site, part, words):
    (site.path / part).chmod(0o777)

    [finding] = writer_findings([Guarded("entry", f"{site.path}/apps/blog/blog.wsgi")])

    assert words in finding.message


def test_application_that_owns_its_code(site):
    """Where the test runs as root, that is no application's user: the owner is made up."""
    owner = OTHER if os.getuid() == 0 else os.getuid()
    if os.getuid() == 0:
        os.chown(site.path / "apps/blog/blog.wsgi", owner, -1)
        expected = ["apps/blog/blog.wsgi"]
    else:
        expected = ["apps/blog/blog.wsgi", "apps/blog", "apps", str(site.path)]

    named = [part for _, part in found(site, "apps/blog/blog.wsgi", user=owner)]

    assert named == expected


def test_application_in_the_group_that_may_write(site, monkeypatch):
    site.members[os.getgid()] = frozenset(["www-data"])
    monkeypatch.setattr(writers, "_name", lambda user: "www-data")
    (site.path / "apps/blog").chmod(0o775)

    assert found(site, "apps/blog/blog.wsgi", user=OTHER) == [("W032", "apps/blog")]


def test_application_that_may_only_read(site):
    assert found(site, "apps/blog/blog.wsgi", user=OTHER) == []


def test_script_that_is_gone(site):
    assert found(site, "none.wsgi") == []


def test_many_members_are_not_all_named(site):
    site.members[os.getgid()] = frozenset("abcde")
    (site.path / "apps/blog").chmod(0o775)

    [finding] = writer_findings([Guarded("entry", f"{site.path}/apps/blog")])

    assert finding.message.startswith("a, b, c and 2 more, of the group 'developers', may write")


def test_members_are_those_named_and_those_whose_own_group_it_is(monkeypatch):
    monkeypatch.setattr(grp, "getgrgid", lambda group: SimpleNamespace(gr_mem=["ann"]))
    entry = SimpleNamespace(pw_name="bob", pw_gid=OTHER)
    monkeypatch.setattr(pwd, "getpwall", lambda: [entry])
    writers._members.cache_clear()
    writers._users_by_group.cache_clear()

    found = writers._members(OTHER)
    writers._members.cache_clear()
    writers._users_by_group.cache_clear()

    assert found == {"ann", "bob"}


def test_numbers_without_names():
    assert (writers._name(OTHER), writers._group_name(OTHER)) == (f"#{OTHER}", f"#{OTHER}")
    assert writers._members(OTHER) == frozenset()
