from __future__ import annotations

import pytest

from django_wsgimatch.apache.importing import Imported, import_configuration
from django_wsgimatch.apache.reading.reading import read_text
from django_wsgimatch.apache.resolving.addresses import at_address
from django_wsgimatch.apache.writing.fragment import values
from django_wsgimatch.exceptions import AddressError
from tests.support.imports import aliases_of, notes_of, settings_of, values_of

GLOBAL = "WSGIApplicationGroup %{GLOBAL}"
# Two hosts on one address: the first answers hosts that nobody is called.
TWO = [
    GLOBAL,
    "<VirtualHost *:80>",
    "ServerName one.test",
    "ServerAlias www.one.test",
    "WSGIScriptAlias / /srv/one.wsgi",
    "</VirtualHost>",
    "<VirtualHost *:80>",
    "ServerName two.test",
    "WSGIScriptAlias / /srv/two.wsgi",
    "</VirtualHost>",
]


def hosts_of(*lines: str) -> dict[str, list[str]]:
    """The targets of each host's entries."""
    found = values(settings_of(*lines)).get("WSGIMATCH_VIRTUAL_HOSTS", {})
    return {host: [entry["target"] for entry in entries] for host, entries in found.items()}


def targets_of(*lines: str) -> list[str]:
    """The targets of the entries for all hosts."""
    return [alias.target for alias in aliases_of(*lines)]


def host(address: str, *lines: str) -> list[str]:
    """A virtual host."""
    return [f"<VirtualHost {address}>", *lines, "</VirtualHost>"]


def test_several_hosts_are_told_apart_by_name_and_the_first_answers_the_unknown():
    assert hosts_of(*TWO) == {
        "one.test": ["/srv/one.wsgi"],
        "www.one.test": ["/srv/one.wsgi"],
        "two.test": ["/srv/two.wsgi"],
        "*": ["/srv/one.wsgi"],
    }
    assert targets_of(*TWO) == []


def test_names_are_reported():
    notes = notes_of(*TWO)

    assert notes[3] == "kept: the host one.test"
    assert notes[4] == "kept: the host www.one.test"


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            host("*:443", "ServerName a.test", "WSGIScriptAlias / /srv/a.wsgi"), id="a single one"
        ),
        pytest.param(
            [
                *host("*:80", "ServerName a.test", "WSGIScriptAlias / /srv/a.wsgi"),
                *host("*:443", "ServerName a.test", "WSGIScriptAlias / /srv/a.wsgi"),
            ],
            id="two ports that agree",
        ),
        pytest.param(
            [
                *host("*:80", "ServerName a.test", "Redirect / https://a.test/"),
                *host("*:443", "ServerName a.test", "WSGIScriptAlias / /srv/a.wsgi"),
            ],
            id="a port that only redirects",
        ),
        pytest.param(
            [
                *host("*:80", "ServerAlias www.a.test", "Redirect / https://a.test/"),
                *host("_default_:443", "ServerName a.test", "WSGIScriptAlias / /srv/a.wsgi"),
            ],
            id="a port that only redirects, under another name",
        ),
    ],
)
def test_hosts_that_agree_are_the_table_for_all(lines):
    assert targets_of(*lines) == ["/srv/a.wsgi"]
    assert hosts_of(*lines) == {}
    assert values_of(*lines)["WSGIMATCH_SERVER_NAME"] == "a.test"


def test_ports_that_differ_need_the_user_and_the_secure_one_counts():
    lines = [
        *host("*:80", "ServerName a.test", "WSGIScriptAlias / /srv/plain.wsgi"),
        *host("*:443", "ServerName a.test", "WSGIScriptAlias / /srv/secure.wsgi"),
    ]

    assert targets_of(*lines) == ["/srv/secure.wsgi"]
    assert notes_of(*lines)[3] == (
        "needs you: a host has other aliases on *:80 than on *:443. A table cannot tell addresses "
        "apart: it has the aliases of the latter. `import --address` writes those of one address"
    )


