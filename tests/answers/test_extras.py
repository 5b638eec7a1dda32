"""What an entry adds to its application: variables, headers, and how long a body may be."""

from __future__ import annotations

import io
import os
import re
from dataclasses import replace

import pytest

from django_wsgimatch import alias, script_alias
from django_wsgimatch.aliases.alias import Alias, Extras
from django_wsgimatch.aliases.lines.expiry import (
    EXPIRES_BY_TYPE_WANTED,
    EXPIRES_WANTED,
    SinceChange,
)
from django_wsgimatch.aliases.resolve import Rules
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.answers.extras import changed_headers
from django_wsgimatch.dispatcher import Dispatcher
from django_wsgimatch.entries import to_alias
from django_wsgimatch.exceptions import DaemonError, DirectiveError
from tests.answers.scripts import OBEDIENT
from tests.support.wsgi import Answer, get, make_environ, write_scripts


def alias_of(entry) -> Alias:
    return to_alias(entry, process_groups=(), variables={})


@pytest.fixture
def ask(tmp_path):
    """Ask an entry with some options, by both ways of the dispatcher, which agree."""
    script = write_scripts(tmp_path, "a.wsgi", source=OBEDIENT)

    def ask(target="/a", body=b"", *, options, **environ) -> Answer:
        table = AliasTable([alias_of(script_alias("/a", script, **options))])
        dispatcher = Dispatcher(table)
        given = {"REQUEST_METHOD": "POST"} if body else {}
        answers = [
            get(dispatcher, target, **{"wsgi.input": io.BytesIO(body)}, **given, **environ)
            for _ in range(2)
        ]
        assert answers[0] == answers[1]
        return answers[0]

    return ask


def sent(answer: Answer) -> list[tuple[str, str]]:
    return [(name, value) for name, value in answer.headers if name.startswith("X-")]


@pytest.mark.parametrize(
    ("given", "name", "found"),
    [
        pytest.param({"trac.env_path": "/srv"}, "trac.env_path", "/srv", id="a name of its own"),
        pytest.param({"EMPTY": ""}, "EMPTY", "", id="an empty value"),
        pytest.param({"A": "\u0142"}, "A", "\xc5\x82", id="text is its UTF-8 bytes"),
        pytest.param({"HTTP_X_FOO": "set"}, "HTTP_X_FOO", "set", id="a header that is not sent"),
        pytest.param({"HTTP_HOST": "lie"}, "HTTP_HOST", "localhost", id="a header that is sent"),
        pytest.param({"SERVER_NAME": "lie"}, "SERVER_NAME", "127.0.0.1", id="what the server says"),
        pytest.param({"SCRIPT_NAME": "/lie"}, "SCRIPT_NAME", "/a", id="what the table says"),
        pytest.param({"HTTPS": "on"}, "wsgi.url_scheme", "https", id="the scheme"),
        pytest.param({"HTTPS": "on"}, "HTTPS", None, id="the scheme is no variable"),
    ],
)
def test_variables(ask, given, name, found):
    answer = ask(options={"environ": given})

    assert answer.told.get(name) == found


@pytest.mark.parametrize(
    ("headers", "own", "found"),
    [
        pytest.param({"X-A": "1"}, "", [("X-A", "1")], id="set"),
        pytest.param({"X-A": "1"}, "x-a=0", [("X-A", "1")], id="set what is there"),
        pytest.param([("append", "X-A", "1")], "", [("X-A", "1")], id="append to nothing"),
        pytest.param([("append", "X-A", "1")], "X-A=0", [("X-A", "0, 1")], id="append"),
        pytest.param(
            [("append", "X-A", "2")],
            "X-A=0;X-A=1",
            [("X-A", "0, 2"), ("X-A", "1")],
            id="append to the first of two",
        ),
        pytest.param([("merge", "X-A", "1")], "X-A=1, 0", [("X-A", "1, 0")], id="merge"),
        pytest.param([("merge", "X-A", "2")], "X-A=1", [("X-A", "1, 2")], id="merge another"),
        pytest.param([("add", "X-A", "1")], "X-A=0", [("X-A", "0"), ("X-A", "1")], id="add"),
        pytest.param([("setifempty", "X-A", "1")], "X-A=0", [("X-A", "0")], id="set if empty"),
        pytest.param([("setifempty", "X-A", "1")], "", [("X-A", "1")], id="set, being empty"),
        pytest.param([("unset", "X-A")], "X-A=0;X-B=0", [("X-B", "0")], id="unset"),
        pytest.param(
            [("set", "X-A", "1", "always")], "X-A=0", [("X-A", "1"), ("X-A", "0")], id="always"
        ),
        pytest.param(
            [("set", "X-A", "1"), ("append", "X-A", "2")], "", [("X-A", "1, 2")], id="in order"
        ),
    ],
)
@pytest.mark.parametrize("status", ["200 OK", "404 Not Found"])
def test_headers_of_the_application(ask, headers, own, found, status):
    answer = ask(options={"headers": headers}, HTTP_X_SEND=own, HTTP_X_STATUS=status)

    assert (answer.status, sent(answer)) == (status, found)


