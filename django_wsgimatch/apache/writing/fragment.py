"""Imported settings as Python, formatted as ruff and black would, and as values for JSON."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import chain, count
from typing import Any, TypeAlias

from ...aliases.alias import Alias, Denial, Redirection, Rewriting
from ...aliases.file_options import FileOptions
from ...aliases.module_target import is_read_as_module
from ...entry_options.texts import utf8_text
from ...text import shown
from ..covering.option_values import ENTRY_OPTIONS
from ..lines.directive import Spot, places_of
from ..lines.environment import OwnVariable
from ..processes.servers import Servers
from .access import WrittenAccess, access_arguments, access_record, functions_of
from .extras_written import (
    expires_written,
    extras_as_options,
    passed_names,
    shared_values,
)
from .settings import Hosts, Settings, Written

# A part of a call: text, or a call or list of parts: its opening, the parts, its closing.
Part: TypeAlias = "str | tuple[str, list[Part], str]"

# By an option and its value: the name that it has where many entries have it.
Names = dict[tuple[str, str], str]

# The options of files where none is given, and of those that come first.
_USUAL, _FIRST = FileOptions(), FileOptions(index=())
# Where ruff and black break lines.
_WIDTH = 88
_INDENT = "    "
# The name of the dict that settings have of variables of the server's own environment.
_PASSED = "_PASSED"

_OVER_PLAIN_HTTP = (
    "Over plain HTTP these come first. If a front ends TLS, trust what it tells of the scheme: "
    "WSGIMATCH_TRUSTED_PROXIES."
)


def python_lines(settings: Settings, source: str) -> Iterator[str]:
    """Yield the lines of a settings file; ``source`` says what they were made from."""
    yield f"# From {shown(source)}, by `manage.py wsgimatch import`."
    yield from _starting(settings.servers)
    extras = [each.alias.extras for each in _all_entries(settings)]
    passed = passed_names(extras)
    if passed:
        yield from ("", "import os")
    named = {each.alias.function for each in _all_entries(settings)}
    if functions := sorted(named | functions_of(settings.access)):
        yield ""
        yield from _import_line(functions)
    yield ""
    if passed:
        yield from _passing(passed)
    shared = shared_values(extras)
    for name, value in shared.values():
        *lines, last = _lines_of(_part(f"{name} = ", value), "")
        yield from (*lines, last.removesuffix(","))
    names = {key: name for key, (name, _) in shared.items()}
    if settings.first:
        yield from _list("WSGIMATCH_FILES_FIRST = ", settings.first, "", names, usual=_FIRST)
    yield from _list("WSGIMATCH_ALIASES = ", settings.entries, "", names)
    if settings.hosts:
        yield from _virtual_hosts(settings.hosts, names)
    if settings.plain_http:
        yield from _comments(_OVER_PLAIN_HTTP, ())
        yield from _list("WSGIMATCH_PLAIN_HTTP = ", settings.plain_http, "", names)
    if settings.access:
        yield from _access(settings.access)
    if settings.groups:
        yield from _process_groups(settings)
    for each in settings.others:
        yield from _comments(each.comment, each.spots)
        yield from _assignment(each.name, each.value)


def _passing(names: list[str]) -> Iterator[str]:
    """Yield what makes a dict of the server's environment, by the name of each variable."""
    yield "# PassEnv: what the server is started with, where it is set."
    yield from _assignment(f"{_PASSED}_NAMES", [*map(str, names)])
    yield f"{_PASSED} = {{"
    yield f"{_INDENT}name: {{name: os.environ[name]}} if name in os.environ else {{}}"
    yield f"{_INDENT}for name in {_PASSED}_NAMES"
    yield "}"


def _assignment(name: str, value: Any) -> Iterator[str]:
    line = f"{name} = {literal(value)}"
    if len(line) <= _WIDTH or not isinstance(value, list | dict):
        yield line
    elif isinstance(value, dict):
        yield from (f"{name} = {{", *(f"{_INDENT}{pair}," for pair in _pairs(value)), "}")
    else:
        yield from (f"{name} = [", *(f"{_INDENT}{literal(each)}," for each in value), "]")


