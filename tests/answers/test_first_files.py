"""Files that answer where they are there: which do, before what, and for whom."""

from __future__ import annotations

import base64
import os
from typing import Any

import pytest

from django_wsgimatch import (
    access,
    alias,
    alias_match,
    basic,
    deny,
    deny_match,
    document_root,
    redirect,
    rules,
    script_alias,
)
from django_wsgimatch import wsgi as entry
from tests.answers.files.tricks import TRICKS
from tests.support.wsgi import call, get, make_environ, write_scripts

ANN = {"Authorization": "Basic " + base64.b64encode(b"ann:secret-cy").decode()}


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"the application at {environ['PATH_INFO']}".encode()]


def make_hello():
    return hello


@pytest.fixture
def site(tmp_path, settings):
    """A folder ``public`` that comes first, and an application for all else."""
    for name in (
        "favicon.ico",
        "docs/index.html",
        "docs/a b.txt",
        "api/x.txt",
        ".htpasswd",
        "shut.txt",
    ):
        (tmp_path / "public" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "public" / name).write_text(f"the file {name}")
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "users").write_text("ann:{SHA}u8SS5DZYKLP0EektQ/jDoNAZVNI=\n")
    settings.BASE_DIR = tmp_path
    settings.WSGIMATCH_FALLBACK = f"{__name__}.make_hello"
    settings.WSGIMATCH_ALIASES = []
    settings.WSGIMATCH_FILES_FIRST = [tmp_path / "public"]
    return settings


def told(target, **more):
    """Who answers, or a status that is not 200."""
    answer = get(entry.get_application(), target, **more)
    return answer.body.decode() if answer.code == 200 else answer.code


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param("/favicon.ico", "the file favicon.ico", id="a file"),
        pytest.param("/favicon.ico?v=2", "the file favicon.ico", id="a query"),
        pytest.param("/%66avicon.ico", "the file favicon.ico", id="an escape"),
        pytest.param("/docs/a%20b.txt", "the file docs/a b.txt", id="a blank"),
        pytest.param("//docs//./index.html", "the file docs/index.html", id="slashes and dots"),
        pytest.param("/docs/../favicon.ico", "the file favicon.ico", id="a step up"),
        pytest.param("http://localhost/favicon.ico", "the file favicon.ico", id="a whole URL"),
        pytest.param("/none.txt", "the application at /none.txt", id="no file"),
        pytest.param("/favicon.ico/", "the application at /favicon.ico/", id="a slash behind"),
        pytest.param("/favicon.ico/x", "the application at /favicon.ico/x", id="a path behind"),
        pytest.param("/docs", "the application at /docs", id="a folder"),
        pytest.param("/docs/", "the application at /docs/", id="a folder with an index"),
        pytest.param("/", "the application at /", id="the root"),
        pytest.param("/.htpasswd", 403, id="a file that Apache never sends"),
        pytest.param("/%00", 404, id="what the corridor refuses"),
    ],
)
def test_a_file_answers_and_the_application_all_else(site, target, expected):
    assert told(target) == expected


@pytest.mark.parametrize("method", ["POST", "OPTIONS", "PUT", "DELETE"])
def test_other_methods_go_on_to_the_application(site, method):
    assert told("/favicon.ico", method=method) == "the application at /favicon.ico"


def test_a_head_has_the_headers_of_the_file_alone(site):
    answer = get(entry.get_application(), "/favicon.ico", method="HEAD")

    headers = dict(answer.headers)
    assert (answer.code, answer.body, headers["Content-Length"]) == (200, b"", "20")


def test_what_is_added_counts_from_the_next_request_on(site, tmp_path):
    application = entry.get_application()
    before = get(application, "/new.txt").body
    (tmp_path / "public/new.txt").write_text("new")

    after = get(application, "/new.txt").body
    (tmp_path / "public/new.txt").unlink()

    assert [before, after] == [b"the application at /new.txt", b"new"]
    assert get(application, "/new.txt").body == before


