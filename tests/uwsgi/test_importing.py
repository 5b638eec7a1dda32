from __future__ import annotations

import os
import pwd

import pytest

from django_wsgimatch.apache.writing.fragment import values
from django_wsgimatch.uwsgi.importing import import_uwsgi
from tests.support.others.imported_sites import (
    categories_of,
    report_of,
    settings_dict,
    settings_text,
    write_site,
)

HEAD = "[uwsgi]\nchdir = /srv/shop\nmodule = shop\n"


def imported_from(folder, *lines, **files):
    """What has become of the lines of a site's file."""
    write_site(folder, {"site.ini": HEAD + "".join(f"{line}\n" for line in lines), **files})
    return import_uwsgi([str(folder / "site.ini")], {})


def group_of(folder, *lines):
    """The process group that lines make, without what every one has."""
    options = settings_dict(imported_from(folder, *lines))["WSGIMATCH_PROCESS_GROUPS"]["site"]
    usual = {"processes": 1, "threads": 1, "home": "/srv/shop", "python_path": ["/srv/shop"]}
    return {name: value for name, value in options.items() if usual.get(name) != value}


def test_what_is_written(tmp_path):
    imported = imported_from(
        tmp_path, "processes = 4", "env = A=b", "static-map = /static=static", "buffer-size = 9"
    )

    file = tmp_path / "site.ini"
    assert (
        settings_text(imported)
        == f"""\
# From site, by `manage.py wsgimatch import`.

from django_wsgimatch import alias, script_alias

WSGIMATCH_ALIASES = [
    # {file}:6
    alias("/static", "/srv/shop/static"),
    # {file}:3
    script_alias("/", "shop:application", process_group="site"),
]
WSGIMATCH_PROCESS_GROUPS = {{
    # {file}:2
    "site": {{
        "processes": 4,
        "threads": 1,
        "home": "/srv/shop",
        "python_path": ["/srv/shop"],
        "environment": {{"A": "b"}},
    }},
}}
# uWSGI takes %2F for a slash.
WSGIMATCH_ALLOW_ENCODED_SLASHES = True
# uWSGI compares // as it is; a server in front of it has often made one of them.
WSGIMATCH_MERGE_SLASHES = False
"""
    )


@pytest.mark.parametrize(
    ("lines", "options"),
    [
        pytest.param(["workers = 2", "threads = 8"], {"processes": 2, "threads": 8}, id="numbers"),
        pytest.param(["processes = 2", "workers = 3"], {"processes": 3}, id="the last counts"),
        pytest.param(
            ["uid = shop", "gid = web"], {"user": "shop", "group": "web"}, id="user and group"
        ),
        pytest.param(["virtualenv = env"], {"python_home": "/srv/shop/env"}, id="virtual env"),
        pytest.param(
            ["pythonpath = lib", "pp = /opt/x"],
            {"python_path": ["/opt/x", "/srv/shop/lib", "/srv/shop"]},
            id="paths, the last in front",
        ),
        pytest.param(
            ["harakiri = 30", "max-requests = 500", "listen = 1024", "max-worker-lifetime = 60"],
            {
                "request_timeout": 30,
                "maximum_requests": 500,
                "restart_interval": 60,
                "listen_backlog": 1024,
            },
            id="limits",
        ),
        pytest.param(
            ["limit-as = 256", "thread-stacksize = 512"],
            {"virtual_memory_limit": 256 << 20, "stack_size": 512 << 10},
            id="megabytes and kilobytes",
        ),
        pytest.param(
            ["env = A=b=c", "ienv = D="], {"environment": {"A": "b=c", "D": ""}}, id="variables"
        ),
        pytest.param(["umask = 022"], {"umask": "022"}, id="a mask"),
        pytest.param(["processes = many", "uid = root", "env = A"], {}, id="what will not do"),
    ],
)
def test_options_of_the_process_group(tmp_path, lines, options):
    assert group_of(tmp_path, *lines) == options


