"""Targets that name modules: what is one, and which part of a URL becomes PATH_INFO."""

from __future__ import annotations

import pytest

from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.module_target import ModuleTarget, is_module, read_module_target
from django_wsgimatch.aliases.quoting import directive_line
from django_wsgimatch.aliases.resolve import Rules, resolve
from django_wsgimatch.aliases.roots import derive_roots
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.exceptions import DirectiveError


@pytest.mark.parametrize(
    ("target", "module"),
    [
        pytest.param("shop:app", ModuleTarget("shop", "app"), id="a module and a name"),
        pytest.param("a.b_c.d:_x1", ModuleTarget("a.b_c.d", "_x1"), id="a module in packages"),
        pytest.param("a:make()", ModuleTarget("a", "make", is_factory=True), id="a factory"),
        pytest.param("my-app.2fa:app", ModuleTarget("my-app.2fa", "app"), id="no identifier"),
        pytest.param("shop.wsgi", None, id="a file, without a colon"),
        pytest.param("./shop:app", None, id="a file, with a slash"),
        pytest.param("/srv/shop:app", None, id="an absolute path"),
    ],
)
def test_what_is_a_module(target, module):
    assert read_module_target(target) == module


@pytest.mark.parametrize("text", ["shop:app", "a.b:make()"])
def test_the_text_of_a_module_is_read_back(text):
    assert str(ModuleTarget.of(text)) == text
    assert is_module(text)
    assert not is_module(f"/{text}")


@pytest.mark.parametrize(
    "target",
    [
        *("shop:", ":app", "shop:app.x", "shop:make(1)", "shop: app", "shop..a:app", ".shop:app"),
        *("shop:app()()", "shop:1app", "c:d:e", "sh\xf6p:app", "shop:app\n", "shop.:app"),
    ],
)
def test_other_text_with_a_colon_and_no_slash_is_refused(target):
    with pytest.raises(DirectiveError) as caught:
        read_module_target(target)

    assert str(caught.value) == (
        f"the target {target!r} has a colon and no slash, so it names a module, and should be "
        "'package.module:name', or 'package.module:name()' for a function without arguments that "
        f"returns the application. Write './{target}' for a file of that name"
    )


@pytest.mark.parametrize("target", ["$1:app", "shop.$1:app", "shop:$0"])
def test_no_url_chooses_a_module(target):
    with pytest.raises(DirectiveError, match="no part of a URL may choose one"):
        read_module_target(target)


def parts(location, uri, kind="plain", **rules):
    """Status, SCRIPT_NAME and PATH_INFO of a uri."""
    table = AliasTable([Alias(location, "shop:app", kind, callable_object="app", is_module=True)])
    found = resolve(table, uri, rules=Rules(**rules))
    return found.status, found.script_name, found.path_info


@pytest.mark.parametrize(
    ("location", "uri", "expected"),
    [
        pytest.param("/", "/", (200, "", "/"), id="the root"),
        pytest.param("/", "/a/b/", (200, "", "/a/b/"), id="below the root"),
        pytest.param("/a", "/a", (200, "/a", ""), id="the location"),
        pytest.param("/a", "/a/", (200, "/a", "/"), id="a slash behind it"),
        pytest.param("/a", "/a/b//c", (200, "/a", "/b/c"), id="slashes that are merged"),
        pytest.param("/a", "/ab", (None, None, None), id="another name"),
        pytest.param("/a/", "/a/b", (200, "/a", "/b"), id="the location's slash is PATH_INFO's"),
        pytest.param("/a", "/a/../a/./b", (200, "/a", "/b"), id="dots"),
        pytest.param("/a", "/a/%2e%2e/%2e%2e/etc", (400, None, None), id="dots that lead out"),
    ],
)
def test_a_plain_entry(location, uri, expected):
    assert parts(location, uri) == expected


@pytest.mark.parametrize(
    ("pattern", "uri", "expected"),
    [
        pytest.param("^/(a|b)", "/b/c", (200, "/b", "/c"), id="what was found is SCRIPT_NAME"),
        pytest.param("^/(a|b)", "/bc", (404, None, None), id="a match that ends inside a name"),
        pytest.param("^/a/", "/a/b", (200, "/a", "/b"), id="a match that ends in a slash"),
        pytest.param("^/a(?=/|$)", "/a", (200, "/a", ""), id="nothing behind it"),
        pytest.param("^/.*", "/a/b", (200, "/a/b", ""), id="the whole URL"),
        pytest.param("^/", "/a", (200, "", "/a"), id="the root"),
        pytest.param("b", "/a/b/c", (200, "/a/b", "/c"), id="not anchored"),
    ],
)
def test_an_entry_with_a_pattern(pattern, uri, expected):
    assert parts(pattern, uri, "match") == expected


def test_slashes_in_a_row_where_they_are_not_merged():
    assert parts("/a", "/a//b///c", merge_slashes=False) == (200, "/a", "/b/c")


def test_a_resolution_has_the_module_for_its_script():
    alias = Alias("/a", "shop:make()", callable_object="make()", is_module=True)

    found = resolve(AliasTable([alias]), "/a/b", rules=Rules(roots=("/srv",)))

    assert (found.status, found.script, found.callable_object) == (200, "shop:make()", "make()")
    assert (found.process_group, found.application_group) == ("", "")


def test_a_module_lies_in_no_root():
    entries = [Alias("/a", "shop:app", is_module=True), Alias("/b", "x.wsgi")]

    assert derive_roots(entries, "/srv") == ("/srv",)
    assert derive_roots(entries[:1], "/srv") == ()


def test_the_line_of_a_module():
    alias = Alias("/a", "shop:app", process_group="blue", callable_object="app", is_module=True)

    assert directive_line(alias) == "script_alias /a shop:app process-group=blue"
