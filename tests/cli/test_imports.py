from __future__ import annotations

import errno
import io
import json
import os
import sys

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from django_wsgimatch.apache.outcomes.answers import ANSWERS
from tests.support.commands import Terminal, run

SITE = """\
WSGIScriptAlias / /srv/a.wsgi
ServerAdmin me@example.test
ProxyPass /static http://x/
"""


@pytest.fixture
def site(tmp_path):
    path = tmp_path / "site.conf"
    path.write_text(SITE)
    return path


def test_settings_go_to_standard_output_and_the_report_to_standard_error(site):
    out, err, status = run("import", str(site))

    assert out.splitlines()[:6] == [
        "# From site.conf, by `manage.py wsgimatch import`.",
        "",
        "from django_wsgimatch import script_alias",
        "",
        "WSGIMATCH_ALIASES = [",
        f"    # {site}:1",
    ]
    assert err.splitlines() == [
        f"kept        {site}:1: WSGIScriptAlias / /srv/a.wsgi: an entry",
        f"not needed  {site}:2: ServerAdmin me@example.test: Only shown on Apache's own pages",
        (
            f"needs you   {site}:3: ProxyPass /static http://x/: /static: answered by the alias / "
            f"here. {ANSWERS['Proxy*'].note}"
        ),
        "3 directives: 1 kept, 1 needs you, 1 not needed.",
    ]
    assert status == 1


def test_settings_go_to_a_file(site, tmp_path):
    out, _, status = run("import", str(site), "--output", str(tmp_path / "imported.py"))

    assert (out, status) == ("", 1)
    assert (tmp_path / "imported.py").read_text() == run("import", str(site))[0]


@pytest.mark.parametrize(
    ("lines", "options", "status"),
    [
        pytest.param(SITE, [], 1, id="it fails"),
        pytest.param(SITE, ["--accept"], 0, id="unless that is accepted"),
        pytest.param(SITE, ["--accept", "--check"], 1, id="a check does not accept"),
        pytest.param(SITE.partition("ProxyPass")[0], [], 0, id="nothing is left"),
        pytest.param(SITE.partition("ProxyPass")[0], ["--check"], 0, id="nor for a check"),
    ],
)
def test_what_needs_you_or_is_closed_fails(site, lines, options, status):
    site.write_text(lines)

    assert run("import", str(site), *options)[2] == status


def test_json_has_the_settings_and_the_report(site):
    out, err, status = run("import", str(site), "--format", "json")
    found = json.loads(out)

    assert found["settings"]["WSGIMATCH_ALIASES"] == [
        {
            "kind": "plain",
            "location": "/",
            "target": "/srv/a.wsgi",
            "options": {},
            "from": [f"{site}:1"],
        }
    ]
    assert [each["category"] for each in found["report"]] == ["kept", "not needed", "needs you"]
    assert found["summary"]["directives"] == 3
    assert err == "3 directives: 1 kept, 1 needs you, 1 not needed.\n"
    assert status == 1


def test_a_template_is_refused_and_nothing_is_written(tmp_path):
    path = tmp_path / "site.conf.j2"
    path.write_text("WSGIScriptAlias / {{ path }}/a.wsgi\n")
    target = tmp_path / "imported.py"

    out, err, status = run("import", str(path), "--output", str(target))

    assert (out, status, target.exists()) == ("", 1, False)
    assert err.splitlines()[0].startswith(
        f"refused     {path}:1: WSGIScriptAlias / {{{{ path }}}}/a.wsgi: {{{{ path }}}} is a "
    )


def test_standard_input_is_read(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SITE.encode())))

    out, err, _ = run("import", "-")

    assert out.startswith("# From standard input, by")
    assert err.startswith("kept        <stdin>:1: WSGIScriptAlias")


