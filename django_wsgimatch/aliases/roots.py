"""The directories that scripts may lie in where WSGIMATCH_ROOTS does not say."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from .alias import Alias
from .substitution import parse_template
from .target import Roots, split_filename


def derive_roots(aliases: Iterable[Alias], base_directory: str) -> Roots:
    """
    The directories that the targets of aliases name: where scripts may lie by default.

    For a plain alias that is the directory of the target, for a match alias the directory
    part of what stands before the first capture. An entry without an application has no target,
    and a module lies in no directory.
    """
    named: dict[str, None] = {}
    for alias in (each for each in aliases if each.answer is None and not each.is_module):
        template = parse_template(alias.target) if alias.kind == "match" else (alias.target,)
        literal = template[0] if template and isinstance(template[0], str) else ""
        if not literal.startswith("/"):
            literal = f"{base_directory}/{literal}"
        named[literal[: literal.rfind("/")]] = None
    return Roots(dict.fromkeys(map(_resolved, named)))


@lru_cache(maxsize=4096)
def folder_of(alias: Alias, base_directory: str) -> Roots:
    """
    The folder that an entry's files lie in: its target, or what stands before the first capture.

    Of a target that is one file it is that file. Where the location ends in a slash and the target
    does not, files lie beside it, as in Apache.
    """
    literal = alias.target
    if alias.kind == "plain" and alias.location.endswith("/") and not literal.endswith("/"):
        # What follows the location continues the target's last name: "/d/a" is "/srv/da".
        literal = literal[: literal.rfind("/") + 1]
    if alias.kind == "match":
        template = parse_template(alias.target)
        literal = template[0] if template and isinstance(template[0], str) else ""
        if len(template) > 1:
            literal = literal[: literal.rfind("/") + 1]
    path = literal if literal.startswith("/") else f"{base_directory}/{literal}"
    return Roots([_resolved(path.rstrip("/"))])


def _resolved(directory: str) -> str:
    """A directory with its dots resolved."""
    # Optimization: nearly all are so already, and that is told in a tenth of the time.
    if "//" not in directory and "/." not in directory:
        return directory
    components, _ = split_filename(directory)
    return "".join("/" + component for component in components)
