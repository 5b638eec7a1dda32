"""
What the installed Apache makes of a configuration, by mod_info's DUMP_CONFIG.

Directives that Apache follows while it reads, such as Define and Include, are not in its list.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tests.support.oracle import APACHE, INSTALLED, MODULES, ApacheFailed

READABLE = INSTALLED and all((MODULES / f"mod_{name}.so").exists() for name in ("info", "macro"))
LOADED = ("mpm_event", "authz_core", "info", "macro", "env", "alias", "wsgi")
ENVIRONMENT = {"E": "e f", "U": "UnsetEnv"}
FOLLOWED = frozenset(
    ("define", "undefine", "include", "includeoptional", "use", "undefmacro", "serverroot")
)
HEAD = """\
ServerRoot "{directory}"
{modules}
ServerName main.test
Listen 127.0.0.1:9
PidFile "{directory}/pid"
ErrorLog "{directory}/error.log"
Include main.conf
"""


@dataclass(frozen=True, slots=True)
class Dumped:
    """A directive of the list, with the sections around it; names in lower case."""

    name: str
    arguments: str
    sections: tuple[tuple[str, str], ...]
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Dump:
    """The list for what ``main.conf`` holds; ``refusal`` is Apache's message, "" if it has none."""

    text: str
    directives: tuple[Dumped, ...]
    refusal: str


@lru_cache
def version() -> str:
    said = subprocess.run([APACHE, "-v"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"Apache/([0-9.]+)", said)
    if found is None:
        raise ApacheFailed(said)
    return found[1]


def write_files(directory: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("latin-1"))


def dump(directory: Path) -> Dump:
    """Let Apache read ``main.conf`` in a directory."""
    modules = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in LOADED)
    head = directory / "httpd.conf"
    head.write_text(HEAD.format(directory=directory, modules=modules))
    told = subprocess.run(
        [APACHE, "-t", "-D", "DUMP_CONFIG", "-f", head],
        capture_output=True,
        check=False,
        env=ENVIRONMENT,
    )
    text = told.stdout.decode("latin-1")
    refusal = told.stderr.decode("latin-1") if told.returncode else ""
    return Dump(text, tuple(each for each in parsed(text) if each.file != str(head)), refusal)


def parsed(text: str) -> list[Dumped]:
    """Read the list; indentation alone says what is open, as empty sections are not closed."""
    found = []
    file, number = "", 0
    sections: list[tuple[str, str]] = []
    for line in text.split("\n"):
        each = line.lstrip(" ")
        if each.startswith("# In file: "):
            file = each.removeprefix("# In file: ")
        elif place := re.fullmatch(r"# +([0-9]+):", each):
            number = int(place[1])
        elif each and not each.startswith("</"):
            del sections[(len(line) - len(each)) // 2 :]
            name, _, arguments = each.partition(" ")
            if name.startswith("<"):
                sections.append((name[1:].lower(), arguments.rpartition(">")[0].strip()))
            else:
                around = tuple(sections)
                found.append(Dumped(name.lower(), arguments, around, file, number))
    return found
