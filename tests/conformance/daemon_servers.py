"""Apache with a mod_wsgi daemon process, and ours, with the same script behind the same aliases."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from string import Template

from tests.support.groups import sockets_of
from tests.support.oracle import (
    APACHE,
    ApacheFailed,
    answers,
    end_session,
    free_port,
    small_configuration,
)
from tests.support.raw_http import Address
from tests.support.servers import PYTHON, environment, start, stop, wait_for
from tests.support.trees import open_directory

ECHO = Path(__file__).parents[1] / "applications" / "daemon" / "echo.wsgi"

APACHE_CONFIGURATION = Template("""\
LogLevel error
ServerLimit 1
ThreadsPerChild 8
MaxRequestWorkers 8
WSGISocketPrefix "$directory/wsgi"
WSGIDaemonProcess blog threads=4
WSGIChunkedRequest On
WSGIPassAuthorization On
WSGIScriptAlias /app "$directory/echo.wsgi" process-group=blog
WSGIScriptAliasMatch "^/some(thing|one)" "$directory/echo.wsgi/$$1" process-group=blog
""")
SETTINGS = """\
from pathlib import Path
from django_wsgimatch import script_alias, script_alias_match

BASE_DIR = Path(__file__).parent
SECRET_KEY = "only for the tests"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django_wsgimatch"]
ROOT_URLCONF = "urls"
USE_TZ = True
WSGIMATCH_FALLBACK = None
WSGIMATCH_SERVER_NAME = "localhost"
WSGIMATCH_SERVER_PORTS = "any"
WSGIMATCH_SOCKET_DIRECTORY = {sockets!r}
WSGIMATCH_PASS_AUTHORIZATION = True
WSGIMATCH_SCRIPT_RELOAD_INTERVAL = 0
WSGIMATCH_APPLICATION_GROUP = "%{{RESOURCE}}"
WSGIMATCH_PROCESS_GROUPS = {{"blog": {{"threads": 4}}}}
GLOBAL = "%{{GLOBAL}}"
WSGIMATCH_ALIASES = [
    script_alias("/app", "echo.wsgi", process_group="blog"),
    script_alias_match("^/some(thing|one)", "echo.wsgi/$1", process_group="blog"),
    script_alias("/grp", "echo.wsgi", process_group="blog", application_group=GLOBAL),
    script_alias("/emb", "echo.wsgi", application_group=GLOBAL),
]
"""
ENTRY = "django_wsgimatch.wsgi:application"
GUNICORN = [
    *(*PYTHON, "-m", "gunicorn", "--no-control-socket", "--bind", "127.0.0.1:{port}"),
    *("--threads", "4", "--permit-unconventional-http-method", ENTRY),
]
GRANIAN = [
    *(*PYTHON, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}"),
    *("--blocking-threads", "4", ENTRY),
]
WAITRESS = [*PYTHON, "-m", "waitress", "--host", "127.0.0.1", "--port", "{port}", ENTRY]
FRONTS = {"gunicorn": GUNICORN, "granian": GRANIAN, "waitress": WAITRESS}


@contextmanager
def apache(directory: Path) -> Iterator[Address]:
    """Run Apache, and its daemon process, for the time of a ``with`` block."""
    with ExitStack() as stack:
        port = free_port()
        configuration = directory / "httpd.conf"
        own = APACHE_CONFIGURATION.substitute(directory=directory)
        configuration.write_text(small_configuration(directory, port) + own)
        log = stack.enter_context((directory / "error.log").open("w"))
        process = subprocess.Popen(
            [str(APACHE), "-D", "FOREGROUND", "-f", str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        stack.callback(end_session, process)
        while not answers(port):
            if process.poll() is not None:
                raise ApacheFailed((directory / "error.log").read_text())
        yield ("127.0.0.1", port)


@contextmanager
def ours(project: Path, front: str = "gunicorn") -> Iterator[Address]:
    """Run a server with django-wsgimatch for the time of a ``with`` block."""
    sockets = sockets_of(project)
    (project / "settings.py").write_text(SETTINGS.format(sockets=str(sockets)))
    (project / "urls.py").write_text("urlpatterns = []\n")
    port = free_port()
    log = project / "server.log"
    command = [word.replace("{port}", str(port)) for word in FRONTS[front]]
    process = start(command, project, log, environment())
    try:
        wait_for(process, log, lambda: answers(port))
        yield ("127.0.0.1", port)
    finally:
        stop(process)
        shutil.rmtree(sockets, ignore_errors=True)


@contextmanager
def folder() -> Iterator[Path]:
    """A folder with the script in it, for all the servers that are compared."""
    with open_directory() as directory:
        shutil.copy(ECHO, directory)
        yield directory
