"""From filenames to files: links, roots, and what is in the way."""

from __future__ import annotations

import os
import socket

import pytest

from django_wsgimatch.aliases.target import LINK_REFUSED, NO_ACCESS
from django_wsgimatch.answers.files import walk
from django_wsgimatch.answers.files.walk import close, find_file
from django_wsgimatch.exceptions import TargetError
from tests.support.oracle import as_apache
from tests.support.trees import TreeItem, build_tree, open_directory

TREE: list[TreeItem] = [
    "a.txt",
    "d/b.txt",
    "d/e/c.txt",
    "empty/",
    "link.txt -> a.txt",
    "linked -> d",
    "\xe9.txt",
    "dangling -> none",
    "loop -> loop",
    "up -> ..",
    ".htaccess",
    ".ht/x.txt",
    ".hat.txt",
    {"path": "fifo", "fifo": True},
    {"path": "shut", "dir": True, "mode": "000"},
    {"path": "shut.txt", "mode": "000"},
]


@pytest.fixture(scope="module")
def tree():
    with open_directory() as directory:
        build_tree(directory / "t", TREE)
        yield str(directory / "t")


@pytest.fixture(autouse=True)
def _no_descriptor_stays_open():
    before = sorted(os.listdir("/proc/self/fd"))
    yield
    assert sorted(os.listdir("/proc/self/fd")) == before


def found_at(tree, filename, **options):
    """What kind of thing is found, its path below the tree, the rest, and whether it is open."""
    found = find_file(tree + filename, **options)
    close(found)
    kind = "missing"
    if found.status is not None:
        kind = "directory" if found.is_directory else "file"
    return kind, found.path.removeprefix(tree), found.rest, found.descriptor is not None


def refusal_of(tree, filename, **options):
    """The status, the reason and the place where a walk ends."""
    with pytest.raises(TargetError) as caught:
        find_file(tree + filename, **options)
    return caught.value.status, caught.value.reason, caught.value.path.removeprefix(tree)


POLICIES = [
    pytest.param(True, id="links followed"),
    pytest.param(False, id="links refused"),
    pytest.param("owner", id="links of the same owner"),
]


@pytest.mark.parametrize("follow_symlinks", POLICIES)
@pytest.mark.parametrize(
    ("filename", "found"),
    [
        pytest.param("/a.txt", ("file", "/a.txt", "", True), id="a file"),
        pytest.param("/d/e/c.txt", ("file", "/d/e/c.txt", "", True), id="a file in folders"),
        pytest.param("/d/./e/../b.txt", ("file", "/d/b.txt", "", True), id="dots"),
        pytest.param("//d///b.txt", ("file", "/d/b.txt", "", True), id="slashes"),
        pytest.param("/a.txt/", ("file", "/a.txt", "/", False), id="a slash behind a file"),
        pytest.param("/a.txt/x/y", ("file", "/a.txt", "/x/y", False), id="a path behind a file"),
        pytest.param("/d", ("directory", "/d", "", False), id="a directory"),
        pytest.param("/d/", ("directory", "/d", "", False), id="a directory with a slash"),
        pytest.param("/none", ("missing", "/none", "", False), id="nothing"),
        pytest.param("/none/x/", ("missing", "/none", "/x/", False), id="nothing, and a path"),
        pytest.param("/d/none", ("missing", "/d/none", "", False), id="nothing in a directory"),
        pytest.param("/\xe9.txt", ("file", "/\xe9.txt", "", True), id="a byte above 127"),
        pytest.param("/A.TXT", ("missing", "/A.TXT", "", False), id="another case"),
        pytest.param("/\0", ("missing", "/\0", "", False), id="a NUL byte"),
        pytest.param("/.ht/x.txt", ("file", "/.ht/x.txt", "", True), id="in a hidden folder"),
        pytest.param("/.hat.txt", ("file", "/.hat.txt", "", True), id="a name with a dot"),
        pytest.param("/.ht/", ("directory", "/.ht", "", False), id="a hidden folder"),
    ],
)
def test_find_file(tree, filename, found, follow_symlinks):
    assert found_at(tree, filename, follow_symlinks=follow_symlinks) == found


