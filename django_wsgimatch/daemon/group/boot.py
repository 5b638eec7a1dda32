"""
The first lines that a group's Python runs, before anything of gunicorn or of this package.

That Python may have neither; both are found where the server has them, and nothing else of the
server's is. The group's Python runs this file by its path, so it knows no package.
"""

import json
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder


class ServerPackages:
    """Finds the packages named in ``paths`` there, whatever the group's own Python has."""

    def __init__(self, paths: dict[str, str]) -> None:
        self.paths = paths

    def find_spec(
        self, name: str, path: object = None, target: object = None
    ) -> "ModuleSpec | None":
        """Mirror importlib's finders."""
        if path is None and name in self.paths:
            return PathFinder.find_spec(name, [self.paths[name]])
        return None


def boot() -> None:
    """Read what standard input says, and run a group, or be the parent of several."""
    text = sys.stdin.read()
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.close(nothing)
    # Python has put this file's folder there.
    here = {"", *map(os.path.dirname, (__file__, os.path.realpath(__file__)))}
    sys.path[:] = [path for path in sys.path if path not in here]
    told = json.loads(text)
    sys.meta_path.insert(0, ServerPackages(told["packages"]))
    if "spec" in told:
        from django_wsgimatch.daemon.group.process import run_arbiter

        run_arbiter(text)
    else:
        from django_wsgimatch.daemon.group.warm import run_parent

        run_parent(told["modules"])


if __name__ == "__main__":
    boot()
