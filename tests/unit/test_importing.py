from __future__ import annotations

import json

import pytest

from django_wsgimatch.aliases.alias import Denial
from django_wsgimatch.apache.lines.limits import MOST_TEXT
from django_wsgimatch.apache.writing.fragment import values
from django_wsgimatch.unit.importing import import_unit
from tests.support.others.imported_sites import (
    categories_of,
    refusals_of,
    report_of,
    settings_dict,
    settings_text,
)

SHOP = {"type": "python 3.11", "path": "/srv/shop", "module": "shop.wsgi"}


def imported_from(configuration, address=None):
    """What has become of a configuration."""
    text = configuration if isinstance(configuration, str) else json.dumps(configuration)
    return import_unit("conf.json", text, address=address)


def site_of(routes, **more):
    """A configuration whose listener leads through routes."""
    listeners = {"*:80": {"pass": "routes"}}
    return {"listeners": listeners, "routes": routes, "applications": {"shop": SHOP}, **more}


def entries_of(imported):
    """The entries as the settings have them: the kind, the location, and where it leads."""
    assert imported.settings is not None, imported.outcomes
    found = values(imported.settings)["WSGIMATCH_ALIASES"]
    return [
        (each["kind"], each["location"], each.get("target", each.get("url", each.get("note"))))
        for each in found
    ]


def test_what_is_written():
    routes = [
        {"match": {"uri": "/static/*"}, "action": {"share": "/srv/shop$uri"}},
        {"match": {"uri": "/old"}, "action": {"return": 301, "location": "/new"}},
        {"action": {"pass": "applications/shop"}},
    ]
    shop = {**SHOP, "working_directory": "/srv", "processes": {"max": 4, "spare": 2}}
    site = site_of(routes, applications={"shop": shop})
    imported = imported_from(json.dumps(site, indent=1))

    assert (
        settings_text(imported)
        == r"""# From site, by `manage.py wsgimatch import`.

from django_wsgimatch import alias, redirect_match, script_alias

WSGIMATCH_ALIASES = [
    # conf.json:13
    alias("/static/", "/srv/shop/static/"),
    # conf.json:21
    redirect_match(r"^(?=/old\z)(?s:/.*)", "/new", status=301),
    # conf.json:27, 35
    script_alias("/", "shop.wsgi:application", process_group="shop"),
]
WSGIMATCH_PROCESS_GROUPS = {
    # conf.json:32
    "shop": {
        "processes": 4,
        "threads": 1,
        "home": "/srv",
        "python_path": ["/srv/shop"],
    },
}
# Unit takes %2F for a slash.
WSGIMATCH_ALLOW_ENCODED_SLASHES = True
"""
    )


@pytest.mark.parametrize(
    ("given", "options"),
    [
        pytest.param({"processes": 3, "threads": 5}, {"processes": 3, "threads": 5}, id="numbers"),
        pytest.param(
            {"processes": {"spare": 1, "max": 9, "idle_timeout": 5}}, {"processes": 9}, id="range"
        ),
        pytest.param(
            {"user": "shop", "group": "web"}, {"user": "shop", "group": "web"}, id="accounts"
        ),
        pytest.param(
            {"limits": {"timeout": 10, "requests": 100, "shm": 9}},
            {"request_timeout": 10, "maximum_requests": 100},
            id="limits",
        ),
        pytest.param(
            {"path": ["/a", "b"], "working_directory": "/w", "home": "env"},
            {"python_path": ["/a", "/w/b"], "home": "/w", "python_home": "/w/env"},
            id="paths",
        ),
        pytest.param({"environment": {"A": "b"}}, {"environment": {"A": "b"}}, id="variables"),
        pytest.param({"thread_stack_size": 65536}, {"stack_size": 65536}, id="a stack"),
        pytest.param({"processes": -1, "user": "root"}, {}, id="what will not do"),
    ],
)
def test_options_of_the_process_group(given, options):
    site = site_of([{"action": {"pass": "applications/shop"}}])
    site["applications"] = {"shop": {**SHOP, **given}}

    found = settings_dict(imported_from(site))["WSGIMATCH_PROCESS_GROUPS"]["shop"]

    usual = {"processes": 1, "threads": 1, "python_path": ["/srv/shop"]}
    assert found == {**usual, **options}


