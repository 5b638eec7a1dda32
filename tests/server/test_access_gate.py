"""The access rules before the dispatcher: what the client and the application see."""

from __future__ import annotations

import base64
import logging
import shutil
from typing import Any

import pytest

from django_wsgimatch import (
    access,
    alias,
    alias_match,
    basic,
    deny,
    document_root,
    redirect,
    rules,
    script_alias,
    script_alias_match,
)
from django_wsgimatch import wsgi as entry
from django_wsgimatch.aliases.access.requirements import contain, parse_demand
from django_wsgimatch.aliases.access.rules import AccessRules
from django_wsgimatch.aliases.access.sections import AccessSection, SectionIndex
from django_wsgimatch.aliases.alias import Alias, Denial
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.answers.access.host_names import HostNames
from django_wsgimatch.answers.access.judging import Judge
from django_wsgimatch.answers.access.kept_files import UserFiles
from django_wsgimatch.answers.access.passwords import Remembered
from django_wsgimatch.doctor.findings.finding import CannotStart
from django_wsgimatch.server.access_gate import AccessGate
from tests.support.groups import sockets_of
from tests.support.wsgi import get as ask
from tests.support.wsgi import write_scripts

ANN = {"Authorization": "Basic " + base64.b64encode(b"ann:secret-cy").decode()}


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{environ['PATH_INFO']} for {environ.get('REMOTE_USER')}".encode()]


def make_hello():
    return hello


@pytest.fixture
def site(tmp_path, settings):
    """A script at /a, and Django's place taken by an application that greets."""
    write_scripts(tmp_path, "x.wsgi")
    (tmp_path / "users").write_text("ann:{SHA}u8SS5DZYKLP0EektQ/jDoNAZVNI=\n")
    settings.BASE_DIR = tmp_path
    settings.WSGIMATCH_ALIASES = [script_alias("/a", "x.wsgi"), deny("/closed")]
    settings.WSGIMATCH_FALLBACK = f"{__name__}.make_hello"
    return settings


NOBODY = rules(require="all denied")
LOGIN = basic('The "staff"', users="users")


def test_who_logs_in_is_the_application_s_user(site):
    site.WSGIMATCH_ACCESS = [access("/a", auth=LOGIN, require="valid-user")]

    answer = ask(entry.get_application(), "/a/b", headers=ANN)

    assert answer.corridor[0] == 200
    assert (answer.told["REMOTE_USER"], answer.told["AUTH_TYPE"]) == ("ann", "Basic")


def test_who_does_not_is_asked_as_by_apache(site):
    site.WSGIMATCH_ACCESS = [access("/a", auth=LOGIN, require="valid-user")]

    answer = ask(entry.get_application(), "/a/b")

    assert answer.status == "401 Unauthorized"
    assert dict(answer.headers)["WWW-Authenticate"] == r'Basic realm="The \"staff\""'
    assert b"could not tell who you are" in answer.body


def test_a_refusal_of_head_has_no_body(site):
    site.WSGIMATCH_ACCESS = [access("/a", require="all denied")]

    answer = ask(entry.get_application(), "/a", method="HEAD")

    assert (answer.status, answer.body) == ("403 Forbidden", b"")


def test_the_rules_hold_for_the_fallback_and_for_entries_without_an_application(site):
    site.WSGIMATCH_ACCESS = [access("/", auth=LOGIN, require="valid-user")]
    application, targets = entry.get_application(), ("/elsewhere", "/closed", "/a")

    asked = [ask(application, each).code for each in targets]
    logged_in = [ask(application, each, headers=ANN).code for each in targets]

    assert (asked, logged_in) == ([401, 401, 401], [200, 403, 200])


