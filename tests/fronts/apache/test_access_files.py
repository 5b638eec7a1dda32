"""What an export writes of .htaccess files on the way to scripts."""

from __future__ import annotations

from django_wsgimatch.apache.importing import kind_of_file
from tests.fronts.apache.exporting import BASE, export


def test_a_file_that_apache_refuses_is_an_error_for_everybody(tmp_path):
    (tmp_path / "app.wsgi").write_text("")
    (tmp_path / ".htaccess").write_text("<Files>\n")

    found = export(
        f"<Directory {tmp_path}>\nAllowOverride All\n</Directory>\n"
        f"WSGIScriptAlias / {tmp_path}/app.wsgi\n",
        kind_of=kind_of_file,
    )

    lines = [each.strip() for each in found.text.splitlines()]
    start = lines.index("RedirectMatch 500 ^") - 2
    assert lines[start : start + 4] == [
        f'<ProxyMatch "^{BASE.replace(".", chr(92) * 2 + ".")}(?=/)">',
        "<IfModule mod_alias.c>",
        "RedirectMatch 500 ^",
        "</IfModule>",
    ]
    assert [each.note for each in found.refused] == [
        "/: 500, as Apache refuses a .htaccess file on the way to its script"
    ]