@pytest.mark.parametrize(
    ("match", "location"),
    [
        pytest.param({"uri": "/a/*", "method": "POST"}, "^(?=/a/)/", id="a method"),
        pytest.param({"source": "10.0.0.0/8"}, "/", id="an address"),
        pytest.param({"uri": "/a", "headers": {"x": "y"}}, r"^(?=/a\z)/", id="a header"),
        pytest.param({"uri": "/a/*", "cookies": {"x": "y"}}, "^(?=/a/)/", id="a cookie"),
        pytest.param({"host": "~^a"}, "/", id="a host by a regular expression"),
        pytest.param({"uri": "~("}, "/", id="a broken pattern"),
        pytest.param({"if": "$host"}, "/", id="a condition"),
        pytest.param({"scheme": "https"}, "/", id="a scheme"),
    ],
)
def test_a_condition_that_no_entry_has_closes_what_it_may_hold_for(match, location):
    routes = [
        {"match": match, "action": {"pass": "applications/shop"}},
        {"action": {"pass": "applications/shop"}},
    ]

    imported = imported_from(site_of(routes))

    kind = "deny" if location == "/" else "deny_match"
    note = "a condition of another server stood here: conf.json:1"
    assert entries_of(imported)[0] == (kind, location, note)
    assert Denial(note).is_undecided
    assert imported.needs_you


@pytest.mark.parametrize(
    "action",
    [
        pytest.param({"proxy": "http://127.0.0.1:9000"}, id="another server"),
        pytest.param({"pass": "upstreams/rr"}, id="several servers"),
        pytest.param({"pass": "applications/$host"}, id="an application by a variable"),
        pytest.param({"pass": "applications/none"}, id="an application that is not there"),
        pytest.param({"pass": "routes/none"}, id="routes that are not there"),
        pytest.param({"pass": "routes"}, id="the routes themselves"),
        pytest.param({"rewrite": "/x$uri", "pass": "applications/shop"}, id="a rewritten URI"),
        pytest.param({"share": "/srv/$host$uri"}, id="a folder by a variable"),
        pytest.param({"share": "/srv$uri", "types": "image/*"}, id="files of some types"),
        pytest.param({"share": "/srv$uri", "chroot": "/srv"}, id="files within a root"),
        pytest.param({"return": 200}, id="an empty answer"),
        pytest.param({"return": 301, "location": "$arg_to"}, id="a redirect by a variable"),
    ],
)
def test_an_action_that_no_entry_has_closes_its_urls(action):
    routes = [
        {"match": {"uri": "/x/*"}, "action": action},
        {"action": {"pass": "applications/shop"}},
    ]

    imported = imported_from(site_of(routes))

    assert [each[:2] for each in entries_of(imported)] == [
        ("deny_match", "^(?=/x/)/"),
        ("plain", "/"),
    ]
    assert imported.needs_you


def test_a_redirect_by_scheme_is_left_to_django():
    routes = [
        {
            "match": {"scheme": "http"},
            "action": {"return": 301, "location": "https://$host$request_uri"},
        },
        {"action": {"pass": "applications/shop"}},
    ]

    imported = imported_from(site_of(routes))

    assert entries_of(imported) == [("plain", "/", "shop.wsgi:application")]
    assert "WSGIMATCH_PLAIN_HTTP" in report_of(imported)['routes[0].match.scheme "http"']


def test_the_index_of_a_folder_is_written():
    routes = [
        {"match": {"uri": "/a/*"}, "action": {"share": "/srv$uri", "index": "start.htm"}},
        {"action": {"pass": "applications/shop"}},
    ]

    text = settings_text(imported_from(site_of(routes)))

    assert '    alias("/a/", "/srv/a/", index=["start.htm"]),\n' in text


def first_of(imported):
    """The files that come first, as the settings have them."""
    assert imported.settings is not None, imported.outcomes
    found = values(imported.settings).get("WSGIMATCH_FILES_FIRST", [])
    return [(each["kind"], each["location"], each["target"], each["options"]) for each in found]


BEHIND = {"pass": "applications/shop"}


