"""Sections of access rules as entries of WSGIMATCH_ACCESS: what to_section() reads, written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from ..aliases.access.requirements import Demand, Demands
from ..aliases.access.rules import AccessRules, HostRules, Login
from ..aliases.access.sections import AccessSection
from ..exceptions import DirectiveError
from .access import AccessEntry, BasicLogin, Requirement, Requirements, to_section
from .texts import FilePath, utf8_text

_BLANKS = " \t\n\v\f\r"


def said_section(section: AccessSection) -> AccessEntry | None:
    """Return the entry that says a section, None where no entry says exactly that."""
    entry = AccessEntry(section.kind, utf8_text(section.location), dict(_options(section)))
    try:
        is_same = to_section(entry, _path) == section
    except (DirectiveError, UnicodeEncodeError):
        return None
    return entry if is_same else None


def _path(path: FilePath) -> str:
    return os.fsencode(path).decode("latin-1")


def _options(section: AccessSection) -> Iterator[tuple[str, Any]]:
    rules = section.rules
    if rules.host_rules is not None:
        yield from _of_hosts(rules.host_rules)
    if rules.login != Login():
        yield "auth", _auth(rules.login)
    yield from _demanded(rules)
    yield from _limited(rules)
    if rules.require_ssl is not None:
        yield "require_ssl", rules.require_ssl
    if rules.allow_methods is not None:
        yield "allow_methods", " ".join(rules.allow_methods) or "reset"
    if len(section.hosts) == 1:
        yield "host", section.hosts[0]
    elif section.hosts:
        yield "host", list(section.hosts)


def _of_hosts(rules: HostRules) -> Iterator[tuple[str, Any]]:
    yield "order", rules.order
    for name, origins in (("allow", rules.allow), ("deny", rules.deny)):
        texts = [utf8_text(each.text) for each in origins]
        if texts:
            yield name, texts[0] if len(texts) == 1 else texts
    if rules.satisfy is not None:
        yield "satisfy", rules.satisfy


def _auth(login: Login) -> BasicLogin | str:
    if login.kind == "Basic":
        return BasicLogin(*map(_given, (login.realm, login.users, login.groups)))
    return "none"


def _given(text: str | None) -> str | None:
    return None if text is None else utf8_text(text)


def _demanded(rules: AccessRules) -> Iterator[tuple[str, Any]]:
    if rules.demands is not None:
        members = [_requirement(each) for each in rules.demands.members]
        yield "require", members[0] if len(members) == 1 else members
    if rules.merging is not None:
        yield "auth_merging", rules.merging


def _limited(rules: AccessRules) -> Iterator[tuple[str, Any]]:
    """Yield the one limit; where there are several, the entry does not say the same."""
    said = (each.limit for each in (rules.demands, rules.host_rules) if each is not None)
    limit = next((each for each in said if each is not None), None)
    if limit is not None:
        yield "limit_except" if limit.is_except else "limit", " ".join(sorted(limit.methods))


def _requirement(demand: Demand | Demands) -> Requirement:
    if isinstance(demand, Demands):
        return Requirements(demand.kind, tuple(map(_requirement, demand.members)))
    sign = ("not",) if demand.is_negated else ()
    return utf8_text(" ".join((*sign, demand.kind, *map(_word, demand.words))))


def _word(word: str) -> str:
    """Return a word so that Apache takes it for one."""
    if word and word[0] not in "\"'" and not any(each in word for each in _BLANKS):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
