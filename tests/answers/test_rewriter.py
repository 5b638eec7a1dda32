"""URLs that entries pass on as others: what access rules, the table and applications see."""

from __future__ import annotations

import json
import logging
import shutil

import pytest

from django_wsgimatch import (
    access,
    alias,
    deny,
    deny_match,
    redirect,
    rewrite,
    script_alias,
    script_alias_match,
)
from django_wsgimatch import wsgi as entry
from tests.support.groups import sockets_of
from tests.support.wsgi import call, get, make_environ, write_scripts

TOLD = ("SCRIPT_NAME", "PATH_INFO", "REQUEST_URI", "RAW_URI", "QUERY_STRING")


def greet(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"the fallback has {environ['PATH_INFO']}".encode("latin-1")]


def make_greeter():
    return greet


@pytest.fixture
def site(tmp_path, settings):
    """A script at /app, and Django's place taken by an application that greets."""
    write_scripts(tmp_path, "x.wsgi")
    settings.BASE_DIR = tmp_path
    settings.WSGIMATCH_FALLBACK = f"{__name__}.make_greeter"
    return settings


def told_of(application, target, **environ):
    return tuple(get(application, target, **environ).told[key] for key in TOLD)


def asked(application, environ):
    """The body of an answer; the environ is the server's own."""
    answer = application(environ, lambda status, headers, *error: None)
    try:
        return b"".join(answer)
    finally:
        answer.close()


@pytest.mark.parametrize(
    ("target", "told"),
    [
        pytest.param("/old/x", ("/app", "/x", "/old/x", "/app/x", ""), id="plain"),
        pytest.param(
            "/old/x?a=b", ("/app", "/x", "/old/x?a=b", "/app/x?a=b", "a=b"), id="with a query"
        ),
        pytest.param(
            "/old/caf%c3%a9%25",
            ("/app", "/caf\xc3\xa9%", "/old/caf%c3%a9%25", "/app/caf%C3%A9%25", ""),
            id="encoded",
        ),
        pytest.param("//old/./x/", ("/app", "/x/", "//old/./x/", "/app/x/", ""), id="normalised"),
        pytest.param("/app/y", ("/app", "/y", "", "/app/y", ""), id="not rewritten"),
    ],
)
def test_what_an_application_is_told(site, target, told):
    site.WSGIMATCH_ALIASES = [rewrite("^/old/(.*)$", "/app/$1"), script_alias("/app", "x.wsgi")]
    application = entry.get_application()

    answers = [get(application, target).told for _ in range(3)]

    assert {tuple(each.get(key, "") for key in TOLD) for each in answers} == {told}


def test_two_slashes_are_seen_by_patterns_and_not_by_applications(site):
    site.WSGIMATCH_ALIASES = [
        rewrite("^(.*)$", "/app/$1"),
        script_alias_match("^/app//", "x.wsgi/two/"),
        script_alias("/app", "x.wsgi"),
    ]
    application = entry.get_application()

    answers = [get(application, "/x//y").corridor[2:] for _ in range(3)]

    assert answers == [("/app", "/two/x/y")] * 3


def test_the_server_s_own_environ_gains_what_an_access_log_needs(site):
    site.WSGIMATCH_ALIASES = [rewrite("^/old", "/app"), script_alias("/app", "x.wsgi")]
    environ = make_environ("/old")

    asked(entry.get_application(), environ)

    assert environ["RAW_URI"] == environ["PATH_INFO"] == "/old"
    assert (environ["wsgimatch.alias"], environ["wsgimatch.script_name"]) == ("/app", "/app")


def test_a_server_that_does_not_tell_the_target(site):
    site.WSGIMATCH_ALIASES = [rewrite("^/old/(.*)$", "/app/$1"), script_alias("/app", "x.wsgi")]

    told = told_of(entry.get_application(), "/old/a%20b?c", without=["RAW_URI"])

    assert told == ("/app", "/a b", "/old/a%20b?c", "/app/a%20b?c", "c")


def test_below_the_server_s_own_script_name(site):
    site.WSGIMATCH_ALIASES = [rewrite("^/old/(.*)$", "/app/$1"), script_alias("/app", "x.wsgi")]

    told = told_of(entry.get_application(), "/mount/old/x", script_name="/mount")

    assert told == ("/mount/app", "/x", "/mount/old/x", "/mount/app/x", "")


def test_a_script_may_be_such_a_site_itself(site):
    inner = (
        "from django_wsgimatch.aliases.table import AliasTable\n"
        "from django_wsgimatch.dispatcher import Dispatcher\n"
        "table = AliasTable.from_directives(['WSGIScriptAlias /in {}/x.wsgi'])\n"
        "application = Dispatcher(table)\n"
    )
    (site.BASE_DIR / "outer.wsgi").write_text(inner.format(site.BASE_DIR))
    site.WSGIMATCH_ALIASES = [rewrite("^(.*)$", "/app/$1"), script_alias("/app", "outer.wsgi")]

    told = get(entry.get_application(), "/in/x").told

    assert (told["SCRIPT_NAME"], told["PATH_INFO"]) == ("/app/in", "/x")


def test_below_the_prefix_of_a_trusted_proxy(site):
    site.WSGIMATCH_ALIASES = [rewrite("^/old/(.*)$", "/app/$1"), script_alias("/app", "x.wsgi")]
    site.WSGIMATCH_TRUSTED_PROXIES = ["10.0.0.1"]
    site.WSGIMATCH_TRUSTED_PROXY_HEADERS = ["X-Forwarded-Prefix"]

    prefix = {"X-Forwarded-Prefix": "/shop"}
    environ = make_environ("/old/x", REMOTE_ADDR="10.0.0.1", headers=prefix)

    body = asked(entry.get_application(), environ)

    told = tuple(json.loads(body)[key] for key in TOLD)
    assert told == ("/shop/app", "/x", "/old/x", "/app/x", "")


