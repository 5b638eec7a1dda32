"""The smallest application: it greets whoever the rest of the URL names."""


def application(environ, start_response):
    name = environ["PATH_INFO"].strip("/").encode("latin-1").decode(errors="replace") or "world"
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"Hello, {name}!\n".encode()]
