from __future__ import annotations

import pytest

from django_wsgimatch.apache.lines.conditions import plain_name
from tests.support.apache_reading import directives, read, refusals

WITH_MPM = "LoadModule mpm_event_module modules/mod_mpm_event.so\n"


def holds(condition: str, before: str = "", **options) -> bool:
    """Whether what stands in a section takes effect."""
    text = f"{before}<{condition}>\nX\n</{condition.split()[0]}>"
    configuration = read(text, **options)
    assert configuration.refusals == ()
    return not configuration.directives[-1].is_off


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param("IfDefine A", True, id="a name given with -D"),
        pytest.param("IfDefine a", False, id="whose case counts"),
        pytest.param("IfDefine !A", False, id="the opposite"),
        pytest.param("IfDefine B", True, id="a name defined before"),
        pytest.param('ifdefine "B"', True, id="in quotes, any case"),
        pytest.param("IfDefine B C", True, id="the first word counts"),
        pytest.param("IfDefine !C", True, id="a name nobody has defined"),
        pytest.param("IfDirective Nobody", True, id="any directive"),
        pytest.param("IfDirective !Nobody", False, id="no unknown directive"),
        pytest.param("IfSection Nobody", True, id="any section"),
    ],
)
def test_condition(condition, expected):
    found = holds(condition, "Define B\n", defines=("A",))

    assert found is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param("IfModule mod_wsgi.c", True, id="a source file"),
        pytest.param("IfModule wsgi_module", True, id="a module"),
        pytest.param("IfModule !mod_ssl.c", False, id="not loaded"),
        pytest.param("IfModule ! mod_ssl.c", False, id="a blank behind the mark"),
        pytest.param("IfModule mod_wsgi", False, id="a name that is neither"),
    ],
)
def test_a_part_of_a_configuration_is_read_as_with_all_modules(condition, expected):
    found = holds(condition, "LoadModule wsgi_module modules/mod_wsgi.so\n")

    assert found is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param("IfModule mod_wsgi.c", False, id="not loaded"),
        pytest.param("IfModule !mod_wsgi.c", True, id="so its opposite holds"),
        pytest.param("IfModule mpm_event_module", True, id="loaded"),
        pytest.param("IfModule event.c", True, id="by its source file"),
        pytest.param("IfModule http_core.c", True, id="built in"),
        pytest.param("IfModule mod_log_config.c", True, id="often built in"),
    ],
)
def test_a_server_has_the_modules_it_loads(condition, expected):
    found = holds(condition, WITH_MPM)

    assert found is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param("IfModule mod_wsgi.c", True, id="given"),
        pytest.param("IfModule mod_ssl.c", True, id="loaded by a line"),
        pytest.param("IfModule mod_authz_core.c", False, id="neither"),
    ],
)
def test_given_modules(condition, expected):
    before = "LoadModule ssl_module modules/mod_ssl.so\n"

    found = holds(condition, before, modules=frozenset(["wsgi"]))

    assert found is expected


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        pytest.param("mod_authz_core.c", "authz_core", id="a source file"),
        pytest.param("authz_core_module", "authz_core", id="a module"),
        pytest.param("prefork.c", "prefork", id="an MPM's source file"),
        pytest.param("mpm_prefork_module", "prefork", id="an MPM"),
        pytest.param("core.c", "core", id="the core"),
        pytest.param("wsgi", "wsgi", id="plain already"),
    ],
)
def test_plain_name(name, plain):
    found = plain_name(name)

    assert found == plain


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param("IfVersion 2.4.68", True, id="equal"),
        pytest.param("IfVersion = 2.4", False, id="2.4 is 2.4.0"),
        pytest.param("IfVersion == 2.4.68", True, id="two signs"),
        pytest.param("IfVersion >= 2.4", True, id="at least"),
        pytest.param("IfVersion <= 2.4.68", True, id="at most"),
        pytest.param("IfVersion < 2.4", False, id="less"),
        pytest.param("IfVersion > 2", True, id="more"),
        pytest.param("IfVersion !< 2.4", True, id="not less"),
        pytest.param("IfVersion != 2.4.68.", False, id="not equal"),
        pytest.param("IfVersion ~ ^2[.]4", True, id="a pattern"),
        pytest.param("IfVersion = /^2[.]2/", False, id="a pattern between slashes"),
        pytest.param("IfVersion !~ ^2", False, id="not a pattern"),
        pytest.param('IfVersion >= "2.4"', True, id="in quotes"),
        pytest.param('IfVersion "2.4.68" ', True, id="in quotes alone"),
        pytest.param("IfVersion >= 2.4 ", True, id="a blank before the bracket"),
    ],
)
def test_version(condition, expected):
    found = holds(condition)

    assert found is expected