@pytest.mark.parametrize(
    ("step", "first"),
    [
        pytest.param(
            {"action": {"share": "/srv/www$uri", "fallback": BEHIND}},
            [("DocumentRoot", "/", "/srv/www/", {"index": ["index.html"]})],
            id="for all URLs",
        ),
        pytest.param(
            {
                "action": {
                    "share": ["/srv/a$uri", "/srv/b$uri"],
                    "index": "start.htm",
                    "fallback": BEHIND,
                }
            },
            [
                ("DocumentRoot", "/", "/srv/a/", {"index": ["start.htm"]}),
                ("DocumentRoot", "/", "/srv/b/", {"index": ["start.htm"]}),
            ],
            id="several folders",
        ),
        pytest.param(
            {"match": {"uri": "/a/*"}, "action": {"share": "/srv$uri", "fallback": BEHIND}},
            [("Alias", "/a/", "/srv/a/", {"index": ["index.html"]})],
            id="for some URLs",
        ),
    ],
)
def test_files_with_a_fallback_come_first(step, first):
    imported = imported_from(site_of([step, {"action": BEHIND}]))

    assert first_of(imported) == first
    assert {target for _, _, target in entries_of(imported)} == {"shop.wsgi:application"}
    assert "needs you" not in categories_of(imported).values()


def test_files_that_come_first_leave_out_what_an_earlier_step_has():
    routes = [
        {"match": {"uri": "/api/*"}, "action": BEHIND},
        {"action": {"share": "/srv/www$uri", "fallback": BEHIND}},
    ]

    [(kind, location, target, _)] = first_of(imported_from(site_of(routes)))

    assert (kind, location, target) == ("AliasMatch", "^(?!(?=/api/))(?s:/.*)", "/srv/www$0")


@pytest.mark.parametrize(
    "routes",
    [
        pytest.param(
            [{"action": {"share": "/srv/www$uri", "fallback": {"return": 404}}}],
            id="a fallback that refuses",
        ),
        pytest.param(
            [
                {"match": {"host": "a.test"}, "action": BEHIND},
                {"action": {"share": "/srv/www$uri", "fallback": BEHIND}},
            ],
            id="several hosts",
        ),
    ],
)
def test_files_first_that_the_settings_cannot_say_are_left_to_you(routes):
    imported = imported_from(site_of(routes))

    place = f"routes[{len(routes) - 1}].action.share"
    assert first_of(imported) == []
    assert categories_of(imported)[f'{place} "/srv/www$uri"'] == "needs you"


def test_an_application_that_is_no_wsgi_closes_its_urls():
    applications = {
        "live": {"type": "python", "module": "live", "protocol": "asgi"},
        "blog": {"type": "php", "root": "/srv/blog"},
        "shop": SHOP,
    }
    routes = [
        {"match": {"uri": "/live/*"}, "action": {"pass": "applications/live"}},
        {"match": {"uri": "/blog/*"}, "action": {"pass": "applications/blog"}},
        {"action": {"pass": "applications/shop"}},
    ]

    imported = imported_from(site_of(routes, applications=applications))

    assert [each[:2] for each in entries_of(imported)] == [
        ("deny_match", "^(?=/live/)/"),
        ("deny_match", "^(?=/blog/)/"),
        ("plain", "/"),
    ]
    assert list(settings_dict(imported)["WSGIMATCH_PROCESS_GROUPS"]) == ["shop"]


LISTENERS = {
    "*:80": {"pass": "routes/away"},
    "*:443": {"pass": "applications/shop", "tls": {"certificate": "x"}},
    "*:8443": {"pass": "applications/shop"},
}
AWAY = {"away": [{"action": {"return": 301, "location": "https://$host$request_uri"}}]}


def test_the_first_listener_that_leads_to_an_application_is_imported():
    imported = imported_from(
        {"listeners": LISTENERS, "routes": AWAY, "applications": {"shop": SHOP}}
    )

    assert entries_of(imported) == [("plain", "/", "shop.wsgi:application")]
    found = {text: each for text, each in categories_of(imported).items() if "listeners" in text}
    assert found == {
        'listeners.*:80.pass "routes/away"': "needs you",
        'listeners.*:443.pass "applications/shop"': "kept",
        'listeners.*:443.tls.certificate "x"': "needs you",
        'listeners.*:8443.pass "applications/shop"': "not needed",
    }


