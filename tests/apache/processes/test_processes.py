from __future__ import annotations

import pytest

from tests.support.imports import aliases_of, notes_of, values_of

IN_BLOG = "WSGIScriptAlias / /srv/a.wsgi process-group=blog"


def options_of(text: str) -> dict[str, object]:
    """The options of a process group."""
    group: dict[str, object] = values_of(f"WSGIDaemonProcess blog {text}", IN_BLOG)[
        "WSGIMATCH_PROCESS_GROUPS"
    ]["blog"]
    return group


@pytest.mark.parametrize(
    ("text", "options"),
    [
        pytest.param("", {}, id="no option"),
        pytest.param("processes=2 threads=15", {"processes": 2, "threads": 15}, id="numbers"),
        pytest.param(
            "user=www-data group=#33", {"user": "www-data", "group": "#33"}, id="accounts"
        ),
        pytest.param("umask=0007", {"umask": "0007"}, id="a mask"),
        pytest.param("python-path=/a:/b", {"python_path": ["/a", "/b"]}, id="a path list"),
        pytest.param('home="/srv/my site"', {"home": "/srv/my site"}, id="a value in quotes"),
        pytest.param("display-name=%{GROUP}", {"display_name": "%{GROUP}"}, id="a name"),
        pytest.param("cpu-priority=-5", {"cpu_priority": -5}, id="a negative number"),
        pytest.param("lang=C.UTF-8", {"lang": "C.UTF-8"}, id="a language"),
        pytest.param(
            "supplementary-groups=mail,#1200",
            {"supplementary_groups": ["mail", "#1200"]},
            id="a list of groups",
        ),
    ],
)
def test_options_are_those_of_settings(text, options):
    assert options_of(text) == options


def test_what_has_no_counterpart_is_left_out_and_said():
    lines = ["WSGIDaemonProcess blog chroot=/jail threads=2", IN_BLOG]

    assert values_of(*lines)["WSGIMATCH_PROCESS_GROUPS"] == {"blog": {"threads": 2}}
    assert notes_of(*lines)[1] == (
        "changed: chroot is not written: the group's Python, its packages, this package and "
        "gunicorn would all have to lie inside. Run the server in a container, or say "
        "RootDirectory= in its systemd unit"
    )


@pytest.mark.parametrize(
    ("line", "note"),
    [
        pytest.param(
            "WSGIDaemonProcess blog color=red",
            "Apache refuses it: Invalid option to WSGI daemon process definition. (color)",
            id="an option that does not exist",
        ),
        pytest.param(
            "WSGIDaemonProcess blog processes",
            "Apache refuses it: Invalid option to WSGI daemon process definition. (processes)",
            id="an option without a value",
        ),
        pytest.param(
            "WSGIDaemonProcess",
            "Apache refuses it: Name of WSGI daemon process not supplied.",
            id="no name",
        ),
        pytest.param(
            "WSGIDaemonProcess blog processes=many",
            "processes should be a whole number, 1 or more, not 'many': write the process group "
            "yourself",
            id="a number that is none",
        ),
        pytest.param(
            "WSGIDaemonProcess %{x}",
            "a process group cannot be called '%{x}' here: give it another name",
            id="a name that settings do not have",
        ),
    ],
)
def test_a_process_group_that_cannot_be_written_needs_the_user(line, note):
    assert notes_of(line)[1] == f"needs you: {note}"


def test_a_second_group_of_a_name_needs_the_user():
    lines = ["WSGIDaemonProcess blog threads=1", "WSGIDaemonProcess blog", IN_BLOG]

    assert notes_of(*lines)[2] == (
        "needs you: Apache refuses it: Name duplicates previous WSGI daemon definition."
    )


def test_a_group_in_which_nothing_runs_is_kept_and_told_of():
    lines = ["WSGIDaemonProcess blog", "WSGIScriptAlias / /srv/a.wsgi"]

    assert notes_of(*lines)[1] == "kept: the process group blog; no entry of this file runs in it"


def test_a_group_that_nobody_defines_needs_the_user():
    lines = ["WSGIProcessGroup elsewhere", "WSGIScriptAlias / /srv/a.wsgi"]

    assert notes_of(*lines)[1] == (
        "needs you: no WSGIDaemonProcess here defines elsewhere: Apache answers 500 unless another "
        "file does. Define it in WSGIMATCH_PROCESS_GROUPS"
    )


# What holds for mod_wsgi's own processes


