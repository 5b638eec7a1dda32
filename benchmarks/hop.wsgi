"""
What benchmarks.groups asks for: 2 KiB, 100 KiB, a body read, a file of 10 MiB.

Below /floor it asks benchmarks.floor for the same number of bytes, instead of making them. And
it tells which Python runs it.
"""

import os
import sys
from wsgiref.util import FileWrapper

SMALL = b"x" * 2048
OTHERS = {"large": b"y" * 102400, "python": sys.version.encode()}
FILE = os.environ.get("WSGIMATCH_BENCH_FILE", "/nowhere")
FLOOR = os.environ.get("WSGIMATCH_BENCH_FLOOR", "")


def application(environ, start_response):
    what = environ["PATH_INFO"].rpartition("/")[2]
    headers = [("Content-Type", "text/plain")]
    if what == "file":
        path = environ.get("HTTP_X_FILE") or FILE
        headers.append(("Content-Length", str(os.path.getsize(path))))
        start_response("200 OK", headers)
        # granian has none.
        wrap = environ.get("wsgi.file_wrapper", FileWrapper)
        return wrap(open(path, "rb"), 65536)
    body = OTHERS.get(what, SMALL)
    given = environ["wsgi.input"].read() if what == "post" else b""
    if what == "post":
        body = str(len(given)).encode()
    if environ["SCRIPT_NAME"] == "/floor":
        # Here, as Apache has no such module to import.
        from benchmarks.floor import ask

        body = ask(FLOOR, given, len(body))
    start_response("200 OK", [*headers, ("Content-Length", str(len(body)))])
    return [body]
