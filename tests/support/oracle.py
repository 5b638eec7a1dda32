"""
A private Apache with mod_wsgi that says what it makes of a table and a request.

One ``apache2`` process serves any number of tables at once, each as a name-based virtual host
of its own. ``WSGIRestrictEmbedded On`` stops mod_wsgi after it has mapped the request and before
it runs the script, so that a question costs no interpreter: that 500 is told as the 200 it would
have been. Targets go to the socket byte for byte; all text is latin-1, a code point a byte.

``ORACLE_MODULE`` names another mod_wsgi.so than Debian's.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from tests.support.trees import TreeItem, build_tree, open_directory

APACHE = Path("/usr/sbin/apache2")
MODULES = Path("/usr/lib/apache2/modules")
MODULE = Path(os.environ.get("ORACLE_MODULE", MODULES / "mod_wsgi.so"))
INSTALLED = APACHE.exists() and MODULE.exists()
HOW_TO_INSTALL = "needs Debian's apache2 and libapache2-mod-wsgi-py3"

WWW_DATA = 33

# What mod_wsgi logs where WSGIRestrictEmbedded stops it, right before the script.
STOPPED = "Embedded mode of mod_wsgi disabled by runtime configuration"

# These do nothing unless a directive asks for it.
LOADED = ("mpm_event", "authz_core", "env", "setenvif", "alias")
LOG_FORMAT = r"\t".join(
    [
        "%{X-Oracle-Id}i",
        "%{alias-forced-type}n",
        "%f",
        "%{SCRIPT_NAME}e",
        "%{PATH_INFO}e",
        "%q",
        "%{mod_wsgi.process_group}e",
        "%{mod_wsgi.application_group}e",
        "%{mod_wsgi.callable_object}e",
    ]
)
SMALL_CONFIGURATION = """\
ServerRoot "{directory}"
DefaultRuntimeDir "{directory}"
PidFile "{directory}/httpd.pid"
ErrorLog "{directory}/error.log"
Listen 127.0.0.1:{port}
ServerName localhost
User www-data
Group www-data
LoadModule mpm_event_module "{modules}/mod_mpm_event.so"
LoadModule authz_core_module "{modules}/mod_authz_core.so"
LoadModule wsgi_module "{module}"
<Directory />
Require all granted
</Directory>
"""
CONFIGURATION = """\
ServerRoot "{directory}"
DefaultRuntimeDir "{directory}"
PidFile "{directory}/httpd.pid"
Listen 127.0.0.1:{port}
ServerName main.test
User www-data
Group www-data
{modules}
ServerLimit 1
ThreadLimit 8
ThreadsPerChild 8
MaxRequestWorkers 8
ErrorLog "{directory}/error.log"
LogLevel error
ErrorLogFormat "%{{X-Oracle-Id}}i\t%M"
LogFormat "{log_format}" oracle
CustomLog "{directory}/access.log" oracle
WSGISocketPrefix "{directory}/wsgi"
WSGIRestrictEmbedded On
<Directory />
AllowOverride None
Require all granted
</Directory>
"""


@dataclass(frozen=True, slots=True)
class Table:
    """
    Directive lines for the virtual host called ``name``, and the files they point at.

    ``{ROOT}`` in a line stands for the directory of ``tree``.
    """

    name: str
    directives: tuple[str, ...]
    tree: tuple[TreeItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """A target and a Host header as sent; ``{HOST}`` in them stands for the table's name."""

    target: str
    host: str = "{HOST}"

    def to(self, name: str) -> Request:
        """The request to the table called ``name``."""
        return Request(self.target.replace("{HOST}", name), self.host.replace("{HOST}", name))


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What becomes of a request.

    ``status`` is 200 where a script would run, and None where no alias matched and whoever comes
    next decides. What is None beyond that was not arrived at.
    """

    status: int | None
    matched: bool = False
    script: str | None = None
    script_name: str | None = None
    path_info: str | None = None
    query_string: str | None = None
    process_group: str | None = None
    application_group: str | None = None
    callable_object: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """
    What Apache sent back.

    ``filename`` is the file that it looked for, "-" for none. ``is_script`` says that a script ran,
    or would have.
    """

    status: int
    location: str | None = None
    body: bytes = b""
    filename: str = "-"
    is_script: bool = False


class ApacheFailed(RuntimeError):
    """apache2 did not start, or refused what no table says."""


class Apache:
    """An Apache that runs a configuration, for as long as a stack of contexts is open."""

    def __init__(self, directory: Path, configuration: Path, port: int, stack: ExitStack) -> None:
        self._numbers = itertools.count(1)
        # Apache listens before it opens its logs.
        for log in ("access.log", "error.log"):
            (directory / log).touch()
        process = subprocess.Popen(
            [str(APACHE), "-D", "FOREGROUND", "-f", str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        stack.callback(end_session, process)
        deadline = time.monotonic() + 30
        while not answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise ApacheFailed((directory / "error.log").read_text("latin-1"))
        self._log = stack.enter_context((directory / "access.log").open("rb"))
        self._errors = stack.enter_context((directory / "error.log").open("rb"))

    def ask(self, questions: Sequence[tuple[int, Request]]) -> list[Answer]:
        """The answers to ``(port, request)`` pairs, in their order."""
        sent = [(str(next(self._numbers)), *question) for question in questions]
        statuses = {n: status_of(self._send(n, port, asked)) for n, port, asked in sent}
        rows = self._logged(len(sent))
        statuses |= dict.fromkeys(self._stopped(), 200)
        return [answer_from_log(statuses[number], rows.get(number, [])) for number, _, _ in sent]

    def statuses(self, questions: Sequence[tuple[int, Request]]) -> list[tuple[int, bool]]:
        """The status of each answer, and whether a script ran, or would have (then it is 200)."""
        sent = [(str(next(self._numbers)), *question) for question in questions]
        found = [(number, status_of(self._send(number, port, q))) for number, port, q in sent]
        rows = self._logged(len(sent))
        # What mod_wsgi calls the callable object is in the environ of scripts only.
        ran = {number for number, fields in rows.items() if fields[-1:] not in ([], ["-"])}
        stopped = set(self._stopped())
        return [(200 if n in stopped else status, n in stopped | ran) for n, status in found]

    def replies(self, questions: Sequence[tuple[int, Request]]) -> list[Reply]:
        """The whole answers to ``(port, request)`` pairs."""
        sent = [(str(next(self._numbers)), *question) for question in questions]
        found = [(number, self._send(number, port, asked)) for number, port, asked in sent]
        rows = self._logged(len(sent))
        # What mod_wsgi calls the callable object is in the environ of scripts only.
        ran = {number for number, fields in rows.items() if fields[-1:] not in ([], ["-"])}
        stopped = set(self._stopped())
        replies = [
            (n, reply_from(text, rows.get(n, ["", "-"])[1], n in stopped)) for n, text in found
        ]
        return [replace(each, is_script=each.is_script or n in ran) for n, each in replies]

    def _send(self, number: str, port: int, request: Request) -> bytes:
        head = f"GET {request.target} HTTP/1.1\r\nHost: {request.host}\r\n"
        head += f"X-Oracle-Id: {number}\r\nConnection: close\r\n\r\n"
        reply = b""
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            connection.sendall(head.encode("latin-1"))
            while piece := connection.recv(65536):
                reply += piece
        return reply

    def _logged(self, count: int) -> dict[str, list[str]]:
        """The fields after the id of ``count`` lines of the log, by id."""
        rows: dict[str, list[str]] = {}
        deadline = time.monotonic() + 30
        rest = b""
        while count > 0:
            if time.monotonic() > deadline:
                raise ApacheFailed(f"{count} requests are missing from Apache's log")
            *lines, rest = (rest + self._log.read()).split(b"\n")
            for line in lines:
                number, *fields = line.decode("latin-1").split("\t")
                rows[number] = fields
            count -= len(lines)
        return rows

    def _stopped(self) -> list[str]:
        """The ids of the requests whose script would have run."""
        lines = self._errors.read().decode("latin-1").splitlines()
        return [line.partition("\t")[0] for line in lines if STOPPED in line]


class Oracle:
    """
    A running Apache, for the time of a ``with`` block.

    ``main`` holds what the main server says, after the virtual hosts' own. ``refused`` maps the
    name of each table that Apache would not take to its message; each costs one more
    ``apache2 -t``.
    """

    def __init__(self, tables: Iterable[Table], main: Table | None = None) -> None:
        self.tables = {table.name: table for table in tables}
        self.main = main
        self.refused: dict[str, str] = {}
        self._roots: dict[str, Path] = {}
        self._trees: dict[str, Path] = {}
        self._exit = ExitStack()

    def __enter__(self) -> Oracle:
        with ExitStack() as stack:
            self.directory = stack.enter_context(open_directory())
            self.port = free_port()
            self._write_tables()
            self._drop_refused_tables()
            self._apache = Apache(self.directory, self._configuration, self.port, stack)
            self._exit = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._exit.__exit__(kind, error, traceback)

    def root(self, name: str) -> Path:
        """The directory of the files of the table called ``name``; equal trees share one."""
        return self._roots[name]

    def ask(self, name: str, request: Request) -> Answer:
        """What becomes of ``request`` in the table called ``name``."""
        [answer] = self.ask_all([(name, request)])
        return answer

    def ask_all(self, questions: Sequence[tuple[str, Request]]) -> list[Answer]:
        """The answers to ``(table name, request)`` pairs, in their order."""
        return self._apache.ask([(self.port, asked.to(name)) for name, asked in questions])

    def replies(self, questions: Sequence[tuple[str, Request]]) -> list[Reply]:
        """The whole answers to ``(table name, request)`` pairs, in their order."""
        return self._apache.replies([(self.port, asked.to(name)) for name, asked in questions])

    def _write_tables(self) -> None:
        for table in [*self.tables.values(), *([self.main] if self.main else [])]:
            root = self._roots[table.name] = self._tree(table.tree)
            lines = "".join(f"{line}\n" for line in table.directives)
            self._file(table.name).write_text(lines.replace("{ROOT}", str(root)), "latin-1")

    def _tree(self, items: Sequence[TreeItem]) -> Path:
        key = repr(items)
        if key not in self._trees:
            self._trees[key] = self.directory / f"tree{len(self._trees)}"
            build_tree(self._trees[key], items)
        return self._trees[key]

    def _drop_refused_tables(self) -> None:
        left = list(self.tables)
        while (refusal := self._first_refusal(left)) is not None:
            name, message = refusal
            self.refused[name] = message
            left = left[left.index(name) + 1 :]
        self._write_configuration([name for name in self.tables if name not in self.refused])

    def _first_refusal(self, names: Sequence[str]) -> tuple[str, str] | None:
        self._write_configuration(names)
        tested = subprocess.run(
            [APACHE, "-t", "-f", self._configuration], capture_output=True, check=False
        )
        if tested.returncode == 0:
            return None
        said = tested.stderr.decode("latin-1")
        found = re.search(r"line \d+ of \S*/(\S+)\.conf:\n(.*)", said, re.DOTALL)
        if found is None or found[1] not in names:
            raise ApacheFailed(said)
        return found[1], found[2].strip()

    def _write_configuration(self, names: Iterable[str]) -> None:
        text = configuration(self.directory, self.port)
        if self.main:
            text += f'Include "{self._file(self.main.name)}"\n'
        for name in names:
            text += f"<VirtualHost *:{self.port}>\nServerName {name}\n"
            text += f'DocumentRoot "{self.directory}/empty"\n'
            text += f'Include "{self._file(name)}"\n</VirtualHost>\n'
        self._configuration.write_text(text)

    @property
    def _configuration(self) -> Path:
        return self.directory / "httpd.conf"

    def _file(self, name: str) -> Path:
        return self.directory / f"{name}.conf"


@contextmanager
def as_apache() -> Iterator[None]:
    """Be the user Apache runs as where this is root, to whom no file is shut."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(WWW_DATA, WWW_DATA, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def small_configuration(directory: Path, port: int, module: Path = MODULE) -> str:
    """What an Apache with mod_wsgi and little else begins with: its files lie in ``directory``."""
    return SMALL_CONFIGURATION.format(
        directory=directory, port=port, module=module, modules=MODULES
    )


