"""
A small reader of Apache configurations: what a table of the conformance tests says, in settings.

It knows the directives that the corpus and the generators write beside the aliases. Group
directives in ``<Location>`` and ``<Directory>`` have no setting and are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django_wsgimatch.aliases.directives import get_word, join_lines
from django_wsgimatch.aliases.groups import Server
from django_wsgimatch.aliases.resolve import MOD_WSGI, Resolution, Rules, resolve
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.dispatcher import Dispatcher
from tests.support.oracle import Answer, Request
from tests.support.serving import no_content


@dataclass(slots=True)
class Configuration:
    """The aliases of a table and what stands beside them."""

    aliases: list[str] = field(default_factory=list)
    rules: Rules = MOD_WSGI
    callable_object: str | None = None
    variables: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    conditions: list[tuple[str, str, str]] = field(default_factory=list)

    def table(self) -> AliasTable:
        """The table of the aliases; TableError where Apache would refuse one."""
        lines = [self._with_callable_object(line) for line in self.aliases]
        return AliasTable.from_directives(
            lines,
            variables=self.variables,
            process_groups=self.rules.process_groups,
        )

    def environment_of(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """The environment that SetEnv and SetEnvIf make of a request's headers."""
        found = dict(self.environment)
        for header, pattern, assignment in self.conditions:
            if match := re.search(pattern, headers.get(header, "")):
                name, _, value = assignment.partition("=")
                found[name] = value.replace("$1", match[1])
        return found

    def _with_callable_object(self, line: str) -> str:
        """WSGICallableObject has no setting: it is an option of every entry that has none."""
        if self.callable_object is None or "callable-object=" in line:
            return line
        return f"{line}callable-object={self.callable_object}"


def read_configuration(lines: Iterable[str], root: Path) -> Configuration:
    """What the lines of a table say; ``{ROOT}`` in them is ``root``."""
    read = Configuration()
    section = ""
    for line in join_lines("\n".join(lines).split("\n")):
        name, rest = get_word(line.replace("{ROOT}", str(root)))
        if name.startswith("</"):
            section = ""
        elif name.startswith("<"):
            section = f"{name} {rest}"
        elif section in ("", f"<Directory {root}>"):
            # The blank keeps a backslash at the end from joining the next line once more.
            read_directive(read, name.lower(), rest, f"{name} {rest} ")
    return read


def read_directive(read: Configuration, name: str, rest: str, line: str) -> None:
    word, more = get_word(rest)
    if name in ALIASES:
        read.aliases.append(line)
    elif name in RULES:
        setting, values = RULES[name]
        changed: dict[str, Any] = {setting: values.get(word, word)}
        read.rules = replace(read.rules, **changed)
    elif name == "wsgidaemonprocess":
        read.rules = replace(read.rules, process_groups=(*read.rules.process_groups, word))
    elif name == "wsgicallableobject":
        read.callable_object = word
    elif name == "define":
        read.variables[word] = get_word(more)[0]
    elif name == "setenv":
        read.environment[word] = get_word(more)[0]
    elif name == "setenvif":
        pattern, assignment = get_word(more)
        read.conditions.append((word, pattern, assignment))


ALIASES = (
    *("wsgiscriptalias", "wsgiscriptaliasmatch", "alias", "aliasmatch"),
    *("redirect", "redirectmatch", "redirectpermanent", "redirecttemp"),
)
ON_OFF: dict[str, object] = {"On": True, "Off": False}
RULES: dict[str, tuple[str, Mapping[str, object]]] = {
    "allowencodedslashes": ("allow_encoded_slashes", {**ON_OFF, "NoDecode": "NoDecode"}),
    "mergeslashes": ("merge_slashes", ON_OFF),
    "options": (
        "follow_symlinks",
        {"None": False, "-FollowSymLinks": False, "SymLinksIfOwnerMatch": "owner"},
    ),
    "wsgiprocessgroup": ("process_group", {}),
    "wsgiapplicationgroup": ("application_group", {}),
    "wsgipassauthorization": ("pass_authorization", ON_OFF),
}


@dataclass(frozen=True, slots=True)
class Site:
    """A server called ``name`` as django-wsgimatch serves it."""

    name: str
    table: AliasTable
    configuration: Configuration

    def answer(self, request: Request, headers: Mapping[str, str] | None = None) -> Answer:
        """What becomes of a request."""
        return told(self.resolve(request, headers))

    def resolve(self, request: Request, headers: Mapping[str, str] | None = None) -> Resolution:
        """Where a request leads."""
        asked = request.to(self.name)
        variables = self.configuration.environment_of(headers or {})
        server = Server(self.name, asked.host, variables.get)
        rules = self.configuration.rules
        return resolve(self.table, asked.target, rules=rules, server=server)

    def dispatcher(self) -> Dispatcher:
        """The WSGI application that serves the site; what no alias matches is a 204."""
        rules, table = self.configuration.rules, self.table.for_host(self.name)
        return Dispatcher(
            table,
            no_content,
            rules=rules,
            reloading=True,
            reload_interval=0,
            server_name=self.name,
            server_ports=None,
        )


def told(resolution: Resolution) -> Answer:
    """A resolution in the words of the oracle."""
    if resolution.status != 200:
        return Answer(resolution.status, resolution.matched)
    return Answer(
        200,
        True,
        resolution.script,
        resolution.script_name,
        resolution.path_info,
        resolution.query_string,
        resolution.process_group,
        resolution.application_group,
        resolution.callable_object,
    )
