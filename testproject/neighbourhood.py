"""What the neighbours of the site need before they can be served."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

PROGRAM = "import sys; print('{}.{}'.format(*sys.version_info))"


def prepare_guestbook() -> None:
    """Make the guestbook's database; its settings are asked in a process of their own."""
    groups: Any = settings.WSGIMATCH_PROCESS_GROUPS
    group = groups["guestbook"]
    environ = {**os.environ, **group["environment"]}
    environ["DJANGO_SETTINGS_MODULE"] = group["settings"]
    subprocess.run(
        [sys.executable, "-m", "django", "migrate", "--verbosity", "0"],
        cwd=settings.BASE_DIR / group["home"],
        env=environ,
        check=True,
    )


def prepare_elsewhere(*, build: bool) -> str:
    """Make a virtual environment of another Python, if there is one; say what there is."""
    python = settings.ELSEWHERE / "bin/python"
    if python.exists():
        return f"Python {version(str(python))}"
    other = next(other_pythons(), sys.executable) if build else None
    if other is None or not make_environment(other):
        return "the server's own Python: no virtual environment was made"
    return f"Python {version(other)}, in {settings.ELSEWHERE}"


def make_environment(python: str) -> bool:
    """Make the virtual environment with Django in it and nothing else; leave none half made."""
    commands = [
        [python, "-m", "venv", str(settings.ELSEWHERE)],
        [str(settings.ELSEWHERE / "bin/python"), "-m", "pip", "install", "--quiet", "Django>=5.2"],
    ]
    for command in commands:
        if subprocess.run(command, capture_output=True, check=False).returncode:
            shutil.rmtree(settings.ELSEWHERE, ignore_errors=True)
            return False
    return True


def other_pythons() -> Iterator[str]:
    """Yield Pythons of other versions, the newest first: on the PATH, or pyenv's."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    for minor in range(14, 9, -1):
        named = shutil.which(f"python3.{minor}")
        for command in [named, *map(str, versions.glob(f"3.{minor}.*/bin/python3"))]:
            if command and version(command) not in ("", own):
                yield command


def version(python: str) -> str:
    """Return a Python's version, "" for a command that does not run."""
    done = subprocess.run([python, "-c", PROGRAM], capture_output=True, text=True, check=False)
    return done.stdout.strip()
