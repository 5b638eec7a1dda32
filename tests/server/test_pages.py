from __future__ import annotations

import pytest

from django_wsgimatch.server.pages import error_page, not_found
from tests.support.wsgi import Answer, call, make_environ

NOT_FOUND_PAGE = b"""\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>404 Not Found</title>
<h1>Not Found</h1>
<p>The requested URL was not found on this server.</p>
</html>
"""


def test_page():
    answer = call(not_found, make_environ("/secret?x=<script>"))

    assert answer == Answer(
        "404 Not Found",
        [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", "167")],
        NOT_FOUND_PAGE,
    )


def test_head_has_the_same_head_and_no_body():
    answer = call(not_found, make_environ(method="HEAD"))

    assert answer == Answer(
        "404 Not Found",
        [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", "167")],
        b"",
    )


def test_a_503_says_when_to_ask_again():
    answer = call(lambda *given: error_page(503, *given), make_environ())

    assert answer.headers[2:] == [("Retry-After", "5")]


@pytest.mark.parametrize(
    ("status", "line", "sentence"),
    [
        pytest.param(
            400, "400 Bad Request", b"The server could not understand the request.", id="400"
        ),
        pytest.param(
            403, "403 Forbidden", b"You do not have permission to access this resource.", id="403"
        ),
        pytest.param(
            408, "408 Request Timeout", b"The request's body did not come in time.", id="408"
        ),
        pytest.param(
            411,
            "411 Length Required",
            b"A request with this method and body needs a Content-Length.",
            id="411",
        ),
        pytest.param(
            500,
            "500 Internal Server Error",
            b"The server could not run the application for this URL. Its log says why.",
            id="500",
        ),
    ],
)
def test_every_status_has_its_sentence(status, line, sentence):
    answer = call(lambda *request: error_page(status, *request), make_environ())

    assert answer.status == line
    assert b"<p>" + sentence + b"</p>" in answer.body
