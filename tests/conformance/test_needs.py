"""The count of what imports leave to their users."""

from __future__ import annotations

from tests.conformance.needs import count, main

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


def test_the_totals_are_printed(tmp_path, capsys):
    (tmp_path / "a.conf").write_text(f"{SITE}ProxyPass /p http://x/\n")

    main([str(tmp_path)])

    assert capsys.readouterr().out.splitlines() == [
        "    1 ProxyPass",
        "1 sites, 0 need nothing; 1 of 2 directives need you (50.0 %)",
    ]
