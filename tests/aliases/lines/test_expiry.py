"""How long an answer may be kept: the codes of mod_expires, and what is counted with them."""

from __future__ import annotations

import pytest

from django_wsgimatch.aliases.lines.expiry import (
    SinceChange,
    expires_by_type_option,
    expires_for,
    expires_option,
    kept_until,
    read_expiry,
)
from django_wsgimatch.exceptions import DirectiveError

BY_TYPE = (("text/css", 1), ("text/*", 2))


@pytest.mark.parametrize(
    ("code", "expires"),
    [
        pytest.param("access plus 1 day", 86400, id="a day"),
        pytest.param("access 1 day 2 hours", 93600, id="without plus"),
        pytest.param("now plus 1 month", 2592000, id="from now on"),
        pytest.param("n 60 s", 60, id="as short as may be"),
        pytest.param("a PL 1 Y", 31536000, id="in upper case"),
        pytest.param("access plus 2x mixed", 120, id="more behind a number and a unit"),
        pytest.param("access", 0, id="at once"),
        pytest.param("A3600", 3600, id="seconds"),
        pytest.param("A 3600x", 3600, id="seconds between other characters"),
        pytest.param("A-5", 0, id="in the past"),
        pytest.param("Access plus 1 day", 0, id="no word, as it begins like seconds"),
        pytest.param("N60", 0, id="a word, as it does not"),
        pytest.param("modification plus 1 day", SinceChange(86400), id="from the change on"),
        pytest.param("M60", SinceChange(60), id="seconds from the change on"),
        pytest.param("now plus 100 years", None, id="more than Apache can count"),
        pytest.param(f"A{'9' * 5000}", None, id="thousands of digits"),
    ],
)
def test_codes_are_read_as_mod_expires_does(code, expires):
    assert read_expiry(code) == expires


@pytest.mark.parametrize(
    "code", ["", "soon", "access plus 5", "access plus 1 m", "access plus x days"]
)
def test_bad_codes_are_refused(code):
    with pytest.raises(DirectiveError, match="bad expires code"):
        read_expiry(code)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(86400, "modification plus 1 day", id="a day"),
        pytest.param(1209600, "modification plus 2 weeks", id="weeks"),
        pytest.param(90, "modification plus 90 seconds", id="seconds"),
        pytest.param(0, "M0", id="at once"),
        pytest.param(-5, "M-5", id="in the past"),
    ],
)
def test_what_counts_from_the_change_on_is_text_that_reads_back(seconds, text):
    written = str(SinceChange(seconds))

    assert (written, read_expiry(written)) == (text, SinceChange(seconds))


@pytest.mark.parametrize("value", ["soon", "now plus 100 years", -1, True, 1.5, b"A5"])
def test_what_expires_does_not_take(value):
    with pytest.raises(TypeError):
        expires_option(value)


def test_types_are_read_in_any_case():
    found = expires_by_type_option({"Text/CSS": 60, "image/*": "M60"})

    assert found == (("text/css", 60), ("image/*", SinceChange(60)))


@pytest.mark.parametrize(
    "value", [{"css": 60}, {"*/*": 60}, {"text/html; charset=x": 60}, {"text/css": -1}, "text/css"]
)
def test_what_expires_by_type_does_not_take(value):
    with pytest.raises(TypeError):
        expires_by_type_option(value)


@pytest.mark.parametrize(
    ("media_type", "expires"),
    [
        pytest.param("text/css", 1, id="the type"),
        pytest.param("Text/CSS ; charset=x", 1, id="in any case, with parameters"),
        pytest.param("text/plain", 2, id="another of its kind"),
        pytest.param("image/png", 3, id="another kind"),
        pytest.param("text", 3, id="no type"),
        pytest.param("", 3, id="none"),
    ],
)
def test_the_type_goes_first(media_type, expires):
    assert expires_for(media_type, BY_TYPE, 3) == expires


@pytest.mark.parametrize(
    ("expires", "changed", "kept"),
    [
        pytest.param(60, 0.0, (60, 1060), id="from the request on"),
        pytest.param(SinceChange(60), 990.25, (49, 1050), id="from the change on"),
        pytest.param(SinceChange(60), 900.0, (0, 1000), id="over"),
        pytest.param(SinceChange(60), 1100.0, (159, 1160), id="changed tomorrow"),
        pytest.param(SinceChange(60), None, None, id="no file"),
    ],
)
def test_how_long_is_counted_as_by_mod_expires(expires, changed, kept):
    assert kept_until(expires, changed, 1000.5) == kept
