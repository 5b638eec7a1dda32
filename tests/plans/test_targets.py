from __future__ import annotations

from random import Random

import pytest

from django_wsgimatch.aliases.uri import parse_target
from django_wsgimatch.exceptions import BadTarget
from django_wsgimatch.plans.targets import is_clean, is_own_target, quoted_path, uri_of
from tests.fuzz.plans import random_target


@pytest.mark.parametrize(
    ("uri", "clean"),
    [
        pytest.param("/", True, id="the root"),
        pytest.param("/a/b.c;d=1/", True, id="plain text"),
        pytest.param("/\xe9", True, id="a printable byte"),
        pytest.param("", False, id="nothing"),
        pytest.param("a", False, id="no slash"),
        pytest.param("http://h/a", False, id="absolute form"),
        pytest.param("/a//b", False, id="slashes to merge"),
        pytest.param("/a/..", False, id="dots to resolve"),
        pytest.param("/.a", False, id="a dot that may be one to resolve"),
        pytest.param("/%61", False, id="an escape"),
        pytest.param("/a b", False, id="a blank"),
        pytest.param("/a#b", False, id="a fragment"),
        pytest.param("/a\t", False, id="a control character"),
        pytest.param("/" + "a" * 2046, False, id="very long"),
    ],
)
def test_is_clean(uri, clean):
    found = is_clean(uri)

    assert found is clean


def test_clean_target_is_its_own_uri():
    rng = Random(1)
    targets = (random_target(rng).partition("?")[0] for _ in range(5000))
    clean = [target for target in targets if is_clean(target)]

    uris = [parse_target(target).uri for target in clean]

    assert uris == clean
    assert len(clean) > 500


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        pytest.param("/a/b", "/a/b", id="clean"),
        pytest.param("/caf%C3%A9", "/caf\xc3\xa9", id="bytes"),
        pytest.param("/%61%7e%20%25%3f%23%0a", "/a~ %?#\n", id="all that may be decoded"),
        pytest.param("/%2541", "/%41", id="decoded once"),
        pytest.param("//a///b//", "/a/b/", id="slashes merged"),
        pytest.param("/a/./b/../c/.", "/a/c/", id="dots resolved"),
        pytest.param("/.a/..b/...", "/.a/..b/...", id="names with dots"),
        pytest.param("/a%2fb", None, id="an encoded slash"),
        pytest.param("/a%00", None, id="NUL"),
        pytest.param("/%2e%2e/a", None, id="encoded dots"),
        pytest.param("/a%zz", None, id="a bad escape"),
        pytest.param("/a%4", None, id="half an escape"),
        pytest.param("/..", None, id="above the root"),
        pytest.param("http://a/b", None, id="absolute form"),
        pytest.param("/a b", None, id="a blank"),
        pytest.param("/a?b", None, id="a query"),
        pytest.param("/%20" + "a" * 2046, None, id="very long"),
    ],
)
def test_uri_of_a_path(path, uri):
    assert uri_of(path) == uri


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        pytest.param("//a/b", "/a/b", id="those at the start are one whatever the rule"),
        pytest.param("/a//b", None, id="in the middle"),
        pytest.param("/a//../b", "/a/b", id="an empty segment that dots take away"),
    ],
)
def test_slashes_that_are_not_merged(path, uri):
    assert uri_of(path, merge_slashes=False) == uri


@pytest.mark.parametrize("allow_encoded_slashes", [False, True, "NoDecode"])
@pytest.mark.parametrize("merge_slashes", [True, False])
def test_uris_are_those_of_apache(allow_encoded_slashes, merge_slashes):
    rng = Random(2)
    paths = (random_target(rng).partition("?")[0] for _ in range(10_000))
    found = {path: uri_of(path, merge_slashes=merge_slashes) for path in paths}
    known = {path: uri for path, uri in found.items() if uri is not None}
    decoded = [path for path, uri in known.items() if path != uri]

    uris = {}
    for path in known:
        try:
            uris[path] = parse_target(
                path, allow_encoded_slashes=allow_encoded_slashes, merge_slashes=merge_slashes
            ).uri
        except BadTarget as error:
            uris[path] = str(error)

    assert known == uris
    assert len(decoded) > 500


def test_path_that_has_been_quoted_is_the_uri_of_its_target():
    rng = Random(3)
    random = ("/" + "".join(map(chr, rng.choices(range(1, 256), k=20))) for _ in range(2000))
    paths = [path for path in random if "/." not in path and "//" not in path]

    found = [uri_of(quoted_path(path)) for path in paths]

    assert found == paths


@pytest.mark.parametrize(
    ("path", "is_own"),
    [
        pytest.param("/a/b.c;d=1/", True, id="plain text"),
        pytest.param("/a//./b", True, id="what a target is resolved by"),
        *(pytest.param(f"/a{mark}", False, id=repr(mark)) for mark in "%? #\n\x80"),
    ],
)
def test_is_own_target(path, is_own):
    found = is_own_target(path)

    assert found is is_own