def configuration(directory: Path, port: int) -> str:
    """A configuration without virtual hosts; nothing outside ``directory`` is written to."""
    modules = [f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in LOADED]
    modules.append(f"LoadModule wsgi_module {MODULE}")
    return CONFIGURATION.format(
        directory=directory, port=port, modules="\n".join(modules), log_format=LOG_FORMAT
    )


def status_of(reply: bytes) -> int:
    return int(reply.split(maxsplit=2)[1])


def reply_from(text: bytes, filename: str, is_script: bool) -> Reply:
    head, _, body = text.partition(b"\r\n\r\n")
    found = re.search(rb"\r\nLocation: ([^\r]*)", head)
    location = found[1].decode("latin-1") if found else None
    return Reply(
        200 if is_script else status_of(text), location, body, unescape(filename), is_script
    )


def answer_from_log(status: int, fields: Sequence[str]) -> Answer:
    if not fields:
        return Answer(status)
    handler, filename, script_name, path_info, query, *groups = map(unescape, fields)
    if handler != "wsgi-script":
        # Apache refuses a target before it has a filename; what it says later is of its own files.
        refused = filename == "-" and status in (400, 404)
        return Answer(status if refused else None)
    if status != 200:
        return Answer(status, True)
    return Answer(200, True, filename, script_name, path_info, query[1:], *groups)