def test_the_main_server_s_aliases_come_after_a_virtual_host_s_own():
    lines = [
        "WSGIScriptAlias /all /srv/all.wsgi",
        *host("*:80", "ServerName a.test", "WSGIScriptAlias /a /srv/a.wsgi"),
    ]

    assert targets_of(*lines) == ["/srv/a.wsgi", "/srv/all.wsgi"]


def test_the_main_server_s_aliases_have_the_virtual_host_s_options():
    lines = [
        "WSGIScriptAlias / /srv/all.wsgi",
        *host("*:80", "ServerName a.test", "WSGIApplicationGroup a"),
        *host("*:80", "ServerName b.test", "WSGIApplicationGroup b"),
    ]

    found = values(settings_of(*lines))["WSGIMATCH_VIRTUAL_HOSTS"]

    groups = {name: [e["options"]["application_group"] for e in found[name]] for name in found}
    assert groups == {"a.test": ["a"], "b.test": ["b"], "*": ["a"]}


def test_a_section_of_the_main_server_wins_over_a_line_of_a_virtual_host():
    lines = [
        "<Directory />",
        "WSGIApplicationGroup server",
        "</Directory>",
        *host("*:80", "WSGIApplicationGroup host", "WSGIScriptAlias / /srv/a.wsgi"),
    ]

    [alias] = aliases_of(*lines)

    assert alias.application_group == "server"


# Names


def test_a_domain_does_not_stand_for_its_bare_name():
    lines = [
        GLOBAL,
        *host("*:80", "ServerName x.test", "WSGIScriptAlias / /srv/x.wsgi"),
        *host("*:80", "ServerAlias *.a.test", "WSGIScriptAlias / /srv/below.wsgi"),
        *host("*:80", "ServerName a.test", "WSGIScriptAlias / /srv/bare.wsgi"),
    ]

    assert list(hosts_of(*lines).items()) == [
        ("x.test", ["/srv/x.wsgi"]),
        ("a.test", ["/srv/bare.wsgi"]),
        (".a.test", ["/srv/below.wsgi"]),
        ("*", ["/srv/x.wsgi"]),
    ]


def test_a_pattern_that_settings_do_not_have_needs_the_user():
    lines = [*TWO[:4], "ServerAlias www.*", *TWO[4:]]

    assert notes_of(*lines)[5] == (
        "needs you: 'www.*' is not a pattern of ALLOWED_HOSTS: write out the hosts that it stands "
        "for in WSGIMATCH_VIRTUAL_HOSTS"
    )


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("ServerName a.test", id="a name"),
        pytest.param("ServerName a.test:8080", id="with a port"),
        pytest.param("ServerName https://a.test:443", id="with a scheme"),
    ],
)
def test_the_server_s_name_is_that_of_its_groups(line):
    assert values_of(line, "WSGIScriptAlias / /a.wsgi")["WSGIMATCH_SERVER_NAME"] == "a.test"


def test_a_virtual_host_without_a_name_has_the_main_server_s():
    lines = ["ServerName a.test", *host("*:80", "WSGIScriptAlias / /a.wsgi")]

    assert values_of(*lines)["WSGIMATCH_SERVER_NAME"] == "a.test"


# Isolation


def test_default_groups_of_several_hosts_are_written_out():
    found = values(settings_of(*TWO[1:]))["WSGIMATCH_VIRTUAL_HOSTS"]

    groups = {name: found[name][0]["options"]["application_group"] for name in found}
    assert groups == {
        "one.test": "one.test|",
        "www.one.test": "one.test|",
        "two.test": "two.test|",
        "*": "one.test|",
    }


def test_default_groups_that_differ_by_url_need_the_user():
    lines = [
        *host("*:80", "ServerName a.test", "WSGIScriptAlias /a /srv/a"),
        *host("*:80", "ServerName b.test", "WSGIScriptAlias /b /srv/b"),
    ]

    assert notes_of(*lines)[3].startswith("needs you: its application group %{RESOURCE} begins")


