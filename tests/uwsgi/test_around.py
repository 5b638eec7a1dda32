"""Options about all answers: headers, the longest body, and how long files may be kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from django_wsgimatch.uwsgi.importing import import_uwsgi
from tests.support.others.imported_sites import categories_of, served, settings_dict, write_site
from tests.support.raw_http import connect
from tests.support.servers import UWSGI, environment, running
from tests.support.wsgi import get

SITE = """\
[uwsgi]
chdir = {ROOT}
wsgi-file = app.py
static-map = /st=files
add-header = X-Own: one
add-header = X-Own:  two
add-header = X-Gone: added
del-header = X-Gone
rem-header = X-Also
static-expires = .* 60
limit-post = 100
"""
APPLICATION = """\
def application(environ, start_response):
    environ["wsgi.input"].read()
    given = [("X-Own", "app"), ("X-Gone", "1"), ("x-also", "1"), ("Content-Type", "text/plain")]
    start_response(environ["PATH_INFO"].strip("/") + " Status", given)
    return [b"x"]
"""
FILES = {"site.ini": SITE, "app.py": APPLICATION, "files/a.css": "a {}"}
TARGETS = ["/200", "/404", "/500", "/st/a.css"]


def imported_from(folder, *lines):
    text = "[uwsgi]\nmodule = shop\nstatic-map = /st=files\n" + "".join(f"{e}\n" for e in lines)
    write_site(folder, {"site.ini": text})
    return import_uwsgi([str(folder / "site.ini")], {})


def entries_of(imported):
    return [each.options for each in settings_dict(imported)["WSGIMATCH_ALIASES"]]


def seen(headers):
    """The headers in question; a value of Expires depends on the clock."""
    return sorted(
        (name.lower(), "soon" if name.lower() == "expires" else value.strip())
        for name, value in headers
        if name.lower().startswith(("x-", "expires"))
    )


def test_every_entry_has_what_all_answers_have(tmp_path):
    imported = imported_from(tmp_path, *SITE.splitlines()[4:])

    headers = [
        ("unset", "X-Gone"),
        ("unset", "X-Also"),
        ("add", "X-Own", "one"),
        ("add", "X-Own", "two"),
        ("add", "X-Gone", "added"),
    ]
    assert entries_of(imported) == [
        {"expires": 60, "headers": headers},
        {"process_group": "site", "headers": headers, "body_limit": 100},
    ]
    # Behind the module and the map.
    told = list(categories_of(imported).values())[2:]
    assert told == [*["kept"] * 5, *["changed"] * 2]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        pytest.param("add-header = X-Own", "needs you", id="a header without a value"),
        pytest.param("add-header = X Own: a", "needs you", id="a header without a name"),
        pytest.param("del-header = X-Own: a", "needs you", id="a name with a value"),
        pytest.param("add-header = X-Own: $(NOWHERE)", "needs you", id="a value that is missing"),
        pytest.param("limit-post = many", "needs you", id="a limit that is no number"),
        pytest.param("limit-post = 0", "needs you", id="no limit"),
        pytest.param(r"static-expires = \.css$ 60", "needs you", id="some files"),
        pytest.param("static-expires = .* soon", "needs you", id="no number of seconds"),
        pytest.param("static-expires-type = css=60", "needs you", id="files of no type"),
        pytest.param("static-expires-type = text/css=x", "needs you", id="no number for a type"),
        pytest.param("static-expires-uri = x 60", "needs you", id="some URLs"),
        pytest.param("collect-header = X-Own OWN", "needs you", id="a header that is kept"),
    ],
)
def test_what_no_entry_says(tmp_path, line, told):
    imported = imported_from(tmp_path, line)

    [found] = [each for text, each in categories_of(imported).items() if text.startswith(line[:9])]
    assert found == told
    assert entries_of(imported) == [{}, {"process_group": "site"}]


def test_of_several_lines_the_one_that_uwsgi_takes_counts(tmp_path):
    imported = imported_from(
        tmp_path, "limit-post = 1", "limit-post = 2", "static-expires = / 3", "static-expires = x 4"
    )

    assert entries_of(imported) == [{"expires": 3}, {"process_group": "site", "body_limit": 2}]
    told = categories_of(imported)
    assert [told["limit-post = 1"], told["static-expires = x 4"]] == ["not needed"] * 2


def test_files_of_some_types_are_kept_for_a_time_of_their_own(tmp_path):
    lines = ["static-expires-type-mtime = text/css=86400", "static-expires-type = text/html=60"]

    imported = imported_from(tmp_path, *lines)

    by_type = {"text/html": 60, "text/css": "modification plus 1 day"}
    assert entries_of(imported) == [{"expires_by_type": by_type}, {"process_group": "site"}]
    assert [categories_of(imported)[each] for each in lines] == ["changed"] * 2


def test_where_uwsgi_adds_two_headers_files_of_types_need_the_user(tmp_path):
    lines = ["static-expires-type = text/css=60", "static-expires = .* 5"]

    imported = imported_from(tmp_path, *lines)

    assert entries_of(imported) == [{}, {"process_group": "site"}]
    assert [categories_of(imported)[each] for each in lines] == ["needs you"] * 2


@pytest.mark.skipif(not Path(UWSGI[0]).exists(), reason="needs pyuwsgi")
def test_the_same_headers_as_from_uwsgi_itself(tmp_path):
    folder = write_site(tmp_path, FILES)
    command = [*UWSGI, "--ini", str(folder / "site.ini")]
    with running(command, folder, environment(None)) as server:
        theirs = {each: seen_by(server, each) for each in TARGETS}

    imported = import_uwsgi([str(folder / "site.ini")], dict(os.environ))
    with served(imported, folder) as dispatcher:
        answers = {each: get(dispatcher, each) for each in TARGETS}

    assert {each: seen(answer.headers) for each, answer in answers.items()} == theirs


def seen_by(server, target):
    """What uWSGI sends, line by line: several headers may have one name."""
    with connect(server.address) as connection:
        connection.sendall(f"GET {target} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        reply = b"".join(iter(lambda: connection.recv(65536), b""))
    lines = reply.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return seen([line.partition(":")[::2] for line in lines])
