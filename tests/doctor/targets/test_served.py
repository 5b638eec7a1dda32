"""The folders of entries with files: whether they are there, and what nobody should get."""

from __future__ import annotations

import os

import pytest

from django_wsgimatch import (
    access,
    alias,
    alias_match,
    basic,
    deny_match,
    redirect,
    script_alias,
)
from tests.doctor import tables as doctor_tables


@pytest.fixture
def found(settings, tmp_path):
    def ask(*entries):
        return doctor_tables.found(settings, tmp_path, [*entries])

    return ask


def write(folder, *names):
    doctor_tables.write(folder, dict.fromkeys(names, ""))


def test_a_folder_that_is_not_there_is_found_with_what_to_do(found, tmp_path):
    [finding] = found(alias("/static", "collected"))

    assert (finding.id, finding.where) == ("E050", "WSGIMATCH_ALIASES[0]")
    assert finding.message == (
        f"the path 'collected' does not exist: there is no '{tmp_path}/collected'. Every request "
        "gets 404."
    )
    assert finding.hint == (
        "Make it, as `manage.py collectstatic` does for static files, or fix the path. A relative "
        "path starts at settings.BASE_DIR."
    )


def test_a_link_that_leads_nowhere_is_told_as_such(found, tmp_path):
    (tmp_path / "static").symlink_to("nowhere")

    [finding] = found(alias("/static", "static"))

    assert f"'{tmp_path}/static' is a link that leads nowhere" in finding.message


def test_a_file_that_should_be_a_folder_is_found(found, tmp_path):
    write(tmp_path, "robots.txt")

    [finding] = found(alias("/static/", "robots.txt/"))

    assert (finding.id, "is a file" in finding.message) == ("E050", True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_found(found, tmp_path):
    (tmp_path / "static").mkdir(mode=0)

    [finding] = found(alias("/static", "static"))

    assert finding.id == "E051"


def test_a_folder_that_may_not_be_read_is_found_whoever_asks(found, tmp_path, monkeypatch):
    (tmp_path / "static").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode, **more: False)

    [finding] = found(alias("/static", "static"))

    assert (finding.id, finding.message) == (
        "E051",
        f"this user may not read '{tmp_path}/static'. Every request gets 403.",
    )
    assert finding.hint.endswith(f"namei -l {tmp_path}/static")


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("settings.py", "/static/settings.py"),
        ("app/views.py", "/static/app/views.py"),
        (".htpasswd", "/static/.htpasswd"),
        (".env", "/static/.env"),
        ("a/b/db.sqlite3", "/static/a/b/db.sqlite3"),
        (".git/config", "/static/.git"),
        ("KEY.PEM", "/static/KEY.PEM"),
    ],
)
@pytest.mark.parametrize("target", ["static", "static/", "{BASE}/static"])
def test_what_nobody_should_get_is_found_with_its_url(found, tmp_path, name, uri, target):
    write(tmp_path / "static", name, "site.css")

    [finding] = found(alias("/static", target.replace("{BASE}", str(tmp_path))))

    path = f"{tmp_path}/static{uri.removeprefix('/static')}"
    assert (finding.id, finding.message) == (
        "W092",
        f"anyone can download '{path}': '{uri}' is answered with '{path}'.",
    )


def test_the_source_of_a_script_is_found_whatever_its_name(found, tmp_path):
    doctor_tables.write(tmp_path, ["site/app"])

    found_of_both = found(script_alias("/app", "site/app"), alias("/files", "site"))

    assert [(each.id, each.where) for each in found_of_both] == [("W092", "WSGIMATCH_ALIASES[1]")]
    assert "'/files/app' is answered with" in found_of_both[0].message


def test_of_many_files_some_are_named(found, tmp_path):
    write(tmp_path / "static", *(f"{number}.py" for number in range(9)))

    [finding] = found(alias("/static", "static"))

    assert "and 6 more: '/static/0.py' is answered" in finding.message


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param([alias("/static", "static"), deny_match(r"\.py$")], id="which comes too late"),
        pytest.param([alias("/static", "static")], id="without a denial"),
    ],
)
def test_a_denial_behind_the_entry_does_not_help(found, tmp_path, entries):
    write(tmp_path / "static", "a.py")

    assert "W092" in {each.id for each in found(*entries)}


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param([deny_match(r"\.py$"), alias("/static", "static")], id="a denial before it"),
        pytest.param([redirect("/static/a.py", "/"), alias("/static", "static")], id="a redirect"),
        pytest.param([alias_match(r"^/static/(\w+\.css)$", "static/$1")], id="a pattern"),
        pytest.param([alias("/site.css", "static/site.css")], id="one file of the folder"),
    ],
)
def test_what_no_url_leads_to_is_left_in_peace(found, tmp_path, entries):
    write(tmp_path / "static", "a.py", "site.css")

    assert found(*entries) == []


def test_uploads_that_are_served_and_run_are_found_as_both(found, settings, tmp_path):
    doctor_tables.write(tmp_path, ["uploads/tool.wsgi"])
    settings.MEDIA_ROOT = str(tmp_path / "uploads")

    of_both = found(script_alias("/tools", "uploads"), alias("/media", "uploads"))

    assert [(each.id, each.where) for each in of_both] == [
        ("E014", "WSGIMATCH_ALIASES[0]"),
        ("W092", "WSGIMATCH_ALIASES[1]"),
    ]


def test_what_access_rules_hold_for_is_left_in_peace(settings, tmp_path):
    write(tmp_path / "static", "a.py", "site.css")

    found = doctor_tables.found(
        settings,
        tmp_path,
        [alias("/static", "static")],
        access=[access("/static", require="all denied")],
    )

    assert found == []


def test_a_file_of_users_below_a_folder_of_files_is_found(settings, tmp_path):
    (tmp_path / "static").mkdir()
    users = tmp_path / "static/people"
    users.write_text("ann:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n")
    users.chmod(0o600)
    login = basic("Reports", users=str(users))

    found = doctor_tables.found(
        settings,
        tmp_path,
        [alias("/static", "static")],
        access=[access("/reports", auth=login, require="valid-user")],
    )

    assert [(each.id, "lies below WSGIMATCH_ALIASES[0]" in each.message) for each in found] == [
        ("E041", True)
    ]