def _starting(servers: Servers) -> Iterator[str]:
    """Yield how the servers are started, as comments."""
    commands = servers.commands
    if commands:
        yield "#"
        yield f"# Start {'its server' if len(commands) == 1 else 'a server for each line'} so:"
    for each in commands:
        yield f"#     {shown(utf8_text(shlex.join(each)))}"
    if any("--allow-user" in each and "--user" not in each for each in commands):
        yield "# Root names in --user, too, whom Apache runs as."
    for address in servers.others:
        place = shown(utf8_text(address))
        yield f"# Apache answers otherwise at {place}: `import --address {place}` has its settings."


def _import_line(functions: Sequence[str]) -> Iterator[str]:
    line = f"from django_wsgimatch import {', '.join(functions)}"
    if len(line) <= _WIDTH:
        yield line
    else:
        yield from ("from django_wsgimatch import (", *(f"    {name}," for name in functions), ")")


def values(settings: Settings) -> dict[str, Any]:
    """Return the settings as values that JSON can hold; entries are objects."""
    hosts = {each.pattern: each for each in settings.hosts}
    found: dict[str, Any] = {"WSGIMATCH_ALIASES": list(map(_record, settings.entries))}
    if hosts:
        found["WSGIMATCH_VIRTUAL_HOSTS"] = {
            utf8_text(pattern): list(map(_record, hosts[each.same_as or pattern].entries))
            for pattern, each in hosts.items()
        }
    if settings.plain_http:
        found["WSGIMATCH_PLAIN_HTTP"] = list(map(_record, settings.plain_http))
    if settings.first:
        found["WSGIMATCH_FILES_FIRST"] = [_record(each, _FIRST) for each in settings.first]
    if settings.access:
        found["WSGIMATCH_ACCESS"] = [*map(access_record, settings.access)]
    if settings.groups:
        found["WSGIMATCH_PROCESS_GROUPS"] = {
            utf8_text(group.name): {name: _plain(v) for name, v in group.options.items()}
            for group in settings.groups
        }
    return found | {each.name: _plain(each.value) for each in settings.others}


def server_record(settings: Settings) -> dict[str, Any]:
    """Return how the servers of settings are started, as values that JSON can hold."""
    servers = settings.servers
    return {"commands": _plain(servers.commands), "other_addresses": _plain(servers.others)}