@pytest.mark.parametrize("follow_symlinks", POLICIES)
@pytest.mark.parametrize(
    ("filename", "refusal"),
    [
        pytest.param("/fifo", (403, walk.NOT_REGULAR, "/fifo"), id="a fifo"),
        pytest.param("/.htaccess", (403, walk.HIDDEN, "/.htaccess"), id="a hidden file"),
        pytest.param("/.htaccess/x", (403, walk.HIDDEN, "/.htaccess"), id="a path behind it"),
        pytest.param("/.ht", (403, walk.HIDDEN, "/.ht"), id="a hidden folder"),
        pytest.param("/.htnone", (403, walk.HIDDEN, "/.htnone"), id="one that is not there"),
        pytest.param(
            "/" + "x" * 256, (403, NO_ACCESS, "/" + "x" * 256), id="a name that is too long"
        ),
        pytest.param("/\u0142", (403, NO_ACCESS, "/\u0142"), id="a character that is no byte"),
    ],
)
def test_what_is_in_the_way(tree, filename, refusal, follow_symlinks):
    assert refusal_of(tree, filename, follow_symlinks=follow_symlinks) == refusal


@pytest.mark.parametrize("follow_symlinks", [True, "owner"])
@pytest.mark.parametrize(
    ("filename", "found"),
    [
        pytest.param("/link.txt", ("file", "/link.txt", "", True), id="a file"),
        pytest.param("/linked/b.txt", ("file", "/linked/b.txt", "", True), id="in a directory"),
        pytest.param("/linked", ("directory", "/linked", "", False), id="a directory"),
    ],
)
def test_a_link_is_followed(tree, filename, found, follow_symlinks):
    assert found_at(tree, filename, follow_symlinks=follow_symlinks) == found


@pytest.mark.parametrize("follow_symlinks", POLICIES)
@pytest.mark.parametrize("filename", ["/dangling", "/loop", "/loop/x", "/dangling/x"])
def test_a_link_that_leads_nowhere_is_refused(tree, filename, follow_symlinks):
    link = "/" + filename.split("/")[1]

    refusal = refusal_of(tree, filename, follow_symlinks=follow_symlinks)

    assert refusal == (403, LINK_REFUSED, link)


@pytest.mark.parametrize("filename", ["/link.txt", "/linked", "/linked/b.txt", "/up/t/a.txt"])
def test_links_can_be_refused(tree, filename):
    status, reason, _ = refusal_of(tree, filename, follow_symlinks=False)

    assert (status, reason) == (403, LINK_REFUSED)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away: run as root")
def test_a_link_of_another_owner_is_refused(tree):
    os.lchown(f"{tree}/link.txt", 12345, -1)

    refusal = refusal_of(tree, "/link.txt", follow_symlinks="owner")

    os.lchown(f"{tree}/link.txt", 0, -1)
    assert refusal == (403, LINK_REFUSED, "/link.txt")


def test_a_file_that_nobody_may_read_is_found_and_not_open(tree):
    with as_apache():
        found = [
            found_at(tree, "/shut.txt", follow_symlinks=policy) for policy in (True, False, "owner")
        ]

    assert found == [("file", "/shut.txt", "", False)] * 3


def test_what_is_in_a_directory_that_nobody_may_enter_is_refused(tree):
    with as_apache():
        refusals = [
            refusal_of(tree, "/shut/x", follow_symlinks=policy) for policy in (True, False, "owner")
        ]

    assert refusals == [(403, NO_ACCESS, "/shut/x")] * 3


def test_a_socket_is_refused(tree, monkeypatch):
    monkeypatch.chdir(tree)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")

        refusal = refusal_of(tree, "/socket")

    os.unlink(f"{tree}/socket")
    assert refusal == (403, walk.NOT_REGULAR, "/socket")


def test_a_device_is_refused():
    assert refusal_of("", "/dev/null") == (403, walk.NOT_REGULAR, "/dev/null")


