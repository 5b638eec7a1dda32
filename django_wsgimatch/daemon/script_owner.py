"""script-user and script-group: whose scripts a process group runs."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from ..exceptions import ScriptError


@dataclass(frozen=True, slots=True)
class ScriptOwner:
    """Who must own scripts and the directories they lie in: ids, None for anybody."""

    user: int | None
    group: int | None

    @classmethod
    def of(cls, user: str | None, group: str | None) -> ScriptOwner:
        """Look names up. Raises SettingError for one that does not exist."""
        if user is None and group is None:
            return ANYBODY
        # Optimization: most groups name neither, and need no look-up in their memory.
        from ..asroot.accounts import find_group, user_number

        return cls(
            None if user is None else user_number(user),
            None if group is None else find_group(group),
        )

    def require(self, script: str) -> None:
        """
        Raise ScriptError, 403, for a script that another owns or could change, as mod_wsgi does.

        ``script`` is a path as latin-1 text. One that is gone is for others to complain of.
        """
        if self.user is None and self.group is None:
            return
        path = script.encode("latin-1")
        for what, place in (("", path), ("Parent directory of ", os.path.dirname(path))):
            try:
                status = os.stat(place)
            except OSError:
                return
            for complaint in self._complaints(status):
                raise ScriptError(403, f"{what}WSGI script file {complaint}: {script!r}.")

    def _complaints(self, status: os.stat_result) -> Iterator[str]:
        if self.user is not None and status.st_uid != self.user:
            yield f"has owner {status.st_uid}, not the script-user {self.user}"
        if self.group is not None and status.st_gid != self.group:
            yield f"has group {status.st_gid}, not the script-group {self.group}"
        if self.user is not None and status.st_mode & stat.S_IWGRP:
            yield "is writable to group"
        if status.st_mode & stat.S_IWOTH:
            yield "is writable to world"


ANYBODY = ScriptOwner(None, None)
