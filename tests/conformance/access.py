"""
Random access rules: ``python -m tests.conformance.access --requests 20000 --seed 1``.

Each table of sections is a virtual host of a real Apache with mod_wsgi, and settings here. The same
requests go to both, from several addresses, and what the client and the application see of them is
compared: status, WWW-Authenticate, REMOTE_USER and AUTH_TYPE.
"""

from __future__ import annotations

import argparse
import json
import logging
import socket
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from django_wsgimatch.aliases.access.sections import SectionIndex
from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.resolve import Rules
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.answers.access.host_names import HostNames
from django_wsgimatch.answers.access.judging import Judge
from django_wsgimatch.answers.access.kept_files import UserFiles
from django_wsgimatch.answers.access.passwords import Remembered
from django_wsgimatch.dispatcher import Dispatcher
from django_wsgimatch.entry_options.access import AccessEntry, BasicLogin, to_rules, to_section
from django_wsgimatch.server.access_gate import AccessGate, own_rules
from tests.conformance.made.random_sections import (
    GROUPS,
    USERS,
    AccessQuestion,
    Written,
    random_question,
    random_section,
)
from tests.support.oracle import (
    HOW_TO_INSTALL,
    INSTALLED,
    MODULES,
    Apache,
    free_port,
    small_configuration,
)
from tests.support.trees import open_directory
from tests.support.wsgi import make_environ

REPORTED = 5
TABLES_OF_AN_APACHE, REQUESTS_OF_A_TABLE = 40, 25
LOADED = (
    *("authn_core", "authn_file", "auth_basic", "authz_host", "authz_user", "authz_groupfile"),
    *("access_compat", "ssl", "allowmethods"),
)
ENCODED = {False: "Off", True: "On", "NoDecode": "NoDecode"}
SCRIPT = """\
import json

def application(environ, start_response):
    said = [environ.get("REMOTE_USER"), environ.get("AUTH_TYPE")]
    start_response("200 OK", [("X-Said", json.dumps(said))])
    return []
"""


@dataclass(frozen=True, slots=True)
class AccessAnswer:
    """What is compared."""

    status: int
    challenge: str | None = None
    user: str | None = None
    auth_type: str | None = None


@dataclass(frozen=True, slots=True)
class AccessTable:
    """
    A virtual host with sections of its own, and what it is asked.

    ``own`` is what its only entry says itself: in Apache the section of the script's folder.
    """

    name: str
    sections: tuple[Written, ...]
    questions: tuple[AccessQuestion, ...]
    own: Written | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        """All that Apache is told of it."""
        own: tuple[str, ...] = ()
        if self.own is not None:
            own = '<Directory "{ROOT}">', *self.own.lines[1:-1], "</Directory>"
        return (*own, *(line for each in self.sections for line in each.lines))


@dataclass(frozen=True, slots=True)
class AccessDifference:
    """A request that Apache answers in another way."""

    lines: tuple[str, ...]
    question: AccessQuestion
    ours: AccessAnswer
    apache: AccessAnswer

    def __str__(self) -> str:
        told = f"{self.question}\n  ours   {self.ours}\n  apache {self.apache}"
        return "\n".join([*self.lines, told])


@dataclass(slots=True)
class AccessTally:
    """What was asked, and what differed."""

    statuses: Counter[int] = field(default_factory=Counter)
    users: int = 0
    differences: list[AccessDifference] = field(default_factory=list)

    def __str__(self) -> str:
        counts = ", ".join(f"{n} with {status}" for status, n in sorted(self.statuses.items()))
        asked = f"{self.statuses.total()} requests ({counts}; {self.users} of them as a user)"
        return f"{asked}: {len(self.differences)} differences"


