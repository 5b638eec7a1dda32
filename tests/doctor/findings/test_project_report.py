"""What a hostile project may answer when it is asked about itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from django_wsgimatch.doctor.findings.project_report import NO_ANSWER, Told, UrlAnswer, read_told

TRUE: dict[str, Any] = {
    "is_django": True,
    "settings_module": "blog.settings",
    "settings": {
        "MIDDLEWARE": ["a.B"],
        "CSRF_USE_SESSIONS": False,
        "LOGIN_URL": None,
        "STATIC_ROOT": "/s",
    },
    "secret": "abc",
    "segments": ["news/"],
    "answers": [
        {
            "view": "blog.views.home",
            "appended": None,
            "settings": {"STATIC_URL": "/blog/static/", "LOGIN_URL": None},
            "names": {"home": "/blog/"},
            "redirects": {"/blog/admin/": "/blog/login/"},
        }
    ],
}


def test_a_true_answer():
    assert read_told(json.dumps(TRUE).encode()) == Told(
        is_django=True,
        settings_module="blog.settings",
        settings=TRUE["settings"],
        secret="abc",
        segments=("news/",),
        answers=(
            UrlAnswer(
                view="blog.views.home",
                settings={"STATIC_URL": "/blog/static/", "LOGIN_URL": None},
                names={"home": "/blog/"},
                redirects={"/blog/admin/": "/blog/login/"},
            ),
        ),
    )


@pytest.mark.parametrize(
    "output",
    [
        pytest.param(b"hello", id="no JSON"),
        pytest.param(b'{"is_django": true', id="half of it"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
        pytest.param(b"[" * 200_000, id="lists in lists"),
        pytest.param(b'{"a":' * 100_000, id="objects in objects"),
        pytest.param(b"9" * 100_000, id="a number of 100,000 digits"),
        pytest.param(b"[1]", id="a list"),
        pytest.param(b'{"error": ["x"]}', id="an error that is no text"),
    ],
)
def test_what_is_no_answer(output):
    assert read_told(output) == Told(error=NO_ANSWER)


@pytest.mark.parametrize("value", [5, 1.5, True, None, "x", [1], {"a": 1}, [[]], {"a": [None]}])
@pytest.mark.parametrize("name", [name for name in TRUE if name not in ("is_django",)])
def test_a_value_of_another_type_is_left_out(name, value):
    told = read_told(json.dumps({**TRUE, name: value}).encode())

    assert all(isinstance(each, UrlAnswer) for each in told.answers)
    assert all(isinstance(each, str) for each in (told.settings_module, told.secret))
    assert all(isinstance(each, str) for each in told.segments)
    assert set(told.settings) <= set(TRUE["settings"])


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("/blog/", "/blog/", id="a path"),
        pytest.param("/caf%C3%A9/?a=b#c", "/caf%C3%A9/?a=b#c", id="with escapes"),
        pytest.param("/café €", "/caf%C3%A9%20%E2%82%AC", id="beyond ASCII"),
        pytest.param("/\udc80\x1b", "/?%1B", id="no text"),
        pytest.param("//[", None, id="what urlsplit() does not take"),
        pytest.param(5, None, id="no text at all"),
    ],
)
def test_urls(url, expected):
    said = {"is_django": True, "answers": [{"appended": url}]}

    [answer] = read_told(json.dumps(said).encode()).answers

    assert answer.appended == expected


def test_an_error_is_shown_in_one_line():
    said = {"error": f"ValueError: \x1b[2J\nERROR {'x' * 1000}"}

    assert read_told(json.dumps(said).encode()).error == (
        f"ValueError: \\x1b[2J\\nERROR {'x' * 270}..."
    )