def test_what_apache_s_command_line_says_can_be_said(tmp_path):
    path = tmp_path / "site.conf"
    path.write_text(
        "<IfDefine SHOP>\nWSGIScriptAlias /shop ${ROOT}/a.wsgi\n</IfDefine>\n"
        "<IfModule mod_blog.c>\nWSGIScriptAlias /blog ${ROOT}/b.wsgi\n</IfModule>\n"
        "<IfModule mod_wiki.c>\nWSGIScriptAlias /wiki ${ROOT}/c.wsgi\n</IfModule>\n"
    )

    out, _, _ = run(
        "import",
        str(path),
        *("-D", "SHOP", "--define", "ROOT=/srv"),
        *("--module", "blog", "--server-root", str(tmp_path)),
    )

    assert 'script_alias("/shop", "/srv/a.wsgi")' in out
    assert 'script_alias("/blog", "/srv/b.wsgi")' in out
    assert "/wiki" not in out


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(lambda path: None, "cannot be read: No such file or directory. Copy", id="no"),
        pytest.param(lambda path: path.mkdir(), "is a directory. Name a regular file", id="folder"),
        pytest.param(
            lambda path: path.write_text("ServerName x\n", "utf-16"),
            "the file is UTF-16, which Apache cannot read. Save it as UTF-8",
            id="UTF-16",
        ),
    ],
)
def test_a_file_of_which_no_line_can_be_read_is_named_without_a_line(tmp_path, make, reason):
    make(tmp_path / "site.conf")
    _, err, status = run("import", str(tmp_path / "site.conf"))

    assert err.startswith(f"refused     {tmp_path}/site.conf: {reason}")
    assert status == 1


def test_a_folder_that_is_not_there_is_an_error(site, tmp_path):
    path = tmp_path / "nowhere" / "imported.py"

    with pytest.raises(CommandError, match=r"^.*imported.py: No such file or directory\.$"):
        run("import", str(site), "--output", str(path))


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_fails_leaves_the_settings_that_were_there(site, tmp_path, monkeypatch, reason):
    path = tmp_path / "imported.py"
    path.write_text("old")

    def fail(*args):
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr("django_wsgimatch.whole_files.os.fsync", fail)

    with pytest.raises(CommandError, match=rf"^{path}: {os.strerror(reason)}\.$"):
        run("import", str(site), "--output", str(path))
    assert path.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["imported.py", "site.conf"]


def test_a_hyphen_for_the_output_is_standard_output(site, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert run("import", str(site), "--output", "-") == run("import", str(site))
    assert os.listdir(tmp_path) == ["site.conf"]


def test_settings_on_standard_output_are_utf_8_whatever_its_encoding(tmp_path):
    (tmp_path / "site.conf").write_text('WSGIScriptAliasMatch "^/caf\xe9\\." /srv/a.wsgi\n')
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, "ascii")

    call_command("wsgimatch", "import", str(tmp_path / "site.conf"), stdout=out, stderr=Terminal())

    assert 'script_alias_match(r"^/caf\xe9\\.", "/srv/a.wsgi")' in raw.getvalue().decode()


NAMES = [
    pytest.param("a\nimport os  # .conf", r"a\nimport os  # .conf", id="a line of Python"),
    pytest.param("a\rimport os  # .conf", r"a\rimport os  # .conf", id="a carriage return"),
    pytest.param("\x1b[2J\u202e.conf", r"\x1b[2J\u202e.conf", id="what moves the cursor"),
    pytest.param("\udc80.conf", r"\udc80.conf", id="no UTF-8"),
    pytest.param("caf\xe9.conf", "caf\xe9.conf", id="an accent"),
]


@pytest.mark.parametrize(("name", "shown"), NAMES)
def test_a_file_s_name_stays_in_its_comment_and_its_line(tmp_path, name, shown):
    (tmp_path / name).write_text("WSGIScriptAlias / /srv/a.wsgi\nUnknown \x1b[2J\n")

    out, err, _ = run("import", str(tmp_path / name))
    found = json.loads(run("import", str(tmp_path / name), "--format", "json")[0])

    assert f"    # {tmp_path}/{shown}:1" in out.splitlines()
    assert out.replace("\n", "").isprintable()
    assert err.splitlines()[1].startswith(rf"unknown     {tmp_path}/{shown}:2: Unknown \x1b[2J: ")
    assert err.replace("\n", "").isprintable()
    assert found["report"][0]["file"] == f"{tmp_path}/{name}".replace("\udc80", r"\udc80")


