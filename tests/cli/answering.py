"""Sites that answer what a function says, and a configuration to ask them of."""

from __future__ import annotations

import contextlib
import socketserver
import threading

CONFIGURATION = """\
WSGIScriptAlias /app /srv/app.wsgi
<Location /app/x>
Require all denied
</Location>
"""


@contextlib.contextmanager
def site(answer):
    """A site that answers so, given a request's head."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            head = ""
            while line := self.rfile.readline().decode():
                head += line
                if line != "\r\n":
                    continue
                status, body = answer(head)
                head = ""
                self.wfile.write(
                    b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)
                )

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads, server.block_on_close = True, False
        threading.Thread(target=server.serve_forever, args=[0.02]).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
