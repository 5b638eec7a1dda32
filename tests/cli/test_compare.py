from __future__ import annotations

import contextlib
import json
import socket

import pytest
from django.core.management import CommandError

from tests.cli.answering import CONFIGURATION, site
from tests.support.commands import run


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "JSON"])
@pytest.mark.parametrize(
    ("given", "words", "skipped"),
    [
        pytest.param(b"", [], 0, id="an empty file"),
        pytest.param(b"# nothing\n\n", [], 0, id="a file of comments"),
        pytest.param(b"nonsense\n", [], 1, id="no line that can be read"),
        pytest.param(b"/a\n", ["--limit", "0"], 0, id="a limit of nothing"),
    ],
)
def test_a_comparison_of_nothing_is_no_success(tmp_path, given, words, skipped, options):
    (tmp_path / "urls").write_bytes(given)

    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        out, err, status = run("compare", url, url, str(tmp_path / "urls"), *words, *options)

    assert status == 1
    assert ("nothing was compared" in out) == (not options)
    assert len(err.splitlines()) == (0 if options else skipped)


def closed(head):
    """A site that protects /app/x, as the configuration says."""
    is_let_in = "/app/x" not in head.split()[1] or "Authorization" in head
    return (200, b"page") if is_let_in else (403, b"Forbidden")


def open_to_all(head):
    return 200, b"page"


def test_what_is_made_of_a_configuration_differs_by_its_lines(tmp_path):
    (tmp_path / "site.conf").write_text(CONFIGURATION)
    words = [str(tmp_path / "site.conf"), "--from-import", "--send", "Authorization: Basic eA=="]

    with site(closed) as old, site(open_to_all) as new:
        out, _, status = run("compare", old, new, *words)

    assert status == 1
    headings = [line for line in out.splitlines() if line.endswith(" differ")]
    assert headings == [
        "every host: 0 of 20 differ",
        "WSGIScriptAlias /app /srv/app.wsgi: 3 of 13 differ",
        "<Location /app/x>: 10 of 12 differ",
    ]
    assert "status, without credentials\n      old: 403\n      new: 200" in out
    assert out.splitlines()[-3:-1] == [
        "By reason:",
        "  13 status 403, then 200, without credentials",
    ]


def test_json_has_what_is_the_same_by_line_and_what_differs_by_reason(tmp_path):
    (tmp_path / "site.conf").write_text(CONFIGURATION)
    words = [str(tmp_path / "site.conf"), "--from-import", "--json"]

    with site(closed) as old, site(open_to_all) as new:
        out, _, _ = run("compare", old, new, *words)
    told = json.loads(out)

    assert told["groups"] == [
        {"alias": None, "directive": directive, "requests": asked, "different": different}
        for directive, asked, different in (
            ("every host", 20, 0),
            ("WSGIScriptAlias /app /srv/app.wsgi", 13, 3),
            ("<Location /app/x>", 12, 10),
        )
    ]
    assert told["reasons"] == [{"reason": "status 403, then 200", "requests": 13}]


def test_differences_that_are_expected_are_kept_in_a_file(tmp_path):
    (tmp_path / "site.conf").write_text(CONFIGURATION)
    words = [str(tmp_path / "site.conf"), "--from-import"]
    known = str(tmp_path / "known")

    with site(closed) as old, site(open_to_all) as new:
        _, _, first = run("compare", old, new, *words, "--write-expected", known)
        _, _, second = run("compare", old, new, *words, "--expected", known)
        _, _, third = run("compare", new, old, *words, "--expected", known)

    assert (first, second, third) == (1, 0, 1)


def test_a_configuration_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / "site.conf").write_text("<Location /x>\n")

    with pytest.raises(CommandError) as caught:
        run("compare", "http://a", "http://b", str(tmp_path / "site.conf"), "--from-import")

    assert str(caught.value) == (
        f"{tmp_path}/site.conf:1: <Location> was not closed: write </Location> behind its last "
        "line."
    )
