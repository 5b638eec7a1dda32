from __future__ import annotations

import os

import pytest

from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.groups import GroupName, Server
from django_wsgimatch.aliases.resolve import (
    MOD_WSGI,
    Resolution,
    Rules,
    resolve,
    resolve_path_info,
    without_mount_point,
)
from django_wsgimatch.aliases.table import AliasTable, Match
from tests.support.wsgi import write_scripts


@pytest.fixture
def script(tmp_path):
    return str(write_scripts(tmp_path, "x.wsgi"))


def test_the_whole_corridor(script):
    alias = Alias("/app", script)

    resolution = resolve(AliasTable([alias]), "/app//y?a=b")

    assert resolution == Resolution(
        target="/app//y?a=b",
        uri="/app/y",
        query_string="a=b",
        status=200,
        reason="",
        match=Match(0, alias, "/app/y", 4, (), f"{script}/y"),
        script=script,
        script_name="/app",
        path_info="/y",
        process_group="",
        application_group="",
        callable_object="application",
        pass_authorization=True,
        group=GroupName(""),
    )


def test_target_in_bytes(script):
    resolution = resolve(AliasTable([Alias("/\xe9", script)]), b"/\xe9/%e9")

    assert (resolution.target, resolution.uri) == ("/\xe9/%e9", "/\xe9/\xe9")
    assert (resolution.script_name, resolution.path_info) == ("/\xe9", "/\xe9")


def test_bad_target():
    resolution = resolve(AliasTable([]), "/a%2f")

    reason = "the path holds %2F, which AllowEncodedSlashes Off refuses"
    assert resolution == Resolution("/a%2f", status=404, reason=reason)


def test_no_match():
    resolution = resolve(AliasTable([]), "/a?b")

    assert resolution == Resolution("/a?b", "/a", "b", reason="no alias matches")
    assert not resolution.matched


def test_match_without_script(tmp_path):
    alias = Alias("/a", f"{tmp_path}/none.wsgi")

    resolution = resolve(AliasTable([alias]), "/a")

    assert resolution == Resolution(
        target="/a",
        uri="/a",
        query_string="",
        status=404,
        reason=f"Target WSGI script not found or unable to stat: {tmp_path}/none.wsgi",
        match=Match(0, alias, "/a", 2, (), f"{tmp_path}/none.wsgi"),
        missing=f"{tmp_path}/none.wsgi",
    )
    assert resolution.matched


def test_unreadable_script(script, monkeypatch):
    # The tests may run as root, who can read everything.
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    resolution = resolve(AliasTable([Alias("/a", script)]), "/a")

    expected = (500, f"Target WSGI script cannot be read: {script}", None)
    assert (resolution.status, resolution.reason, resolution.script) == expected


def test_process_group_that_nobody_has_defined(script):
    table = AliasTable([Alias("/a", script, process_group="blue")])

    resolution = resolve(table, "/a", rules=Rules(process_groups=["red"]))

    expected = (500, "No WSGI daemon process called 'blue' has been configured")
    assert (resolution.status, resolution.reason) == expected


@pytest.mark.parametrize(
    ("alias", "rules", "groups"),
    [
        pytest.param({}, Rules(), ("", ""), id="the project's defaults"),
        pytest.param({}, MOD_WSGI, ("", "www.example:81|/a"), id="mod_wsgi's defaults"),
        pytest.param(
            {"process_group": "blue", "application_group": "%{SERVER}"},
            Rules(process_groups=["blue"]),
            ("blue", "www.example:81"),
            id="the entry's own",
        ),
        pytest.param(
            {},
            Rules(process_group="red", application_group="shop", process_groups=["red"]),
            ("red", "shop"),
            id="the rules'",
        ),
        pytest.param(
            {"application_group": "%{ENV:GROUP}"}, Rules(), ("", "green"), id="by a variable"
        ),
    ],
)
def test_groups(script, alias, rules, groups):
    server = Server("www.example", "client.example:81", {"GROUP": "green"}.get)

    resolution = resolve(
        AliasTable([Alias("/a", script, **alias)]), "/a/b", rules=rules, server=server
    )

    assert (resolution.process_group, resolution.application_group) == groups


