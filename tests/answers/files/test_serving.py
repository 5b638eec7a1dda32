"""Whole answers of files below an entry."""

from __future__ import annotations

import gzip
import os
from functools import partial

import pytest

from django_wsgimatch.aliases.file_options import FileOptions
from django_wsgimatch.answers.files import bodies, sending
from django_wsgimatch.answers.files.serving import serve_file
from django_wsgimatch.exceptions import FileCutShort
from django_wsgimatch.whole_files import SentFile
from tests.answers.files.tricks import TRICKS
from tests.support.wsgi import Answer, call, make_environ

MTIME = 1_600_000_000
MODIFIED = "Sun, 13 Sep 2020 12:26:40 GMT"
LARGE = bodies.SMALL + bodies.PIECE + 5


@pytest.fixture
def folder(tmp_path):
    """A folder of a few old files, and none of their descriptors left open."""
    write(tmp_path, "a.txt", b"hello")
    write(tmp_path, "empty.txt", b"")
    write(tmp_path, "large.txt", bytes(range(256)) * (LARGE // 256 + 1))
    write(tmp_path, "app.js", b"let it = be")
    write(tmp_path, "d/index.html", b"<p>index")
    (tmp_path / "empty").mkdir()
    before = sorted(os.listdir("/proc/self/fd"))
    yield tmp_path
    assert sorted(os.listdir("/proc/self/fd")) == before


def write(folder, name, data, mtime=MTIME):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (mtime, mtime))


def application(folder, environ, start_response, *, options=None, **more):
    uri = environ["PATH_INFO"]
    options = options or FileOptions()
    return serve_file(f"{folder}{uri}", environ, start_response, options, uri=uri, **more)


def ask(folder, target, method="GET", options=None, roots=None, **headers) -> Answer:
    environ = make_environ(target, method=method)
    environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return call(partial(application, folder, options=options, roots=roots), environ)


def send(body):
    """Read a body as a server does."""
    try:
        return b"".join(body)
    finally:
        body.close()


def tag(size):
    return f'"{size:x}-{MTIME * 10**6:x}"'


def state(size):
    """The headers that tell of a file's state."""
    return [("Last-Modified", MODIFIED), ("ETag", tag(size)), ("Accept-Ranges", "bytes")]


def test_a_file(folder):
    answer = ask(folder, "/a.txt")

    headers = [*state(5), ("Content-Length", "5"), ("Content-Type", "text/plain")]
    assert answer == Answer("200 OK", headers, b"hello")


def test_post_is_answered_with_the_file_as_apache_does(folder):
    assert ask(folder, "/a.txt", "POST") == ask(folder, "/a.txt")


def test_head(folder):
    answer = ask(folder, "/large.txt", "HEAD")

    size = os.stat(folder / "large.txt").st_size
    headers = [*state(size), ("Content-Length", str(size)), ("Content-Type", "text/plain")]
    assert answer == Answer("200 OK", headers, b"")


def test_an_empty_file(folder):
    answer = ask(folder, "/empty.txt", range="bytes=0-0")

    headers = [*state(0), ("Content-Length", "0"), ("Content-Type", "text/plain")]
    assert answer == Answer("200 OK", headers, b"")


@pytest.mark.parametrize("without", [(), ("wsgi.file_wrapper",)])
def test_a_large_file(folder, without):
    answer = call(partial(application, folder), make_environ("/large.txt", without=without))

    assert answer.body == (folder / "large.txt").read_bytes()


def test_a_copy_that_is_still_good(folder):
    answer = ask(folder, "/a.txt", if_none_match=tag(5), options=FileOptions(cache_control="x"))

    assert answer == Answer("304 Not Modified", [*state(5), ("Cache-Control", "x")], b"")


def test_a_condition_that_fails(folder):
    answer = ask(folder, "/a.txt", if_match='"other"')

    headers = [*state(5), ("Content-Length", "0"), ("Content-Type", "text/plain")]
    assert answer == Answer("412 Precondition Failed", headers, b"")


def test_a_range(folder):
    answer = ask(folder, "/a.txt", range="bytes=1-3")

    headers = [
        *state(5),
        *(("Content-Length", "3"), ("Content-Type", "text/plain")),
        ("Content-Range", "bytes 1-3/5"),
    ]
    assert answer == Answer("206 Partial Content", headers, b"ell")


def test_a_large_range(folder):
    answer = ask(folder, "/large.txt", range=f"bytes=7-{LARGE - 1}")

    assert answer.body == (folder / "large.txt").read_bytes()[7:LARGE]


def test_ranges(folder, monkeypatch):
    monkeypatch.setattr("secrets.token_hex", lambda size: "B" * size)

    answer = ask(folder, "/a.txt", range="bytes=0-0,3-4")

    head = b"\r\n--BBBBBBBB\r\nContent-type: text/plain\r\nContent-range: bytes "
    body = head + b"0-0/5\r\n\r\nh" + head + b"3-4/5\r\n\r\nlo" + b"\r\n--BBBBBBBB--\r\n"
    content = "multipart/byteranges; boundary=BBBBBBBB"
    headers = [*state(5), ("Content-Length", str(len(body))), ("Content-Type", content)]
    assert answer == Answer("206 Partial Content", headers, body)


def test_a_range_of_head_has_no_body(folder):
    answer = ask(folder, "/a.txt", "HEAD", range="bytes=1-3")

    assert (answer.code, answer.body) == (206, b"")


def test_a_range_that_is_not_there(folder):
    assert ask(folder, "/a.txt", range="bytes=5-").code == 416


@pytest.mark.parametrize(
    ("target", "location"),
    [
        pytest.param("/d", "http://localhost/d/", id="plain"),
        pytest.param("/d?a=b", "http://localhost/d/?a=b", id="with a query"),
    ],
)
def test_a_directory_is_sent_to_its_slash(folder, target, location):
    answer = ask(folder, target)

    assert (answer.code, dict(answer.headers)["Location"]) == (301, location)


def test_an_index_that_is_a_directory_is_sent_to_its_own_slash(folder):
    answer = ask(folder, "/?a=b", options=FileOptions(index=("none", "d", "a.txt")))

    assert (answer.code, dict(answer.headers)["Location"]) == (301, "http://localhost/d/?a=b")


def test_an_index_that_is_refused_is_so_only_where_there_is_no_other(folder):
    (folder / "dangling").symlink_to("none")

    codes = [
        ask(folder, "/", options=FileOptions(index=index)).code
        for index in (("dangling",), ("dangling", "none"), ("dangling", "a.txt"))
    ]

    assert codes == [403, 403, 200]


@pytest.mark.parametrize(
    ("target", "index", "code", "body"),
    [
        pytest.param("/d/", ("index.html",), 200, b"<p>index", id="its index"),
        pytest.param("/d/", ("none", "index.html"), 200, b"<p>index", id="the first that is there"),
        pytest.param("/d/", ("none",), 403, None, id="no index"),
        pytest.param("/d/", (), 403, None, id="none wanted"),
        pytest.param("/empty/", ("../a.txt",), 200, b"hello", id="one beside it"),
    ],
)
def test_a_directory(folder, target, index, code, body):
    answer = ask(folder, target, options=FileOptions(index=index))

    assert (answer.code, body or answer.body) == (code, answer.body)


@pytest.mark.parametrize(
    ("method", "code"),
    [
        pytest.param("OPTIONS", 200, id="what is allowed"),
        pytest.param("PUT", 405, id="a method that Apache knows"),
        pytest.param("TRACE", 405, id="an echo"),
        pytest.param("FOO", 501, id="a method that nobody knows"),
        pytest.param("get", 501, id="a method in small letters"),
    ],
)
@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")
@pytest.mark.parametrize("target", ["/a.txt", "/none.txt", "/d/"])
def test_methods(folder, target, method, code):
    answer = ask(folder, target, method)

    assert (answer.code, dict(answer.headers)["Allow"]) == (code, "HEAD,GET,POST,OPTIONS")


@pytest.mark.parametrize(
    ("target", "code"),
    [
        pytest.param("/none", 404, id="nothing"),
        pytest.param("/a.txt/", 404, id="a slash behind a file"),
        pytest.param("/a.txt/x", 404, id="a path behind a file"),
        pytest.param("/.htpasswd", 403, id="a file of passwords"),
        pytest.param("/d/.htaccess", 403, id="Apache's own file"),
    ],
)
def test_what_is_not_served(folder, target, code):
    write(folder, ".htpasswd", b"secret")

    answer = ask(folder, target)

    assert (answer.code, b"secret" in answer.body) == (code, False)


@pytest.mark.parametrize("trick", TRICKS)
def test_no_trick_leads_out_of_the_folder(folder, trick):
    write(folder.parent, "secret.txt", b"secret")

    answer = ask(folder, f"/d/{trick}", roots=(str(folder),))

    assert (answer.code in (301, 400, 403, 404), b"secret" in answer.body) == (True, False)


@pytest.mark.parametrize(
    ("accept_encoding", "coding", "body"),
    [
        pytest.param("gzip, br", "br", b"br", id="the best"),
        pytest.param("gzip", "gzip", b"gz", id="the other"),
        pytest.param("", None, b"let it = be", id="none"),
        pytest.param("gzip;q=0", None, b"let it = be", id="all but one"),
    ],
)
def test_a_compressed_file_answers_for_another(folder, accept_encoding, coding, body):
    write(folder, "app.js.br", b"br")
    write(folder, "app.js.gz", b"gz")

    answer = ask(
        folder, "/app.js", options=FileOptions(precompressed=True), accept_encoding=accept_encoding
    )

    headers = dict(answer.headers)
    told = headers["Content-Type"], headers["Vary"], headers.get("Content-Encoding"), answer.body
    assert told == ("text/javascript", "Accept-Encoding", coding, body)


def test_a_folder_called_as_a_compressed_file_does_not_answer(folder):
    (folder / "app.js.br").mkdir()
    write(folder, "app.js.gz", b"gz")

    answer = ask(
        folder, "/app.js", options=FileOptions(precompressed=True), accept_encoding="br, gzip"
    )

    assert answer.body == b"gz"


def test_a_file_without_compressed_ones_answers_itself(folder):
    answer = ask(folder, "/app.js", options=FileOptions(precompressed=True), accept_encoding="*")

    assert answer.body == b"let it = be"


def test_a_compressed_file_that_is_older_does_not_answer(folder):
    write(folder, "app.js.gz", gzip.compress(b"old"), MTIME - 1)

    answer = ask(folder, "/app.js", options=FileOptions(precompressed=True), accept_encoding="gzip")

    assert answer.body == b"let it = be"


def test_a_compressed_file_is_looked_for_only_where_that_is_asked_for(folder):
    write(folder, "app.js.gz", b"gz")

    assert ask(folder, "/app.js", accept_encoding="gzip").body == b"let it = be"


def test_a_compressed_file_that_leads_elsewhere_is_refused_as_any(folder):
    (folder / "app.js.gz").symlink_to("a.txt")
    environ = make_environ("/app.js", HTTP_ACCEPT_ENCODING="gzip")
    options = FileOptions(precompressed=True)

    answer = call(partial(application, folder, options=options, follow_symlinks=False), environ)

    assert answer.body == b"let it = be"


def test_a_small_file_that_becomes_shorter_is_told_as_it_is_then(folder, monkeypatch):
    read = bodies.read_small

    def shortening(descriptor, size):
        if size == 5:
            write(folder, "a.txt", b"he")
        return read(descriptor, size)

    monkeypatch.setattr(sending, "read_small", shortening)

    answer = ask(folder, "/a.txt")

    headers = [*state(2), ("Content-Length", "2"), ("Content-Type", "text/plain")]
    assert answer == Answer("200 OK", headers, b"he")


def test_a_small_file_that_never_keeps_its_length_is_unavailable(folder, monkeypatch):
    monkeypatch.setattr(sending, "read_small", lambda descriptor, size: None)

    assert ask(folder, "/a.txt").code == 503


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({}, id="by the server's means"),
        pytest.param({"HTTP_RANGE": "bytes=5-"}, id="in part"),
        pytest.param({"uwsgi.version": b"2"}, id="piece by piece"),
    ],
)
def test_a_large_file_that_becomes_shorter_is_an_error(folder, environ):
    headers = []
    body = application(
        folder, make_environ("/large.txt") | environ, lambda *told: headers.append(told)
    )
    os.truncate(folder / "large.txt", 100)

    with pytest.raises(FileCutShort) as caught:
        send(body)

    assert str(caught.value) == f"{folder}/large.txt was shortened while it was sent"


