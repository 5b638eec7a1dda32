"""What is told of a file's state."""

from __future__ import annotations

import os

import pytest

from django_wsgimatch.aliases.file_options import FileOptions
from django_wsgimatch.answers.files.representation import entity_tag, representation

AT = 1_600_000_000.5
NS = 1_600_000_000_500_000_000


def status_of(path, size=5, mtime_ns=NS):
    path.write_bytes(b"x" * size)
    os.utime(path, ns=(mtime_ns, mtime_ns))
    return os.stat(path)


@pytest.mark.parametrize(
    ("now", "tag"),
    [
        pytest.param(AT + 1, '"5-5af31077e3120"', id="a second later"),
        pytest.param(AT + 0.9, 'W/"5-5af31077e3120"', id="within the second"),
        pytest.param(AT - 1e6, 'W/"5-5af31077e3120"', id="before it was changed"),
    ],
)
def test_entity_tag(tmp_path, now, tag):
    found = entity_tag(status_of(tmp_path / "a"), now)

    assert found == tag.replace("5af31077e3120", f"{NS // 1000:x}")


def test_entity_tag_of_a_compressed_file_is_its_own(tmp_path):
    status = status_of(tmp_path / "a")

    tags = {entity_tag(status, AT + 9, coding) for coding in ("", "br", "gzip")}

    assert len(tags) == 3


def test_headers(tmp_path):
    made = representation("/srv/a.txt", status_of(tmp_path / "a"), FileOptions(), AT + 9)

    assert made.whole == (
        ("Last-Modified", "Sun, 13 Sep 2020 12:26:40 GMT"),
        ("ETag", f'"5-{NS // 1000:x}"'),
        ("Accept-Ranges", "bytes"),
        ("Content-Length", "5"),
        ("Content-Type", "text/plain"),
    )


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        pytest.param("a.css", FileOptions(), {}, id="nothing"),
        pytest.param(
            "a.css",
            FileOptions(expires=60),
            {"Cache-Control": "max-age=60", "Expires": "Sun, 13 Sep 2020 12:27:49 GMT"},
            id="a minute",
        ),
        pytest.param(
            "a.css",
            FileOptions(expires=0, cache_control="no-cache"),
            {"Cache-Control": "no-cache", "Expires": "Sun, 13 Sep 2020 12:26:49 GMT"},
            id="words of its own",
        ),
        pytest.param(
            "a.55e7cbb9ba48.css",
            FileOptions(immutable=True, expires=60, cache_control="no-cache"),
            {"Cache-Control": "max-age=315360000, public, immutable"},
            id="a name with a hash",
        ),
        pytest.param(
            "LICENSE.55e7cbb9ba48",
            FileOptions(immutable=True),
            {"Cache-Control": "max-age=315360000, public, immutable"},
            id="a name with a hash and no suffix",
        ),
        pytest.param("a.css", FileOptions(immutable=True), {}, id="a name without a hash"),
        pytest.param("a.55E7CBB9BA48.css", FileOptions(immutable=True), {}, id="no such hash"),
        pytest.param(
            "a.css",
            FileOptions(expires=10**18),
            {"Cache-Control": f"max-age={10**18}", "Expires": "Fri, 31 Dec 9999 23:59:59 GMT"},
            id="longer than there are dates",
        ),
    ],
)
def test_how_long_a_file_is_kept(tmp_path, name, options, said):
    now = AT + 9

    made = representation(f"/srv/{name}", status_of(tmp_path / "a"), options, now)

    headers = dict([*made.whole, *made.expiry(now)])
    assert {each: headers[each] for each in ("Cache-Control", "Expires") if each in headers} == said


def test_a_file_that_has_changed_is_told_of_anew(tmp_path):
    options = FileOptions()
    first = representation("/srv/a", status_of(tmp_path / "a"), options, AT + 9)

    second = representation("/srv/a", status_of(tmp_path / "a", size=6), options, AT + 9)
    third = representation("/srv/a", status_of(tmp_path / "a", 6, NS + 1000), options, AT + 9)

    assert len({first.etag, second.etag, third.etag}) == 3


def test_a_file_with_other_options_is_told_of_anew(tmp_path):
    status = status_of(tmp_path / "a")
    representation("/srv/a", status, FileOptions(), AT + 9)

    made = representation("/srv/a", status, FileOptions(forced_type="text/x"), AT + 9)

    assert dict(made.description) == {"Content-Type": "text/x"}


def test_what_has_changed_just_now_is_not_remembered(tmp_path):
    status, options = status_of(tmp_path / "a"), FileOptions()
    weak = representation("/srv/a", status, options, AT + 0.5)

    strong = representation("/srv/a", status, options, AT + 5)

    assert (weak.etag, strong.etag) == (f"W/{strong.etag}", weak.etag.removeprefix("W/"))


@pytest.mark.parametrize(
    ("mtime_ns", "date"),
    [
        pytest.param(NS + 10**15, "Sun, 13 Sep 2020 12:26:49 GMT", id="in the future"),
        pytest.param(-(10**15), "Thu, 01 Jan 1970 00:00:00 GMT", id="before 1970"),
    ],
)
def test_a_date_that_is_none(tmp_path, mtime_ns, date):
    status = status_of(tmp_path / "a", mtime_ns=mtime_ns)

    made = representation("/srv/a", status, FileOptions(), AT + 9)

    assert dict(made.state)["Last-Modified"] == date


def test_a_compressed_file_says_so_over_what_its_name_says(tmp_path):
    options = FileOptions(encodings=(("gz", "gzip"),))

    made = representation("/srv/a.gz", status_of(tmp_path / "a"), options, AT + 9, "br")

    assert dict(made.description)["Content-Encoding"] == "gzip, br"
