"""The settings of trusted proxies, and what is wrong with them."""

from __future__ import annotations

import pytest

from django_wsgimatch.conf import configuration


def problems() -> list[str]:
    return [str(problem) for problem in configuration().problems]


def test_without_settings_there_is_nothing_to_do():
    assert configuration().proxies is None


def test_proxies_alone_are_nothing_to_do(settings):
    settings.WSGIMATCH_TRUSTED_PROXIES = ["10.0.0.1"]

    assert (configuration().proxies, problems()) == (None, [])


def test_headers_alone_are_dropped_from_everybody(settings):
    settings.WSGIMATCH_TRUSTED_PROXY_HEADERS = ["X-Forwarded-For"]
    environ = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "192.0.2.1"}

    proxies = configuration().proxies
    assert proxies is not None
    proxies.apply(environ)

    assert environ == {"REMOTE_ADDR": "127.0.0.1", "wsgimatch.peer": "127.0.0.1"}


def test_names_of_headers_are_read_in_any_case(settings):
    settings.WSGIMATCH_TRUSTED_PROXY_HEADERS = ["x-forwarded-FOR", "FORWARDED"]

    proxies = configuration().proxies

    assert proxies is not None
    assert [each.key for each in proxies.headers] == ["HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED"]
    assert problems() == []


NO_PROXY = (
    "is no address such as '192.0.2.1', no network such as '10.0.0.0/8', and not 'unix', which "
    "stands for those who connect by a unix socket; no names are looked up"
)


@pytest.mark.parametrize(
    "value", ["*", "localhost", "10.1", "10.0.0.0/33", "unix:", "", "10.0.0.1:80", 10, None]
)
def test_what_is_no_proxy(settings, value):
    settings.WSGIMATCH_TRUSTED_PROXIES = [value, "10.0.0.1"]

    assert problems() == [f"WSGIMATCH_TRUSTED_PROXIES: {value!r} {NO_PROXY}"]


@pytest.mark.parametrize(
    ("name", "value", "shape"),
    [
        pytest.param(
            "PROXIES",
            "10.0.0.1",
            "a list of addresses and networks, and 'unix' for unix sockets",
            id="one proxy",
        ),
        pytest.param("PROXY_HEADERS", "Forwarded", "a list of headers", id="one header"),
        pytest.param(
            "PROXY_VARIABLES",
            ["REMOTE_USER"],
            "a dict of variables to headers, as in {'REMOTE_USER': 'X-Remote-User'}",
            id="a list of variables",
        ),
    ],
)
def test_wrong_shape(settings, name, value, shape):
    setattr(settings, f"WSGIMATCH_TRUSTED_{name}", value)

    assert problems() == [f"WSGIMATCH_TRUSTED_{name}: should be {shape}, not {value!r}"]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("X-Forwared-For", "X-Forwarded-For"),
        ("HTTP_X_FORWARDED_PROTO", "X-Forwarded-Proto"),
        ("X_Real_IP", "X-Real-IP"),
    ],
)
def test_misspelled_header(settings, given, meant):
    settings.WSGIMATCH_TRUSTED_PROXY_HEADERS = [given]

    [problem] = problems()

    assert problem == (
        f"WSGIMATCH_TRUSTED_PROXY_HEADERS: {given!r} is not known: did you mean {meant!r}?"
    )


@pytest.mark.parametrize("value", ["Remote-User", 7, ""])
def test_unknown_header(settings, value):
    settings.WSGIMATCH_TRUSTED_PROXY_HEADERS = [value]

    [problem] = problems()

    assert problem.startswith(
        f"WSGIMATCH_TRUSTED_PROXY_HEADERS: {value!r} is not known: there are Forwarded, "
    )
    assert problem.endswith(
        "A header for a variable such as REMOTE_USER belongs into WSGIMATCH_TRUSTED_PROXY_VARIABLES"
    )


OWN = (
    "cannot be taken from a header of one's own: WSGIMATCH_TRUSTED_PROXY_HEADERS lists what a "
    "proxy may tell of the request"
)
NO_HEADER = "should be a header's name: letters, digits and single dashes between them"


@pytest.mark.parametrize(
    ("name", "header", "error"),
    [
        pytest.param("SERVER_NAME", "X-A", f"SERVER_NAME {OWN}", id="the server"),
        pytest.param("HTTP_HOST", "X-A", f"HTTP_HOST {OWN}", id="another header"),
        pytest.param("SCRIPT_NAME", "X-A", f"SCRIPT_NAME {OWN}", id="the mount point"),
        pytest.param(
            "wsgi.input", "X-A", "'wsgi.input' should be a variable's name, such as 'REMOTE_USER'",
            id="the server's own",
        ),
        pytest.param(7, "X-A", "7 should be a variable's name, such as 'REMOTE_USER'", id="7"),
        pytest.param("REMOTE_USER", "X_User", f"'REMOTE_USER': 'X_User' {NO_HEADER}", id="forged"),
        pytest.param("REMOTE_USER", "X-User:", f"'REMOTE_USER': 'X-User:' {NO_HEADER}", id="colon"),
        pytest.param("REMOTE_USER", None, f"'REMOTE_USER': None {NO_HEADER}", id="nothing"),
    ],
)  # fmt: skip
def test_variable_that_cannot_be(settings, name, header, error):
    settings.WSGIMATCH_TRUSTED_PROXY_VARIABLES = {name: header}

    assert problems() == [f"WSGIMATCH_TRUSTED_PROXY_VARIABLES: {error}"]