def compare_access(seed: str, requests: int) -> AccessTally:
    """Compare the answers to so many requests."""
    rng, tally = Random(seed), AccessTally()
    while (left := requests - tally.statuses.total()) > 0:
        common = [random_section(rng, None) for _ in range(rng.choice([0, 0, 1, 2]))]
        size = min(TABLES_OF_AN_APACHE, -(-left // REQUESTS_OF_A_TABLE))
        tables = [random_table(rng, number) for number in range(size)]
        rules = Rules(
            merge_slashes=rng.random() < 0.7,
            allow_encoded_slashes=rng.choice([False, False, True, "NoDecode"]),
        )
        compare_tables(common, tables, rules, tally)
    return tally


def random_table(rng: Random, number: int) -> AccessTable:
    name = f"t{number}.test"
    sections = tuple(random_section(rng, name) for _ in range(rng.choice([1, 2, 2, 3, 4, 6])))
    questions = tuple(random_question(rng) for _ in range(REQUESTS_OF_A_TABLE))
    own = random_section(rng, None) if rng.random() < 0.4 else None
    # Of sections that replace it all, little would be seen of what an entry says.
    return AccessTable(name, sections[:2] if own else sections, questions, own)


def compare_tables(
    common: Sequence[Written], tables: Sequence[AccessTable], rules: Rules, tally: AccessTally
) -> None:
    """Ask one Apache and one gate; ``common`` are the sections of the main server."""
    with ExitStack() as stack:
        directory = stack.enter_context(open_directory())
        write_files(directory)
        port = free_port()
        main = directory / "httpd.conf"
        text = configuration_of(common, tables, rules, directory, port)
        main.write_bytes(text.encode("latin-1"))
        Apache(directory, main, port, stack)
        written = [*common, *(each for table in tables for each in table.sections)]
        gate = gate_of(written, tables, rules, directory)
        for table in tables:
            for question in table.questions:
                theirs = ask_apache(port, table.name, question)
                ours = ask_gate(gate, table.name, question)
                tally.statuses[theirs.status] += 1
                tally.users += theirs.user is not None
                if ours != theirs:
                    before = (line for each in common for line in each.lines)
                    lines = (*before, *table.lines)
                    tally.differences.append(AccessDifference(lines, question, ours, theirs))


def write_files(directory: Path) -> None:
    """Write the script, and the files of users and groups."""
    (directory / "app.wsgi").write_text(SCRIPT)
    (directory / "users").write_bytes(USERS.encode("latin-1"))
    (directory / "groups").write_bytes(GROUPS.encode("latin-1"))
    (directory / "folder").mkdir()


def configuration_of(
    common: Sequence[Written],
    tables: Sequence[AccessTable],
    rules: Rules,
    directory: Path,
    port: int,
) -> str:
    """Return a configuration of Apache that has no other access rules."""
    text = small_configuration(directory, port)
    text = text[: text.index("<Directory />")]
    text += "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in LOADED)
    text += f"WSGIScriptAlias / {directory}/app.wsgi\nWSGIPassAuthorization On\n"
    text += "".join(f"{line}\n" for each in common for line in each.lines)
    for table in tables:
        text += f"<VirtualHost *:{port}>\nServerName {table.name}\n"
        text += f"MergeSlashes {'On' if rules.merge_slashes else 'Off'}\n"
        text += f"AllowEncodedSlashes {ENCODED[rules.allow_encoded_slashes]}\n"
        text += "".join(f"{line}\n" for line in table.lines)
        text += "</VirtualHost>\n"
    return text.replace("{ROOT}", str(directory))


def gate_of(
    written: Sequence[Written], tables: Sequence[AccessTable], rules: Rules, directory: Path
) -> AccessGate:
    """Return the same sections before a dispatcher."""
    sections = [to_section(placed(each.entry, directory), _text) for each in written]
    hosts = {each.name: AliasTable([entry_of(each, directory)]) for each in tables}
    table = AliasTable([Alias("/", f"{directory}/app.wsgi")], virtual_hosts=hosts)
    return AccessGate(
        Dispatcher(table, rules=rules),
        SectionIndex(sections, hosts=[each.name for each in tables]),
        Judge(UserFiles(60.0), Remembered(60.0), HostNames()),
        table,
        rules=rules,
        own_rules=own_rules,
    )


def entry_of(table: AccessTable, directory: Path) -> Alias:
    """Return the only entry of a virtual host."""
    own = None
    if table.own is not None:
        own = to_rules(placed(table.own.entry, directory).options, _text)
    return Alias("/", f"{directory}/app.wsgi", access=own)


def placed(entry: AccessEntry, directory: Path) -> AccessEntry:
    """Put the files of an entry into a folder."""
    login = entry.options.get("auth")
    if not isinstance(login, BasicLogin):
        return entry
    users, groups = (_in(directory, path) for path in (login.users, login.groups))
    return replace(
        entry, options=entry.options | {"auth": replace(login, users=users, groups=groups)}
    )


def _in(directory: Path, path: Any) -> str | None:
    return None if path is None else str(path).replace("{ROOT}", str(directory))


def _text(path: Any) -> str:
    return str(path)


def ask_apache(port: int, host: str, question: AccessQuestion) -> AccessAnswer:
    """Send a request from its address, and read the whole answer."""
    head = f"{question.method} {question.target.replace('HOST', host)} HTTP/1.1\r\nHost: {host}\r\n"
    if question.authorization is not None:
        head += f"Authorization: {question.authorization}\r\n"
    head += "Content-Length: 0\r\nConnection: close\r\n\r\n"
    reply = b""
    origin = (question.address, 0)
    with socket.create_connection(("127.0.0.1", port), 30, origin) as connection:
        connection.sendall(head.encode("latin-1"))
        while piece := connection.recv(65536):
            reply += piece
    first, *lines = reply.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    said = json.loads(headers.get("x-said", "[null, null]"))
    return AccessAnswer(int(first.split()[1]), headers.get("www-authenticate"), *said)


def ask_gate(gate: AccessGate, host: str, question: AccessQuestion) -> AccessAnswer:
    """Ask the same of ours, as a server would after it has read the request."""
    headers = {"Host": host}
    if question.authorization is not None:
        headers["Authorization"] = question.authorization.strip(" \t")
    environ = make_environ(
        question.target.replace("HOST", host),
        method=question.method,
        headers=headers,
        REMOTE_ADDR=question.address,
    )
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status, headers, exc_info=None):
        started.append((status, headers))
        return lambda data: None

    for _ in gate(environ, start_response):
        pass
    [(status, given)] = started
    said = {name.lower(): value for name, value in given}
    told = json.loads(said.get("x-said", "[null, null]"))
    return AccessAnswer(int(status[:3]), said.get("www-authenticate"), *told)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Compare access rules with Apache.")
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", default=str(time.time_ns() % 10**9))
    options = parser.parse_args(arguments)
    if not INSTALLED:
        print(HOW_TO_INSTALL, file=sys.stderr)
        return 2
    print(f"--seed {options.seed}")
    logging.disable(logging.CRITICAL)
    tally = compare_access(options.seed, options.requests)
    print(tally)
    for difference in tally.differences[:REPORTED]:
        print(difference)
    return int(bool(tally.differences))


if __name__ == "__main__":
    raise SystemExit(main())
