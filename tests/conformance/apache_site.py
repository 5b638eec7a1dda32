"""
A real configuration made fit for a private Apache, by what the text says.

Its paths lead into a folder of ours, its ports are free ones, and what needs a module that is not
loaded, a user or a file of the host it comes from, is taken out, line by line, as ``apache2 -t``
complains.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django_wsgimatch.aliases.directives import get_word
from tests.support.oracle import APACHE, MODULES, configuration, free_port

# More lines than this to take out, and it is no configuration.
_ATTEMPTS = 250
_ADDRESS = re.compile(r"(<VirtualHost\s+)([^>]*)(>)", re.IGNORECASE)
_PORT = re.compile(r":(\d+)$")
# The private Apache has its own, or no table of ours could know of it: the report says "needs you".
_TAKEN_OUT = re.compile(
    r"listen|user|group|pidfile|serverroot|loadmodule|include(optional)?|wsgisocketprefix"
    r"|wsgipythonhome|wsgirestrictembedded|usecanonicalname|(error|custom|transfer|global)log"
    r"|(error)?logformat|loglevel|(script)?alias(match)?|redirect\w*|setenvif\w*|coredumpdirectory"
    r"|defaultruntimedir|require|satisfy|order|allow|deny|</?require(all|any|none)>"
)
# The same, where what Apache answers itself, and whom it keeps out, is asked for, too.
_NEVER_TAKEN = re.compile(
    r"listen|user|group|pidfile|serverroot|loadmodule|include(optional)?|wsgisocketprefix"
    r"|wsgipythonhome|wsgirestrictembedded|usecanonicalname|(error|custom|transfer|global)log"
    r"|(error)?logformat|loglevel|coredumpdirectory|defaultruntimedir"
)
# These say who is let in, and who answers.
WITH_RULES = (
    *("authz_host", "access_compat", "authn_core", "auth_basic", "authn_file", "authz_user"),
    *("authz_groupfile", "dir", "mime", "rewrite", "allowmethods"),
)
# What a daemon process would need of the host.
_DAEMON = re.compile(
    r"\s(?:user|group|supplementary-groups|home|chroot|python-home|python-path|socket-user|umask"
    r"|script-user|script-group|lang|locale|python-eggs|memory-limit|cpu-[a-z-]+)="
    r"(?:\"[^\"]*\"|'[^']*'|\S+)"
)
_MANY = re.compile(r"\b(processes|threads)=\d+")
_COMPLAINT = re.compile(
    r"line (?P<line>\d+) of (?:macro '[^']*' \(defined on line \d+ of )?"
    r"\"?(?P<file>[^\s\"]+?)[\":](?P<message>.*)",
    re.DOTALL,
)


class NotLoadable(Exception):
    """Apache takes no such configuration, however much else is taken out."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line with those that it goes on in, and the number of its last one."""

    text: str
    last: int

    @property
    def name(self) -> str:
        """The directive's name, lower case."""
        return get_word(self.text)[0].lower()


@dataclass(slots=True)
class ApacheSite:
    """
    A configuration that a private Apache runs.

    ``ports`` are those to ask at, by the port of the configuration; ``taken_out`` are the
    directives that Apache would not take. ``shipped`` stands before it in Apache's own file.
    """

    directory: Path
    text: str
    ports: dict[int, int]
    taken_out: list[str]
    modules: tuple[str, ...] = ()
    shipped: str = ""

    @property
    def main(self) -> Path:
        """The file that Apache is started with."""
        return self.directory / "httpd.conf"

    @property
    def file(self) -> Path:
        """The file that the configuration stands in."""
        return self.directory / "site.conf"

    def write(self) -> None:
        """Write both files."""
        first, *others = self.ports.values()
        text = configuration(self.directory, first)
        for name in ("macro", *self.modules):
            text += f"LoadModule {name}_module {MODULES}/mod_{name}.so\n"
        (self.directory / "mime.types").write_text("text/html html\ntext/plain txt\n")
        text += "".join(f"Listen 127.0.0.1:{port}\n" for port in others)
        text += f'{self.shipped}Include "{self.file}"\nWSGIRestrictEmbedded On\n'
        self.main.write_text(text)
        self.file.write_bytes(self.text.encode("latin-1"))