def test_the_host_of_a_target_in_absolute_form(site):
    site.WSGIMATCH_VIRTUAL_HOSTS = {"x.test": [rewrite("^/old", "/app")]}
    site.WSGIMATCH_ALIASES = [script_alias("/app", "x.wsgi")]

    answer = get(entry.get_application(), "http://x.test/old", HTTP_HOST="y.test")

    assert (answer.told["HTTP_HOST"], answer.told["SCRIPT_NAME"]) == ("x.test", "/app")


@pytest.mark.parametrize(
    ("target", "status"),
    [
        pytest.param("/old/secret", 403, id="rules of the new URL hold"),
        pytest.param("/old/x", 200, id="and those of the old one do not"),
        pytest.param("/app/secret", 403, id="asked for by its own name"),
        pytest.param("/old//secret", 403, id="with more slashes"),
        pytest.param("/old/%73ecret", 403, id="with an escape"),
        pytest.param("/other/secret", 403, id="two slashes in the new URL"),
        pytest.param("/app/%2Fsecret", 404, id="a client's own encoded slash"),
    ],
)
def test_access_rules_are_those_of_the_new_url(site, target, status):
    site.WSGIMATCH_ALIASES = [
        rewrite("^/old/(.*)$", "/app/$1"),
        rewrite("^/other(/.*)$", "/app/$1"),
        script_alias("/app", "x.wsgi"),
    ]
    site.WSGIMATCH_ACCESS = [
        access("/old", require="all denied"),
        access("/app", require="all granted"),
        access("/app/secret", require="all denied"),
    ]
    application = entry.get_application()
    # What stands for the new URL with two slashes may be a client's own target as well.
    get(application, "/app/%2Fsecret")

    assert [get(application, target).code for _ in range(2)] == [status] * 2


def test_a_pattern_sees_one_slash_at_the_start_of_the_new_url(site):
    site.WSGIMATCH_ALIASES = [
        rewrite("^/old(.*)$", "/$1"),
        deny_match("^/secret"),
        script_alias("/", "x.wsgi"),
    ]
    application = entry.get_application()

    asked = [get(application, target).code for target in ("/old/secret", "/old/x")]

    assert asked == [403, 200]


def test_redirects_files_and_refusals_are_those_of_the_new_url(site):
    (site.BASE_DIR / "f").mkdir()
    (site.BASE_DIR / "f/x.txt").write_text("a file")
    site.WSGIMATCH_ALIASES = [
        redirect("/old", "http://never.test/"),
        rewrite("^/old/(.*)$", "/$1?q=1"),
        redirect("/moved", "http://x.test/to"),
        deny("/closed"),
        alias("/f", "f"),
    ]
    application = entry.get_application()

    answers = [get(application, f"/old/{path}") for path in ("moved/a", "closed", "f/x.txt", "z")]

    assert [each.code for each in answers] == [302, 403, 200, 200]
    assert dict(answers[0].headers)["Location"] == "http://x.test/to/a?q=1"
    assert [each.body for each in answers[2:]] == [b"a file", b"the fallback has /z"]


def test_an_entry_with_a_status_answers_before_others_rewrite(site):
    site.WSGIMATCH_ALIASES = [
        rewrite("^/a/(.*)$", "/new/$1", status=301),
        rewrite("secret", status=403),
        rewrite("^/(.*)$", "/app/$1"),
        script_alias("/app", "x.wsgi"),
    ]
    application = entry.get_application()

    answers = [get(application, target) for target in ("/a/x?y", "/b/secret", "/a", "/x")]

    assert [each.code for each in answers] == [301, 403, 200, 200]
    assert dict(answers[0].headers)["Location"] == "http://localhost/new/x?y"
    assert answers[2].told["PATH_INFO"] == "/a"


def test_what_is_no_url_is_refused_and_logged(site, caplog):
    caplog.set_level(logging.INFO, "django_wsgimatch")
    site.WSGIMATCH_ALIASES = [rewrite("^/old/(.*)$", "/app/.$1"), script_alias("/app", "x.wsgi")]

    asked = [get(entry.get_application(), target).code for target in ("/old/x", "/old/./")]

    assert asked == [200, 403]
    assert "/old/./: the new URL '/app/./' has a segment of dots" not in caplog.text
    assert "/old/./: the new URL '/app/.' has a segment of dots" in caplog.text


def test_the_pages_of_health_stay(site):
    site.WSGIMATCH_HEALTH_PATH = "/-/health/"
    site.WSGIMATCH_SOCKET_DIRECTORY = sockets_of(site.BASE_DIR)
    site.WSGIMATCH_ALIASES = [rewrite("^/(.*)$", "/app/$1"), script_alias("/app", "x.wsgi")]

    answer = get(entry.get_application(), "/-/health/live")
    shutil.rmtree(sockets_of(site.BASE_DIR), ignore_errors=True)

    assert answer.code == 200
    assert b"SCRIPT_NAME" not in answer.body


def test_conditions_on_a_request(site):
    site.WSGIMATCH_ALIASES = [
        rewrite("^/$", "/app/post", when={"REQUEST_METHOD": "^POST$", "HTTP_USER_AGENT": "^tool/"})
    ]
    site.WSGIMATCH_ALIASES += [script_alias("/app", "x.wsgi")]
    application = entry.get_application()
    tool = {"User-Agent": "tool/1"}

    posted = make_environ("/", method="POST", headers=tool, CONTENT_LENGTH="0")

    assert call(application, posted).told["PATH_INFO"] == "/post"
    assert get(application, "/", headers=tool).body == b"the fallback has /"
