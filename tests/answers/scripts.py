"""Scripts that the tests of answers ask."""

from __future__ import annotations

# Answers with what the request asks for: a status, headers, and what its environ holds.
OBEDIENT = """\
import json

def application(environ, start_response):
    headers = [("Content-Type", environ.get("HTTP_X_TYPE", "application/json"))]
    own = environ.get("HTTP_X_SEND", "").split(";")
    headers += [tuple(each.split("=", 1)) for each in own if each]
    start_response(environ.get("HTTP_X_STATUS", "200 OK"), headers)
    said = {name: value for name, value in sorted(environ.items()) if type(value) is str}
    said["body"] = environ["wsgi.input"].read(1000).decode()
    return [json.dumps(said).encode()]
"""