def unescape(field: str) -> str:
    r"""Undo ap_escape_logitem(): ``\xHH`` and the escapes of C."""
    letters = {"b": "\b", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
    return re.sub(
        r"\\(?:x(..)|(.))",
        lambda found: chr(int(found[1], 16)) if found[1] else letters.get(found[2], found[2]),
        field,
    )


def refused_lines(lines: Sequence[str], directory: Path) -> dict[int, str]:
    """
    Apache's messages for those of ``lines`` that it refuses, by their position.

    ``apache2 -t`` ends at the first line that it refuses, so each of them costs one run, of what
    comes after it.
    """
    refused: dict[int, str] = {}
    start = 0
    while start < len(lines):
        path = directory / "lines.conf"
        # Each has a comment behind it, for those that end in a backslash to go on with.
        path.write_bytes("".join(f"{line}\n#\n" for line in lines[start:]).encode("latin-1"))
        main = directory / "httpd.conf"
        main.write_text(configuration(directory, 1) + f'Include "{path}"\n')
        said = subprocess.run([APACHE, "-t", "-f", main], capture_output=True, check=False)
        if said.returncode == 0:
            break
        number, message = refusal(said.stderr.decode("latin-1"), path)
        position = start + (number - 1) // 2
        refused[position] = message
        start = position + 1
    return refused


def refusal(said: str, path: Path) -> tuple[int, str]:
    """The number of the line of ``path`` that Apache refuses, and the message."""
    found = re.search(rf"line (\d+) of {re.escape(str(path))}:\n(.*)", said, re.DOTALL)
    if found is None:
        raise ApacheFailed(said)
    return int(found[1]), unescape(found[2].strip())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        time.sleep(0.01)
        return False
    return True


def end_session(process: subprocess.Popen[bytes]) -> None:
    """Stop Apache and its children at once: they have nothing to save."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
