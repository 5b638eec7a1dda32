"""Accept-Encoding headers."""

from __future__ import annotations

import pytest

from django_wsgimatch.answers.files.codings import accepted


@pytest.mark.parametrize(
    ("header", "codings"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("gzip", ["gzip"], id="one"),
        pytest.param("gzip, deflate, br", ["br", "gzip"], id="the smaller first"),
        pytest.param("br;q=0.5, gzip;q=0.8", ["gzip", "br"], id="as the client prefers"),
        pytest.param("br;q=0, gzip", ["gzip"], id="one refused"),
        pytest.param("*", ["br", "gzip"], id="any"),
        pytest.param("*;q=0", [], id="none"),
        pytest.param("br;q=0, *", ["gzip"], id="any but one"),
        pytest.param("identity, gzip;q=0.5", [], id="rather as it is"),
        pytest.param("identity;q=0.5, gzip", ["gzip"], id="rather compressed"),
        pytest.param("X-GZIP", ["gzip"], id="by its old name"),
        pytest.param("gzip ; Q=1.000 ", ["gzip"], id="blanks and capitals"),
        pytest.param("gzip;q=2, br", ["br"], id="a quality that is none"),
        pytest.param("gzip;level=9", [], id="another parameter"),
    ],
)
def test_accepted(header, codings):
    found = accepted(header)

    assert [coding for coding, _ in found] == codings