def test_a_listener_can_be_named():
    routes = {"away": [{"action": {"return": 404}}]}

    imported = imported_from(
        {"listeners": LISTENERS, "routes": routes, "applications": {"shop": SHOP}}, "*:80"
    )

    assert [each[:2] for each in entries_of(imported)] == [("RedirectMatch", "^(?s:/.*)")]


FORWARDED = {"client_ip": "X-Forwarded-For", "protocol": "X-Forwarded-Proto"}


@pytest.mark.parametrize(
    ("given", "proxies", "headers"),
    [
        pytest.param(
            {"forwarded": {**FORWARDED, "source": ["10.0.0.0/8", "unix"], "recursive": True}},
            ["10.0.0.0/8", "unix"],
            ["X-Forwarded-For", "X-Forwarded-Proto"],
            id="as it is written today",
        ),
        pytest.param(
            {"client_ip": {"header": "x-real-ip", "source": "::1"}},
            ["::1"],
            ["x-real-ip"],
            id="as it was written",
        ),
    ],
)
def test_who_tells_of_the_client_is_carried(given, proxies, headers):
    listeners = {"*:80": {"pass": "applications/shop", **given}}

    imported = imported_from({"listeners": listeners, "applications": {"shop": SHOP}})

    settings = settings_dict(imported)
    assert settings["WSGIMATCH_TRUSTED_PROXIES"] == proxies
    assert settings["WSGIMATCH_TRUSTED_PROXY_HEADERS"] == headers
    assert not imported.needs_you


@pytest.mark.parametrize(
    "forwarded",
    [
        pytest.param({**FORWARDED, "source": ["!10.0.0.1"]}, id="all but some"),
        pytest.param({**FORWARDED, "source": ["10.0.0.1-10.0.0.9"]}, id="a range"),
        pytest.param({**FORWARDED, "source": ["*:80"]}, id="a port"),
        pytest.param({"source": ["10.0.0.1"]}, id="no header"),
        pytest.param({"client_ip": "X-Mine", "source": ["10.0.0.1"]}, id="a header of its own"),
        pytest.param(
            {"client_ip": "X-Forwarded-Proto", "source": ["10.0.0.1"]}, id="the other's header"
        ),
        pytest.param(FORWARDED, id="from nobody"),
    ],
)
def test_a_proxy_that_settings_cannot_name_is_left_to_you(forwarded):
    listeners = {"*:80": {"pass": "applications/shop", "forwarded": forwarded}}

    imported = imported_from({"listeners": listeners, "applications": {"shop": SHOP}})

    assert "WSGIMATCH_TRUSTED_PROXIES" not in settings_dict(imported)
    assert imported.needs_you


def test_what_the_control_socket_returns_is_read():
    site = site_of([{"action": {"pass": "applications/shop"}}])

    imported = imported_from({"certificates": {}, "config": site})

    assert entries_of(imported) == [("plain", "/", "shop.wsgi:application")]


def test_values_of_variables_are_not_shown_in_the_report():
    site = site_of([{"action": {"pass": "applications/shop"}}])
    site["applications"] = {"shop": {**SHOP, "environment": {"SECRET_KEY": "hunter2"}}}

    found = report_of(imported_from(site))

    assert "applications.shop.environment.SECRET_KEY (not shown)" in found
    assert "hunter2" not in str(found)


def test_values_of_headers_are_not_shown_in_the_report():
    match = {"uri": "/a", "headers": [{"Authorization": "hunter2"}], "cookies": {"a": "hunter2"}}

    found = report_of(imported_from(site_of([{"match": match, "action": {"return": 404}}])))

    assert "routes[0].match.headers[0].Authorization (not shown)" in found
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        pytest.param(
            '{\n"listeners": {},\n}',
            "conf.json:3: : this is not JSON: a name in double quotes should stand here. Check "
            "the file with `python -m json.tool`, which says no more but the column, too",
            id="broken JSON",
        ),
        pytest.param(
            "[]",
            "conf.json:1: : a configuration is an object. Name the file of /config",
            id="a list",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text, refusal, tmp_path):
    assert refusals_of(imported_from(text), tmp_path) == [refusal]


def test_an_address_without_a_listener_is_refused(tmp_path):
    imported = imported_from({"listeners": LISTENERS}, "*:81")

    [refused] = refusals_of(imported, tmp_path)
    assert refused == (
        "conf.json:1: : no listener has the address *:81. There are *:80, *:443, *:8443"
    )


