from __future__ import annotations

import pytest

from django_wsgimatch.aliases.uri import Target, from_path_info, parse_target, resolve_dots
from django_wsgimatch.exceptions import BadTarget


@pytest.mark.parametrize(
    ("target", "uri"),
    [
        pytest.param("/", "/", id="the root"),
        pytest.param("/app/x", "/app/x", id="a plain path stays"),
        pytest.param("//app", "/app", id="leading slashes become one"),
        pytest.param("/app//x///y", "/app/x/y", id="slashes are merged"),
        pytest.param("/app/./x", "/app/x", id="a dot segment goes"),
        pytest.param("/app/.", "/app/", id="a dot at the end leaves the slash"),
        pytest.param("/app/x/..", "/app/", id="two dots at the end leave the slash"),
        pytest.param("/app/..", "/", id="two dots take the only segment"),
        pytest.param("/app/x/../y", "/app/y", id="two dots take a segment"),
        pytest.param("/.../..x/x..", "/.../..x/x..", id="names of dots are names"),
        pytest.param("/.hidden", "/.hidden", id="a leading dot is a name"),
        pytest.param("/%61pp", "/app", id="an unreserved escape is decoded"),
        pytest.param("/app/%2e%2E/x", "/x", id="escaped dots climb"),
        pytest.param("/a%20b", "/a b", id="a blank is decoded"),
        pytest.param("/%2541", "/%41", id="decoding happens once"),
        pytest.param("/%e9\xe9", "/\xe9\xe9", id="bytes above 127 are bytes"),
        pytest.param("/a%5Cb%3fc%23", "/a\\b?c#", id="decoded marks are plain characters"),
        pytest.param('/"<>\\^`{|}', '/"<>\\^`{|}', id="raw odd characters are allowed"),
        pytest.param("/app;v=1", "/app;v=1", id="a parameter is plain text"),
    ],
)
def test_uri_of_a_target(target, uri):
    parsed = parse_target(target)

    assert parsed == Target(uri, "")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param("/x?a=b", Target("/x", "a=b"), id="cut at the question mark"),
        pytest.param("/x??", Target("/x", "?"), id="cut at the first one only"),
        pytest.param("/x?%zz/../%2F", Target("/x", "%zz/../%2F"), id="never decoded or judged"),
        pytest.param("/x?", Target("/x", ""), id="empty"),
    ],
)
def test_query_of_a_target(target, expected):
    parsed = parse_target(target)

    assert parsed == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param("http://h.example/x?y", Target("/x", "y", "h.example"), id="with a path"),
        pytest.param("HTTP://h:81/x", Target("/x", "", "h:81"), id="in capitals, with a port"),
        pytest.param("http://h", Target("/", "", "h"), id="without a path"),
        pytest.param("http://h?y", Target("/", "y", "h"), id="a query but no path"),
        pytest.param("http://[::1]:81/x", Target("/x", "", "[::1]:81"), id="IPv6"),
    ],
)
def test_absolute_form_names_the_host(target, expected):
    parsed = parse_target(target)

    assert parsed == expected


@pytest.mark.parametrize(
    ("target", "status", "reason"),
    [
        pytest.param("/a b", 400, "the target holds the character ' '", id="a blank"),
        pytest.param("/a\x7f", 400, "the target holds the character '\\x7f'", id="a DEL"),
        pytest.param("/a?b#c", 400, "the target holds the character '#'", id="# in the query"),
        pytest.param("app", 400, "the target does not start with '/'", id="no slash"),
        pytest.param("", 400, "the target does not start with '/'", id="empty"),
        pytest.param("*", 400, "the target does not start with '/'", id="an asterisk"),
        pytest.param("/a%4", 400, "'%4' is not a percent escape", id="half an escape"),
        pytest.param("/a%", 400, "'%' is not a percent escape", id="a lone percent sign"),
        pytest.param("/%zz", 400, "'%zz' is not a percent escape", id="letters that are no digits"),
        pytest.param("/..", 400, "'..' leads above the root", id="above the root"),
        pytest.param("/a/../../b", 400, "'..' leads above the root", id="above the root inside"),
        pytest.param("/%2f/../..", 400, "'..' leads above the root", id="before the 404 of %2F"),
        pytest.param("/a%00", 404, "the path holds %00", id="a NUL"),
        pytest.param(
            *("/a%2fb", 404, "the path holds %2F, which AllowEncodedSlashes Off refuses"),
            id="an encoded slash",
        ),
    ],
)
def test_target_that_apache_answers_itself(target, status, reason):
    with pytest.raises(BadTarget) as caught:
        parse_target(target)

    assert (caught.value.status, caught.value.reason, str(caught.value)) == (status, reason, reason)


@pytest.mark.parametrize(
    ("target", "kept", "decoded"),
    [
        pytest.param("/a%2Fb", "/a%2Fb", "/a/b", id="in the middle"),
        pytest.param("/a%2f%2Fb", "/a%2f%2Fb", "/a/b", id="twice"),
        pytest.param("/a/..%2fb", "/a/..%2fb", "/b", id="dots beside it"),
        pytest.param("/%2e%2e%2fapp", "/..%2fapp", "/app", id="a hidden climb is dropped"),
        pytest.param("/a%20%2f", "/a %2f", "/a /", id="other escapes are decoded"),
    ],
)
def test_encoded_slash(target, kept, decoded):
    no_decode = parse_target(target, allow_encoded_slashes="NoDecode")
    on = parse_target(target, allow_encoded_slashes=True)

    assert (no_decode.uri, on.uri) == (kept, decoded)


@pytest.mark.parametrize(
    ("target", "uri"),
    [
        pytest.param("///app//x", "/app//x", id="only the leading run is merged"),
        pytest.param("/app//../x", "/app/x", id="two dots take an empty segment"),
        pytest.param("/app/.//x", "/app//x", id="a dot segment goes"),
    ],
)
def test_slashes_kept_apart(target, uri):
    parsed = parse_target(target, merge_slashes=False)

    assert parsed.uri == uri


@pytest.mark.parametrize(
    ("path_info", "uri"),
    [
        pytest.param("/a b#c%2f", "/a b#c%2f", id="text is text"),
        pytest.param("//a/./b/..", "/a/", id="normalised"),
    ],
)
def test_uri_of_a_path_info(path_info, uri):
    found = from_path_info(path_info)

    assert found == uri


def test_path_info_keeps_slashes_apart():
    found = from_path_info("//a//b", merge_slashes=False)

    assert found == "/a//b"


@pytest.mark.parametrize(
    ("path_info", "status", "reason"),
    [
        pytest.param("a", 400, "PATH_INFO does not start with '/'", id="no slash"),
        pytest.param("/a\0", 404, "the path holds a NUL byte", id="a NUL"),
        pytest.param("/../a", 400, "'..' leads above the root", id="above the root"),
    ],
)
def test_path_info_that_is_refused(path_info, status, reason):
    with pytest.raises(BadTarget) as caught:
        from_path_info(path_info)

    assert (caught.value.status, caught.value.reason) == (status, reason)


def test_climb_above_the_root_can_be_dropped():
    path = resolve_dots("/../a/../../b", True, above_root=True)

    assert path == "/b"
