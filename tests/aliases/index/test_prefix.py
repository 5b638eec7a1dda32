from __future__ import annotations

import pytest

from django_wsgimatch.aliases.index.prefix import alias_matches, find_prefix, merge_slashes


@pytest.mark.parametrize(
    ("location", "uri", "end"),
    [
        pytest.param("/app", "/app", 4, id="itself"),
        pytest.param("/app", "/app/x", 4, id="what is below it"),
        pytest.param("/app", "/apps", 0, id="not a longer name"),
        pytest.param("/app", "/app.wsgi", 0, id="not with an extension"),
        pytest.param("/app", "/app;v=1", 0, id="not with parameters"),
        pytest.param("/app", "/ap", 0, id="not a shorter name"),
        pytest.param("/app", "/App", 0, id="case counts"),
        pytest.param("/app", "/x/app", 0, id="only at the start"),
        pytest.param("/a.b", "/axb", 0, id="a dot is a dot"),
        pytest.param("/s/", "/s/", 3, id="a slash at the end"),
        pytest.param("/s/", "/s/x", 3, id="what is below a slash at the end"),
        pytest.param("/s/", "/s", 0, id="not without the slash at the end"),
        pytest.param("/", "/x/y", 1, id="the root matches everything"),
        pytest.param("/a//b", "/a/b", 4, id="a run in the location"),
        pytest.param("/a/b", "/a///b/c", 6, id="a run in the uri"),
        pytest.param("/a/", "/a//b", 4, id="a run in the uri where the location ends"),
        pytest.param("/a", "/a//b", 2, id="a run behind the location"),
        pytest.param("//a", "/a", 2, id="a run at the start of the location"),
        pytest.param("app", "/app", 0, id="no slash at the start"),
        pytest.param("", "/app", 0, id="an empty location"),
        pytest.param("/a/../b", "/b", 0, id="dot segments are compared literally"),
    ],
)
def test_alias_matches(location, uri, end):
    assert alias_matches(uri, location) == end


@pytest.mark.parametrize(
    ("location", "uri", "end"),
    [
        pytest.param("/app", "/app", 4, id="itself"),
        pytest.param("/app", "/app/x", 4, id="what is below it"),
        pytest.param("/app", "/apps", None, id="not a longer name"),
        pytest.param("/s/", "/s/x", 3, id="what is below a slash at the end"),
        pytest.param("/s/", "/s", None, id="not without the slash at the end"),
    ],
)
def test_find_prefix(location, uri, end):
    assert find_prefix(location)(uri) == end


@pytest.mark.parametrize(
    ("path", "merged"),
    [
        pytest.param("//a///b//", "/a/b/", id="runs"),
        pytest.param("/a/b", "/a/b", id="no runs"),
    ],
)
def test_merge_slashes(path, merged):
    assert merge_slashes(path) == merged