def test_entries_are_asked_in_order(site, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other/favicon.ico").write_text("another")
    (tmp_path / "other/only.txt").write_text("only there")
    site.WSGIMATCH_FILES_FIRST = ["public", document_root("other"), alias("/elsewhere", "other")]

    found = [told(each) for each in ("/favicon.ico", "/only.txt", "/elsewhere/only.txt")]

    assert found == ["the file favicon.ico", "only there", "only there"]


def test_a_pattern_names_its_file(site):
    site.WSGIMATCH_FILES_FIRST = [alias_match(r"^/v\d+/(.+)", "public/$1")]

    found = [told(each) for each in ("/v7/favicon.ico", "/favicon.ico", "/v7/none")]

    assert found == [
        "the file favicon.ico",
        "the application at /favicon.ico",
        "the application at /v7/none",
    ]


def test_with_an_index_a_folder_that_has_one_answers(site, tmp_path):
    (tmp_path / "public/empty").mkdir()
    site.WSGIMATCH_FILES_FIRST = [document_root("public", index=["home.html", "index.html"])]

    found = [told(each) for each in ("/docs/", "/docs", "/", "/empty/", "/empty")]

    assert found == [
        "the file docs/index.html",
        301,
        "the application at /",
        "the application at /empty/",
        "the application at /empty",
    ]


def test_options_of_files_hold(site):
    site.WSGIMATCH_FILES_FIRST = [
        document_root(
            "public",
            cache_control="no-cache",
            forced_type="text/x-all",
            headers={"X-From": "public"},
        )
    ]

    answer = get(entry.get_application(), "/favicon.ico")

    headers = dict(answer.headers)
    wanted = ("Cache-Control", "Content-Type", "X-From")
    assert [headers[name] for name in wanted] == ["no-cache", "text/x-all", "public"]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param([redirect("/favicon.ico", "/x")], 302, id="a redirect"),
        pytest.param([redirect("/favicon.ico", status=410)], 410, id="a page that is gone"),
        pytest.param([deny_match(r"\.ico$")], 403, id="a refusal"),
        pytest.param([script_alias("/x", "x.wsgi"), deny("/")], 403, id="a refusal of the rest"),
        pytest.param([alias("/", "elsewhere")], "the file favicon.ico", id="other files"),
        pytest.param([script_alias("/", "x.wsgi")], "the file favicon.ico", id="a script"),
    ],
)
def test_redirects_and_refusals_come_before_files_and_all_else_behind(
    site, tmp_path, entries, expected
):
    write_scripts(tmp_path, "x.wsgi")
    site.WSGIMATCH_ALIASES = entries

    assert told("/favicon.ico") == expected


def test_a_refusal_of_a_virtual_host_holds_for_that_host(site):
    site.WSGIMATCH_VIRTUAL_HOSTS = {"closed.example": [deny("/favicon.ico")]}

    hosts = ("closed.example", "open.example")
    found = [told("/favicon.ico", HTTP_HOST=each) for each in hosts]

    assert found == [403, "the file favicon.ico"]


@pytest.mark.parametrize(
    ("sections", "aliases", "options"),
    [
        pytest.param(
            [access("/api", auth=basic("API", users="users"), require="valid-user")],
            [],
            {},
            id="a section",
        ),
        pytest.param(
            [],
            [
                script_alias(
                    "/api",
                    "x.wsgi",
                    access=rules(auth=basic("API", users="users"), require="valid-user"),
                )
            ],
            {},
            id="the entry that would answer",
        ),
        pytest.param(
            [],
            [],
            {"access": rules(auth=basic("API", users="users"), require="valid-user")},
            id="the entry of the file",
        ),
    ],
)
def test_access_rules_hold_for_files(site, tmp_path, sections, aliases, options):
    write_scripts(tmp_path, "x.wsgi")
    site.WSGIMATCH_ACCESS = sections
    site.WSGIMATCH_ALIASES = aliases
    site.WSGIMATCH_FILES_FIRST = [document_root("public", **options)]

    asked = told("/api/x.txt"), told("/api/x.txt", headers=ANN)

    assert asked == (401, "the file api/x.txt")


def test_access_rules_for_an_index_hold_for_its_folder(site):
    site.WSGIMATCH_ACCESS = [access("/docs/index.html", require="all denied")]
    site.WSGIMATCH_FILES_FIRST = [document_root("public", index="index.html")]

    assert told("/docs/") == 403


def test_a_redirect_that_no_rule_keeps_anybody_from_opens_no_file(site):
    site.WSGIMATCH_ACCESS = [access("/api", require="all denied")]
    site.WSGIMATCH_ALIASES = [redirect("/api", "/elsewhere")]

    assert told("/api/x.txt") == 302


