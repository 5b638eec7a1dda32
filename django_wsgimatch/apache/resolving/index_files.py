"""Index files that access rules name: the folder's own URL must not send them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ...aliases.alias import Alias
from ...aliases.file_options import FileOptions
from ...aliases.patterns.pattern import compile_pattern
from ..covering.coverage import is_below
from .closed import Closed
from .resolving import ResolvedAlias

# A folder that no rule names.
_ANY = "any-folder"


def without_closed_index(
    entries: Iterable[ResolvedAlias], closed: Sequence[Closed]
) -> list[ResolvedAlias]:
    """Return entries whose folders send no index file that is closed under its own name."""
    return [_without_closed(each, closed) for each in entries]


def _without_closed(entry: ResolvedAlias, closed: Sequence[Closed]) -> ResolvedAlias:
    answer = entry.alias.answer
    if not isinstance(answer, FileOptions):
        return entry
    folder = entry.alias.location.rstrip("/") if entry.alias.kind == "plain" else ""
    index = tuple(name for name in answer.index if not _is_closed(folder, name, closed))
    if index == answer.index:
        return entry
    return replace(entry, alias=replace(entry.alias, answer=replace(answer, index=index)))


def _is_closed(folder: str, name: str, closed: Sequence[Closed]) -> bool:
    samples = (f"{folder}/{name}", f"{folder}/{_ANY}/{name}")
    aliases = [each.alias for each in closed if not _takes(each.alias, f"{folder}/")]
    return any(_names(alias, name) or any(_takes(alias, u) for u in samples) for alias in aliases)


def _names(alias: Alias, name: str) -> bool:
    return alias.kind == "plain" and alias.location.rstrip("/").endswith(f"/{name}")


def _takes(alias: Alias, uri: str) -> bool:
    if alias.kind == "plain":
        return is_below(alias.location, uri)
    return compile_pattern(alias.location, allow_exponential=True).find(uri) is not None