@pytest.mark.parametrize(
    "target",
    [
        *("/admin/", "/admin", "//admin/", "/%61dmin/", "/x/../admin/", "/./admin/x", "/admin//"),
        *("/admin/../x", "/admin/../../admin", "/x/%2e%2e/admin", "http://localhost/admin/"),
        *("/admin/%2e%2e/x", "/admin;x=1/../admin/", "/admin?x=/", "/admin/..%2fx"),
    ],
)
def test_no_spelling_of_a_url_goes_round_a_rule(site, target):
    site.WSGIMATCH_ACCESS = [access("/admin", require="all denied")]

    assert ask(entry.get_application(), target).code in (400, 403, 404)


def test_a_script_is_asked_for_what_apache_would_ask_it(site):
    """Its PATH_INFO comes from the uri: the climb out of /a/admin is behind it."""
    site.WSGIMATCH_ACCESS = [access("/a/admin", require="all denied")]

    answer = ask(entry.get_application(), "/a/admin/../x")

    assert (answer.code, answer.told["PATH_INFO"]) == (200, "/x")


def test_an_escaped_slash_that_the_fallback_decodes_does_not_go_round_a_rule(site):
    site.WSGIMATCH_ALLOW_ENCODED_SLASHES = "NoDecode"
    site.WSGIMATCH_ACCESS = [access("/admin", require="all denied")]

    assert ask(entry.get_application(), "/admin%2fx").code == 403


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        pytest.param({"headers": {"Host": "a b"}}, 400, id="a bad host"),
        pytest.param({"without": ["HTTP_HOST"]}, 400, id="no host"),
    ],
)
def test_what_the_corridor_refuses_it_refuses_behind_a_login_too(site, environ, status):
    site.WSGIMATCH_ACCESS = [access("/", auth=LOGIN, require="valid-user")]

    assert ask(entry.get_application(), "/ax", **environ).code == status


def test_rules_are_matched_below_the_server_s_mount_point(site):
    site.WSGIMATCH_ACCESS = [access("/a", require="all denied")]

    assert ask(entry.get_application(), "/mounted/a/b", script_name="/mounted").code == 403


def test_a_server_that_does_not_tell_the_target_is_no_way_round(site):
    site.WSGIMATCH_ACCESS = [access("/a", require="all denied")]

    assert ask(entry.get_application(), "/x/../a", without=["RAW_URI"]).code == 403


def test_a_section_of_a_host_holds_for_an_absolute_form_target(site):
    site.WSGIMATCH_ACCESS = [access("/", require="all denied", host="shop.test")]
    application = entry.get_application()

    asked = [ask(application, each).code for each in ("/a", "http://shop.test/a")]

    assert asked == [200, 403]


def test_the_pages_for_balancers_need_no_login(site, tmp_path):
    site.WSGIMATCH_HEALTH_PATH = "/-/wsgimatch/"
    site.WSGIMATCH_SOCKET_DIRECTORY = sockets_of(tmp_path)
    site.WSGIMATCH_ACCESS = [access("/", require="all denied")]

    application = entry.get_application()

    asked = [ask(application, f"/-/wsgimatch/{page}").code for page in ("live", "x")]
    shutil.rmtree(sockets_of(tmp_path), ignore_errors=True)

    assert asked == [200, 403]


def test_without_rules_there_is_no_gate(site):
    assert type(entry.get_application()).__name__ == "Dispatcher"


def test_a_missing_file_of_users_is_500_and_an_error_in_the_log(site, tmp_path, caplog):
    site.WSGIMATCH_ACCESS = [access("/a", auth=basic("x", users="gone"), require="valid-user")]
    application = entry.get_application()
    caplog.clear()

    answer = ask(application, "/a/b", headers=ANN)

    reason = f"'{tmp_path}/gone' cannot be read: No such file or directory"
    assert answer.code == 500
    assert caplog.record_tuples == [("django_wsgimatch", logging.ERROR, f"/a/b: {reason}")]