def test_a_host_without_aliases_is_not_answered_by_the_first():
    lines = [*TWO[:6], *host("*:80", "ServerName other.test")]

    assert hosts_of(*lines)["other.test"] == []


def alias(name: str) -> str:
    """An alias that takes all URLs."""
    return f"WSGIScriptAlias / /srv/{name}.wsgi"


@pytest.mark.parametrize(
    ("later", "unknown"),
    [
        pytest.param(["ServerAlias *"], "/srv/two.wsgi", id="a later host is called *"),
        pytest.param(["ServerAlias x *"], "/srv/two.wsgi", id="among other names"),
        pytest.param(["ServerAlias *.test"], "/srv/one.wsgi", id="a domain is not all"),
        pytest.param([], "/srv/one.wsgi", id="the first host without one"),
    ],
)
def test_unknown_hosts_get_the_first_host_that_is_called_so(later, unknown):
    found = hosts_of(
        GLOBAL,
        *host("*:80", "ServerName one.example", alias("one")),
        *host("*:80", "ServerName two.example", *later, alias("two")),
    )

    assert found["*"] == [unknown]


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        pytest.param("*", "three.example", id="all hosts"),
        pytest.param("*.example", "three.example", id="a domain"),
        pytest.param("thr?e.*", "three.example", id="letters"),
    ],
)
def test_the_first_host_whose_wildcards_fit_answers_not_the_one_of_that_name(names, asked):
    lines = [
        GLOBAL,
        *host("*:80", "ServerName one", alias("one")),
        *host("*:80", "ServerName two", f"ServerAlias {names}", alias("two")),
        *host("*:80", f"ServerName {asked}", alias("three")),
    ]

    assert hosts_of(*lines)[asked] == ["/srv/two.wsgi"]
    assert notes_of(*lines)[12] == "not needed: site.conf:6 comes first, and answers that host"
    assert notes_of(*lines)[13].startswith("not needed: No request reaches it")


def test_a_name_that_the_settings_do_not_have_is_not_called_kept():
    notes = notes_of(*host("*:80", "ServerName a", "ServerAlias b", alias("a")))

    assert notes[2] == "kept: WSGIMATCH_SERVER_NAME"
    assert notes[3].startswith("not needed: the host needs no list")


def test_a_name_without_virtual_hosts_is_reported_as_what_the_settings_have():
    assert notes_of("ServerName a", alias("a"))[1] == "kept: WSGIMATCH_SERVER_NAME"
    assert notes_of("ServerName a", GLOBAL, alias("a"))[1].startswith("not needed: Group names")


def test_an_alias_beside_a_refused_line_is_not_said_to_hold_for_none():
    notes = notes_of(alias("a"), "<VirtualHost *:80>")

    assert notes[1] == "not needed: Not read, since site.conf:2 is refused"


@pytest.mark.parametrize(
    "own",
    [
        pytest.param([], id="all is the same"),
        pytest.param(["<Location /x>", "Require ip 10", "</Location>"], id="other rules"),
        pytest.param(["WSGIScriptAlias /more /srv/b.wsgi"], id="another alias, too"),
    ],
)
def test_an_alias_that_two_ports_have_is_reported_as_the_entry_that_it_is(own):
    alias = "WSGIScriptAlias / /srv/a.wsgi"
    lines = [
        *host("*:443", "ServerName a.test", alias),
        *host("*:80", "ServerName a.test", alias, *own),
    ]

    notes = notes_of(*lines)

    assert notes[3] == "kept: an entry"
    assert notes[7] == "not needed: site.conf:3 says the same, and became the entry"


# One address of several


def at(address: str, *lines: str) -> Imported:
    read = read_text("\n".join([*lines, ""]), "site.conf")
    return import_configuration(at_address(read, address), lambda path: "missing")


