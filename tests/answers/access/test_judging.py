from __future__ import annotations

import base64
import time

import pytest

from django_wsgimatch.aliases.access.requirements import (
    Demands,
    MethodLimit,
    contain,
    parse_demand,
)
from django_wsgimatch.aliases.access.rules import (
    AccessRules,
    HostRules,
    Login,
    merge_rules,
    parse_origin,
)
from django_wsgimatch.answers.access.host_names import HostNames
from django_wsgimatch.answers.access.judging import AccessRequest, Judge, Verdict
from django_wsgimatch.answers.access.kept_files import UserFiles
from django_wsgimatch.answers.access.passwords import Remembered

HERE, ELSEWHERE = "10.0.0.1", "192.0.2.1"
CHALLENGE = 'Basic realm="staff"'


def some(kind, *members):
    return contain(
        kind, [each if isinstance(each, Demands) else parse_demand(each) for each in members]
    )


def header(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode("latin-1")).decode()


ANN, EVE, GUESS = header("ann", "secret-cy"), header("eve", "secret-cy"), header("ann", "guess")
NOBODY = header("nobody", "secret-cy")


@pytest.fixture
def judge():
    names = {HERE: "inside.example"}
    return Judge(UserFiles(interval=0), Remembered(0), HostNames(names.get))


@pytest.fixture
def login(tmp_path):
    entry = "{SHA}u8SS5DZYKLP0EektQ/jDoNAZVNI="
    (tmp_path / "users").write_text(f"ann:{entry}\neve:{entry}\n")
    (tmp_path / "groups").write_text("Staff: ann\n")
    return Login("Basic", "staff", str(tmp_path / "users"), str(tmp_path / "groups"))


def status_of(judge, rules, address=HERE, **more):
    return judge.judge(rules, AccessRequest(address, **more)).status


@pytest.mark.parametrize(
    ("demands", "here", "elsewhere"),
    [
        pytest.param(some("any", "all granted"), None, None, id="all granted"),
        pytest.param(some("any", "all denied"), 403, 403, id="all denied"),
        pytest.param(some("any", "ip 10"), None, 403, id="ip"),
        pytest.param(some("any", "local", "ip 10"), None, 403, id="one of two"),
        pytest.param(some("all", "all granted", "ip 10"), None, 403, id="both of two"),
        pytest.param(some("all", "all granted", "not ip 10"), 403, None, id="not"),
        pytest.param(
            some("all", "all granted", some("none", "ip 10", "local")), 403, None, id="none of"
        ),
        pytest.param(some("any", "host example"), None, 403, id="the name of the host"),
        pytest.param(some("any", "method GET"), None, None, id="method"),
        pytest.param(some("any", "method POST"), 403, 403, id="another method"),
    ],
)
def test_requirements_without_a_user(judge, demands, here, elsewhere):
    rules = AccessRules(demands)

    assert [status_of(judge, rules, each) for each in (HERE, ELSEWHERE)] == [here, elsewhere]


@pytest.mark.parametrize("address", ["", "not an address"])
def test_a_client_without_an_address_meets_no_rule_of_addresses(judge, address):
    lines = ("ip 0.0.0.0/0.0.0.0", "ip ::/1", "local", "host example")

    assert [status_of(judge, AccessRules(some("any", line)), address) for line in lines] == [
        403
    ] * 4


@pytest.mark.parametrize(
    ("address", "is_local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        (HERE, False),
    ],
)
def test_local_is_the_loopback(judge, address, is_local):
    assert status_of(judge, AccessRules(some("any", "local")), address) == (
        None if is_local else 403
    )


@pytest.mark.parametrize(
    ("order", "allow", "deny", "here", "elsewhere"),
    [
        pytest.param("deny,allow", [], [], None, None, id="in neither list, deny,allow"),
        pytest.param("allow,deny", [], [], 403, 403, id="in neither list, allow,deny"),
        pytest.param("deny,allow", ["10"], ["all"], None, 403, id="allow wins"),
        pytest.param("allow,deny", ["all"], ["10"], 403, None, id="deny wins"),
        pytest.param("mutual-failure", ["all"], ["10"], 403, None, id="mutual failure"),
        pytest.param("deny,allow", ["inside.example"], ["all"], None, 403, id="by name"),
    ],
)
def test_order_allow_and_deny(judge, order, allow, deny, here, elsewhere):
    allowed, denied = (tuple(map(parse_origin, each)) for each in (allow, deny))
    rules = AccessRules(host_rules=HostRules(order, allowed, denied))

    assert [status_of(judge, rules, each) for each in (HERE, ELSEWHERE)] == [here, elsewhere]