def test_what_is_not_to_be_read_is_not_opened(tree):
    assert found_at(tree, "/a.txt", reading=False) == ("file", "/a.txt", "", False)


@pytest.mark.parametrize(
    ("length", "is_refused"),
    [
        pytest.param(4093, False, id="the longest that Apache takes"),
        pytest.param(4094, True, id="one byte more"),
    ],
)
def test_length_of_a_filename(tree, length, is_refused):
    filename = "/a.txt/".ljust(length - len(tree), "x")

    if is_refused:
        assert refusal_of(tree, filename) == (403, walk.TOO_LONG, filename)
    else:
        assert found_at(tree, filename)[:2] == ("file", "/a.txt")


@pytest.mark.parametrize("follow_symlinks", POLICIES)
@pytest.mark.parametrize("filename", ["/a.txt", "/d/../a.txt", "/none", "/dangling", "/../t/a.txt"])
def test_outside_the_roots_nothing_is_found(tree, filename, follow_symlinks):
    status, reason, _ = refusal_of(
        tree, filename, roots=(f"{tree}/d",), follow_symlinks=follow_symlinks
    )

    assert (status, reason) == (403, walk.OUTSIDE)


def test_inside_the_roots(tree):
    found = found_at(tree, "/d/b.txt", roots=("/nowhere", f"{tree}/d"))

    assert found == ("file", "/d/b.txt", "", True)


def test_a_root_is_the_file_itself(tree):
    assert found_at(tree, "/a.txt", roots=(f"{tree}/a.txt",))[0] == "file"


@pytest.mark.parametrize("filename", ["a.txt", "d/../a.txt"])
def test_a_relative_filename(tree, filename):
    found = find_file(filename, base_directory=tree)
    close(found)

    assert (found.path, found.is_file) == (f"{tree}/a.txt", True)


def test_the_root_directory():
    assert [find_file("/", follow_symlinks=each).is_directory for each in (True, False)] == [
        *(True, True)
    ]


@pytest.mark.parametrize(
    ("follow_symlinks", "to"),
    [
        pytest.param(False, "link", id="a link in its place, links refused"),
        pytest.param("owner", "other", id="another file in its place"),
        pytest.param("owner", "fifo", id="a fifo in its place"),
    ],
)
def test_what_takes_the_place_of_what_was_looked_at_is_not_sent(
    tmp_path, monkeypatch, follow_symlinks, to
):
    (tmp_path / "a.txt").write_text("looked at")
    (tmp_path / "other").write_text("secret")
    (tmp_path / "link").symlink_to("other")
    os.mkfifo(tmp_path / "fifo")
    opened = os.open

    def replacing(name, flags, *more, **options):
        if name == b"a.txt" and not flags & os.O_PATH:
            os.rename(tmp_path / to, tmp_path / "a.txt")
        return opened(name, flags, *more, **options)

    monkeypatch.setattr(os, "open", replacing)

    try:
        found = find_file(f"{tmp_path}/a.txt", follow_symlinks=follow_symlinks)
    except TargetError as error:
        answer: int | None = error.status
    else:
        answer = found.descriptor

    assert answer in (403, None)


def test_a_fifo_that_takes_a_file_s_place_is_refused_without_waiting(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("looked at")
    os.mkfifo(tmp_path / "fifo")
    looked = os.stat

    def replacing(name, *more, **options):
        found = looked(name, *more, **options)
        if name == os.fsencode(tmp_path / "a.txt"):
            os.rename(tmp_path / "fifo", tmp_path / "a.txt")
        return found

    monkeypatch.setattr(os, "stat", replacing)

    assert refusal_of(str(tmp_path), "/a.txt") == (403, walk.NOT_REGULAR, "/a.txt")


def test_a_system_without_descriptors_that_only_look_walks_by_paths(tree, monkeypatch):
    monkeypatch.setattr(walk, "_LOOKING", 0)

    assert found_at(tree, "/d/b.txt", follow_symlinks=False) == ("file", "/d/b.txt", "", True)
    assert refusal_of(tree, "/link.txt", follow_symlinks=False)[:2] == (403, LINK_REFUSED)