def test_only_what_is_always_done_is_on_error_pages(tmp_path):
    headers = [("set", "X-A", "1"), ("set", "X-B", "1", "always")]
    entry = script_alias("/a", tmp_path / "none.wsgi", headers=headers)
    dispatcher = Dispatcher(AliasTable([alias_of(entry)]))

    answers = [get(dispatcher, "/a") for _ in range(20)]

    assert {(each.code, *sent(each)) for each in answers} == {(404, ("X-B", "1"))}


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("text/html", "text/html; charset=utf-8"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/html; charset=x", "text/html; charset=x"),
        ("text/css", "text/css"),
        ("application/json", "application/json"),
    ],
)
def test_a_charset_is_for_text_that_names_none(ask, kind, found):
    answer = ask(options={"charset": "utf-8"}, HTTP_X_TYPE=kind)

    assert dict(answer.headers)["Content-Type"] == found


@pytest.mark.parametrize(
    ("status", "own", "found"),
    [
        pytest.param("200 OK", "", (True, "max-age=60"), id="neither"),
        pytest.param("302 Found", "", (True, "max-age=60"), id="a redirect"),
        pytest.param("404 Not Found", "", (False, None), id="an error"),
        pytest.param("200 OK", "Expires=0", (True, None), id="its own Expires"),
        pytest.param(
            "200 OK", "Cache-Control=private", (True, "private, max-age=60"), id="Cache-Control"
        ),
    ],
)
def test_how_long_a_response_may_be_kept(ask, status, own, found):
    answer = ask(options={"expires": 60}, HTTP_X_STATUS=status, HTTP_X_SEND=own)

    headers = dict(answer.headers)
    assert ("Expires" in headers, headers.get("Cache-Control")) == found


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [
        pytest.param("text/css", 60, id="the type"),
        pytest.param("Text/Css; charset=x", 60, id="in any case, with a charset"),
        pytest.param("text/html", 3600, id="another of its kind"),
        pytest.param("image/png", 5, id="another kind"),
    ],
)
def test_how_long_a_response_of_a_type_may_be_kept(ask, kind, seconds):
    by_type = {"text/css": 60, "text/*": "access plus 1 hour"}

    answer = ask(options={"expires": 5, "expires_by_type": by_type}, HTTP_X_TYPE=kind)

    assert dict(answer.headers)["Cache-Control"] == f"max-age={seconds}"


def test_nothing_is_said_of_other_types(ask):
    answer = ask(options={"expires_by_type": {"text/css": 60}}, HTTP_X_TYPE="text/html")

    assert not {"Expires", "Cache-Control"} & dict(answer.headers).keys()


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        pytest.param(1e9, "max-age=0", id="long ago"),
        pytest.param(4e9, r"max-age=\d{10}", id="in the future"),
    ],
)
def test_what_counts_from_the_change_on_counts_from_that_of_the_script(
    ask, tmp_path, changed, kept
):
    os.utime(tmp_path / "a.wsgi", (changed, changed))

    answer = ask(options={"expires": "modification plus 1 day"})

    assert re.fullmatch(kept, dict(answer.headers)["Cache-Control"])


def test_a_module_has_no_change_to_count_from():
    headers = [("Content-Type", "text/html")]

    changed = changed_headers(Extras(expires=SinceChange(60)), "200 OK", headers, "shop.wsgi:app")

    assert changed == headers


@pytest.mark.parametrize(("body", "code"), [(b"x" * 10, 200), (b"x" * 11, 413)])
def test_a_body_that_says_how_long_it_is(ask, body, code):
    answer = ask(body=body, options={"body_limit": 10}, CONTENT_LENGTH=str(len(body)))

    assert answer.code == code


