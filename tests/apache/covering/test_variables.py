"""Groups whose names come from variables."""

from __future__ import annotations

import pytest

from tests.support.imports import aliases_of, section

ALIAS = "WSGIScriptAlias / /srv/a.wsgi"
GROUP = "WSGIProcessGroup %{ENV:GROUP}"


@pytest.mark.parametrize(
    ("lines", "group"),
    [
        pytest.param(["SetEnv GROUP shop", GROUP], "shop", id="of the server"),
        pytest.param(["SetEnv group shop", GROUP], "shop", id="in another case"),
        pytest.param(
            ["SetEnv GROUP shop", *section("Directory /srv", "SetEnv GROUP blog"), GROUP],
            "blog",
            id="of a section, as SetEnv comes first",
        ),
        pytest.param(['SetEnv GROUP ""', GROUP], None, id="that is empty: the server's own"),
        pytest.param(["SetEnv GROUP %{GLOBAL}", GROUP], None, id="that names the server's own"),
        pytest.param(["SetEnv GROUP %{ENV:X}", GROUP], "%{ENV:GROUP}", id="that names another"),
        pytest.param([GROUP], "%{ENV:GROUP}", id="that nobody sets"),
        pytest.param(
            ["SetEnv GROUP shop", *section("Directory /srv", "UnsetEnv GROUP"), GROUP],
            "%{ENV:GROUP}",
            id="that is taken back",
        ),
        *(
            pytest.param(["SetEnv GROUP shop", line, GROUP], "%{ENV:GROUP}", id=f"that {what} sets")
            for what, line in (
                ("a condition", "SetEnvIf Host x A !group=blog"),
                ("an expression", 'SetEnvIfExpr "true" GROUP=x'),
                ("a browser", "BrowserMatch x GROUP"),
                ("the environment", "PassEnv GROUP"),
                ("a rule", "RewriteRule ^/x - [L,E=GROUP:blog]"),
            )
        ),
        pytest.param(
            ["SetEnv GROUP shop", "SetEnvIf Host x OTHER=blog", GROUP],
            "shop",
            id="that no other line sets",
        ),
    ],
)
def test_a_group_has_the_name_of_a_variable(lines, group):
    alias = aliases_of(*lines, ALIAS)[-1]

    assert alias.process_group == group


def test_a_group_on_the_alias_line_has_the_name_of_a_variable():
    [alias] = aliases_of("SetEnv A shop", f"{ALIAS} application-group=%{{ENV:A}}")

    assert alias.application_group == "shop"