def test_nobody_can_fill_the_log_with_a_missing_file(site, caplog):
    site.WSGIMATCH_ACCESS = [access("/a", auth=basic("x", users="gone"), require="valid-user")]
    application = entry.get_application()
    caplog.clear()

    for _ in range(5):
        ask(application, "/a/b", headers=ANN)

    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"headers": {"Host": "open.test"}}, id="host"),
        pytest.param({"script_name": "/a"}, id="mount point"),
    ],
)
def test_what_is_remembered_of_a_path_is_of_one_host_and_mount_point(site, other):
    site.WSGIMATCH_ACCESS = [access("/a", require="all denied", host="localhost")]
    application = entry.get_application()

    first: dict[str, Any] = {}
    asked = [ask(application, "/a", **each).code for each in (first, other, first, other)]

    assert [code == 403 for code in asked] == [True, False, True, False]


def test_a_query_that_is_refused_is_refused_of_a_path_that_is_remembered(site):
    site.WSGIMATCH_ACCESS = [access("/a", require="all denied")]
    application = entry.get_application()

    asked = [ask(application, target).code for target in ("/a?x", "/a?x#y", "/a?\xe4", "/a")]

    assert asked == [403, 400, 403, 403]


@pytest.mark.parametrize("password", ["secret-cy", "another-secret"])
def test_no_password_reaches_the_log(site, caplog, password):
    site.WSGIMATCH_ACCESS = [access("/a", auth=LOGIN, require="user bob")]
    caplog.set_level(logging.DEBUG)
    token = base64.b64encode(f"ann:{password}".encode()).decode()

    ask(entry.get_application(), "/a", headers={"Authorization": f"Basic {token}"})

    assert caplog.text.count("ann") == 1
    assert password not in caplog.text
    assert token not in caplog.text


def test_a_user_s_name_cannot_forge_lines_of_the_log(site, caplog):
    site.WSGIMATCH_ACCESS = [access("/a", auth=LOGIN, require="valid-user")]
    application = entry.get_application()
    caplog.set_level(logging.INFO, "django_wsgimatch")
    caplog.clear()
    token = base64.b64encode(b"a\nERROR x" + b"y" * 500 + b":p").decode()

    ask(application, "/a", headers={"Authorization": f"Basic {token}"})

    [record] = caplog.records
    assert "\n" not in record.getMessage()
    assert len(record.getMessage()) < 200


def test_a_broken_entry_keeps_the_server_from_starting(site):
    site.WSGIMATCH_ACCESS = [access("/a", require="al denied")]

    with pytest.raises(CannotStart, match=r"WSGIMATCH_ACCESS\[0\]"):
        entry.get_application()


def gate(table, *sections, **hooks):
    judge = Judge(UserFiles(0), Remembered(0), HostNames())
    return AccessGate(hello, SectionIndex(sections), judge, table, **hooks)


def denied():
    return AccessRules(contain("any", [parse_demand("all denied")]))


@pytest.mark.parametrize(
    ("entry_", "target"),
    [
        pytest.param(script_alias("/a", "x.wsgi", access=NOBODY), "/a/b", id="a script"),
        pytest.param(script_alias_match("/a.", "x.wsgi", access=NOBODY), "/z/ab", id="a pattern"),
        pytest.param(
            script_alias("/a", "collections:OrderedDict", access=NOBODY), "/a", id="a module"
        ),
        pytest.param(alias("/a", ".", access=NOBODY), "/a/x.wsgi", id="files"),
        pytest.param(alias("/a", ".", access=NOBODY), "/a/missing", id="no file"),
        pytest.param(alias_match("/a/.*", "x.wsgi", access=NOBODY), "/a/", id="files by a pattern"),
        pytest.param(document_root(".", access=NOBODY), "/x.wsgi", id="the files of the root"),
    ],
)
def test_an_entry_s_own_rules_hold_for_what_it_answers(site, entry_, target):
    site.WSGIMATCH_ALIASES = [entry_]

    assert ask(entry.get_application(), target).code == 403


