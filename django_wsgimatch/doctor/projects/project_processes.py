"""Asks Django projects about themselves, each in a process such as it runs in."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import django_wsgimatch

from ...daemon.group import boot
from ...daemon.group_spec import GroupSpec
from ...daemon.manager.starting import account_of, environment_of, python_of
from ...exceptions import SettingError
from ..findings.project_report import Told, read_told
from ..processes.bounded import Bounds, Program, run_bounded
from ..programs.text import program_text

# How long a project may take to load and answer, in seconds.
SECONDS = 30.0
# How long its answer may be, in bytes: for the project, for each question, and in all.
BASE_OUTPUT = 256 << 10
OUTPUT_EACH = 32 << 10
MOST_OUTPUT = 8 << 20
# So many are asked at a time.
AT_A_TIME = os.cpu_count() or 1
# The folder that holds this package.
_PACKAGES = os.path.dirname(os.path.dirname(os.path.abspath(django_wsgimatch.__file__)))


@dataclass(frozen=True, slots=True)
class Question:
    """What a project is asked about: how a URL reaches it, and whether to try its login."""

    script_name: str
    path_info: str
    logins: bool = False


@dataclass(frozen=True, slots=True)
class Project:
    """
    What is asked: a script in a place, or the server's own project where ``script`` is "".

    ``python`` is the server's. ``settings_module`` is the DJANGO_SETTINGS_MODULE that the place's
    processes have from the start. It has so many ``seconds`` to load and answer, None for SECONDS.
    """

    spec: GroupSpec
    script: str
    callable_object: str
    settings_module: str | None
    python: str
    seconds: float | None = None


def ask_all(asked: Iterable[tuple[Project, tuple[Question, ...]]]) -> Iterator[Told]:
    """Yield what projects tell, a few at a time, in order."""
    stop = threading.Event()
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        try:
            yield from pool.map(lambda each: ask_project(each[0], each[1], stop), list(asked))
        finally:
            # An interrupted command does not wait for the projects that are still being asked.
            stop.set()


def ask_project(
    project: Project, questions: tuple[Question, ...], stop: threading.Event | None = None
) -> Told:
    """Have a project answer questions, in a process of its own; ``stop`` ends it."""
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
        "is_named": bool(options.settings),
        "sys_path": project.spec.sys_path,
        "python_path": options.python_path,
        "questions": [asdict(question) for question in questions],
    }
    text = program_text("run_inside", os.path.dirname(__file__))
    program = Program(
        [python_of(options, project.python), "-c", text, boot.__file__, _PACKAGES],
        environ,
        options.home or project.spec.directory,
        account,
    )
    most_output = min(BASE_OUTPUT + OUTPUT_EACH * len(questions), MOST_OUTPUT)
    bounds = Bounds(project.seconds or SECONDS, most_output, stop or threading.Event())
    done = run_bounded(program, bounds, json.dumps(asked).encode())
    if not done.output:
        return Told(error=done.reason, is_late=done.is_late)
    return read_told(done.output)
