"""
Users and groups: looked up by name or number, and those that root lets a server and its groups be.

A number may be written ``33`` or ``#33``, as in Apache's configuration.
"""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ..exceptions import SettingError

# The kernel takes the next number for no change.
LARGEST_ID = (1 << 32) - 2


@dataclass(frozen=True, slots=True)
class Account:
    """
    A user, its primary group, its other groups, and the groups that may be asked for besides.

    ``environment`` are the variables that say who it is.
    """

    name: str
    user: int
    group: int
    groups: tuple[int, ...]
    environment: Mapping[str, str]
    allowed: tuple[int, ...] = ()

    @property
    def word(self) -> str:
        """What the starter's command line says of it."""
        groups = dict.fromkeys((self.group, *self.groups, *self.allowed))
        return f"{self.name}={self.user}:{self.group}:{','.join(map(str, groups))}"


def account(user: str, group: str | None = None, allowed: tuple[str, ...] = ()) -> Account:
    """
    Look a user up, by name or number.

    ``group`` stands in place of its primary group; ``allowed`` are further groups. What the
    group database says of it is its own; root's group never is. Raises SettingError.
    """
    entry = find_user(user)
    if entry.pw_uid == 0:
        raise SettingError(f"user {user!r} is root: name another one")
    primary = entry.pw_gid if group is None else group_id(group)
    if primary == 0:
        raise SettingError(
            f"user {user!r} would run in root's group: name another with --group NAME"
        )
    return Account(
        entry.pw_name,
        entry.pw_uid,
        primary,
        groups_of(entry, primary),
        variables_of(entry),
        tuple(map(group_id, allowed)),
    )


def allowed_account(word: str) -> Account:
    """Read what ``--allow-user`` says: NAME, or NAME:GROUP,GROUP. Raises SettingError."""
    name, _, groups = word.partition(":")
    return account(name, allowed=tuple(filter(None, groups.split(","))))


def merged(accounts: Iterable[Account]) -> list[Account]:
    """Return each user once, in order, with all groups that are allowed for it."""
    found: dict[int, Account] = {}
    for each in accounts:
        known = found.setdefault(each.user, each)
        groups = (*known.allowed, *each.groups, *each.allowed)
        found[each.user] = replace(known, allowed=tuple(dict.fromkeys(groups)))
    return [*found.values()]


def group_id(name: str) -> int:
    """Look a group up that a process may run in. Raises SettingError, also for root's."""
    found = find_group(name)
    if found == 0:
        raise SettingError(f"group {name!r} is root's: name another one")
    return found


def become(this: Account) -> None:
    """Become a user, for good: no way leads back to root. Raises OSError, with the cure."""
    try:
        os.setgroups(this.groups)
        os.setresgid(this.group, this.group, this.group)
        os.setresuid(this.user, this.user, this.user)
    except OSError as error:
        reason = (
            f"cannot become user {this.name!r}: {error.strerror}. Root needs CAP_SETUID and "
            "CAP_SETGID for it: see CapabilityBoundingSet= of the unit"
        )
        raise OSError(error.errno, reason) from error


def find_user(name: str) -> pwd.struct_passwd:
    """Return a user's entry. Raises SettingError where there is none."""
    number = _number(name)
    try:
        return pwd.getpwnam(name) if number is None else pwd.getpwuid(number)
    except (KeyError, OverflowError):
        raise _no_user(name) from None


def user_number(name: str) -> int:
    """Return a user's number, which may be nobody's. Raises SettingError for an unknown name."""
    number = _number(name)
    if number is None:
        return find_user(name).pw_uid
    if number > LARGEST_ID:
        raise _no_user(name)
    return number


def find_group(name: str) -> int:
    """Return a group's number, which may be no group's. Raises SettingError."""
    number = _number(name)
    try:
        found = grp.getgrnam(name).gr_gid if number is None else number
    except KeyError:
        found = LARGEST_ID + 1
    if found > LARGEST_ID:
        raise SettingError(f"there is no group {name!r}")
    return found


def groups_of(entry: pwd.struct_passwd, primary: int) -> tuple[int, ...]:
    """Return the groups of a user: what the group database says, less root's."""
    # Who is in root's group has it elsewhere, not here.
    found = os.getgrouplist(entry.pw_name, primary)
    return tuple(number for number in found if number != 0)


def variables_of(entry: pwd.struct_passwd) -> dict[str, str]:
    """Return the environment variables that say who somebody is."""
    return {"HOME": entry.pw_dir, "USER": entry.pw_name, "LOGNAME": entry.pw_name}


def _number(name: str) -> int | None:
    digits = name.removeprefix("#")
    return int(digits) if digits.isascii() and digits.isdecimal() else None


def _no_user(name: str) -> SettingError:
    return SettingError(f"there is no user {name!r}")
