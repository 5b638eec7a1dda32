"""``wsgimatch import`` behind an Apache that stays, and its proof."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError

from tests.cli.answering import CONFIGURATION, site
from tests.support.commands import run

BEHIND = """\
WSGIApplicationGroup %{GLOBAL}
WSGIPassAuthorization On
WSGIScriptAlias / /srv/a.wsgi
Alias /static /srv/static
WSGIAccessScript /srv/access.py
"""
WRITTEN = """\
# From site.conf, by `manage.py wsgimatch import`.

from django_wsgimatch import script_alias

WSGIMATCH_ALIASES = [
    # {path}:3, 1, 2
    script_alias("/", "/srv/a.wsgi"),
]
# Apache, as the server sees it: what it sends is believed.
WSGIMATCH_TRUSTED_PROXIES = ["unix"]
# `export apache` has Apache send these headers.
WSGIMATCH_TRUSTED_PROXY_HEADERS = ["X-Forwarded-For", "X-Forwarded-Proto"]
"""
SAID = """\
kept        {path}:1: WSGIApplicationGroup %{{GLOBAL}}: application_group='%{{GLOBAL}}' of /
kept        {path}:2: WSGIPassAuthorization On: pass_authorization=True of /
kept        {path}:3: WSGIScriptAlias / /srv/a.wsgi: an entry
kept        {path}:4: Alias /static /srv/static: It stays in Apache
needs you   {path}:5: WSGIAccessScript /srv/access.py: mod_wsgi enforced this rule: its URLs \
answer 403 until you decide
5 directives: 4 kept, 1 needs you.
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "site.conf"
    path.write_text(BEHIND)
    return path


def test_behind_apache_all_but_mod_wsgi_stays_there(path):
    out, err, status = run("import", str(path), "--behind-apache", "--to", "unix:/run/s.sock")

    assert out == WRITTEN.format(path=path)
    assert err == SAID.format(path=path)
    assert status == 1


def test_variables_of_apache_are_written_one_a_line_where_they_are_many(path):
    path.write_text(f"{BEHIND}AuthType Basic\n")

    out, _, _ = run("import", str(path), "--behind-apache")

    assert out.splitlines()[-4:] == [
        "WSGIMATCH_TRUSTED_PROXY_VARIABLES = {",
        '    "REMOTE_USER": "X-Remote-User",',
        '    "AUTH_TYPE": "X-Auth-Type",',
        "}",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(
            ["--behind-apache", "--to", "shop"],
            "--to: 'shop' is no address of a server: write http://HOST:PORT, or unix:/PATH for a "
            "socket.",
            id="no address",
        ),
        pytest.param(
            ["--to", "unix:/run/s.sock"],
            "--to says where Apache passes requests to: add --behind-apache.",
            id="an address without the way",
        ),
        pytest.param(
            ["--behind-apache", "--format", "uwsgi"],
            "--behind-apache says nothing of a configuration of uwsgi's.",
            id="another server's configuration",
        ),
        pytest.param(
            ["other.conf", "--verify", "http://a.test", "http://b.test"],
            "other.conf: name one FILE. Only uWSGI has several.",
            id="two files to verify",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused(path, words, said):
    with pytest.raises(CommandError) as raised:
        run("import", str(path), *words)

    assert str(raised.value) == said


def test_verify_says_what_compare_says_of_a_configuration(path):
    path.write_text(CONFIGURATION)

    with site(lambda _: (200, b"open")) as old, site(lambda _: (403, b"closed")) as new:
        words = (old, new, str(path))
        compared = run("compare", *words, "--from-import")
        verified = run("import", str(path), "--verify", old, new)

    assert compared[0].count("\n") > 20
    assert verified == compared


def test_verify_passes_over_expected_differences_and_writes_json(path, tmp_path):
    path.write_text(CONFIGURATION)
    kept = tmp_path / "kept.jsonl"

    with site(lambda _: (200, b"open")) as old, site(lambda _: (403, b"closed")) as new:
        words = ("import", str(path), "--verify", old, new)
        run(*words, "--write-expected", str(kept))
        out, _, status = run(*words, "--expected", str(kept), "--format", "json")

    assert json.loads(out)["different"] == []
    assert status == 0
