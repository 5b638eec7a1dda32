version = 0


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(version).encode()]
