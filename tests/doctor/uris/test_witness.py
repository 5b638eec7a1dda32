from __future__ import annotations

import pytest

from django_wsgimatch.aliases.patterns.pattern import compile_pattern
from django_wsgimatch.aliases.patterns.pcre.parser import parse
from django_wsgimatch.doctor.uris import search
from django_wsgimatch.doctor.uris.witness import with_capture, witness


def uri_with(source, number, text):
    """A uri of which the pattern captures a text."""
    pattern = compile_pattern(source)
    tree = with_capture(parse(source).tree, number, text)
    return witness(pattern, tree, proves=lambda found: found.group(number) == text)


@pytest.mark.parametrize(
    ("source", "number", "text", "uri"),
    [
        pytest.param("^/([^/]+)/(.*)$", 2, "a/b", "/a/a/b", id="second group"),
        pytest.param("^/([^/]+)/", 1, "a/b", None, id="what it cannot capture"),
        pytest.param("^/app(.*)$", 1, "..", "/app..", id="dots behind a name"),
        pytest.param("^/(.*)$", 1, "..", None, id="no uri holds such a segment"),
        pytest.param("^/(?:x|(?>([ab])))+$", 1, "b", "/b", id="in an atomic group"),
        pytest.param("^/(a)?(?(1)(b)|(c))(?=/)", 2, "b", "/ab/", id="in a condition"),
        pytest.param(r"^/(\w)(?!\1)", 1, "a", "/a", id="looking ahead"),
    ],
)
def test_capture_is_proved(source, number, text, uri):
    assert uri_with(source, number, text) == uri


def test_search_that_is_too_complex_finds_nothing(monkeypatch):
    monkeypatch.setattr(search, "MOST_PLACES", 2)

    assert uri_with("^/(abc)$", 1, "abc") is None
