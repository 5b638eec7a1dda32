from __future__ import annotations

from itertools import islice

import pytest

from django_wsgimatch.aliases.patterns.pattern import compile_pattern
from django_wsgimatch.doctor.uris import search
from django_wsgimatch.doctor.uris.search import Search, TooComplex, states_of


def search_for(included, *excluded, merge_slashes=True):
    languages = [states_of(compile_pattern(each)) for each in (included, *excluded)]
    return Search(languages[0], languages[1:], merge_slashes=merge_slashes)


@pytest.mark.parametrize(
    ("included", "excluded", "uri"),
    [
        pytest.param("^/wsgi/([^/]+)", [], "/wsgi/a", id="readable letters"),
        pytest.param(r"^/\d", [], "/0", id="digits"),
        pytest.param("^/[^a-zA-Z0-9]", [], "/-", id="anything else"),
        pytest.param("/[xyz]", ["x", "y"], "/z", id="what others leave"),
        pytest.param("^/[a-z]+$", ["^/.$"], "/aa", id="longer than others"),
        pytest.param("^/app", ["^/"], None, id="nothing left"),
        pytest.param("//", [], None, id="slashes are merged"),
        pytest.param(r"/\./", [], None, id="no dot segments"),
        pytest.param(r"/\.\.$", [], None, id="no dot segments at the end"),
        pytest.param(r"/\.\.\.$", [], "/...", id="three dots are a name"),
        pytest.param(r"\x00", [], None, id="no NUL"),
        pytest.param(r"\xe9", [], "/\xe9", id="one byte, one character"),
    ],
)
def test_shortest(included, excluded, uri):
    assert search_for(included, *excluded).shortest() == uri


@pytest.mark.parametrize(
    ("pattern", "uri"),
    [
        pytest.param("//", "/a//", id="inside"),
        pytest.param("^//", None, id="in front they are merged all the same"),
    ],
)
def test_slashes_that_are_kept(pattern, uri):
    assert search_for(pattern, merge_slashes=False).shortest() == uri


def test_words_come_shortest_first():
    words = list(search_for("^/a?b?$").words())

    assert words == ["/", "/a", "/b"]


def test_search_gives_up(monkeypatch):
    monkeypatch.setattr(search, "MOST_PLACES", 50)

    with pytest.raises(TooComplex):
        search_for("[ab].{20}$", "b").shortest()


def test_variety_holds_more_than_one_uri_of_a_place():
    uris = list(islice(search_for("^/[ab]+$").variety(), 4))

    assert uris == ["/a", "/aa", "/aaa", "/aaaa"]


def test_variety_heeds_what_makes_a_difference_to_others():
    heeded = states_of(compile_pattern("b$"))
    search = Search(states_of(compile_pattern("^/[ab]+$")), heeded=[heeded])

    uris = list(islice(search.variety(), 6))

    assert uris == ["/a", "/b", "/aa", "/ab", "/ba", "/bb"]


def test_variety_of_nothing():
    assert list(search_for("^/(?!)").variety()) == []