def targets_at(address: str, *lines: str) -> list[str]:
    settings = at(address, *lines).settings
    assert settings is not None
    return [each.alias.target for each in settings.entries]


PORTS = [
    *host("*:80", "ServerName a.test", "WSGIScriptAlias / /srv/plain.wsgi"),
    *host("*:443 10.0.0.1:8443", "ServerName a.test", "WSGIScriptAlias / /srv/secure.wsgi"),
    *host("_default_:81", "WSGIScriptAlias / /srv/default.wsgi"),
    *host("[::1]:80", "WSGIScriptAlias / /srv/six.wsgi"),
    "WSGIScriptAlias /main /srv/main.wsgi",
]


@pytest.mark.parametrize(
    ("address", "target"),
    [
        pytest.param("*:80", "/srv/plain.wsgi", id="a port"),
        pytest.param(":80", "/srv/plain.wsgi", id="without an asterisk"),
        pytest.param("*:443", "/srv/secure.wsgi", id="another port"),
        pytest.param("10.0.0.1:8443", "/srv/secure.wsgi", id="an address"),
        pytest.param("10.0.0.1:80", "/srv/plain.wsgi", id="an address that nobody names"),
        pytest.param("*:81", "/srv/default.wsgi", id="_default_"),
        pytest.param("[::1]:80", "/srv/six.wsgi", id="of version 6"),
    ],
)
def test_the_hosts_of_one_address_alone_are_imported(address, target):
    assert targets_at(address, *PORTS) == [target, "/srv/main.wsgi"]


def test_a_host_has_the_process_groups_of_its_name_at_other_ports():
    lines = [
        *host("*:80", "ServerName a.test", "WSGIDaemonProcess shop"),
        *host(*("*:443", "ServerName a.test"), "WSGIScriptAlias / /srv/a.wsgi process-group=shop"),
    ]

    found = at("*:443", *lines)

    assert found.settings is not None
    assert [each.name for each in found.settings.groups] == ["shop"]
    assert "needs you" not in {each.category for each in found.outcomes}


def test_a_host_without_a_port_is_at_each():
    lines = host("*", "WSGIScriptAlias / /srv/any.wsgi")

    assert targets_at("*:80", *lines) == targets_at("*:443", *lines) == ["/srv/any.wsgi"]


def test_a_listen_line_for_all_addresses_is_one_for_each():
    found = at("10.0.0.1:80", "Listen *:80", "WSGIScriptAlias / /srv/any.wsgi")

    assert "off" not in {each.category for each in found.outcomes}


def test_what_is_at_another_address_is_off():
    found = at("*:80", *PORTS)

    assert [each.category for each in found.outcomes] == ["kept", "kept", *4 * ["off"], "kept"]
    assert found.outcomes[2].note == ("Its virtual host is not at *:80, which --address asks for")


def test_an_address_that_no_host_has_is_told_with_those_that_they_have():
    message = (
        r"^no virtual host is at \*:82: their addresses are "
        r"\*:80, \*:443, 10\.0\.0\.1:8443, _default_:81, \[::1\]:80$"
    )
    with pytest.raises(AddressError, match=message):
        at("*:82", *PORTS)


def test_a_part_by_pattern_has_the_group_of_the_whole_alias():
    lines = [
        *("<VirtualHost *>", "ServerName a.test", "WSGIScriptAlias /a /srv/a.wsgi"),
        *("<LocationMatch x$>", "Header set X-A b", "</LocationMatch>", "</VirtualHost>"),
        *("<VirtualHost *>", "ServerName b.test", "WSGIScriptAlias /b /srv/b.wsgi"),
        "</VirtualHost>",
    ]

    hosts = {each.pattern: each for each in settings_of(*lines).hosts}

    assert [each.alias.application_group for each in hosts["a.test"].entries] == ["a.test|/a"] * 2
