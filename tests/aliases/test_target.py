from __future__ import annotations

import os
import socket

import pytest

from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.roots import derive_roots
from django_wsgimatch.aliases.target import (
    Script,
    find_script,
    is_inside,
    split_filename,
    split_uri,
)
from django_wsgimatch.exceptions import TargetError
from tests.support.trees import build_tree


@pytest.fixture
def tree(tmp_path):
    build_tree(
        tmp_path,
        [
            *("a.wsgi", "d/b.wsgi", "d/c.wsgi/e.wsgi", "empty/", ".hidden/\xe9.py"),
            *("link.wsgi -> a.wsgi", "linked -> d", "dangling -> nowhere", "loop -> loop"),
            {"path": "fifo", "fifo": True},
        ],
    )
    return str(tmp_path)


@pytest.mark.parametrize(
    ("filename", "script", "path_info"),
    [
        pytest.param("/a.wsgi", "/a.wsgi", "", id="a file"),
        pytest.param("/a.wsgi/", "/a.wsgi", "/", id="a slash behind it"),
        pytest.param("/a.wsgi/x/y/", "/a.wsgi", "/x/y/", id="path info keeps its slash"),
        pytest.param("/a.wsgi/b.wsgi", "/a.wsgi", "/b.wsgi", id="the first file"),
        pytest.param("/d/c.wsgi/e.wsgi/x", "/d/c.wsgi/e.wsgi", "/x", id="through a directory"),
        pytest.param("//d/./empty/..//b.wsgi", "/d/b.wsgi", "", id="dots in the text"),
        pytest.param("/a.wsgi/x/../y//z", "/a.wsgi", "/y/z", id="dots behind the script"),
        pytest.param("/no/../a.wsgi", "/a.wsgi", "", id="dots before any file is looked at"),
        pytest.param("/.hidden/\xe9.py", "/.hidden/\xe9.py", "", id="bytes above 127"),
        pytest.param("/link.wsgi/x", "/link.wsgi", "/x", id="a link keeps its name"),
        pytest.param("/linked/b.wsgi", "/linked/b.wsgi", "", id="through a linked directory"),
        pytest.param(f"/a.wsgi/{'x' * 300}", "/a.wsgi", f"/{'x' * 300}", id="long path info"),
    ],
)
def test_find_script(tree, filename, script, path_info):
    found = find_script(tree + filename)

    assert found == Script(tree + script, path_info)


@pytest.mark.parametrize(
    ("filename", "status", "reason", "path"),
    [
        pytest.param(
            *("/none.wsgi", 404, "Target WSGI script not found or unable to stat", "/none.wsgi"),
            id="no such file",
        ),
        pytest.param(
            *("/none/b.wsgi", 404, "Target WSGI script not found or unable to stat", "/none"),
            id="no such directory",
        ),
        pytest.param(
            *("/empty", 403, "Attempt to invoke directory as WSGI application", "/empty"),
            id="a directory",
        ),
        pytest.param(
            *("/a.wsgi/..", 403, "Attempt to invoke directory as WSGI application", ""),
            id="the directory of a file",
        ),
        pytest.param(
            *("/dangling", 403, "Symbolic link not allowed or link target not accessible"),
            "/dangling",
            id="a dangling link",
        ),
        pytest.param(
            *("/loop/x", 403, "Symbolic link not allowed or link target not accessible", "/loop"),
            id="a looping link",
        ),
        pytest.param(
            *("/fifo/x", 403, "Target WSGI script is not a regular file", "/fifo"), id="a fifo"
        ),
        pytest.param(
            "/" + "x" * 256,
            403,
            "Search permissions are missing on a component of the path",
            "/" + "x" * 256,
            id="a name that is too long",
        ),
        pytest.param(
            "/\0",
            403,
            "Search permissions are missing on a component of the path",
            "/\0",
            id="a NUL byte",
        ),
        pytest.param(
            "/\u0142",
            403,
            "Search permissions are missing on a component of the path",
            "/\u0142",
            id="a character that is no byte",
        ),
    ],
)
def test_filename_without_script(tree, filename, status, reason, path):
    with pytest.raises(TargetError) as caught:
        find_script(tree + filename)

    assert (caught.value.status, caught.value.reason) == (status, reason)
    assert str(caught.value) == f"{reason}: {tree}{path}"


def test_socket_is_no_script(tree):
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(tree)
        listener.bind("socket")

        with pytest.raises(TargetError) as caught:
            find_script(f"{tree}/socket")

    assert caught.value.status == 403


@pytest.mark.parametrize(
    ("length", "status"),
    [
        pytest.param(4092, 200, id="the longest that Apache takes"),
        pytest.param(4093, 404, id="one byte more"),
    ],
)
def test_length_of_a_filename(tree, length, status):
    filename = f"{tree}/a.wsgi/".ljust(length, "x")

    try:
        find_script(filename)
        found = 200
    except TargetError as error:
        found = error.status

    assert found == status


@pytest.mark.parametrize(
    ("filename", "script"),
    [
        pytest.param("a.wsgi", "/a.wsgi", id="a file"),
        pytest.param("d/../a.wsgi", "/a.wsgi", id="with dots"),
    ],
)
def test_relative_filename(tree, filename, script):
    found = find_script(filename, base_directory=tree)

    assert found == Script(tree + script, "")


def test_empty_filename_is_the_root_directory(tree):
    with pytest.raises(TargetError) as caught:
        find_script("", base_directory=f"{tree}/a.wsgi")

    assert (caught.value.status, caught.value.path) == (403, "/")


@pytest.mark.parametrize("filename", ["/link.wsgi", "/linked/b.wsgi"])
def test_links_can_be_refused(tree, filename):
    with pytest.raises(TargetError) as caught:
        find_script(tree + filename, follow_symlinks=False)

    assert caught.value.status == 403