def test_a_large_file_that_grows_is_sent_as_it_was(folder):
    before = (folder / "large.txt").read_bytes()
    body = application(folder, make_environ("/large.txt"), lambda *told: None)
    with (folder / "large.txt").open("ab") as file:
        file.write(b"more")

    sent = send(body)

    assert sent == before


def test_a_file_that_is_replaced_is_sent_as_it_was(folder):
    before = (folder / "large.txt").read_bytes()
    body = application(folder, make_environ("/large.txt"), lambda *told: None)
    write(folder, "new", b"new")
    os.replace(folder / "new", folder / "large.txt")

    sent = send(body)

    assert sent == before


def test_a_body_that_no_server_reads_is_closed(folder):
    body = application(folder, make_environ("/large.txt", HTTP_RANGE="bytes=5-"), lambda *_: None)

    body.close()


def test_a_sparse_file_of_5_gigabytes(folder):
    with (folder / "sparse.bin").open("wb") as file:
        file.truncate(5 << 30)
    os.utime(folder / "sparse.bin", (MTIME, MTIME))

    whole = ask(folder, "/sparse.bin", "HEAD")
    end = ask(folder, "/sparse.bin", range="bytes=5368709110-")

    told = dict(whole.headers)["Content-Length"], dict(end.headers)["Content-Range"], end.body
    assert told == ("5368709120", "bytes 5368709110-5368709119/5368709120", bytes(10))


def test_a_refusal_is_logged_in_one_line(folder, caplog):
    caplog.set_level("INFO", "django_wsgimatch")

    ask(folder, "/none%0Ax")

    assert caplog.messages == [r"'/none\nx': File does not exist"]


def test_a_wrapper_that_fails_leaves_nothing_open(folder):
    environ = make_environ("/large.txt")
    environ["wsgi.file_wrapper"] = len

    with pytest.raises(TypeError):
        application(folder, environ, lambda *told: None)


def test_a_server_that_refuses_the_headers_leaves_nothing_open(folder):
    with pytest.raises(TypeError):
        application(folder, make_environ("/large.txt"), lambda: None)


def test_a_wrapper_is_given_a_file_with_its_descriptor(folder):
    given: list[SentFile] = []
    environ = make_environ("/large.txt")

    def wrapper(file, size):
        given.append(file)
        return [b""]

    body = application(folder, environ | {"wsgi.file_wrapper": wrapper}, lambda *told: None)

    [file] = given
    assert body == [b""]
    assert os.fstat(file.fileno()).st_size == os.stat(folder / "large.txt").st_size
    file.abandon()