def make_site(
    text: str, directory: Path, *, with_rules: bool = False, modules: tuple[str, ...] = WITH_RULES
) -> ApacheSite:
    """
    Make a site of a configuration. Raises NotLoadable.

    ``with_rules`` leaves in what Apache answers itself, and whom it keeps out, with ``modules``.
    """
    ports: dict[int, int] = {}
    text = _with_own_paths(text, directory)
    text = _ADDRESS.sub(lambda found: _with_own_port(found, ports), text)
    ports = ports or {80: free_port()}
    lines = [_without_host(line) for line in _lines(text)]
    site = ApacheSite(directory, "", ports, [], modules if with_rules else ())
    _take_out(site, lines, _NEVER_TAKEN if with_rules else _TAKEN_OUT)
    return site


def _with_own_paths(text: str, directory: Path) -> str:
    """Put a folder before the paths that begin like a target of an alias."""
    targets = re.findall(
        r"^\s*WSGI(?:Script\w+|DaemonProcess)\s.*?[\s\"'=](/[\w.-]+)/[^\s]*(?=\s*\\?$|[\s\"'])",
        text,
        re.IGNORECASE | re.MULTILINE,
    )
    directories = re.findall(
        r"^\s*<Directory\s+[\"']?(/[\w.-]+)/", text, re.IGNORECASE | re.MULTILINE
    )
    locations = re.findall(
        r"^\s*(?:<Location\w*|WSGIScriptAlias\w*)\s+[\"'^]*(/[\w.-]+)", text, re.I | re.M
    )
    for top in sorted({*targets, *directories} - set(locations), key=len, reverse=True):
        text = re.sub(rf"(?<![\w./-]){re.escape(top)}(?=/)", f"{directory}{top}", text)
    return text


def _with_own_port(found: re.Match[str], ports: dict[int, int]) -> str:
    addresses = []
    for address in found[2].split():
        port = int(given[1]) if (given := _PORT.search(address)) else 80
        addresses.append(f"*:{ports.setdefault(port, 0) or _new_port(ports, port)}")
    return f"{found[1]}{' '.join(dict.fromkeys(addresses))}{found[3]}"


def _new_port(ports: dict[int, int], port: int) -> int:
    ports[port] = free_port()
    return ports[port]


def _lines(text: str) -> Iterator[Line]:
    joined: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        joined.append(line)
        if not line.endswith("\\"):
            yield Line("\n".join(joined), number)
            joined = []
    if joined:
        yield Line("\n".join(joined).rstrip("\\"), number)


def _without_host(line: Line) -> Line:
    """Leave out what asks for users, folders and processes of the host."""
    if line.name != "wsgidaemonprocess":
        return line
    text = _MANY.sub(r"\1=1", _DAEMON.sub(" ", line.text))
    return Line(text, line.last)


def _take_out(site: ApacheSite, lines: list[Line], taken_out: re.Pattern[str]) -> None:
    """Write the files, without the lines that Apache does not take."""
    for number, line in enumerate(lines):
        if taken_out.fullmatch(line.name):
            _drop(site, lines, number)
    for _ in range(_ATTEMPTS):
        site.text = "\n".join(line.text for line in lines)
        site.write()
        said = subprocess.run([APACHE, "-t", "-f", site.main], capture_output=True, check=False)
        if said.returncode == 0:
            return
        found = _COMPLAINT.search(said.stderr.decode("latin-1"))
        if found is None or Path(found["file"]) != site.file:
            raise NotLoadable(said.stderr.decode("latin-1").strip())
        _drop_refused(site, lines, int(found["line"]), found["message"])
    raise NotLoadable(f"{_ATTEMPTS} lines that Apache does not take")


def _drop_refused(site: ApacheSite, lines: list[Line], number: int, message: str) -> None:
    unknown = re.search(r"Invalid command '(.*?)'", message)
    if unknown:
        name = unknown[1].lower()
    else:
        place = next(n for n, line in enumerate(lines) if number <= line.last)
        name = lines[place].name
    if name.startswith("wsgi"):
        raise NotLoadable(message.strip())
    if not unknown:
        _drop(site, lines, place)
        return
    # All of that name: each would cost another run of Apache.
    closing = f"</{name[1:].rstrip('>')}>"
    for each, line in enumerate(lines):
        if line.name == name or (name.startswith("<") and line.name == closing):
            _drop(site, lines, each)


def _drop(site: ApacheSite, lines: list[Line], place: int) -> None:
    line = lines[place]
    if not line.text.strip().startswith("#"):
        site.taken_out.append(line.text.strip())
    emptied = "\n".join("#" for _ in line.text.split("\n"))
    lines[place] = Line(emptied, line.last)
