"""A script that reads the body as X-Read says, and answers with all that it was told as X-Reply says."""

import hashlib
import io
import json
import sys
import tempfile

FIXED = b"0123456789" * 5


def pieces(source, size):
    while piece := source.read(size):
        yield piece


READ = {
    "read": lambda source: [source.read()],
    "read-in-pieces": lambda source: pieces(source, 8192),
    "read-in-small-pieces": lambda source: pieces(source, 777),
    "readline": lambda source: iter(source.readline, b""),
    "readline-limited": lambda source: iter(lambda: source.readline(100), b""),
    "readlines": lambda source: source.readlines(),
    "iterate": lambda source: source,
    "past-the-end": lambda source: [source.read(), source.read(), source.read(10)],
    "partly": lambda source: [source.read(10)],
    "a-line": lambda source: [source.readline()],
    "not-at-all": lambda source: [],
}


def read_body(source, how):
    digest, length, lines = hashlib.sha256(), 0, 0
    for piece in READ[how](source):
        digest.update(piece)
        length += len(piece)
        lines += "line" in how or how == "iterate"
    return {"length": length, "lines": lines, "sha256": digest.hexdigest()}


def described(key, value):
    if isinstance(value, (str, bool, int)):
        return [type(value).__name__, value]
    if isinstance(value, tuple):
        return ["tuple", list(value)]
    if key == "wsgi.input":
        return [type(value).__name__, [hasattr(value, name) for name in METHODS]]
    if key == "wsgi.errors":
        value.flush()
        return ["errors", [hasattr(value, name) for name in ("write", "writelines", "flush")]]
    return ["callable" if callable(value) else type(value).__name__, None]


METHODS = ("read", "readline", "readlines", "__iter__")


def application(environ, start_response):
    how = environ.get("HTTP_X_READ", "read")
    told = {
        "environ": {key: described(key, value) for key, value in environ.items()},
        "body": read_body(environ["wsgi.input"], how),
    }
    body = json.dumps(told).encode()
    name = environ.get("HTTP_X_REPLY", "list")

    def start(status, headers, exc_info=None):
        # So the answer can be told from a server's error page.
        return start_response(status, [("X-Replied", name), *headers], exc_info)

    return REPLY[name](environ, start, body)


HEADERS = [("Content-Type", "application/json")]


def sized(body):
    return [*HEADERS, ("Content-Length", str(len(body)))]


def reply_list(environ, start_response, body):
    start_response("200 OK", sized(body))
    return [body]


def reply_without_length(environ, start_response, body):
    start_response("200 OK", HEADERS)
    return [body[:100], b"", body[100:]]


def reply_generator(environ, start_response, body):
    start_response("201 Created", HEADERS)
    for start in range(0, len(body), 50):
        yield body[start : start + 50]


def reply_late(environ, start_response, body):
    yield b""
    start_response("200 OK", HEADERS)
    yield body


def reply_write(environ, start_response, body):
    write = start_response("200 OK", HEADERS)
    write(body[:10])
    write(b"")
    write(body[10:20])
    return [body[20:]]


def reply_file(environ, start_response, body):
    file = tempfile.TemporaryFile()
    file.write(b"not this" + body)
    file.flush()
    file.seek(8)
    start_response("200 OK", sized(body))
    return environ["wsgi.file_wrapper"](file, 1000)


def reply_file_without_length(environ, start_response, body):
    file = tempfile.TemporaryFile()
    file.write(body)
    file.seek(0)
    start_response("200 OK", HEADERS)
    return environ["wsgi.file_wrapper"](file)


def reply_bytes_file(environ, start_response, body):
    start_response("200 OK", HEADERS)
    return environ["wsgi.file_wrapper"](io.BytesIO(body), 100)


def reply_empty(environ, start_response, body):
    start_response("200 OK", [("Content-Length", "0"), ("X-Empty", "")])
    return []


def reply_204(environ, start_response, body):
    start_response("204 No Content", [("X-Kind", "nothing")])
    return []


def reply_304(environ, start_response, body):
    start_response("304 Not Modified", [("ETag", '"abc"')])
    return []


def reply_odd_status(environ, start_response, body):
    start_response("299 Quite odd", [*sized(body), ("X-Latin", "caf\xe9")])
    return [body]


def reply_404(environ, start_response, body):
    start_response("404 Not Found", sized(body))
    return [body]


def reply_redirect(environ, start_response, body):
    start_response("302 Found", [*sized(body), ("Location", "/elsewhere?a=b")])
    return [body]


def reply_restart(environ, start_response, body):
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-First", "gone")])
    try:
        raise ValueError("on purpose")
    except ValueError:
        start_response("503 Later", sized(body), sys.exc_info())
    return [body]


def reply_duplicates(environ, start_response, body):
    cookies = [("Set-Cookie", f"{name}=1; Path=/") for name in "abc"]
    start_response("200 OK", [*sized(body), *cookies, ("X-Twice", "1"), ("X-Twice", "2")])
    return [body]


def reply_long(environ, start_response, body):
    start_response("200 OK", [*sized(body), ("X-Long", "x" * 7000), ("X-Many", "y" * 4000)])
    return [body]


def reply_cut(environ, start_response, body):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "20")])
    return [FIXED[:15], FIXED[15:]]


def reply_raise(environ, start_response, body):
    raise ValueError("on purpose")


def reply_raise_late(environ, start_response, body):
    start_response("200 OK", HEADERS)
    raise ValueError("on purpose")


class Closing:
    """An iterable whose close() says so in the script's own memory."""

    closed = 0

    def __init__(self, body):
        self.body = iter([body])

    def __iter__(self):
        return self.body

    def close(self):
        Closing.closed += 1


def reply_closing(environ, start_response, body):
    start_response("200 OK", sized(body))
    return Closing(body)


REPLY = {
    name.removeprefix("reply_").replace("_", "-"): function
    for name, function in list(globals().items())
    if name.startswith("reply_")
}