@pytest.mark.parametrize(
    ("line", "told"),
    [
        pytest.param("master = true", "not needed", id="what a server has"),
        pytest.param("http = :80", "not needed", id="an address"),
        pytest.param("https = :443,a,b", "needs you", id="TLS"),
        pytest.param("cheaper = 2", "changed", id="fewer processes at times"),
        pytest.param("attach-daemon = redis", "needs you", id="another program"),
        pytest.param("cache2 = name=x", "needs you", id="the module uwsgi"),
        pytest.param("gevent = 100", "needs you", id="another kind of thread"),
        pytest.param("plugins = python3,http", "not needed", id="Python's plugin"),
        pytest.param("plugin = psgi", "needs you", id="another language"),
        pytest.param("check-static = /srv", "changed", id="files first"),
        pytest.param("check-static = ", "needs you", id="files first of no folder"),
        pytest.param("static-map = /=/srv", "changed", id="files first, by a map"),
        pytest.param("static-index = index.html", "changed", id="the page of a folder"),
        pytest.param("static-skip-ext = .php", "needs you", id="files that are not sent"),
        pytest.param("static-expires = x 1", "needs you", id="how files are answered"),
        pytest.param("touch-reload = /srv/x", "changed", id="a file to touch"),
        pytest.param("route-host = ^a$ addheader:X: y", "needs you", id="a header by a route"),
        pytest.param("chdir = $(NOWHERE)", "needs you", id="a variable without a value"),
        pytest.param("vhost = 1", "needs you", id="applications by host"),
        pytest.param("mount = shop=x.py", "needs you", id="a mount without a slash"),
        pytest.param("mount = /x=shop", "needs you", id="a mount of no application"),
        pytest.param("mount = /x=shop:create('a')", "needs you", id="a factory with arguments"),
        pytest.param("uid = 0", "needs you", id="root"),
        pytest.param("frobnicate = 1", "unknown", id="no option that the import knows"),
    ],
)
def test_what_becomes_of_an_option(tmp_path, line, told):
    name = line.partition(" ")[0]

    found = categories_of(imported_from(tmp_path, line))

    assert {text.partition(" ")[0]: each for text, each in found.items()}[name] == told


@pytest.mark.parametrize(
    ("lines", "first"),
    [
        pytest.param(["check-static = www"], [("/", "/srv/shop/www/", {})], id="a folder"),
        pytest.param(
            ["static-map = /=/srv/www", "static-index = a.html", "static-index = b.html"],
            [("/", "/srv/www/", {"index": ["a.html", "b.html"]})],
            id="a map for all URLs, with an index",
        ),
        pytest.param(
            ["static-map = /s=/srv/a", "static-map = /s/=/srv/b", "static-map = /t=/srv/c"],
            [("/s", "/srv/a", {}), ("/s", "/srv/b", {})],
            id="two maps for the same URLs",
        ),
        pytest.param(
            ["mount = /blog=blog.py", "manage-script-name = 1", "check-static = /srv/www"],
            [("/", "/srv/www/", {}), ("/blog", "/srv/www", {})],
            id="below a mount, too",
        ),
        pytest.param(["static-map = /s=/srv/a"], [], id="a map"),
        pytest.param(
            ["check-static = /srv/www", "subscribe-to = 127.0.0.1:1:a.test"], [], id="a host"
        ),
        pytest.param(["check-static = /srv/www", "static-skip-ext = .php"], [], id="not all files"),
    ],
)
def test_files_before_the_application_come_first(tmp_path, lines, first):
    imported = imported_from(tmp_path, *lines)

    assert imported.settings is not None
    found = values(imported.settings).get("WSGIMATCH_FILES_FIRST", [])
    assert [(each["location"], each["target"], each["options"]) for each in found] == first


def test_a_name_of_one_s_own_that_placeholders_ask_for_is_no_option(tmp_path):
    found = categories_of(imported_from(tmp_path, "mine = 2", "processes = %(mine)"))

    assert found["mine = 2"] == "not needed"
    assert found["processes = 2"] == "kept"


