"""The count of what imports leave to their users."""

from __future__ import annotations

from tests.conformance.needs import behind_apache, count, main

SITE = "WSGIScriptAlias / /srv/a.wsgi\n"


def test_sites_that_need_nothing_and_directives_that_do_are_counted(tmp_path):
    texts = {
        "done": f"{SITE}Alias /s /srv/s\n",
        "left": f"{SITE}ProxyPass /p http://x/\nProxyPass /q http://x/\nFrobnicate On\n",
        "files": "Alias /s /srv/s\nProxyPass /p http://x/\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.conf").write_text(text)

    found = count(sorted(tmp_path.glob("*.conf")))

    assert (found.sites, found.done, found.directives) == (2, 1, 6)
    assert found.names == {"ProxyPass": 2, "Frobnicate": 1}


def test_what_stays_in_apache_is_not_left_to_the_user(tmp_path):
    (tmp_path / "a.conf").write_text(f"{SITE}ProxyPass /p http://x/\nWSGIAccessScript /srv/a.py\n")

    found = count([tmp_path / "a.conf"], behind_apache)

    assert found.names == {"WSGIAccessScript": 1}


def test_the_totals_are_printed(tmp_path, capsys):
    rule = "<Location /x>\nAuthType GSSAPI\nRequire valid-user\n</Location>\n"
    (tmp_path / "a.conf").write_text(f"{SITE}{rule}")

    main([str(tmp_path)])

    assert capsys.readouterr().out.splitlines() == [
        "    1 Require",
        "1 sites, 0 need nothing; 1 of 3 directives need you (33.3 %), 1 are part of these",
    ]


def test_what_is_left_is_printed_line_by_line(tmp_path, capsys):
    path = tmp_path / "a.conf"
    path.write_text(f"{SITE}WSGIAccessScript /srv/a.py\n")

    main([str(tmp_path), "--behind-apache", "--lines"])

    note = "mod_wsgi enforced this rule: its URLs answer 403 until you decide"
    assert capsys.readouterr().out.splitlines() == [
        f"{path}:2: WSGIAccessScript /srv/a.py: {note}",
        "    1 WSGIAccessScript",
        "1 sites, 0 need nothing; 1 of 2 directives need you (50.0 %), 0 are part of these",
    ]