def test_file_in_the_server_root(tmp_path):
    (tmp_path / "a").touch()
    text = "<IfFile a>\nX\n</IfFile>\n<IfFile b>\nY\n</IfFile>"

    found = directives(text, server_root=str(tmp_path))

    assert found == ["2 X", "5 -Y"]


def test_what_does_not_hold_is_kept_with_its_reason_and_its_sections():
    text = (
        "<Proxy a>\n<IfDefine A>\nDefine B c\nInclude nowhere\n<IfModule a.c>\n<Files b>\n"
        "X ${B}\n</Files>\n</IfModule>\n</IfDefine>\nY\n</Proxy>"
    )

    configuration = read(text)

    assert [each.because for each in configuration.directives] == [
        *["<IfDefine A> in /c/site.conf:2 does not apply"] * 3,
        "",
    ]
    assert directives(text) == [
        "3 <Proxy a> -Define B c",
        "4 <Proxy a> -Include nowhere",
        "7 <Proxy a> <Files b> -X ${B}",
        "11 <Proxy a> Y",
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("<IfDefine !A>\nX", ["2 X"], id="a condition that holds may stay open"),
        pytest.param("<IfDefine !A>\n<Files a>\nX", ["3 <Files a> X"], id="and all in it"),
        pytest.param(
            "<IfDefine !A>\n>/IfDefine>\n</IfDefine>", ["2 >/IfDefine>"], id="only a closing line"
        ),
        pytest.param(
            "<IfDefine A>\n</IfDefine> x\nX", ["3 X"], id="text behind an end that is off"
        ),
        pytest.param(
            "<IfDefine A>\n# <Files a>\n</ifdefine>\nX", ["4 X"], id="a comment opens nothing"
        ),
    ],
)
def test_end_of_a_condition(text, found):
    read_directives = directives(text)

    assert read_directives == found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(
            "<IfDefine !A>\n</IfDefine> # x",
            "</IfDefine> without matching <IfDefine> section, and <IfDefine> in /c/site.conf:1 "
            "is open",
            id="text behind the end",
        ),
        pytest.param(
            "<Files a>\n<IfDefine !A>\n</Files>\n</IfDefine>\n</Files>",
            "</Files> without matching <Files> section, and <IfDefine> in /c/site.conf:2 is open",
            id="a section from outside ends inside",
        ),
        pytest.param(
            "<IfDefine A>\n<Files x>\n</IfDefine>",
            "expected </Files> but saw </IfDefine>: <Files> in /c/site.conf:2 is open",
            id="a section inside what is off",
        ),
        pytest.param("<IfDefine A>\nX", "<IfDefine> was not closed", id="off and left open"),
        pytest.param(
            "<IfDefine>\n</IfDefine>",
            "<IfDefine> directive requires additional arguments",
            id="empty",
        ),
        pytest.param(
            "<IfModule a.c\n</IfModule>",
            "<IfModule> directive missing closing '>'",
            id="no bracket",
        ),
        pytest.param(
            "<IfVersion 2.x>\n</IfVersion>",
            "'2.x' is not a version: these have the format major[.minor[.patch]]",
            id="no version",
        ),
        pytest.param(
            "<IfVersion ~= 2>\n</IfVersion>", "unrecognized operator '~='", id="no operator"
        ),
        pytest.param(
            "<IfVersion = /2>\n</IfVersion>",
            "Missing delimiting / of regular expression.",
            id="half a pattern",
        ),
        pytest.param(
            "<IfVersion ~ (>\n</IfVersion>",
            "pattern '(': missing closing parenthesis",
            id="bad pattern",
        ),
        pytest.param(
            "<IfVersion >= 2.4\n</IfVersion>",
            "<IfVersion> directive missing closing '>'",
            id="no bracket behind a version",
        ),
        pytest.param(
            "<IfVersion a b c d>\n</IfVersion>",
            "<IfVersion> takes an operator and a version",
            id="too many words",
        ),
    ],
)
def test_bad_condition(text, reason):
    found = refusals(text)

    assert [each for _, _, each in found] == [reason]