def test_a_longer_body_that_does_not_say_so_is_413_with_the_headers_of_error_pages(ask):
    options = {"body_limit": 10, "headers": [("set", "X-Always", "1", "always")]}

    answer = ask(body=b"x" * 11, options=options, HTTP_TRANSFER_ENCODING="chunked")

    assert (answer.code, sent(answer)) == (413, [("X-Always", "1")])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param({"environ": "A=1"}, "environ should be a dict of names to text", id="text"),
        pytest.param({"environ": {"A": 1}}, "environ['A'] should be text, not 1", id="a number"),
        pytest.param(
            {"environ": {"wsgi.input": "x"}}, "environ cannot set 'wsgi.input'", id="the server's"
        ),
        pytest.param(
            {"headers": {"X A": "1"}}, "the name of a header should be one, not 'X A'", id="a name"
        ),
        pytest.param(
            {"headers": {"X-A": "1\r\nB: 2"}},
            "the header X-A should have a line of text, not '1\\r\\nB: 2'",
            id="two lines",
        ),
        pytest.param(
            {"headers": [("echo", "X-A", "1")]}, "headers should be a dict of", id="no such action"
        ),
        pytest.param({"headers": [("set", "X-A")]}, "headers should be a dict of", id="no value"),
        pytest.param({"charset": "a b"}, "charset should be a name such as 'utf-8'", id="no name"),
        pytest.param({"expires": -1}, f"expires should be {EXPIRES_WANTED}, not -1", id="past"),
        pytest.param(
            {"expires_by_type": {"css": 60}},
            f"expires_by_type should be {EXPIRES_BY_TYPE_WANTED}, not {{'css': 60}}",
            id="no type",
        ),
        pytest.param(
            {"body_limit": True}, "body_limit should be a number of bytes, not True", id="a flag"
        ),
    ],
)
def test_options_that_cannot_be_used(options, said):
    with pytest.raises(DirectiveError) as caught:
        alias_of(script_alias("/a", "/x", **options))

    assert str(caught.value).startswith(said)


def test_entries_with_the_same_options_share_them():
    one, other = (alias_of(script_alias(at, "/x", environ={"A": "1"})) for at in ("/a", "/b"))

    assert one.extras is other.extras


class Failing:
    """Places that do not answer."""

    def relay(self, place, environ, start_response):
        raise DaemonError(408, "the body does not come")


@pytest.fixture
def failing() -> Dispatcher:
    """A dispatcher for an entry with headers, whose process group does not answer."""
    headers = [("set", "X-A", "1"), ("set", "X-B", "1", "always")]
    alias = replace(
        alias_of(script_alias("/a", "/x", headers=headers)), target=__file__, process_group="blue"
    )
    rules = Rules(process_groups=["blue"])
    return Dispatcher(AliasTable([alias]), rules=rules, places=Failing())  # type: ignore[arg-type]


def test_only_what_is_always_done_is_on_the_page_of_a_group_that_fails(failing):
    answers = [get(failing, "/a") for _ in range(20)]

    assert {(each.code, *sent(each)) for each in answers} == {(408, ("X-B", "1"))}


def test_the_connection_of_a_body_that_does_not_come_is_closed_whatever_the_headers(failing):
    class Response:
        """What gunicorn starts a response of."""

        closed = 0

        def force_close(self):
            self.closed += 1

        def start_response(self, status, headers, exc_info=None):
            return lambda data: None

    response = Response()
    for _ in range(20):
        b"".join(failing(make_environ("/a"), response.start_response))

    assert response.closed == 20


def test_a_file_that_is_known_has_no_type(tmp_path):
    (tmp_path / "a.txt").write_text("a file")
    headers = {"Content-Type": "text/css", "X-A": "1"}
    entry = alias("/files", str(tmp_path), headers=headers)

    answer = get(
        Dispatcher(AliasTable([alias_of(entry)])), "/files/a.txt", headers={"If-None-Match": "*"}
    )

    assert answer.code == 304
    assert [n for n, _ in answer.headers if n in headers] == ["X-A"]


@pytest.mark.parametrize(
    ("target", "found"),
    [
        pytest.param("/files/a.txt", [("X-A", "1"), ("X-B", "2")], id="a file"),
        pytest.param("/files", [("X-A", "1")], id="the redirect to their folder"),
        pytest.param("/files/none", [("X-A", "1")], id="a file that is missing"),
    ],
)
def test_headers_of_files(tmp_path, target, found):
    (tmp_path / "a.txt").write_text("a file")
    headers = [("set", "X-A", "1", "always"), ("set", "X-B", "2")]
    entry = alias("/files", str(tmp_path), headers=headers)

    answer = get(Dispatcher(AliasTable([alias_of(entry)])), target)

    assert sent(answer) == found
