"""The users that root lets the groups run as, and the one that the server runs as."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..exceptions import SettingError


@dataclass(frozen=True, slots=True)
class Account:
    """A user, its primary group, its other groups, and the groups that may be asked for besides."""

    name: str
    user: int
    group: int
    groups: tuple[int, ...]
    home: str
    allowed: tuple[int, ...] = ()

    @property
    def word(self) -> str:
        """What the starter's command line says of it."""
        groups = dict.fromkeys((self.group, *self.groups, *self.allowed))
        return f"{self.name}={self.user}:{self.group}:{','.join(map(str, groups))}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that say who somebody is."""
        return {"HOME": self.home, "USER": self.name, "LOGNAME": self.name}


def account(user: str, group: str | None = None, allowed: tuple[str, ...] = ()) -> Account:
    """
    Look a user up, by name or number.

    ``group`` stands in place of its primary group; ``allowed`` are further groups. What the
    group database says of it is its own; root's group never is. Raises SettingError.
    """
    entry = _entry(user)
    if entry.pw_uid == 0:
        raise SettingError(f"user {user!r} is root: name another one")
    primary = entry.pw_gid if group is None else group_id(group)
    if primary == 0:
        raise SettingError(
            f"user {user!r} would run in root's group: name another with --group NAME"
        )
    groups = (number for number in os.getgrouplist(entry.pw_name, primary) if number != 0)
    return Account(
        entry.pw_name,
        entry.pw_uid,
        primary,
        tuple(groups),
        entry.pw_dir,
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
    """Look a group up, by name or number. Raises SettingError, also for root's."""
    try:
        found = int(name) if name.isdecimal() else grp.getgrnam(name).gr_gid
    except KeyError:
        raise SettingError(f"there is no group {name!r}") from None
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


def _entry(name: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(int(name)) if name.isdecimal() else pwd.getpwnam(name)
    except (KeyError, OverflowError):
        raise SettingError(f"there is no user {name!r}") from None