@pytest.mark.parametrize(
    ("satisfy", "here", "elsewhere"),
    [
        pytest.param("all", 401, 403, id="all: the address and a password"),
        pytest.param(None, 401, 403, id="unsaid: as all"),
        pytest.param("any", None, 401, id="any: the address or a password"),
    ],
)
def test_satisfy(judge, login, satisfy, here, elsewhere):
    lists = (parse_origin("10"),), (parse_origin("all"),)
    host_rules = HostRules("deny,allow", *lists, satisfy)
    rules = AccessRules(some("any", "valid-user"), login=login, host_rules=host_rules)

    assert [status_of(judge, rules, each) for each in (HERE, ELSEWHERE)] == [here, elsewhere]


def test_satisfy_any_without_a_requirement_lets_everybody_in_as_in_apache(judge):
    host_rules = HostRules(deny=(parse_origin("all"),), satisfy="any")

    assert status_of(judge, AccessRules(host_rules=host_rules)) is None


METHODS = ("GET", "HEAD", "POST", "UNKNOWN")


def test_another_method_than_those_that_are_allowed_is_405_whoever_asks(judge):
    denied = HostRules(deny=(parse_origin("all"),))
    rules = AccessRules(host_rules=denied, allow_methods=("GET", "PUT"))

    verdict = judge.judge(rules, AccessRequest(HERE, "POST"))

    assert (verdict.status, verdict.allow) == (405, "HEAD,GET,PUT")
    assert [status_of(judge, rules, method=each) for each in METHODS] == [403, 403, 405, 405]


def test_satisfy_any_lets_in_with_another_method_who_meets_the_requirements(judge, login):
    demands, host_rules = some("any", "valid-user"), HostRules(satisfy="any")
    rules = AccessRules(demands, None, login, host_rules, allow_methods=("GET",))

    assert status_of(judge, rules, method="POST", authorization=ANN) is None
    assert status_of(judge, rules, method="POST") == 401


def test_a_later_section_takes_back_which_methods_are_allowed(judge):
    rules = merge_rules([AccessRules(allow_methods=("GET",)), AccessRules(allow_methods=())])

    assert status_of(judge, rules, method="POST") is None


@pytest.mark.parametrize(("is_secure", "status"), [(True, None), (False, 403)])
def test_require_ssl(judge, is_secure, status):
    rules = AccessRules(some("any", "all granted"), require_ssl=True)

    assert status_of(judge, rules, is_secure=is_secure) == status


@pytest.mark.parametrize(
    ("line", "authorization", "verdict"),
    [
        pytest.param("valid-user", ANN, Verdict(user="ann"), id="the right password"),
        pytest.param("user ann", ANN, Verdict(user="ann"), id="the user who is named"),
        pytest.param("group staff", ANN, Verdict(user="ann"), id="a member, whatever the case"),
        pytest.param("all granted", None, Verdict(), id="nobody is asked where all get in"),
        pytest.param("all granted", ANN, Verdict(), id="nobody is a user where nobody is asked"),
        *(
            pytest.param(line, given, Verdict(401, reason, challenge=CHALLENGE), id=phrase)
            for phrase, line, given, reason in [
                (
                    "no password",
                    "valid-user",
                    None,
                    "a user is required, and the request names none",
                ),
                (
                    *("the wrong password", "valid-user", GUESS),
                    "user 'ann' is unknown, or the password is wrong",
                ),
                (
                    *("an unknown user", "valid-user", NOBODY),
                    "user 'nobody' is unknown, or the password is wrong",
                ),
                (
                    *("another user", "user ann", EVE),
                    "user 'eve' is not among those that are let in",
                ),
                (
                    *("no member", "group staff", EVE),
                    "user 'eve' is not among those that are let in",
                ),
            ]
        ),
    ],
)
def test_logins(judge, login, line, authorization, verdict):
    rules = AccessRules(some("any", line), login=login)

    assert judge.judge(rules, AccessRequest(HERE, authorization=authorization)) == verdict


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        pytest.param(Login(), "a user is required, and no auth says how one logs in", id="none"),
        pytest.param(
            Login("None"), "a user is required, and no auth says how one logs in", id="taken back"
        ),
        pytest.param(Login("Basic"), "auth has no realm", id="no realm"),
        pytest.param(Login("Basic", "staff"), "auth has no file of users", id="no file"),
        pytest.param(
            Login("Basic", "staff", "/nowhere"),
            "'/nowhere' cannot be read: No such file or directory",
            id="a missing file",
        ),
    ],
)
def test_a_login_that_cannot_be_is_500_and_never_open(judge, changed, reason):
    rules = AccessRules(some("any", "valid-user"), login=changed)

    assert judge.judge(rules, AccessRequest(HERE, authorization=ANN)) == Verdict(500, reason)


