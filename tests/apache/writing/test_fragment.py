from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from django_wsgimatch.apache.importing import import_configuration
from django_wsgimatch.apache.reading.reading import read_file
from django_wsgimatch.apache.writing.fragment import literal, python_lines, values
from django_wsgimatch.conf import configuration
from django_wsgimatch.entries import to_alias
from tests.support.imports import CONFIGURATIONS, settings_of, text_of
from tests.thorough import mostly_thorough

LINES = [
    "WSGIDaemonProcess shop processes=2 python-path=/srv/shop:/srv/a-name-for-a-library:/srv/b",
    "WSGIProcessGroup shop",
    r'WSGIScriptAliasMatch "^/old shop/(\d+)$" /srv/$1.wsgi',
    "WSGIScriptAlias /shop /srv/shop/with/a/rather/long/path/to/the/script/shop.wsgi",
    "WSGIChunkedRequest On",
    "WSGIScriptReloading Off",
]
HOSTS = [
    "<VirtualHost *:80>",
    "ServerName one.test",
    "ServerAlias www.one.test",
    "WSGIScriptAlias / /srv/one.wsgi",
    "</VirtualHost>",
    "<VirtualHost *:80>",
    "ServerName two.test",
    "</VirtualHost>",
]


@pytest.mark.parametrize("target", ["shop.wsgi:app", "$1:app", "caf\xe9:x"])
def test_a_file_whose_name_is_a_module_s_stays_a_file(target):
    text = text_of(f"WSGIScriptAliasMatch ^/(a) {target}")

    names: dict[str, Any] = {}
    exec(text, names)
    alias = to_alias(names["WSGIMATCH_ALIASES"][0], process_groups=(), variables={})
    assert (alias.target, alias.is_module) == (target, False)


def test_a_fragment_says_where_each_setting_comes_from():
    assert text_of(*LINES) == (
        """\
# From site.conf, by `manage.py wsgimatch import`.

from django_wsgimatch import script_alias, script_alias_match

WSGIMATCH_ALIASES = [
    # site.conf:3, 2
    script_alias_match(r"^/old shop/(\\d+)$", "/srv/$1.wsgi", process_group="shop"),
    # site.conf:4, 2
    script_alias(
        "/shop",
        "/srv/shop/with/a/rather/long/path/to/the/script/shop.wsgi",
        process_group="shop",
    ),
]
WSGIMATCH_PROCESS_GROUPS = {
    # site.conf:1
    "shop": {
        "processes": 2,
        "python_path": ["/srv/shop", "/srv/a-name-for-a-library", "/srv/b"],
    },
}
# mod_wsgi's default: each script has its own interpreter. "%{GLOBAL}" needs fewer processes.
WSGIMATCH_APPLICATION_GROUP = "%{RESOURCE}"
# mod_wsgi's default: applications do not see Authorization.
WSGIMATCH_PASS_AUTHORIZATION = False
# site.conf:6
WSGIMATCH_SCRIPT_RELOADING = False
# As in Apache, nothing answers what no alias matches. Without this line, Django does.
WSGIMATCH_FALLBACK = None
"""
    )


def test_hosts_that_share_their_entries_share_a_name():
    assert "\n".join(text_of(*HOSTS).splitlines()[4:17]) == (
        """\
WSGIMATCH_ALIASES = []
# site.conf:1
_one_test = [
    # site.conf:4
    script_alias("/", "/srv/one.wsgi", application_group="one.test|"),
]
WSGIMATCH_VIRTUAL_HOSTS = {
    "one.test": _one_test,
    "www.one.test": _one_test,
    # site.conf:6
    "two.test": [],
    "*": _one_test,
}"""
    )


@pytest.mark.parametrize("lines", [LINES, HOSTS], ids=["a table", "virtual hosts"])
def test_a_fragment_is_accepted_as_settings_and_means_its_values(lines):
    names: dict[str, Any] = {}
    exec(compile(text_of(*lines), "fragment", "exec"), names)
    given = {name: value for name, value in names.items() if name.startswith("WSGIMATCH_")}

    with override_settings(**given):
        assert configuration().problems == ()

    found = values(settings_of(*lines))
    assert found.keys() == given.keys()
    assert found["WSGIMATCH_ALIASES"] == [
        {
            "kind": entry.kind,
            "location": entry.location,
            "target": entry.target,
            "options": entry.options,
            "from": mine["from"],
        }
        for entry, mine in zip(given["WSGIMATCH_ALIASES"], found["WSGIMATCH_ALIASES"], strict=True)
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("plain", '"plain"', id="text"),
        pytest.param(r"^/(\w+)", r'r"^/(\w+)"', id="backslashes"),
        pytest.param('say "x"', "'say \"x\"'", id="double quotes"),
        pytest.param("it's", '"it\'s"', id="a single quote"),
        pytest.param("x\\", '"x\\\\"', id="a backslash at the end"),
        pytest.param("gr\xc3\xbc\xc3\x9fe", '"grüße"', id="UTF-8"),
        pytest.param("\xff", '"\\udcff"', id="bytes that are no UTF-8"),
        pytest.param(["a", "b"], '["a", "b"]', id="a list"),
        pytest.param(None, "None", id="nothing"),
    ],
)
def test_values_are_written_as_python(value, text):
    assert literal(value) == text


@pytest.mark.skipif(not CONFIGURATIONS.exists(), reason="needs the folder of real configurations")
# Each is imported by tests/conformance/ too; one in six shows how it is written.
@pytest.mark.parametrize("one_in", mostly_thorough([6, 1]))
def test_fragments_of_real_configurations_are_formatted_python(tmp_path, one_in):
    for path in sorted(CONFIGURATIONS.glob("*.conf"))[::one_in]:
        settings = import_configuration(read_file(str(path))).settings
        if settings is not None:
            text = "\n".join([*python_lines(settings, path.name), ""])
            compile(text, path.name, "exec")
            (tmp_path / f"{path.stem}.py").write_text(text, "utf-8", "surrogateescape")

    ruff = shutil.which("ruff", path=Path(sys.executable).parent)
    if ruff is None:
        pytest.skip("needs the lint extra")
    checked = subprocess.run(
        [ruff, "format", "--isolated", "--check", str(tmp_path)], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout
