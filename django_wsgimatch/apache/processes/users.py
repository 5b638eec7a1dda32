"""Whom applications run as: User and Group of Apache, and the users of its process groups."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from ..lines.directive import Directive
from ..lines.words import split_words
from ..outcomes.outcome import Ledger
from .processes import ProcessGroup

SERVE = "manage.py wsgimatch serve"


def note_users(
    users: Sequence[Directive],
    groups: Sequence[Directive],
    process_groups: Sequence[ProcessGroup],
    ledger: Ledger,
) -> None:
    """
    Say how the server is started so that applications run as the users that Apache gave them.

    ``users`` and ``groups`` are the User and Group lines: the last of each counts.
    """
    others = {each.name: _allowed(each) for each in process_groups if "user" in each.options}
    options = [*_option("--user", users), *_option("--group", groups)]
    options += [
        word for other in dict.fromkeys(others.values()) for word in ("--allow-user", other)
    ]
    command = f"{SERVE} {shlex.join(options)}"
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


def _option(name: str, lines: Iterable[Directive]) -> list[str]:
    words = [split_words(each.rest) for each in lines][-1:]
    # Apache writes the number of an account with a # before it.
    return [name, words[0][0].removeprefix("#")] if words and words[0] else []


def _allowed(group: ProcessGroup) -> str:
    """Return what --allow-user must say for the user of a process group, and for its groups."""
    named = [group.options.get("group"), *group.options.get("supplementary_groups", ())]
    groups = ",".join(dict.fromkeys(str(each).removeprefix("#") for each in named if each))
    user = str(group.options["user"]).removeprefix("#")
    return f"{user}:{groups}" if groups else user
