"""Somebody follows the tutorial: writes each file, types each command, compares each output."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.support.documentation import Block, blocks, commands
from tests.support.groups import wait_until
from tests.support.servers import GUNICORN, Server, environment, running


class Reader:
    """Somebody who does what the tutorial says, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        python = str(Path(sys.executable).parent)
        self.environ = environment(None, PATH=f"{python}{os.pathsep}{os.environ['PATH']}")

    def follow(self, block: Block, server: Server | None) -> None:
        """Write a file, or type commands and compare what they print."""
        if block.language == "python":
            self.write(block)
        for command, expected in commands(block.text) if block.language == "console" else ():
            if server is None:
                printed = self.type(command)
                assert same(expected, printed), f"$ {command}\n{printed}"
            else:
                # A script that has just been changed is looked at within a second.
                answers = partial(self.answers, server, command, expected)
                wait_until(answers, 15, partial(self.ask, server, command))

    def write(self, block: Block) -> None:
        path = self.folder / block.caption
        # What the tutorial says of the settings goes to their end, a script is written anew.
        kept = path.read_text() if path.name == "settings.py" else ""
        path.write_text(kept + block.text)

    def type(self, command: str) -> str:
        done = subprocess.run(
            command,
            shell=True,
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.stdout.replace(str(self.folder), "/home/me/tutorial")

    def answers(self, server: Server, command: str, expected: str) -> bool:
        return same(expected, self.ask(server, command))

    def ask(self, server: Server, command: str) -> str:
        url = command.removeprefix("curl http://127.0.0.1:8000")
        return server.get(url.encode()).body.decode()


def same(expected: str, printed: str) -> bool:
    return doctest.OutputChecker().check_output(expected, printed, doctest.ELLIPSIS)


def test_tutorial_does_what_it_says(tmp_path):
    reader = Reader(tmp_path)
    install, *steps = [b for b in blocks("tutorial.rst") if b.language in ("console", "python")]
    [start] = [position for position, step in enumerate(steps) if "$ gunicorn" in step.text]
    [end] = [n for n, step in enumerate(steps) if "WSGIMATCH_ALIASES +=" in step.text]

    assert "pip install" in install.text
    for step in steps[:start]:
        reader.follow(step, None)
    with running([*GUNICORN, "django_wsgimatch.wsgi"], tmp_path, reader.environ) as server:
        for step in steps[start + 1 : end]:
            reader.follow(step, server)
    for step in steps[end:]:
        reader.follow(step, None)
