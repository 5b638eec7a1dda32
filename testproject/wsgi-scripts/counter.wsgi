"""Counts the requests since the script was loaded: save the file, and it starts again."""

from itertools import count

visits = count(1)


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"request {next(visits)} since {__name__} was loaded\n".encode()]
