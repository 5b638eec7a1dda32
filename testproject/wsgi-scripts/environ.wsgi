"""Shows the WSGI environ that the application is called with."""


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    # A visitor's cookies and credentials are no part of the show.
    shown = sorted(environ.keys() - {"HTTP_COOKIE", "HTTP_AUTHORIZATION"})
    return [f"{name} = {quoted(environ[name])}\n".encode() for name in shown]


def quoted(value):
    return f'"{value}"' if isinstance(value, str) else repr(value)