def test_a_file_that_is_not_there_is_refused(tmp_path):
    imported = import_unit(str(tmp_path / "none.json"))

    [refused] = refusals_of(imported, tmp_path)
    assert refused.startswith("none.json:1: : none.json cannot be read: No such file or directory.")


def test_text_that_is_too_long_is_refused(tmp_path):
    imported = imported_from(" " * (MOST_TEXT + 1))

    [refused] = refusals_of(imported, tmp_path)
    assert "the import gives up: conf.json is too long" in refused


@pytest.mark.parametrize(
    "configuration",
    [
        pytest.param({"listeners": []}, id="a list of listeners"),
        pytest.param({"listeners": {"*:80": 1}}, id="a listener that is a number"),
        pytest.param({"listeners": {"*:80": {"pass": 1}}}, id="a pass that is a number"),
        pytest.param(site_of({}), id="routes without steps"),
        pytest.param(site_of([1, None, {}, {"action": 3}, {"match": 4}]), id="odd steps"),
        pytest.param(site_of([{"match": {"uri": [1, {}]}, "action": {"share": []}}]), id="odd uri"),
        pytest.param(site_of([], applications={"shop": 1}), id="an application that is a number"),
        pytest.param(site_of([], applications={"shop": {"type": []}}), id="a type that is a list"),
        pytest.param(site_of([{"action": {"return": "x", "location": {}}}]), id="an odd return"),
        pytest.param(site_of([{"action": {"pass": ""}}]), id="a pass to nothing"),
    ],
)
def test_odd_shapes_open_nothing(configuration):
    imported = imported_from(configuration)

    assert imported.settings is not None
    assert [each for each in entries_of(imported) if each[0] in ("plain", "match")] == []


def of_header(imported, name, step="routes[0]"):
    """What has become of a header of a step's action."""
    start = f"{step}.action.response_headers.{name} "
    [found] = [each for text, each in categories_of(imported).items() if text.startswith(start)]
    return found


def headed(action, headers, **more):
    """A site with one action that has headers, and its report."""
    return imported_from(site_of([{"action": {**action, "response_headers": headers}}], **more))


def test_headers_of_an_action_are_those_of_its_entry():
    given = {"X-A": "a", "Server": None}

    files = headed({"share": "/www$uri"}, given)
    script = headed({"pass": "applications/shop"}, given)

    found = [settings_dict(each)["WSGIMATCH_ALIASES"][0].options for each in (files, script)]
    assert [each["headers"] for each in found] == [[("set", "X-A", "a"), ("unset", "Server")]] * 2
    told = [[of_header(each, name) for name in given] for each in (files, script)]
    assert told == [["kept"] * 2, ["changed"] * 2]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("X-A", "for $host", id="a variable"),
        pytest.param("X A", "a", id="a name that is none"),
        pytest.param("X-A", "a\nX-B: b", id="two lines"),
        pytest.param("X-A", 1, id="a number"),
    ],
)
def test_a_header_that_no_entry_has_is_left_to_the_user(name, value):
    imported = headed({"pass": "applications/shop"}, {name: value})

    assert of_header(imported, name) == "needs you"
    assert "headers" not in settings_dict(imported)["WSGIMATCH_ALIASES"][0].options


def test_headers_of_an_action_that_leads_to_others_are_never_set():
    inner = {"pass": "routes/inner", "response_headers": {"X-A": "a"}}
    routes = {
        "main": [{"action": inner}],
        "inner": [{"action": {"pass": "applications/shop"}}],
    }
    site = site_of(routes)
    site["listeners"] = {"*:80": {"pass": "routes/main"}}

    imported = imported_from(site)

    assert of_header(imported, "X-A", "routes.main[0]") == "not needed"
    assert "headers" not in settings_dict(imported)["WSGIMATCH_ALIASES"][0].options


@pytest.mark.parametrize(
    "action",
    [
        pytest.param({"return": 301, "location": "/b"}, id="a redirect"),
        pytest.param({"return": 404}, id="a status"),
        pytest.param({"pass": "upstreams/x"}, id="another server"),
    ],
)
def test_headers_of_what_no_entry_has_them_for_are_left_to_the_user(action):
    imported = headed(action, {"X-A": "a"})

    assert of_header(imported, "X-A") == "needs you"