def test_the_server_s_python_is_that_of_groups_without_one():
    lines = ["WSGIPythonHome /venv", "WSGIDaemonProcess blog", IN_BLOG]

    assert values_of(*lines)["WSGIMATCH_PROCESS_GROUPS"] == {"blog": {"python_home": "/venv"}}
    assert notes_of(*lines)[1] == "changed: python_home of blog"


@pytest.mark.parametrize(
    ("line", "note"),
    [
        pytest.param(
            "WSGIPythonHome /venv",
            "changed: the server is started by the Python of this virtual environment, "
            "/venv/bin/python",
            id="its Python",
        ),
        pytest.param(
            "WSGIPythonPath /lib",
            "changed: `--pythonpath /lib` of the server; Python does not read the .pth files there",
            id="its path",
        ),
        pytest.param(
            "WSGIPythonPath /a,b",
            "needs you: set PYTHONPATH for the server to it",
            id="a path that gunicorn would split",
        ),
        pytest.param(
            "WSGIRestrictEmbedded On",
            "needs you: / runs in no process group, so Apache answers 500: give it a process_group",
            id="what Apache refuses to run",
        ),
    ],
)
def test_what_the_server_s_own_process_needs_is_said_where_an_entry_runs_there(line, note):
    daemon = ["WSGIDaemonProcess blog", IN_BLOG]

    assert notes_of(line, "WSGIScriptAlias / /srv/a.wsgi")[1] == note
    assert not notes_of(line, *daemon)[1].startswith("needs you")


def test_a_script_that_is_imported_is_loaded_ahead():
    lines = [
        "WSGIDaemonProcess blog",
        "WSGIProcessGroup blog",
        "WSGIApplicationGroup %{GLOBAL}",
        "WSGIScriptAlias / /srv/a.wsgi",
        "WSGIImportScript /srv/a.wsgi process-group=blog application-group=%{GLOBAL}",
    ]

    [alias] = aliases_of(*lines)

    assert (alias.process_group, alias.application_group) == ("blog", "%{GLOBAL}")
    assert (
        notes_of(*lines)[5] == "changed: / names both groups, so the script is loaded at the start"
    )


def test_a_script_that_no_entry_runs_is_not_imported():
    line = "WSGIImportScript /srv/a.wsgi process-group=%{GLOBAL} application-group=x"

    assert notes_of(line)[1] == (
        "needs you: no entry runs this script in these groups: let the application import what it "
        "needs, or add an entry that names both groups"
    )


def test_a_group_of_another_virtual_host_is_told_of():
    lines = [
        *("<VirtualHost *:80>", "ServerName a.test", "WSGIDaemonProcess blog"),
        *("WSGIScriptAlias /a /srv/a.wsgi process-group=blog", "</VirtualHost>"),
        *("<VirtualHost *:80>", "ServerName b.test"),
        *("WSGIScriptAlias /b /srv/b.wsgi process-group=blog", "</VirtualHost>"),
    ]

    assert notes_of(*lines)[3] == (
        "changed: /b of another virtual host runs in it, too; Apache answers 500 there"
    )


def test_the_users_of_apache_become_the_command_that_starts_the_server():
    notes = notes_of(
        "User www-data",
        "Group #33",
        "WSGIDaemonProcess shop user=shop group=media supplementary-groups=staff,media",
        "WSGIDaemonProcess wiki user=wiki",
        "WSGIScriptAlias / /srv/a.wsgi process-group=shop",
        "WSGIScriptAlias /w /srv/w.wsgi process-group=wiki",
    )

    command = (
        "`manage.py wsgimatch serve --user www-data --group 33 --allow-user shop:media,staff "
        "--allow-user wiki`"
    )
    assert notes[1] == f"changed: started by root, the server switches to it: {command}"
    assert notes[2] == notes[1]
    assert notes[4] == (
        "kept: `serve --allow-user wiki`, started by root, lets it run as its user; "
        "the process group wiki"
    )


@pytest.mark.parametrize(
    ("line", "note"),
    [
        pytest.param("User ${APACHE_RUN_USER}", "needs you: its variable has", id="a variable"),
        pytest.param("User a\nUser b", "not needed: A later line", id="said again"),
        pytest.param("User", "changed: started by root", id="nothing"),
    ],
)
def test_a_user_that_does_not_count_or_is_not_known_is_told(line, note):
    assert notes_of(*line.split("\n"), "WSGIScriptAlias / /srv/a.wsgi")[1].startswith(note)