def test_values_of_variables_are_not_shown_in_the_report(tmp_path):
    found = report_of(imported_from(tmp_path, "env = SECRET_KEY=hunter2"))

    assert "env = SECRET_KEY=(not shown)" in found
    assert "hunter2" not in str(found)


def test_passwords_of_routes_are_not_shown_in_the_report(tmp_path):
    imported = imported_from(
        tmp_path, "route = ^/a basicauth:Realm,me:hunter2", "legion = x hunter2"
    )

    assert {"route = ^/a basicauth:(not shown)", "legion = (not shown)"} <= {*report_of(imported)}
    assert "hunter2" not in str(report_of(imported)) + settings_text(imported)


@pytest.mark.skipif(os.getuid() != 0, reason="root alone reads what others may not")
def test_of_a_file_that_others_may_not_read_the_report_shows_names_alone(tmp_path):
    imported_from(tmp_path, "ini = secret.ini", **{"secret.ini": "[uwsgi]\nmine = hunter2\n"})
    (tmp_path / "secret.ini").chmod(0o600)

    found = report_of(import_uwsgi([str(tmp_path / "site.ini")], {}))

    assert "mine (not shown)" in found
    assert "hunter2" not in str(found)


def test_two_vassals_with_the_same_mount_need_you(tmp_path):
    vassal = f"{HEAD}manage-script-name = 1\nmount = /x=x.py\n"
    write_site(tmp_path, {"a.ini": vassal, "b.ini": vassal})

    imported = import_uwsgi([str(tmp_path)], {})

    told = [each.note for each in imported.outcomes if each.text.startswith("mount")]
    assert told[0] == "an entry"
    assert told[1].startswith(f"{tmp_path}/a.ini:5 has the same URLs in another uWSGI")


def test_applications_but_the_first_have_interpreters_of_their_own(tmp_path):
    mounts = ("manage-script-name = 1", "mount = /a=a.py", "mount = /b=b.py")

    several = values_of(imported_from(tmp_path, *mounts))
    one = values_of(imported_from(tmp_path, *mounts, "single-interpreter = 1"))

    assert [each["options"].get("application_group") for each in several] == ["/a", "/b", None]
    assert [each["options"].get("application_group") for each in one] == [None, None, None]


def values_of(imported):
    """The entries as JSON has them."""
    assert imported.settings is not None
    return values(imported.settings)["WSGIMATCH_ALIASES"]


@pytest.mark.parametrize(
    ("rule", "entries"),
    [
        pytest.param("route = ^/a basicauth:Realm,b:c", [("deny_match", "^/a")], id="password"),
        pytest.param("route-remote-addr = ^10 break:403", [("deny", "/")], id="address"),
        pytest.param("route-if-not = isdir:/x return:403", [("deny", "/")], id="condition"),
        pytest.param("route-run = basicauth:Realm,b:c", [("deny", "/")], id="everything"),
        pytest.param("route-uri = ^/a[?]b=c break:403", [("deny", "/")], id="the query"),
        pytest.param("route = ^/(a break:403", [("deny", "/")], id="a broken pattern"),
        pytest.param("route = ^/a redirect:http://${HTTP_HOST}/", [], id="a host's redirect"),
        pytest.param("route-host = ^a$ redirect:http://b/", [], id="a redirect by host"),
    ],
)
def test_a_rule_that_protects_and_cannot_be_carried_closes_its_urls(tmp_path, rule, entries):
    imported = imported_from(tmp_path, rule)

    found = [(each["kind"], each["location"]) for each in values_of(imported)]
    assert found == [*entries, ("plain", "/")]
    shown = rule.replace("Realm,b:c", "(not shown)")
    assert categories_of(imported)[shown] == "needs you"


def test_a_rule_of_another_kind_closes_all_below_mounts_too(tmp_path):
    imported = imported_from(
        tmp_path, "manage-script-name = 1", "mount = /x=x.py", "route = /a|/b break:403"
    )

    assert values_of(imported)[0]["kind"] == "deny"