def test_a_login_without_a_requirement_is_500_as_in_apache(judge, login):
    verdict = judge.judge(AccessRules(login=login), AccessRequest(HERE, authorization=ANN))

    assert verdict == Verdict(500, "AuthType is configured, and no Require with it")


def test_without_a_file_of_groups_nobody_is_a_member(judge, login):
    rules = AccessRules(
        some("any", "group staff"), login=Login("Basic", "staff", login.users, "/nowhere")
    )

    verdict = judge.judge(rules, AccessRequest(HERE, authorization=ANN))

    reason = "'/nowhere' cannot be read: No such file or directory"
    assert verdict == Verdict(401, reason, challenge=CHALLENGE)


def test_no_password_is_in_what_is_said_of_a_request(judge, login):
    rules = AccessRules(some("any", "user nobody"), login=login)

    request = AccessRequest(HERE, authorization=header("ann", "secret-cy"))
    verdict = judge.judge(rules, request)

    assert "secret" not in f"{verdict} {request}"
    assert header("ann", "secret-cy") not in repr(request)


def test_an_unknown_user_is_answered_as_slowly_as_a_known_one(judge, tmp_path):
    entry = "$2y$10$.0JBbPdIeQxMVpUWTGeLHOpTzCz7Rh.g5uuJ0XSYO/ovfrWXg1B5q"
    (tmp_path / "slow").write_text(f"ann:{entry}\n")
    login = Login("Basic", "staff", str(tmp_path / "slow"))
    rules = AccessRules(some("any", "valid-user"), login=login)

    def seconds(authorization):
        started = time.thread_time()
        assert status_of(judge, rules, authorization=authorization) == 401
        return time.thread_time() - started

    assert seconds(NOBODY) > 0.5 * seconds(GUESS)


POST = MethodLimit(frozenset(["POST"]))
ALL_BUT_GET = MethodLimit(frozenset(["GET"]), is_except=True)


def limited(limit, *members):
    return AccessRules(Demands("any", some("any", *members).members, limit))


@pytest.mark.parametrize(
    ("limit", "let_in", "kept_out"),
    [
        pytest.param(POST, ("GET", "HEAD", "PUT", "FOO"), ("POST",), id="a method"),
        pytest.param(ALL_BUT_GET, ("GET", "HEAD"), ("POST", "FOO"), id="all but a method"),
    ],
)
def test_rules_for_some_methods_let_all_others_in(judge, limit, let_in, kept_out):
    demands = limited(limit, "all denied")
    hosts = AccessRules(host_rules=HostRules(deny=(parse_origin("all"),), limit=limit))

    found = {
        method: {status_of(judge, rules, method=method) for rules in (demands, hosts)}
        for method in (*let_in, *kept_out)
    }

    assert [found[method] for method in let_in] == [{None}] * len(let_in)
    assert [found[method] for method in kept_out] == [{403}] * len(kept_out)


def test_satisfy_any_for_some_methods_is_none_for_others(judge):
    host_rules = HostRules(satisfy="any", limit=POST)
    rules = AccessRules(some("any", "all denied"), host_rules=host_rules)

    assert status_of(judge, rules, method="POST") is None
    assert status_of(judge, rules, method="GET") == 403


@pytest.mark.parametrize(
    ("merging", "status"),
    [pytest.param("and", 403, id="and"), pytest.param("or", 403, id="or")],
)
def test_what_is_merged_with_rules_for_other_methods_decides_alone(judge, merging, status):
    later = AccessRules(limited(POST, "all granted").demands, merging)

    rules = merge_rules([AccessRules(some("any", "all denied")), later])

    assert status_of(judge, rules, method="GET") == status


@pytest.mark.parametrize("merging", ["and", "or"])
def test_rules_that_are_all_for_other_methods_let_in_together(judge, merging):
    first, second = limited(POST, "all denied"), limited(POST, "ip 192.0.2.9")

    rules = merge_rules([first, AccessRules(second.demands, merging)])

    assert status_of(judge, rules, method="GET") is None
    assert status_of(judge, rules, method="POST") == 403
