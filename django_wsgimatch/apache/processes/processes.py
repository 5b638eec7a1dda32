"""WSGIDaemonProcess as a process group of WSGIMATCH_PROCESS_GROUPS."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...aliases.directives import get_word
from ...aliases.groups import GLOBAL
from ...daemon.option_values import ANSWERS, OptionAnswer
from ...exceptions import DirectiveError, SettingError
from ..lines.directive import Directive
from ..outcomes.outcome import Ledger
from ..resolving.resolving import ResolvedAlias
from .command import SERVE

INVALID = "Invalid option to WSGI daemon process definition."

# Of options that take a list, what stands between its words.
_BETWEEN: dict[str | None, str] = {"paths": ":", "accounts": ","}
# What Python takes for a number and mod_wsgi for text.
_TEXTS: tuple[str, ...] = ("account", "mask", "text")


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """
    A process group as settings say it.

    ``left_out`` are the options that have no counterpart, each with the reason.
    """

    name: str
    options: dict[str, Any]
    left_out: dict[str, str]
    directive: Directive


def read_process_group(directive: Directive) -> ProcessGroup:
    """
    Return the process group of a WSGIDaemonProcess line.

    Raises DirectiveError for what Apache refuses, SettingError for a value that will not do here.
    """
    name, rest = get_word(directive.rest)
    if not name:
        raise DirectiveError("Name of WSGI daemon process not supplied.")
    options, left_out = {}, {}
    while rest:
        option, value, rest = _next_option(rest)
        key = option.replace("-", "_")
        answer = ANSWERS.get(key)
        if answer is None or answer.kind == "beyond" or "_" in option:
            raise DirectiveError(f"{INVALID} ({option})")
        if answer.kind == "refused":
            left_out[option] = answer.note
            continue
        options[key] = _read_value(option, answer, value)
    if {"script_user", "script_group"} <= options.keys():
        del options["script_group"]
        left_out["script-group"] = "script-user is stricter, and only one of them may be given"
    return ProcessGroup(name, options, left_out, directive)


def read_groups(
    daemons: Iterable[Directive], homes: Iterable[Directive], ledger: Ledger
) -> list[ProcessGroup]:
    """
    Return the process groups of all WSGIDaemonProcess lines, noting what becomes of each.

    ``homes`` are the WSGIPythonHome lines: the last one is the Python of groups that name none.
    """
    groups: dict[str, ProcessGroup] = {}
    home = [(each, each.words) for each in homes][-1:]
    for directive in daemons:
        try:
            group = read_process_group(directive)
            if group.name in groups:
                raise DirectiveError("Name duplicates previous WSGI daemon definition.")
        except DirectiveError as error:
            ledger.note(directive, "needs you", f"Apache refuses it: {error}")
            continue
        except SettingError as error:
            ledger.note(directive, "needs you", f"{error}: write the process group yourself")
            continue
        if not group.name.isprintable() or "%" in group.name:
            reason = f"a process group cannot be called {group.name!r} here: give it another name"
            ledger.note(directive, "needs you", reason)
            continue
        for source, words in home:
            if "python_home" not in group.options and len(words) == 1:
                group = replace(group, options={**group.options, "python_home": words[0]})
                ledger.note(source, "changed", f"python_home of {group.name}")
        groups[group.name] = group
        for option, reason in group.left_out.items():
            ledger.note(directive, "changed", f"{option} is not written: {reason}")
    return list(groups.values())


def note_uses(
    groups: Sequence[ProcessGroup],
    entries: Sequence[ResolvedAlias],
    imports: Iterable[Directive],
    ledger: Ledger,
) -> None:
    """
    Note for each process group whether anything runs in it, and what runs in no known one.

    ``imports`` are the WSGIImportScript lines: they use a group, too.
    """
    used = {each.alias.process_group for each in entries}
    used |= {word[14:] for each in imports for word in each.words if "=" in word}
    is_computed = any(name and name.startswith("%{") and name != GLOBAL for name in used)
    known = {group.name for group in groups}
    for group in groups:
        if group.name in used or is_computed:
            ledger.note(group.directive, "kept", f"the process group {group.name}")
        else:
            reason = f"the process group {group.name}; no entry of this file runs in it"
            ledger.note(group.directive, "kept", reason)
    _note_foreign(groups, entries, ledger)
    for entry in entries:
        name = entry.alias.process_group
        if name and not name.startswith("%{") and name not in known:
            given = entry.values.get("process_group")
            ledger.note(
                entry.directive if given is None else given.directive,
                "needs you",
                f"no WSGIDaemonProcess here defines {name}: Apache answers 500 unless another file "
                "does. Define it in WSGIMATCH_PROCESS_GROUPS",
            )


def _note_foreign(
    groups: Sequence[ProcessGroup], entries: Sequence[ResolvedAlias], ledger: Ledger
) -> None:
    """Note what runs in another virtual host's group: mod_wsgi lets only hosts of its name."""
    owners = {group.name: group for group in groups if group.directive.host}
    names = {each.host.section: each.host.server_name for each in entries}
    for entry in entries:
        group = owners.get(entry.alias.process_group or "")
        if group is None:
            continue
        section = group.directive.host
        if section != entry.host.section and names.get(section) != entry.host.server_name:
            ledger.note(
                group.directive,
                "changed",
                f"{entry.alias.location} of another virtual host runs in it, too; Apache answers "
                "500 there",
            )