def test_a_vassal_runs_as_its_file_s_owner_under_a_tyrant(tmp_path):
    write_site(
        tmp_path,
        {
            "emperor.ini": "[uwsgi]\nemperor = vassals\nemperor-tyrant = true\n",
            "vassals/shop.ini": f"{HEAD}uid = someone\n",
        },
    )
    owner = pwd.getpwuid(os.getuid()).pw_name

    imported = import_uwsgi([str(tmp_path / "emperor.ini")], {})

    [group] = settings_dict(imported)["WSGIMATCH_PROCESS_GROUPS"].values()
    # Root owns the file where root runs the tests, and no process group may be root's.
    assert group.get("user") == (owner if owner != "root" else None)
    assert report_of(imported)["uid = someone"] == (
        "not needed: emperor-tyrant takes the owner of the file"
    )


@pytest.mark.skipif(os.getuid() != 0, reason="root alone can give files away")
def test_a_vassal_that_another_user_owns_runs_as_that_user(tmp_path):
    write_site(
        tmp_path,
        {
            "emperor.ini": "[uwsgi]\nemperor = vassals\nemperor-tyrant = true\n",
            "vassals/shop.ini": HEAD,
        },
    )
    os.chown(tmp_path / "vassals" / "shop.ini", 65534, 65534)

    imported = import_uwsgi([str(tmp_path / "emperor.ini")], {})

    group = settings_dict(imported)["WSGIMATCH_PROCESS_GROUPS"]["shop"]
    assert (group["user"], group["group"]) == ("nobody", "nogroup")


def test_a_folder_is_taken_as_an_emperor_s(tmp_path):
    vassal = "[uwsgi]\nchdir = /srv\nmanage-script-name = 1\nmount = /{0}={0}.py\nsocket = s\n"
    write_site(tmp_path, {f"{name}.ini": vassal.format(name) for name in ("b", "a")})

    imported = import_uwsgi([str(tmp_path)], {})

    assert list(settings_dict(imported)["WSGIMATCH_PROCESS_GROUPS"]) == ["a", "b"]
    assert [each["location"] for each in values_of(imported)] == ["/a", "/b"]


def test_vassals_without_a_place_of_their_own_get_one_and_need_you(tmp_path):
    write_site(tmp_path, {"a.ini": HEAD, "b.ini": HEAD})

    imported = import_uwsgi([str(tmp_path)], {})

    assert [each["location"] for each in values_of(imported)] == ["/a", "/b"]
    assert imported.needs_you
    assert report_of(imported)["module = shop"].startswith("needs you: the entry is at /b: which")


def test_a_vassal_that_asks_a_router_for_a_domain_is_a_virtual_host(tmp_path):
    lines = "subscribe-to = /run/router.sock:shop.example\n"
    write_site(tmp_path, {"a.ini": HEAD + lines, "b.ini": HEAD})

    settings = settings_dict(import_uwsgi([str(tmp_path)], {}))

    assert list(settings["WSGIMATCH_VIRTUAL_HOSTS"]) == ["shop.example"]
    assert len(settings["WSGIMATCH_ALIASES"]) == 1


def test_what_a_condition_leaves_out_is_off(tmp_path):
    found = report_of(imported_from(tmp_path, "if-env = NOWHERE", "threads = 2", "endif ="))

    assert found["threads = 2"].startswith("off: if-env = NOWHERE in ")


def test_where_uwsgi_is_started_is_a_guess_without_chdir(tmp_path):
    write_site(tmp_path, {"site.ini": "[uwsgi]\nmodule = shop\n"})

    imported = import_uwsgi([str(tmp_path / "site.ini")], {})

    assert report_of(imported)["module = shop"].startswith("needs you: no chdir says where uWSGI")
    assert settings_dict(imported)["WSGIMATCH_PROCESS_GROUPS"]["site"]["home"] == str(tmp_path)
