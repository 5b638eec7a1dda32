"""What Apache knows beside the files of its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Surroundings:
    """
    What a configuration is read with.

    ``server_root`` is the directory that relative paths start from until a ServerRoot line names
    another; None stands for the directory of the file that is read. ``defines`` are the names
    given with ``-D``. ``modules`` are those that are loaded beside the ones of LoadModule lines, in
    any spelling: ``wsgi``, ``mod_wsgi.c``, ``wsgi_module``. ``version`` is Apache's. ``environ``
    holds the values for ``${NAME}`` that no Define line gives, as os.environ does; None stands
    for that.

    With None for ``modules``, a configuration that loads an MPM is taken for a whole server's: its
    modules are those of its LoadModule lines, and the few that are often built in. Any other is
    taken for a part, such as one site, on a server that has all modules: <IfModule> holds, and
    <IfModule !...> does not.
    """

    server_root: str | None = None
    defines: tuple[str, ...] = ()
    modules: frozenset[str] | None = None
    version: str = "2.4.68"
    environ: Mapping[str, str] | None = None