def test_a_terminal_gets_a_table(site):
    terminal = Terminal()

    call_command(
        "wsgimatch", "import", str(site), "--accept", stdout=io.StringIO(), stderr=terminal
    )

    drawn = terminal.getvalue()
    assert [word for word in ("kept", "not needed", "needs you") if word in drawn] == [
        "kept",
        "not needed",
        "needs you",
    ]
    assert drawn.splitlines()[0].startswith("┏")
    assert drawn.splitlines()[-1] == "3 directives: 1 kept, 1 needs you, 1 not needed."


@pytest.mark.parametrize("depth", [1, 3, 9])
def test_a_terminal_has_the_number_of_a_line_however_long_the_path_is(tmp_path, depth):
    path = tmp_path.joinpath(*["a-folder-with-a-long-name"] * depth, "site.conf")
    path.parent.mkdir(parents=True)
    path.write_text("\n" * 122 + SITE)
    terminal = Terminal()

    call_command(
        "wsgimatch", "import", str(path), "--accept", stdout=io.StringIO(), stderr=terminal
    )

    lines = [line.split("\u2502") for line in terminal.getvalue().splitlines()]
    places = "".join(cells[2].strip() for cells in lines if len(cells) > 2)
    assert places == "".join(f"{path}:{number}" for number in (123, 124, 125))


def test_what_is_protected_is_said_first_and_open_leaves_it_open(site):
    site.write_text(SITE + "<Location /x>\nRequire env inside\n</Location>\n")

    closed, opened = run("import", str(site)), run("import", str(site), "--open")

    assert "deny(" in closed[0]
    assert "deny" not in opened[0]
    assert [each[1].splitlines()[1] for each in (closed, opened)] == [
        f"closed      /x: {site}:5: Require env inside",
        f"open        /x: {site}:5: Require env inside",
    ]
    assert [each[2] for each in (closed, opened)] == [1, 1]


def test_rules_that_settings_can_say_are_said_and_open_leaves_them_open(site):
    site.write_text(f"{SITE.splitlines()[0]}\n<Location /x>\nRequire ip 10\n</Location>\n")

    kept, opened = run("import", str(site)), run("import", str(site), "--open")

    assert 'access("/x", require="ip 10"),' in kept[0]
    assert kept[1].splitlines()[:2] == [
        "Access rules in WSGIMATCH_ACCESS, for these URLs as in Apache:",
        f"kept        /x: {site}:3: Require ip 10",
    ]
    assert "access(" not in opened[0]
    assert opened[1].splitlines()[1] == f"open        /x: {site}:3: Require ip 10"
    assert [run("import", str(site), "--check", *each)[2] for each in ([], ["--open"])] == [0, 1]


def test_one_address_of_several_can_be_asked_for(site):
    site.write_text(
        "<VirtualHost *:80>\nWSGIScriptAlias / /srv/a.wsgi\n</VirtualHost>\n"
        "<VirtualHost *:443>\nWSGIScriptAlias / /srv/b.wsgi\n</VirtualHost>\n"
    )

    written, report, status = run("import", str(site), "--address", "*:80")

    assert 'script_alias("/", "/srv/a.wsgi")' in written
    assert "/srv/b.wsgi" not in written
    assert report.splitlines()[-1] == "2 directives: 1 kept, 1 off."
    assert status == 0


def test_an_address_that_no_host_has_is_an_error(site):
    with pytest.raises(
        CommandError, match=r"^--address: no virtual host is at x:80: their .* none\.$"
    ):
        call_command("wsgimatch", "import", str(site), "--address", "x:80")
