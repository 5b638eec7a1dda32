"""A site whose group loads slowly, and what is deployed to it."""

from __future__ import annotations

import os
from contextlib import contextmanager

from tests.support.groups import site

# Loads for as long as there is a file, and tells which code it has read by then.
SLOW = """\
import json, os, time
from pathlib import Path
import part

HERE = Path(__file__).parent
with open(HERE / "loads", "a") as loads:
    loads.write(f"{os.getpid()} {part.VERSION}\\n")
while (HERE / "hold").exists():
    time.sleep(0.01)


def application(environ, start_response):
    start_response("200 OK", [])
    return [json.dumps({"version": part.VERSION, "pid": os.getpid()}).encode()]
"""
BOOT = 'script_alias("/blog", "app.wsgi", process_group="blog", application_group="%{GLOBAL}"),\n'
AGAIN = "will be replaced once more"


class Deployed:
    """A site whose group loads slowly, and what is deployed to it."""

    def __init__(self, at):
        self.at, self.project = at, at.project

    def deploy(self, version):
        deploy(self.project, version)

    def hold(self):
        (self.project / "hold").touch()

    def release(self):
        (self.project / "hold").unlink()

    @property
    def loads(self):
        file = self.project / "loads"
        return [line.split()[1] for line in file.read_text().splitlines()] if file.exists() else []

    def restart(self):
        self.at.order(do="restart", name="blog")

    def hup(self):
        self.at.hup()

    def touch(self):
        os.utime(self.project / "app.wsgi")
        self.at.told("/blog")


def put(file, text):
    """
    Put a version of a file of a site that runs in place in one step, as a deployment does.

    A process may load the file at any time: of one that is being written it would load a part.
    """
    new = file.with_name(f"{file.name}.new")
    new.write_text(text)
    new.replace(file)


def deploy(project, version):
    (project / "lib").mkdir(exist_ok=True)
    put(project / "lib/part.py", f"VERSION = {version!r}\n")


@contextmanager
def deployed(path, *, is_held=False, **options):
    (path / "app.wsgi").write_text(SLOW)
    deploy(path, "1")
    if is_held:
        (path / "hold").touch()
    options = {"python_path": [str(path / "lib")], **options}
    # So that the next request notices what a test has touched.
    more = "WSGIMATCH_SCRIPT_RELOAD_INTERVAL = 0\n"
    with site(path, options, aliases=BOOT, more=more) as at:
        yield Deployed(at)