def literal(value: Any) -> str:
    """Return a value as Python writes it, in double quotes where that costs no escapes."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_member, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(_pairs(value))}}}"
    if not isinstance(value, str):
        return repr(value)
    text = utf8_text(value)
    if "\\" in text and text.isprintable() and '"' not in text and not text.endswith("\\"):
        return f'r"{text}"'
    written = repr(text)
    return f'"{written[1:-1]}"' if written[0] == "'" and '"' not in written else written


def _member(value: Any) -> str:
    """Return a member of a list as Python: what belongs together stays a tuple."""
    return f"({literal(value)[1:-1]})" if isinstance(value, tuple) else literal(value)


def _all_entries(settings: Settings) -> Iterator[Written]:
    yield from settings.first
    yield from settings.entries
    for host in settings.hosts:
        yield from host.entries
    yield from settings.plain_http


def _virtual_hosts(hosts: Sequence[Hosts], options: Names) -> Iterator[str]:
    """Yield the dict, with lists that several hosts have under a name of their own before it."""
    names = _shared_names(hosts)
    for each in hosts:
        if each.pattern in names:
            yield from _comments("", each.spots)
            yield from _list(f"{names[each.pattern]} = ", each.entries, "", options)
    yield "WSGIMATCH_VIRTUAL_HOSTS = {"
    for each in hosts:
        key = f"{_INDENT}{literal(each.pattern)}: "
        shared = each.same_as or each.pattern
        if shared in names:
            yield f"{key}{names[shared]},"
            continue
        yield from _indented(_comments("", each.spots), _INDENT)
        yield from _list(key, each.entries, _INDENT, options, end=",")
    yield "}"


def _shared_names(hosts: Iterable[Hosts]) -> dict[str, str]:
    names: dict[str, str] = {}
    taken: set[str] = set()
    for each in hosts:
        if each.same_as is not None and each.same_as not in names:
            name = "_" + re.sub(r"\W+", "_", utf8_text(each.same_as)).strip("_").lower()
            numbered = (f"{name}_{number}" for number in count(2))
            names[each.same_as] = next(n for n in chain([name], numbered) if n not in taken)
            taken.add(names[each.same_as])
    return names


def _access(sections: Iterable[WrittenAccess]) -> Iterator[str]:
    yield "WSGIMATCH_ACCESS = ["
    for each in sections:
        yield from _indented(_comments(each.comment, each.spots), _INDENT)
        arguments = access_arguments(each.entry, literal)
        yield from _wrapped(f"{each.function}(", arguments, ")", _INDENT)
    yield "]"


def _process_groups(settings: Settings) -> Iterator[str]:
    yield "WSGIMATCH_PROCESS_GROUPS = {"
    for group in settings.groups:
        yield from _indented(_comments("", (group.directive.spot,)), _INDENT)
        if not group.options:
            yield f"{_INDENT}{literal(group.name)}: {{}},"
            continue
        yield f"{_INDENT}{literal(group.name)}: {{"
        for name, value in group.options.items():
            yield from _item(f'"{name}": ', value, 2 * _INDENT)
        yield f"{_INDENT}}},"
    yield "}"


def _item(key: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, list):
        yield from _wrapped(f"{key}[", map(literal, value), "]", indent)
    elif isinstance(value, dict):
        yield from _wrapped(f"{key}{{", _pairs(value), "}", indent)
    else:
        yield f"{indent}{key}{literal(value)},"


def _pairs(value: dict[str, Any]) -> Iterator[str]:
    return (f"{literal(name)}: {literal(each)}" for name, each in value.items())


def _list(
    start: str,
    entries: Sequence[Written],
    indent: str,
    names: Names,
    end: str = "",
    usual: FileOptions = _USUAL,
) -> Iterator[str]:
    if not entries:
        yield f"{start}[]{end}"
        return
    yield f"{start}["
    for each in entries:
        inner = indent + _INDENT
        yield from _indented(_comments(each.comment, each.spots), inner)
        arguments = _arguments(each.alias, names, usual)
        yield from _wrapped(f"{each.alias.function}(", arguments, ")", inner)
    yield f"{indent}]{end}"


def _wrapped(opening: str, parts: Iterable[Part], closing: str, indent: str) -> Iterator[str]:
    """Yield a call or a list, on one line where it fits."""
    written = list(parts)
    line = f"{indent}{opening}{', '.join(map(_on_one_line, written))}{closing},"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"{indent}{opening}"
    for each in written:
        yield from _lines_of(each, indent + _INDENT)
    yield f"{indent}{closing},"


def _lines_of(part: Part, indent: str) -> Iterator[str]:
    if isinstance(part, str):
        yield f"{indent}{part},"
    else:
        yield from _wrapped(*part, indent)


def _on_one_line(part: Part) -> str:
    if isinstance(part, str):
        return part
    opening, parts, closing = part
    return f"{opening}{', '.join(map(_on_one_line, parts))}{closing}"


def _part(key: str, value: Any) -> Part:
    """Return an argument, or a member, that may need several lines."""
    if isinstance(value, dict) and value:
        return f"{key}{{", [_member_of_dict(n, each) for n, each in value.items()], "}"
    if isinstance(value, list) and any(isinstance(each, tuple) for each in value):
        return f"{key}[", [_part("", each) for each in value], "]"
    if isinstance(value, tuple) and not key:
        return "(", list(map(literal, value)), ")"
    return f"{key}{literal(value)}"


def _member_of_dict(name: str, value: Any) -> Part:
    if isinstance(value, OwnVariable):
        return f"**{_PASSED}[{literal(str(value))}]"
    return _part(f"{literal(name)}: ", value)


def _arguments(alias: Alias, names: Names, usual: FileOptions) -> list[Part]:
    match alias.answer:
        case Denial(note, status):
            said = [f"note={literal(note)}"] if note else []
            said += [f"status={status}"] if status != Denial().status else []
            return [literal(alias.location), *said]
        case Redirection(url, status):
            return [literal(alias.location), *([literal(url)] if url else []), f"status={status}"]
        case Rewriting():
            return _rewriting_arguments(alias.answer)
    is_root = isinstance(alias.answer, FileOptions) and alias.answer.is_root
    arguments: list[Part] = [*([] if is_root else [literal(alias.location)]), _target(alias)]
    for name, value in _options(alias, usual).items():
        shared = names.get((name, repr(value)))
        arguments.append(f"{name}={shared}" if shared else _part(f"{name}=", value))
    return arguments


def _rewriting_arguments(answer: Rewriting) -> list[Part]:
    url = [literal(answer.url)] if answer.url else []
    arguments: list[Part] = [literal(answer.pattern), *url]
    arguments += ["append_query=True"] if answer.append_query else []
    arguments += [] if answer.status is None else [f"status={answer.status}"]
    return [*arguments, *([_part("when=", dict(answer.when))] if answer.when else [])]


def _target(alias: Alias) -> str:
    """A target as Python: as text the names of some files would name a module."""
    is_file = alias.answer is None and not alias.is_module
    if is_file and is_read_as_module(alias.target):
        return repr(alias.target.encode("latin-1"))
    return literal(alias.target)


def _options(alias: Alias, usual: FileOptions) -> dict[str, Any]:
    """The options of an entry that are not as they are without being given, as ``usual``."""
    if isinstance(alias.answer, FileOptions):
        return _file_options(alias.answer, usual) | extras_as_options(alias.extras)
    found = {name: getattr(alias, name) for name in ENTRY_OPTIONS.values()}
    if alias.is_module:
        # Its target says so.
        found.pop("callable_object")
    given = {name: value for name, value in found.items() if value is not None}
    return given | extras_as_options(alias.extras)


def _file_options(answer: FileOptions, usual: FileOptions) -> dict[str, Any]:
    given = {each.name: getattr(answer, each.name) for each in fields(FileOptions)}
    changed = {name: v for name, v in given.items() if v != getattr(usual, name)}
    changed.pop("is_root", None)
    return {name: _file_option(name, value) for name, value in changed.items()}


def _file_option(name: str, value: Any) -> Any:
    if name in ("types", "encodings"):
        return dict(value)
    if name == "expires_by_type":
        return {each: expires_written(expires) for each, expires in value}
    return expires_written(value) if name == "expires" else value


def _comments(text: str, spots: Iterable[Spot]) -> Iterator[str]:
    for part in (utf8_text(text), places_of(spots)):
        if part:
            # A line feed in a comment would begin a line of Python.
            yield f"# {shown(part)}"


def _indented(lines: Iterable[str], indent: str) -> Iterator[str]:
    return (indent + line for line in lines)


def _record(entry: Written, usual: FileOptions = _USUAL) -> dict[str, Any]:
    alias = entry.alias
    found: dict[str, Any] = {"kind": alias.kind, "location": utf8_text(alias.location)}
    match alias.answer:
        case Denial(note, status):
            found |= {"kind": alias.directive, "note": utf8_text(note), "status": status}
        case Redirection(url, status):
            found |= {"kind": alias.directive, "url": utf8_text(url), "status": status}
        case Rewriting(pattern, url, append_query, when, status):
            found |= {"kind": alias.directive, "location": utf8_text(pattern)}
            found |= {"url": utf8_text(url), "append_query": append_query, "status": status}
            found["when"] = _plain(dict(when))
        case FileOptions() | None:
            # The kind of an entry of mod_wsgi has no name of its own.
            found |= {} if alias.answer is None else {"kind": alias.directive}
            found["target"] = utf8_text(alias.target)
            options = _options(alias, usual)
            found["options"] = {name: _plain(value) for name, value in options.items()}
    return found | {"from": list(map(str, entry.spots))}


def _plain(value: Any) -> Any:
    if isinstance(value, OwnVariable):
        return {"os.environ": utf8_text(value)}
    if isinstance(value, list | tuple):
        return list(map(_plain, value))
    if isinstance(value, dict):
        return {utf8_text(str(name)): _plain(each) for name, each in value.items()}
    return utf8_text(value) if isinstance(value, str) else value
