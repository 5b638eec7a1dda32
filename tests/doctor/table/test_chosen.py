from __future__ import annotations

import pytest

from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.resolve import Rules
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.daemon.option_values import read_options
from django_wsgimatch.doctor.findings.finding import Subject
from django_wsgimatch.doctor.table.chosen import chosen_findings, limits_of


def found(alias, host=None, **options):
    """The messages for an alias in the process group ``blog``, which has these options."""
    subject = Subject("WSGIMATCH_ALIASES[0]", "", AliasTable([alias]), 0)
    given = {"blog": options}
    limits = limits_of(given, {"blog": read_options(options, "/")[0]})
    findings = chosen_findings([(host, subject)], Rules(process_group="blog"), limits)
    return [finding.message for finding in findings]


def plain(group, target="/srv/a.wsgi"):
    return Alias("/a", target, application_group=group)


def match(pattern, target, group="%{RESOURCE}"):
    return Alias(pattern, target, "match", application_group=group)


@pytest.mark.parametrize(
    ("alias", "host", "what"),
    [
        pytest.param(plain("%{HOST}"), None, "each Host header", id="any host"),
        pytest.param(plain("%{HOST}"), "*", "each Host header that matches '*'", id="a star"),
        pytest.param(
            plain("%{HOST}"), ".a", "each Host header that matches '.a'", id="all hosts of a domain"
        ),
        pytest.param(plain("%{ENV:TEAM}"), "a", "each value of the variable TEAM", id="a variable"),
        pytest.param(
            match(r"^/\w+", "/srv/a.wsgi"), "a", "each URL that the pattern matches", id="any URL"
        ),
    ],
)
def test_a_client_chooses_without_end(alias, host, what):
    group = alias.application_group

    assert found(alias, host) == [
        (f"application_group '{group}': clients start processes with {what}, at most 50 at a time.")
    ]
    assert found(alias, host, maximum_application_groups=20) == []
    assert found(alias, host, maximum_application_groups=0) == [
        f"application_group '{group}': clients start processes with {what}, without a limit."
    ]


@pytest.mark.parametrize(
    "alias",
    [
        pytest.param(match(r"^/(\w+)", "/srv/$1.wsgi"), id="a script that a capture names"),
        pytest.param(plain("%{RESOURCE}", "/srv/scripts"), id="a directory of scripts"),
    ],
)
def test_a_client_chooses_among_the_scripts(alias):
    assert found(alias) == []
    assert found(alias, maximum_application_groups=0) == [
        (
            "application_group '%{RESOURCE}': clients start processes with each script, without a "
            "limit."
        )
    ]


@pytest.mark.parametrize(
    ("alias", "host"),
    [
        pytest.param(plain("%{HOST}"), "shop.example", id="a listed host"),
        pytest.param(plain("%{RESOURCE}"), None, id="one script"),
        pytest.param(plain("%{SERVER}"), None, id="the server's name"),
        pytest.param(plain("red"), None, id="a name"),
        pytest.param(plain(None), None, id="no group"),
        pytest.param(match("^/blog(/|$)", "/srv/a.wsgi"), None, id="a pattern for one text"),
    ],
)
def test_the_table_alone_chooses(alias, host):
    assert found(alias, host, maximum_application_groups=0) == []


@pytest.mark.parametrize(
    ("process_group", "given", "line"),
    [
        pytest.param(
            "blog",
            {"blog": {"threads": 2}},
            "WSGIMATCH_PROCESS_GROUPS['blog']['maximum_application_groups'] = 20",
            id="a process group",
        ),
        pytest.param(
            "%{GLOBAL}",
            {"blog": {}},
            "WSGIMATCH_PROCESS_GROUPS['%{GLOBAL}'] = {'maximum_application_groups': 20}",
            id="the server's own, beside others",
        ),
        pytest.param(
            "%{GLOBAL}",
            {},
            "WSGIMATCH_PROCESS_GROUPS = {'%{GLOBAL}': {'maximum_application_groups': 20}}",
            id="the server's own alone",
        ),
    ],
)
def test_the_hint_s_line_can_be_pasted(process_group, given, line):
    groups = {name: read_options(options, "/")[0] for name, options in given.items()}
    alias = plain("%{HOST}")
    subject = Subject("WSGIMATCH_ALIASES[0]", "", AliasTable([alias]), 0)

    [finding] = chosen_findings(
        [(None, subject)], Rules(process_group=process_group), limits_of(given, groups)
    )
    names = {"WSGIMATCH_PROCESS_GROUPS": given}
    exec(line, names)

    assert f"`{line}`" in finding.hint
    limited = names["WSGIMATCH_PROCESS_GROUPS"][process_group]
    assert limited["maximum_application_groups"] == 20
