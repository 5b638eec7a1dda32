"""Asks Django projects about themselves, each in a process such as it runs in."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ..daemon import boot
from ..daemon.spec import GroupSpec
from ..daemon.starting import account_of, environment_of, python_of
from ..exceptions import SettingError

# How long a project may take to load and answer, in seconds.
SECONDS = 30.0
# So many are asked at a time.
AT_A_TIME = os.cpu_count() or 1

_RUN = (
    "import sys; sys.path[:] = [path for path in sys.path if path]; names = {'__name__': 'boot'}; "
    "exec(compile(open(sys.argv[1]).read(), sys.argv[1], 'exec'), names); "
    "sys.meta_path.insert(0, names['ServerPackages']({'django_wsgimatch': sys.argv[2]})); "
    "from django_wsgimatch.diagnose.inside import main; main()"
)


@dataclass(frozen=True, slots=True)
class Question:
    """What a project is asked about: how a URL reaches it, and whether to try its login."""

    script_name: str
    path_info: str
    logins: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What a project makes of one URL.

    ``view`` is the view's dotted name, ``appended`` where APPEND_SLASH redirects to. ``settings``
    holds the URLs among the settings and ``names`` those of the URLconf, all under the
    SCRIPT_NAME of the question. ``redirects`` says where those who have to log in are sent.
    """

    view: str | None = None
    appended: str | None = None
    settings: Mapping[str, str | None] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    redirects: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """
    What a project has told of itself; ``error`` says why it has told nothing.

    ``secret`` is the same for two projects with the same SECRET_KEY; ``segments`` are the
    beginnings of its URLconf's patterns.
    """

    error: str = ""
    is_django: bool = False
    settings_module: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    secret: str = ""
    segments: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """
    What is asked: a script in a place, or the server's own project where ``script`` is "".

    ``python`` is the server's, ``package`` where this package lies. ``settings_module`` is the
    DJANGO_SETTINGS_MODULE that the place's processes have from the start.
    """

    spec: GroupSpec
    script: str
    callable_object: str
    settings_module: str | None
    python: str
    package: str


def ask_all(asked: Iterable[tuple[Project, tuple[Question, ...]]]) -> Iterator[Told]:
    """Yield what projects tell, a few at a time, in order."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield from pool.map(lambda each: ask(*each), list(asked))


def ask(project: Project, questions: tuple[Question, ...]) -> Told:
    """Have a project answer questions, in a process of its own."""
    options = project.spec.options
    try:
        account = account_of(options)
    except SettingError as error:
        return Told(error=str(error))
    environ = environment_of(options, account)
    if project.settings_module:
        environ["DJANGO_SETTINGS_MODULE"] = project.settings_module
    asked = {
        "script": project.script,
        "callable_object": project.callable_object,
        "settings": project.settings_module,
        "sys_path": project.spec.sys_path,
        "python_path": options.python_path,
        "questions": [
            {"script_name": q.script_name, "path_info": q.path_info, "logins": q.logins}
            for q in questions
        ],
    }
    try:
        done = subprocess.run(
            [python_of(options, project.python), "-c", _RUN, boot.__file__, project.package],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            errors="backslashreplace",
            env=environ,
            cwd=options.home or project.spec.directory,
            timeout=SECONDS,
            check=False,
            user=account.user if account is not None else None,
            group=account.group if account is not None else None,
            extra_groups=account.groups if account is not None else None,
        )
    except subprocess.TimeoutExpired:
        return Told(error=f"it takes more than {SECONDS:g} s")
    except OSError as error:
        return Told(error=str(error))
    return _told(done)


def _told(done: subprocess.CompletedProcess[str]) -> Told:
    try:
        said = json.loads(done.stdout)
    except ValueError:
        lines = done.stderr.strip().splitlines()
        return Told(error=lines[-1] if lines else f"it ended with status {done.returncode}")
    answers = tuple(Answer(**_given(Answer, each)) for each in said.pop("answers", ()))
    return Told(**{**said, "segments": tuple(said.get("segments", ())), "answers": answers})


def _given(kind: type, value: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in value.items() if name in kind.__dataclass_fields__}  # type: ignore[attr-defined]
