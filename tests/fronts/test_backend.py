"""Where the server behind a front listens."""

from __future__ import annotations

import pytest

from django_wsgimatch.exceptions import FrontError
from django_wsgimatch.fronts.backend import Backend, read_backend


@pytest.mark.parametrize(
    ("text", "backend"),
    [
        pytest.param(
            "http://127.0.0.1:8000/",
            Backend("http://127.0.0.1:8000", "http://127.0.0.1:8000", ("127.0.0.1",)),
            id="a port of this machine",
        ),
        pytest.param(
            "http://[::1]:8000",
            Backend("http://[::1]:8000", "http://[::1]:8000", ("::1",)),
            id="a port of this machine, IPv6",
        ),
        pytest.param(
            "http://localhost:8000",
            Backend("http://localhost:8000", "http://localhost:8000", ("127.0.0.1", "::1")),
            id="a name that has two addresses",
        ),
        pytest.param(
            "http://10.0.0.7:8000",
            Backend("http://10.0.0.7:8000", "http://10.0.0.7:8000", ()),
            id="another machine, whose operator knows what it sees",
        ),
        pytest.param(
            "unix:/run/shop.sock",
            Backend("unix:/run/shop.sock|http://localhost", "http://localhost", ("unix",)),
            id="a socket",
        ),
        pytest.param(
            "unix:/run/shop.sock|http://shop/",
            Backend("unix:/run/shop.sock|http://shop", "http://shop", ("unix",)),
            id="a socket with a name, as mod_proxy writes it",
        ),
    ],
)
def test_an_address_is_read(text, backend):
    found = read_backend(text)

    assert found == backend


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("127.0.0.1:8000", id="no scheme"),
        pytest.param("https://127.0.0.1", id="a scheme that needs certificates"),
        pytest.param("http://127.0.0.1:8000/app", id="a path"),
        pytest.param('http://a" b', id="a quote"),
        pytest.param("http://${HOST}:8000", id="a variable of Apache"),
        pytest.param("unix:run/x.sock", id="a relative socket"),
        pytest.param("http://a\nAlias", id="a line feed"),
    ],
)
def test_what_is_no_address_is_refused_with_the_value_and_a_cure(text):
    with pytest.raises(FrontError) as caught:
        read_backend(text)

    assert str(caught.value) == (
        f"{text!r} is no address of a server: write http://HOST:PORT, or unix:/PATH for a socket"
    )
