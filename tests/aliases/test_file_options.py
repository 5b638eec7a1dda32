"""What can be said of the files below an entry."""

from __future__ import annotations

import pytest

from django_wsgimatch.aliases.file_options import FileOptions
from django_wsgimatch.exceptions import DirectiveError


def test_options_are_apache_s_defaults():
    options = FileOptions()

    assert options == FileOptions(
        index=("index.html",),
        cache_control=None,
        expires=None,
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
