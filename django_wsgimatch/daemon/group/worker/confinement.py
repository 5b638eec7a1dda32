"""Where the scripts of a process group may lie: what the front looks at, looked at once more."""

from __future__ import annotations

from dataclasses import dataclass

from ....aliases.target import OUTSIDE_ROOTS, FollowSymlinks, find_script, is_inside, split_filename
from ....exceptions import ScriptError, TargetError


@dataclass(frozen=True, slots=True)
class Confinement:
    """
    The directories that scripts may lie in, None for any, and WSGIMATCH_FOLLOW_SYMLINKS.

    The rule is the front's own, ``aliases.target``: with symbolic links allowed, one that leads
    out of the directories is followed.
    """

    roots: tuple[str, ...] | None
    follow_symlinks: FollowSymlinks = True

    def require(self, script: str) -> None:
        """
        Raise ScriptError for a script that no front of this site would ask for: 403 or 404.

        ``script`` is a path as latin-1 text.
        """
        if self.roots is None:
            return
        # Fronts ask for paths without "..", which may lie elsewhere than their text says.
        components, tail = split_filename(script)
        if script != f"/{'/'.join(components)}{tail}" or not is_inside(script, self.roots):
            raise ScriptError(403, f"{OUTSIDE_ROOTS}: {script}")
        try:
            found = find_script(script, follow_symlinks=self.follow_symlinks, roots=self.roots)
        except TargetError as error:
            raise ScriptError(error.status, str(error)) from None
        if found.path != script:
            raise ScriptError(403, f"{OUTSIDE_ROOTS}: {script}")


ANYWHERE = Confinement(None)
