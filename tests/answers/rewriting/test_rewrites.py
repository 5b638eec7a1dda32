"""Which URL a request's becomes, and what is refused."""

from __future__ import annotations

import pytest

from django_wsgimatch.aliases.alias import Alias, Rewriting
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.answers.rewriting.rewrites import (
    Rewrites,
    RewritesByHost,
    compile_rewriting,
)
from django_wsgimatch.exceptions import DirectiveError, ExponentialPattern


def rewriting(pattern, url, **options):
    return Alias("", "", answer=Rewriting(pattern, url, **options))


def applied(rewrites, uri, query="", environ=None):
    """What becomes of a uri, which an entry takes."""
    found = rewrites.apply(uri, query, environ or {})
    assert found is not None
    return found


def result(answer, uri, query="", environ=None):
    """The new uri and query, or the status that refuses them."""
    found = Rewrites(AliasTable([Alias("", "", answer=answer)])).apply(uri, query, environ or {})
    return found and (found.status or (found.uri, found.query))


@pytest.mark.parametrize(
    ("url", "query", "new"),
    [
        pytest.param("/b", "", ("/b", ""), id="without a query"),
        pytest.param("/b", "x=1", ("/b", "x=1"), id="the request's stays"),
        pytest.param("/b?y=2", "x=1", ("/b", "y=2"), id="another one in its place"),
        pytest.param("/b?", "x=1", ("/b", ""), id="an empty one in its place"),
        pytest.param("/b?y=$1", "", ("/b", "y=/c"), id="made of a group"),
        pytest.param("$1/d", "", ("/c/d", ""), id="a group that begins with a slash"),
        pytest.param("$0", "", ("/a/c", ""), id="all of it"),
        pytest.param("/$0$1", "", ("/a/c/c", ""), id="one slash at the start"),
        pytest.param("//x$1", "", ("//x/c", ""), id="two slashes at the start"),
        pytest.param("/x/$1", "", ("/x//c", ""), id="two slashes further on"),
        pytest.param(r"/\$1%20", "", ("/$1%20", ""), id="nothing is decoded"),
    ],
)
def test_the_new_url(url, query, new):
    assert result(Rewriting("^/a(.*)$", url), "/a/c", query) == new


@pytest.mark.parametrize(
    ("url", "query", "new"),
    [
        pytest.param("/b?y=2", "x=1", "y=2&x=1", id="both"),
        pytest.param("/b?y=2", "", "y=2", id="none to append"),
        pytest.param("/b", "x=1", "x=1", id="none of its own"),
        pytest.param("/b?", "x=1", "x=1", id="an empty one of its own"),
    ],
)
def test_the_query_of_the_request_is_appended(url, query, new):
    answer = Rewriting("^/a", url, append_query=True)

    assert result(answer, "/a", query) == ("/b", new)


@pytest.mark.parametrize(
    ("url", "uri", "status"),
    [
        pytest.param("/.$1", "/a/./x", 403, id="a dot segment"),
        pytest.param("/x/..", "/a/x", 403, id="two dots at the end"),
        pytest.param("/b/$1", "/a/x?y", 403, id="a question mark that was encoded"),
        pytest.param("/b?q=$1", "/a/x y", 403, id="a blank in the query"),
        pytest.param("/b?q=$1", "/a/x\ny", 403, id="a line break in the query"),
    ],
)
def test_what_is_no_url_is_refused(url, uri, status):
    assert result(Rewriting("^/a/(.*)$", url), uri) == status


def test_an_encoded_question_mark_may_stand_in_a_query():
    assert result(Rewriting("^/(.*)", "/b?q=$1"), "/a?x") == ("/b", "q=a?x")


@pytest.mark.parametrize(
    ("status", "url", "location"),
    [
        pytest.param(301, "http://x/$1", "http://x/c", id="a redirect"),
        pytest.param(403, "", "", id="an error"),
    ],
)
def test_a_status_is_the_answer(status, url, location):
    answer = Alias("", "", answer=Rewriting("^/a/(.*)$", url, status=status))

    found = applied(Rewrites(AliasTable([answer])), "/a/c", "x=1")

    assert (found.status, found.location, found.uri) == (status, location, "/a/c")


def test_the_first_entry_that_takes_a_uri_rewrites_it_once():
    entries = [rewriting("^/a", "/b"), rewriting("^/b", "/c"), rewriting("^/a", "/d")]
    rewrites = Rewrites(AliasTable(entries))

    assert [applied(rewrites, uri).uri for uri in ("/a", "/b")] == ["/b", "/c"]
    assert rewrites.apply("/x", "", {}) is None


@pytest.mark.parametrize(
    ("environ", "new"),
    [
        pytest.param({"REQUEST_METHOD": "POST", "HTTP_X": "yes"}, ("/b", ""), id="both hold"),
        pytest.param({"REQUEST_METHOD": "POST"}, None, id="one has no variable"),
        pytest.param({"REQUEST_METHOD": "POSTS", "HTTP_X": "yes"}, None, id="one does not hold"),
        pytest.param({"REQUEST_METHOD": "POST", "HTTP_X": 1}, None, id="a variable without text"),
    ],
)
def test_all_conditions_must_hold(environ, new):
    answer = Rewriting("^/a", "/b", when=(("REQUEST_METHOD", "^POST$"), ("HTTP_X", "y")))

    assert result(answer, "/a", environ=environ) == new


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(
            Rewriting("^/a", "http://x/"), "the url should begin with a slash or", id="host"
        ),
        pytest.param(Rewriting("^/a", "-"), "the url should begin with a slash", id="a dash"),
        pytest.param(Rewriting("^/a", "/$1"), "asks for \\$1, and the pattern", id="no such group"),
        pytest.param(Rewriting("^/(", "/b"), "could not be compiled", id="no pattern"),
        pytest.param(
            Rewriting("^/a", "/b", when=(("X", "("),)), "when\\['X'\\]: ", id="no condition"
        ),
    ],
)
def test_what_cannot_rewrite_is_an_error(answer, error):
    with pytest.raises(DirectiveError, match=error):
        compile_rewriting(answer)


def test_a_costly_pattern_is_refused(monkeypatch):
    monkeypatch.setattr("django_wsgimatch.aliases.patterns.pattern.pcre2_package", lambda: None)

    with pytest.raises(ExponentialPattern):
        compile_rewriting(Rewriting("^/(a+)+b", "/c"))


def test_each_host_has_the_entries_of_its_table():
    own = AliasTable([rewriting("^/a", "/own")])
    rewrites = RewritesByHost(AliasTable([rewriting("^/a", "/b")], virtual_hosts={"x.test": own}))

    uris = [applied(rewrites.for_host(host), "/a").uri for host in ("x.test", "y.test")]

    assert uris == ["/own", "/b"]