def test_file_that_is_no_link_where_links_are_refused(tree):
    found = find_script(f"{tree}/d/b.wsgi", follow_symlinks=False)

    assert found == Script(f"{tree}/d/b.wsgi", "")


def test_link_of_the_same_owner(tree):
    found = find_script(f"{tree}/link.wsgi", follow_symlinks="owner")

    assert found == Script(f"{tree}/link.wsgi", "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away: run as root")
def test_link_of_another_owner(tree):
    os.lchown(f"{tree}/link.wsgi", 12345, -1)

    with pytest.raises(TargetError) as caught:
        find_script(f"{tree}/link.wsgi", follow_symlinks="owner")

    assert caught.value.status == 403


def test_script_outside_its_roots(tree):
    with pytest.raises(TargetError) as caught:
        find_script(f"{tree}/a.wsgi", roots=(f"{tree}/d",))

    assert caught.value.status == 403
    assert str(caught.value) == (f"Target WSGI script is outside WSGIMATCH_ROOTS: {tree}/a.wsgi")


def test_script_inside_a_root(tree):
    found = find_script(f"{tree}/d/b.wsgi", roots=("/nowhere", f"{tree}/d"))

    assert found == Script(f"{tree}/d/b.wsgi", "")


@pytest.mark.parametrize(
    ("path", "roots", "inside"),
    [
        pytest.param("/srv/a.wsgi", None, True, id="no confinement"),
        pytest.param("/srv/a.wsgi", (), False, id="no root"),
        pytest.param("/srv/a.wsgi", ("/srv",), True, id="in a root"),
        pytest.param("/srv/d/a.wsgi", ("/srv",), True, id="below a root"),
        pytest.param("/srv2/a.wsgi", ("/srv",), False, id="a root is a whole name"),
        pytest.param("/a.wsgi", ("",), True, id="the root directory"),
        pytest.param("/srv/a.wsgi", ("/srv/a.wsgi/tail",), True, id="a root through the script"),
        pytest.param("/srv/a", ("/srv/a.wsgi",), False, id="a root beside the script"),
    ],
)
def test_is_inside(path, roots, inside):
    found = is_inside(path, roots)

    assert found is inside


@pytest.mark.parametrize(
    ("alias", "root"),
    [
        pytest.param(Alias("/a", "/srv/x.wsgi"), "/srv", id="a file's directory"),
        pytest.param(Alias("/a", "/srv/x.wsgi/tail"), "/srv/x.wsgi", id="a file with a tail"),
        pytest.param(Alias("/a", "/srv/d/"), "/srv/d", id="a directory"),
        pytest.param(Alias("/a", "/srv/$1/x"), "/srv/$1", id="a dollar in a plain target"),
        pytest.param(Alias("/a", "/srv/$1.wsgi", "match"), "/srv", id="before the first capture"),
        pytest.param(Alias("/a", "/srv/ab$1", "match"), "/srv", id="a name that is half captured"),
        pytest.param(Alias("/a", "/srv/../w/./x", "match"), "/w", id="dots are resolved"),
        pytest.param(Alias("/a", "x.wsgi"), "/base", id="relative"),
        pytest.param(Alias("/a", "$1.wsgi", "match"), "/base", id="nothing before the capture"),
        pytest.param(Alias("/a", "/x.wsgi"), "", id="the root directory"),
    ],
)
def test_derived_root(alias, root):
    roots = derive_roots([alias], "/base")

    assert roots == (root,)


def test_derived_roots_are_named_once():
    aliases = [Alias("/a", "/srv/a"), Alias("/b", "/w/b"), Alias("/c", "/srv/c")]

    roots = derive_roots(aliases, "/base")

    assert roots == ("/srv", "/w")


@pytest.mark.parametrize(
    ("filename", "components", "tail"),
    [
        pytest.param("/a//b/./c", ["a", "b", "c"], "", id="empty names and dots"),
        pytest.param("/a/b/..", ["a"], "/", id="a climb ends in a directory"),
        pytest.param("/../a/", ["a"], "/", id="no climb above the root"),
        pytest.param("/", [], "/", id="the root"),
    ],
)
def test_split_filename(filename, components, tail):
    found = split_filename(filename)

    assert found == (components, tail)


# The table of SCRIPT_NAME and PATH_INFO as Apache was seen to split them.
@pytest.mark.parametrize(
    ("uri", "path_info", "script_name"),
    [
        pytest.param("/app/y/z", "", "/app/y/z", id="no path info"),
        pytest.param("/s/", "", "/s/", id="no path info, a slash at the end"),
        pytest.param("/app/y", "/y", "/app", id="the end of the uri"),
        pytest.param("/api/x", "/api/x", "", id="the whole uri"),
        pytest.param("/api/x", "/v2/x", "/api", id="the target's own text"),
        pytest.param("/xapi", "/api", "/xapi", id="up to a slash"),
        pytest.param("/s", "/", "/s", id="a slash from the target"),
        pytest.param("/a/b", "/b/a", "/a/b", id="captures exchanged"),
        pytest.param("/a/a", "/a/a", "", id="captures exchanged that are alike"),
        pytest.param("/a/b/", "/b", "/a/b", id="a slash that only the uri has"),
        pytest.param("/two", "/one/two", "", id="more than the uri"),
        pytest.param("/app//x", "/x", "/app", id="runs of slashes in the uri"),
        pytest.param("/", "/", "", id="the root"),
    ],
)
def test_script_name(uri, path_info, script_name):
    found = split_uri(uri, path_info)

    assert found == (script_name, path_info)


def test_runs_of_slashes_are_merged():
    found = split_uri("/a//b//c", "/x//c")

    assert found == ("/a/b", "/x/c")