def _next_option(rest: str) -> tuple[str, str, str]:
    option, equals, rest = rest.partition("=")
    if not equals or not option or any(character.isspace() for character in option):
        raise DirectiveError(f"{INVALID} ({option.split()[0] if option.split() else '='})")
    value, rest = get_word(rest)
    return option, value, rest


def _read_value(option: str, answer: OptionAnswer, word: str) -> Any:
    value: Any = word
    if answer.form in _BETWEEN:
        words = word.split(_BETWEEN[answer.form])
        value = [each.strip() for each in words if each.strip()]
    elif answer.form not in _TEXTS:
        value = _number(word)
    try:
        answer.read(value, "/")
    except (ValueError, TypeError, OverflowError):
        raise SettingError(f"{option} should be {answer.shape}, not {word!r}") from None
    return value


def _number(word: str) -> int | str:
    # As atoi() and strtol() read it, but for what stands behind the digits.
    digits = word.removeprefix("-")
    return int(word) if digits.isascii() and digits.isdigit() else word


def note_users(
    users: Sequence[Directive],
    groups: Sequence[Directive],
    process_groups: Sequence[ProcessGroup],
    ledger: Ledger,
) -> list[str]:
    """
    Return the options that let applications run as the users that Apache gave them, and note it.

    ``users`` and ``groups`` are the User and Group lines: the last of each counts.
    """
    others = {each.name: _allowed(each) for each in process_groups if "user" in each.options}
    options = [*_option("--user", users), *_option("--group", groups)]
    options += [
        word for other in dict.fromkeys(others.values()) for word in ("--allow-user", other)
    ]
    command = shlex.join([*SERVE, *options])
    for directive in (*users, *groups):
        if directive not in (*users[-1:], *groups[-1:]):
            ledger.note(directive, "not needed", "A later line replaces it")
        elif "${" in directive.rest:
            reason = "its variable has no value here: give it one with --define NAME=VALUE"
            ledger.note(directive, "needs you", reason)
        else:
            ledger.note(
                directive, "changed", f"started by root, the server switches to it: `{command}`"
            )
    for group in process_groups:
        if group.name in others:
            option = shlex.join(["--allow-user", others[group.name]])
            reason = f"`serve {option}`, started by root, lets it run as its user"
            ledger.note(group.directive, "kept", reason)
    return options


def _option(name: str, lines: Iterable[Directive]) -> list[str]:
    lines = list(lines)[-1:]
    words = [word for each in lines if "${" not in each.rest for word in each.words[:1]]
    # Apache writes the number of an account with a # before it.
    return [name, words[0].removeprefix("#")] if words else []


def _allowed(group: ProcessGroup) -> str:
    """Return what --allow-user must say for the user of a process group, and for its groups."""
    named = [group.options.get("group"), *group.options.get("supplementary_groups", ())]
    groups = ",".join(dict.fromkeys(str(each).removeprefix("#") for each in named if each))
    user = str(group.options["user"]).removeprefix("#")
    return f"{user}:{groups}" if groups else user