@pytest.mark.parametrize(
    ("given", "rule", "passes"),
    [
        pytest.param(None, True, True, id="the rule says yes"),
        pytest.param(None, False, False, id="the rule says no"),
        pytest.param(True, False, True, id="the entry says yes"),
        pytest.param(False, True, False, id="the entry says no"),
    ],
)
def test_pass_authorization(script, given, rule, passes):
    table = AliasTable([Alias("/a", script, pass_authorization=given)])

    resolution = resolve(table, "/a", rules=Rules(pass_authorization=rule))

    assert resolution.pass_authorization is passes


def test_callable_object(script):
    table = AliasTable([Alias("/a", script, callable_object="handler")])

    resolution = resolve(table, "/a")

    assert resolution.callable_object == "handler"


@pytest.mark.parametrize(
    ("target", "host", "matched"),
    [
        pytest.param("/a", "shop.example", True, id="by the Host header"),
        pytest.param("/a", "www.example", False, id="another host"),
        pytest.param("http://shop.example/a", "www.example", True, id="by the absolute form"),
        pytest.param("http://www.example/a", "shop.example", False, id="which beats the header"),
    ],
)
def test_virtual_host(script, target, host, matched):
    table = AliasTable([], virtual_hosts={"shop.example": AliasTable([Alias("/a", script)])})

    resolution = resolve(table, target, server=Server("main.example", host))

    assert resolution.matched is matched


@pytest.mark.parametrize(
    ("rules", "target", "status"),
    [
        pytest.param(Rules(allow_encoded_slashes=True), "/a%2f", 200, id="encoded slashes"),
        pytest.param(Rules(merge_slashes=False), "//a//b", 200, id="slashes kept apart"),
        pytest.param(Rules(follow_symlinks=False), "/link", 403, id="no symlinks"),
        pytest.param(Rules(roots=("/nowhere",)), "/a", 403, id="outside its roots"),
    ],
)
def test_rules(script, rules, target, status):
    os.symlink(script, f"{script}.link")
    table = AliasTable([Alias("/a", script), Alias("/link", f"{script}.link")])

    resolution = resolve(table, target, rules=rules)

    assert resolution.status == status


def test_relative_target_belongs_to_the_base_directory(script, tmp_path):
    table = AliasTable([Alias("/a", "x.wsgi")])

    resolution = resolve(table, "/a", rules=Rules(base_directory=str(tmp_path)))

    assert resolution.script == script


@pytest.mark.parametrize(
    ("uri", "mount_point", "rest"),
    [
        pytest.param("/a/b", "", "/a/b", id="none"),
        pytest.param("/m/a", "/m", "/a", id="taken off"),
        pytest.param("/m/a", "/m/", "/a", id="with a slash at its end"),
        pytest.param("/m", "/m", "/", id="nothing left"),
        pytest.param("/ma", "/m", "/ma", id="only whole segments"),
        pytest.param("/a", "/m", "/a", id="another uri"),
    ],
)
def test_without_mount_point(uri, mount_point, rest):
    found = without_mount_point(uri, mount_point)

    assert found == rest


def test_mount_point_is_taken_off_before_matching(script):
    resolution = resolve(AliasTable([Alias("/a", script)]), "/m/a/b", mount_point="/m")

    expected = ("/a/b", "/a", "/b")
    assert (resolution.uri, resolution.script_name, resolution.path_info) == expected


def test_path_info_where_there_is_no_target(script):
    resolution = resolve_path_info(AliasTable([Alias("/a", script)]), "/a//b", "c=d")

    assert (resolution.target, resolution.uri, resolution.query_string) == ("/a//b", "/a/b", "c=d")
    assert (resolution.script_name, resolution.path_info) == ("/a", "/b")


def test_bad_path_info():
    resolution = resolve_path_info(AliasTable([]), "/a\0", "")

    assert resolution == Resolution("/a\0", status=404, reason="the path holds a NUL byte")


def test_path_info_obeys_merge_slashes():
    rules = Rules(merge_slashes=False)

    resolution = resolve_path_info(AliasTable([]), "/a//b", "", rules=rules)

    assert resolution.uri == "/a//b"
