"""What an entry may say of access itself, and what is said of what it may not."""

from __future__ import annotations

import re

import pytest

from django_wsgimatch import (
    alias,
    all_of,
    any_of,
    basic,
    redirect,
    redirect_match,
    rules,
    script_alias,
)
from django_wsgimatch.conf import configuration
from django_wsgimatch.doctor.findings.finding import CannotStart
from tests.doctor import tables

EXAMPLE = rules(
    require=["user ann", all_of("local", any_of("ip 10", "method GET"))],
    auth=basic("Räume", users="users"),
    require_ssl=True,
    deny="all",
)


def test_an_entry_says_what_a_section_would(settings, tmp_path):
    settings.BASE_DIR = tmp_path
    settings.WSGIMATCH_ALIASES = [alias("/a", "files", access=EXAMPLE)]

    [entry] = configuration().table.aliases

    assert entry.access is not None
    assert [each.encode("latin-1").decode() for each in entry.access.lines()] == [
        "SSLRequireSSL",
        "Order deny,allow",
        "Deny from all",
        f'Basic "Räume", users in {tmp_path}/users',
        "Require any of (user ann, all of (local, any of (ip 10, method GET)))",
    ]


def test_an_entry_is_shown_as_it_is_written():
    assert repr(EXAMPLE) == (
        "rules(require=['user ann', all_of('local', any_of('ip 10', 'method GET'))], "
        "auth=basic('Räume', users='users'), require_ssl=True, deny='all')"
    )


@pytest.mark.parametrize(
    ("entry", "message", "hint"),
    [
        pytest.param(
            script_alias("/a", "x.wsgi", access="local"),  # type: ignore[arg-type]
            "access should be rules(...), not 'local'.",
            "Write access=rules(require='ip 10.0.0.0/8'), or",
            id="words",
        ),
        pytest.param(
            script_alias("/a", "x.wsgi", access=None),  # type: ignore[arg-type]
            "access should be rules(...), not None.",
            "Write access=rules(require='ip 10.0.0.0/8'), or",
            id="a name that stands for nothing",
        ),
        pytest.param(
            script_alias("/a", "x.wsgi", access=rules()),
            "access: it says nothing: add require=..., auth=... or another option.",
            "Write access=rules(require='ip 10.0.0.0/8'), or",
            id="no rule",
        ),
        pytest.param(
            alias("/a", "files", access=rules(require="locale")),
            "access: Require 'locale' cannot be asked here; there are",
            "Write access=rules(require='ip 10.0.0.0/8'), or",
            id="a word that Apache does not know",
        ),
        pytest.param(
            redirect("/a", "/b", access=rules(require="local")),  # type: ignore[call-arg]
            "a redirect has no option 'access': as in Apache, it answers before anybody is asked "
            "who they are.",
            "Leave it out: a redirect tells a URL and no more;",
            id="a redirect",
        ),
        pytest.param(
            redirect_match("/a", "/b", headers={}),  # type: ignore[call-arg]
            "a redirect has no option 'headers'.",
            "Leave it out",
            id="another option of a redirect",
        ),
        pytest.param(
            "WSGIScriptAlias /a x.wsgi access=local",
            "Invalid option to WSGI script alias definition. The line is",
            "The options are process-group=",
            id="a line",
        ),
    ],
)
def test_what_cannot_be_used_keeps_the_server_from_starting(settings, entry, message, hint):
    settings.WSGIMATCH_ALIASES = [entry]

    with pytest.raises(CannotStart) as caught:
        configuration().require()

    said = str(caught.value)
    assert said.startswith(f"ERROR wsgimatch.E002 WSGIMATCH_ALIASES[0]: {message}")
    assert re.search(rf"hint: {re.escape(hint)}", said)


def test_a_login_without_the_extra_is_told(settings, monkeypatch):
    monkeypatch.setattr("django_wsgimatch.conf.are_installed", lambda: False)
    settings.WSGIMATCH_ALIASES = [script_alias("/a", "x.wsgi", access=EXAMPLE)]

    [problem] = configuration().problems

    assert "django-wsgimatch[access]" in str(problem)


@pytest.mark.parametrize(
    ("mode", "ids"), [(0o644, ["W080"]), (0o640, []), (None, ["E040"])], ids=str
)
def test_the_files_of_an_entry_s_login_are_looked_at(settings, tmp_path, mode, ids):
    (tmp_path / "files").mkdir()
    if mode is not None:
        (tmp_path / "users").write_text("ann:{SHA}u8SS5DZYKLP0EektQ/jDoNAZVNI=\n")
        (tmp_path / "users").chmod(mode)

    login = rules(auth=basic("x", users="users"), require="valid-user")
    found = tables.found(settings, tmp_path, [alias("/a", "files", access=login)])

    assert [(each.id, each.where) for each in found] == [(e, "WSGIMATCH_ALIASES[0]") for e in ids]
