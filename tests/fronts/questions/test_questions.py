"""What is asked of two sites that should do as a configuration says."""

from __future__ import annotations

import pytest

from django_wsgimatch.fronts.questions.questions import SiteQuestion, questions_of
from tests.support.apache_reading import read


def asked(text: str, directory: str = "/nowhere") -> list[SiteQuestion]:
    text = text.replace("{ROOT}", str(directory))
    return questions_of(read(text), lambda path: "missing")


def targets(text: str, source: str, directory: str = "/nowhere") -> list[str]:
    """The targets that are made of a line."""
    return [each.target for each in asked(text, directory) if each.source.startswith(source)]


def test_a_location_is_asked_for_with_more_behind_it_and_spelt_oddly():
    found = targets("WSGIScriptAlias /app /srv/app.wsgi\n", "WSGIScriptAlias")

    assert found == [
        *("/app", "/app/", "/app/x", "/app/x/y.txt?q=1", "/appx", "/app.x"),
        *("//app", "/./app", "/%2e/app/x", "/x/../app", "/app/../app", "/%61pp", "/APP"),
    ]


@pytest.mark.parametrize(
    ("line", "source", "expected"),
    [
        pytest.param(
            "WSGIScriptAliasMatch ^/w/[ab] /srv/$1.wsgi",
            "WSGIScriptAliasMatch",
            "/w/a",
            id="pattern",
        ),
        pytest.param("Redirect gone /old", "Redirect", "/old/x", id="redirect"),
        pytest.param("RedirectMatch ^/r/\\d+ http://x", "RedirectMatch", "/r/0", id="its pattern"),
        pytest.param("RewriteRule ^/never - [F]", "RewriteRule", "/never", id="a rewritten URL"),
        pytest.param("ErrorDocument 404 /missing", "ErrorDocument", "/missing", id="error page"),
        pytest.param("ProxyPass /p http://x/", "ProxyPass", "/p/x", id="another backend"),
        pytest.param(
            "<Location /a>\nRequire all denied\n</Location>", "<Location /a>", "/a/x", id="section"
        ),
        pytest.param(
            '<Location "/a b">\nRequire all denied\n</Location>',
            "<Location",
            "/a%20b",
            id="a blank, as a request line holds none",
        ),
    ],
)
def test_every_line_about_urls_is_asked_for(line, source, expected):
    found = targets(f"{line}\n", source)

    assert expected in found


def test_files_below_an_alias_are_asked_for_and_one_that_is_not_there(tmp_path):
    (tmp_path / "site.css").write_text("x")

    found = targets("Alias /static {ROOT}\n", "Alias", tmp_path)

    assert {"/static/site.css", "/static/no-such-file.txt"} <= {*found}


def test_each_name_of_a_host_is_asked():
    text = (
        "<VirtualHost *:80>\nServerName a.test\nServerAlias *.b.test\nAlias /s /s\n</VirtualHost>"
    )

    found = asked(text)

    assert {each.host for each in found} == {"unknown.test", "a.test", "any.b.test"}


def test_no_request_is_made_twice():
    found = asked(
        "WSGIScriptAlias /a /srv/a.wsgi\n<Location /a>\nRequire all denied\n</Location>\n"
    )

    requests = [(each.host, each.target) for each in found]
    assert len(requests) == len({*requests})