def test_pages_of_the_server_itself_come_first(site, tmp_path):
    (tmp_path / "public/-").mkdir()
    (tmp_path / "public/-/live").write_text("a file")
    site.WSGIMATCH_HEALTH_PATH = "/-/"

    assert "a file" not in str(told("/-/live"))


@pytest.mark.parametrize("trick", TRICKS)
def test_no_spelling_leads_out_of_the_folder(site, trick):
    application = entry.get_application()
    answers = [call(application, make_environ(f"/docs/d/{trick}")) for _ in range(2)]

    assert not any(each.body == b"secret" for each in answers)
    assert not any(b"root:" in each.body for each in answers)


@pytest.mark.parametrize("trick", ["..", "../", "../secret.txt", ".%2e/secret.txt", "%2e%2e"])
def test_no_capture_leads_out_of_the_folder(site, trick):
    site.WSGIMATCH_FILES_FIRST = [alias_match("^/f(.*?)/?(secret.txt)?$", "public/$1/$2")]

    assert told(f"/f{trick}") != "secret"


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param(True, "secret", id="links are followed"),
        pytest.param(False, 403, id="no link is followed"),
    ],
)
def test_the_policy_for_links_is_that_of_files(site, tmp_path, policy, expected):
    (tmp_path / "public/link.txt").symlink_to(tmp_path / "secret.txt")
    site.WSGIMATCH_FILES_FIRST = [document_root("public", follow_symlinks=policy)]

    assert told("/link.txt") == expected


def test_what_is_neither_file_nor_folder_is_the_application_s(site, tmp_path):
    os.mkfifo(tmp_path / "public/fifo")
    (tmp_path / "public/dangling").symlink_to("nowhere")

    found = [told(each) for each in ("/fifo", "/dangling")]

    assert found == ["the application at /fifo", "the application at /dangling"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads all")
def test_a_file_that_nobody_may_read_is_refused(site, tmp_path):
    (tmp_path / "public/shut.txt").chmod(0)

    assert told("/shut.txt") == 403


def test_below_a_mount_point_of_the_server_files_are_the_same(site):
    found = [
        told(f"/site{each}", script_name="/site") for each in ("/favicon.ico", "/none", "/docs")
    ]

    assert found == [
        "the file favicon.ico",
        "the application at /none",
        "the application at /docs",
    ]


def test_below_a_mount_point_a_folder_is_sent_to_its_slash_there(site):
    site.WSGIMATCH_FILES_FIRST = [document_root("public", index="index.html")]

    answer = get(entry.get_application(), "/site/docs?a=b", script_name="/site")

    assert dict(answer.headers)["Location"] == "http://localhost/site/docs/?a=b"


def test_what_a_trusted_proxy_has_cut_off_stands_before_a_folder_s_url(site):
    site.WSGIMATCH_TRUSTED_PROXIES = ["127.0.0.1"]
    site.WSGIMATCH_TRUSTED_PROXY_HEADERS = ["X-Forwarded-Prefix"]
    site.WSGIMATCH_FILES_FIRST = [document_root("public", index="index.html")]
    headers = {"X-Forwarded-Prefix": "/shop"}
    environ = make_environ("/docs", headers=headers, REMOTE_ADDR="127.0.0.1")
    started: list[Any] = []
    application: Any = entry.get_application()

    b"".join(application(environ, lambda status, headers: started.append(dict(headers))))

    assert started[0]["Location"] == "http://localhost/shop/docs/"


def test_a_server_that_tells_no_target_gets_the_file(site):
    environ = make_environ("/docs/a%20b.txt", without=["RAW_URI"])

    answer = call(entry.get_application(), environ)

    assert answer.body == b"the file docs/a b.txt"


def test_an_access_log_has_the_entry(site):
    environ = make_environ("/favicon.ico")

    application: Any = entry.get_application()
    list(application(environ, lambda status, headers: None))

    assert environ["wsgimatch.alias"] == "/"


def test_without_the_setting_nothing_stands_before_the_dispatcher(site):
    site.WSGIMATCH_FILES_FIRST = []

    assert type(entry.get_application()).__name__ == "Dispatcher"