def test_an_entry_s_own_rules_hold_for_nothing_else(site):
    site.WSGIMATCH_ALIASES = [
        script_alias("/a/open", "x.wsgi"),
        script_alias("/a", "x.wsgi", access=NOBODY),
        redirect("/a/old", "/new"),
    ]
    application = entry.get_application()

    asked = [ask(application, each).code for each in ("/a/open", "/a", "/elsewhere", "/a/old")]

    assert asked == [200, 403, 200, 302]


@pytest.mark.parametrize(
    "target",
    [
        *("/a", "/a/", "/a/b", "//a/b", "/%61/b", "/x/../a/b", "/./a", "/a//b", "/a/../a/b"),
        *("/x/%2e%2e/a", "http://localhost/a", "http://other.test/a/b", "/a?x", "/a/b;x=/../c"),
        *("/a/%2e%2e/a", "/a%2fb", "/a/%00", "/a#b", "/a/../../a", "/A/../a", "*", "a"),
    ],
)
def test_no_spelling_of_a_url_goes_round_an_entry_s_own_rules(site, target):
    site.WSGIMATCH_ALIASES = [script_alias("/a", "x.wsgi", access=NOBODY)]

    answer = ask(entry.get_application(), target)

    # What leads elsewhere is Django's, whose place an application that greets has taken.
    assert answer.code in (400, 403, 404) or b" for None" in answer.body


def test_an_entry_s_own_rules_are_those_of_its_virtual_host(site):
    same = "x.wsgi"
    site.WSGIMATCH_VIRTUAL_HOSTS = {
        "one.test": [script_alias("/b", same, access=NOBODY)],
        "two.test": [script_alias("/b", same)],
    }
    application = entry.get_application()

    hosts = ("one.test", "two.test")
    asked = [ask(application, "/b", headers={"Host": host}).code for host in hosts]

    assert asked == [403, 200]


def test_a_section_replaces_what_an_entry_demands(site):
    site.WSGIMATCH_ALIASES = [
        script_alias("/a", "x.wsgi", access=rules(auth=LOGIN, require="valid-user"))
    ]
    site.WSGIMATCH_ACCESS = [
        access("/a/open", require="all granted"),
        access("/a/inner", require="user bob", auth_merging="and"),
    ]
    application = entry.get_application()
    targets = ("/a/x", "/a/open", "/a/inner")

    asked = [ask(application, each).code for each in targets]
    logged_in = [ask(application, each, headers=ANN).code for each in targets]

    assert (asked, logged_in) == ([401, 200, 401], [200, 200, 401])


def test_who_logs_in_to_an_entry_is_the_application_s_user(site):
    site.WSGIMATCH_ALIASES = [
        script_alias("/a", "x.wsgi", access=rules(auth=LOGIN, require="valid-user"))
    ]

    answer = ask(entry.get_application(), "/a/b", headers=ANN)

    assert (answer.told["REMOTE_USER"], answer.told["AUTH_TYPE"]) == ("ann", "Basic")


def test_an_entry_s_own_rules_come_first():
    table = AliasTable([Alias("/a", "/x"), Alias("/b", "/x")])
    application = gate(table, own_rules=lambda alias: [denied()] if alias.location == "/a" else [])

    assert [ask(application, each).code for each in ("/a", "/b", "/c")] == [403, 200, 200]


def test_the_rules_of_a_folder_s_index_hold_for_the_folder():
    table = AliasTable([Alias("/docs", "/x")])
    sections = [AccessSection("/docs/index.html", denied())]
    application = gate(table, *sections, served_uris=lambda alias, uri: [f"{uri}index.html"])

    assert [ask(application, each).code for each in ("/docs/", "/docs/x")] == [403, 200]


def test_what_answers_before_access_rules_is_not_asked_for_them():
    table = AliasTable([Alias("/old", "", answer=Denial("moved"))])
    sections = [AccessSection("/", denied())]
    application = gate(table, *sections, comes_first=lambda alias: alias.answer is not None)

    assert [ask(application, each).code for each in ("/old/x", "/new")] == [200, 403]
