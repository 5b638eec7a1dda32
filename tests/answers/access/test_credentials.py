from __future__ import annotations

import base64

import pytest

from django_wsgimatch.answers.access.credentials import Credentials, challenge, read_credentials


def encoded(text):
    return base64.b64encode(text.encode("latin-1")).decode()


@pytest.mark.parametrize(
    ("header", "user", "password"),
    [
        pytest.param(f"Basic {encoded('ann:secret')}", "ann", "secret", id="plain"),
        pytest.param(f"bAsIc \t {encoded('ann:a:b')}", "ann", "a:b", id="case, blanks and a colon"),
        pytest.param(f"Basic {encoded('ann')}", "ann", "", id="no colon"),
        pytest.param(f"Basic {encoded('ann:x')},Basic b", "ann", "x", id="a second header"),
        pytest.param(f"Basic {encoded('ann:sec')[:-3]}", "ann", "se", id="cut"),
        pytest.param("Basic YW5uOnNlY3JldA==", "ann", "secret", id="padded"),
        pytest.param("Basic YW5uOnNlY3JldA", "ann", "secret", id="not padded"),
        pytest.param(f"Basic {encoded(chr(0) + 'ann:x')}", "", "", id="a NUL first"),
        pytest.param(f"Basic {encoded('ann:x' + chr(0) + 'y')}", "ann", "x", id="a NUL inside"),
        pytest.param("Basic", "", "", id="the scheme alone"),
        pytest.param("Basic *", "", "", id="no base64"),
        pytest.param(f"Basic {encoded('röbi:pä')}", "röbi", "pä", id="bytes above 7F"),
    ],
)
def test_a_header_is_read_as_apache_reads_it(header, user, password):
    assert read_credentials(header) == Credentials(user, password)


@pytest.mark.parametrize("header", [None, "", "Digest x", "Basic\tYTpi", "BasicYTpi", "Bearer x"])
def test_another_scheme_holds_no_credentials(header):
    assert read_credentials(header) is None


def test_a_password_is_never_shown():
    assert "secret" not in repr(read_credentials(f"Basic {encoded('ann:secret')}"))


@pytest.mark.parametrize(
    ("realm", "header"),
    [
        pytest.param("Staff only", 'Basic realm="Staff only"', id="plain"),
        pytest.param('say "hi"', r'Basic realm="say \"hi\""', id="quotes are escaped"),
        pytest.param(r"say \"hi", r'Basic realm="say \"hi"', id="an escaped quote stays"),
        pytest.param("a\\", 'Basic realm="a\\"', id="a backslash at the end"),
    ],
)
def test_the_challenge_is_apache_s(realm, header):
    assert challenge(realm) == header
