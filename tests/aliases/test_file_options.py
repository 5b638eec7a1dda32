"""What can be said of the files below an entry."""

from __future__ import annotations

from dataclasses import fields

import pytest

from django_wsgimatch.aliases.file_options import FileOptions, read_file_options
from django_wsgimatch.aliases.lines.expiry import (
    EXPIRES_BY_TYPE_WANTED,
    EXPIRES_WANTED,
    SinceChange,
)
from django_wsgimatch.exceptions import DirectiveError


def test_options_are_apache_s_defaults():
    options = FileOptions()

    assert options == FileOptions(
        index=("index.html",),
        cache_control=None,
        expires=None,
        expires_by_type=(),
        charset=None,
        precompressed=False,
        immutable=False,
        forced_type=None,
        types=(),
        encodings=(),
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(
            {"cache_control": "a\r\nSet-Cookie: b"},
            "cache_control is 'a\\r\\nSet-Cookie: b', which no header can hold",
            id="a line end",
        ),
        pytest.param(
            {"charset": "utf-8\0"}, "charset is 'utf-8\\x00', which no header can hold", id="a NUL"
        ),
        pytest.param(
            {"forced_type": "html"}, "forced_type is 'html', which no header can hold", id="no type"
        ),
        pytest.param(
            {"types": (("x", "text/x\n"),)},
            "types['x'] is 'text/x\\n', which no header can hold",
            id="a line end at the end",
        ),
        pytest.param(
            {"encodings": (("gz", "\u0142"),)},
            "encodings['gz'] is '\u0142', which no header can hold",
            id="a character that is no byte",
        ),
        pytest.param(
            {"expires": -1}, "expires is -1: it takes seconds, 0 or more", id="a time in the past"
        ),
        pytest.param(
            {"index": ("/etc/passwd",)},
            "index holds '/etc/passwd', which is no name in a directory",
            id="an index elsewhere",
        ),
        pytest.param(
            {"index": ("",)}, "index holds '', which is no name in a directory", id="an empty index"
        ),
    ],
)
def test_what_cannot_be_said_is_refused(given, message):
    with pytest.raises(DirectiveError) as caught:
        FileOptions(**given)

    assert str(caught.value) == message


def test_a_suffix_can_stand_for_no_type():
    options = FileOptions(types=(("es", ""),), encodings=(("gz", "gzip"),))

    assert options.types == (("es", ""),)


@pytest.mark.parametrize(
    ("given", "options"),
    [
        pytest.param({}, FileOptions(), id="none"),
        pytest.param({"index": "home.html"}, FileOptions(index=("home.html",)), id="one index"),
        pytest.param({"index": ["a", "b"]}, FileOptions(index=("a", "b")), id="a list of indexes"),
        pytest.param({"index": ()}, FileOptions(index=()), id="no index"),
        pytest.param(
            {"types": {".CSV": "text/csv", "es": ""}, "encodings": {"gz": "gzip"}},
            FileOptions(types=(("csv", "text/csv"), ("es", "")), encodings=(("gz", "gzip"),)),
            id="suffixes with their dots",
        ),
        pytest.param(
            {"expires": 60, "immutable": True, "precompressed": True, "charset": None},
            FileOptions(expires=60, immutable=True, precompressed=True),
            id="numbers and flags",
        ),
        pytest.param(
            {
                "expires": "modification plus 1 day",
                "expires_by_type": {"Text/css": "access plus 1 hour", "image/*": 5},
            },
            FileOptions(
                expires=SinceChange(86400), expires_by_type=(("text/css", 3600), ("image/*", 5))
            ),
            id="times as Apache writes them",
        ),
    ],
)
def test_options_as_an_entry_s_author_writes_them(given, options):
    assert read_file_options(given) == options


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(
            {"expire": 60},
            "files have no option 'expire'; they have index, cache_control, expires, "
            "expires_by_type, charset, precompressed, immutable, forced_type, types, encodings, "
            "follow_symlinks",
            id="an option that there is not",
        ),
        pytest.param(
            {"expires": "1 hour"},
            f"expires is '1 hour'; it takes {EXPIRES_WANTED}",
            id="a time without a base",
        ),
        pytest.param({"expires": True}, f"expires is True; it takes {EXPIRES_WANTED}", id="a flag"),
        pytest.param(
            {"expires_by_type": {"css": 60}},
            f"expires_by_type is {{'css': 60}}; it takes {EXPIRES_BY_TYPE_WANTED}",
            id="no type",
        ),
        pytest.param(
            {"precompressed": "no"}, "precompressed is 'no'; it takes True or False", id="a word"
        ),
        pytest.param(
            {"index": [1]}, "index is [1]; it takes a name or a list of names", id="a number"
        ),
        pytest.param({"charset": b"x"}, "charset is b'x'; it takes a text", id="bytes"),
        pytest.param(
            {"types": ["csv"]},
            "types is ['csv']; it takes a dict of suffixes and texts",
            id="a list of suffixes",
        ),
        pytest.param(
            {"types": {"csv": None}},
            "types is {'csv': None}; it takes a dict of suffixes and texts",
            id="a suffix that stands for None",
        ),
    ],
)
def test_options_that_cannot_be_read_are_refused(given, message):
    with pytest.raises(DirectiveError) as caught:
        read_file_options(given)

    assert str(caught.value) == message


def test_every_option_can_be_read():
    assert (
        read_file_options(
            {
                field.name: getattr(FileOptions(), field.name)
                for field in fields(FileOptions)
                if field.name != "is_root"
            }
            | {"types": {}, "encodings": {}, "expires_by_type": {}}
        )
        == FileOptions()
    )
