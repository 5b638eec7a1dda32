"""
Index files that somebody is kept from: the folder's own URL must not send them.

Apache asks for an index file as for a URL of its own: access rules are held against that, and so
are the rules and redirects that refuse URLs. Where one refuses, the folder's URL is refused,
whether there is such a file or not (fixup_dir() of mod_dir).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from ...aliases.alias import Alias, Denial, Redirection, Rewriting
from ...aliases.file_options import FileOptions
from ...aliases.patterns.pattern import Pattern as UrlPattern
from ...aliases.patterns.pattern import compile_pattern
from ...aliases.table import in_order_of_apache
from ..covering.coverage import is_below, may_meet, prefixes_of
from ..covering.indexes import reach_of_region
from ..covering.partial_aliases import literally
from .closed import Closed
from .resolving import ResolvedAlias

# Folders that no rule names, as patterns such as \\w+ may have them.
_ANY = ("any-folder", "any", "x", "2024")
_ROOT = Alias("/", "")
_FOLDERS = Alias("/$", "", "match")
# The URLs of a pattern, with literals of which one begins each, None where none are known.
Pattern = tuple[Alias, "tuple[str, ...] | None"]


def without_closed_index(
    entries: Sequence[ResolvedAlias], closed: Sequence[Closed]
) -> list[ResolvedAlias]:
    """
    Return entries whose folders send no index file that is closed under its own name.

    Where an entry refuses the index files of some folders alone, others behind it refuse their
    URLs.
    """
    files = [each for each in entries if isinstance(each.alias.answer, FileOptions)]
    if not files:
        return [*entries]
    refusing = [urls for each in entries if (urls := _refused_by(each.alias)) is not None]
    patterns = [(urls, prefixes_of(urls.location)) for urls in refusing if urls.kind == "match"]
    kept = [_without_closed(each, closed, patterns) for each in entries]
    return [*_with_folders(kept)] if refusing else kept


def folders_refused_with(urls: Alias, names: Iterable[str]) -> list[Alias]:
    """Return the folders whose own URLs Apache refuses where it refuses some URLs."""
    names = list(names)
    if any(_refuses_everywhere(urls, _ROOT, name) for name in names):
        return [_FOLDERS]
    return list(_folders_with(urls, names))


def _refused_by(alias: Alias) -> Alias | None:
    """Return the URLs that an entry refuses, None where it refuses none."""
    match alias.answer:
        case Denial():
            return alias
        case Redirection(status=status) if status >= 400:
            return alias
        case Rewriting(pattern=pattern, status=int(status)) if status >= 400:
            return Alias(pattern, "", "match")
    return None


def _without_closed(
    entry: ResolvedAlias, closed: Sequence[Closed], patterns: Sequence[Pattern]
) -> ResolvedAlias:
    answer = entry.alias.answer
    if not isinstance(answer, FileOptions):
        return entry
    folder = _folder(entry.alias)
    # Optimization: 600 files and as many patterns took two minutes.
    near = [urls for urls, prefixes in patterns if _may_meet(prefixes, f"{folder}/")]
    index = tuple(
        name
        for name in answer.index
        if not _is_closed(folder, name, closed)
        and not any(_refuses_everywhere(urls, entry.alias, name) for urls in near)
    )
    if index == answer.index:
        return entry
    return replace(entry, alias=replace(entry.alias, answer=replace(answer, index=index)))


def _may_meet(prefixes: tuple[str, ...] | None, folder: str) -> bool:
    return prefixes is None or any(may_meet(each, folder) for each in prefixes)


def _folder(alias: Alias) -> str:
    return alias.location.rstrip("/") if alias.kind == "plain" else ""


def _is_closed(folder: str, name: str, closed: Sequence[Closed]) -> bool:
    samples = (f"{folder}/", *(f"{folder}/{each}/" for each in _ANY))
    return any(
        _names(each.alias, name) or any(_refuses_index(each.alias, u, name) for u in samples)
        for each in closed
    )


def _names(alias: Alias, name: str) -> bool:
    return alias.kind == "plain" and alias.location.rstrip("/").endswith(f"/{name}")


def _refuses_everywhere(urls: Alias, entry: Alias, name: str) -> bool:
    """Whether index files of an entry are refused in folders that cannot be named one by one."""
    if urls.kind == "plain":
        return False
    if prefixes_of(urls.location) is None and name in urls.location.replace("\\", ""):
        return True
    return any(_refuses_index(urls, f"{_folder(entry)}/{each}/", name) for each in _ANY)


def _refuses_index(urls: Alias, folder: str, name: str) -> bool:
    """Whether the URL of an index file is refused, and not that of its folder."""
    return _takes(urls, folder + name) and not _takes(urls, folder)


def _folders_with(urls: Alias, names: Iterable[str]) -> dict[Alias, str]:
    """
    Return the folders whose index files are refused, as regions with a folder of each.

    They are known by how the URLs begin.
    """
    found: dict[Alias, str] = {}
    for prefix in reach_of_region(urls).prefixes or ():
        start = prefix[: prefix.rfind("/") + 1]
        for folder in (start, *(f"{start}{each}/" for each in _ANY)) if start else ():
            below = "" if folder == start else "(?s:.+)/"
            region = Alias(f"^{literally(start)}{below}$", "", "match")
            if any(_refuses_index(urls, folder, name) for name in names):
                found.setdefault(region, folder)
    return found


def _with_folders(entries: Sequence[ResolvedAlias]) -> Iterator[ResolvedAlias]:
    """Yield entries, and behind those that refuse index files what refuses their folders."""
    names = dict.fromkeys(name for each in entries for name in _index_of(each.alias))
    ordered = [entries[each] for each in in_order_of_apache([e.alias for e in entries])]
    ordered = [e for e in ordered if e.alias.answer is None or _index_of(e.alias)]
    for entry in entries:
        yield entry
        urls = _refused_by(entry.alias)
        for region, folder in (_folders_with(urls, names) if urls else {}).items():
            if _index_of_folder(folder, ordered):
                yield replace(entry, alias=_refusing(entry.alias, region))


def _index_of(alias: Alias) -> tuple[str, ...]:
    return alias.answer.index if isinstance(alias.answer, FileOptions) else ()


def _index_of_folder(folder: str, ordered: Iterable[ResolvedAlias]) -> tuple[str, ...]:
    """Return the index of the files that answer a folder, none where a script does."""
    return next((_index_of(each.alias) for each in ordered if _takes(each.alias, folder)), ())


def _refusing(alias: Alias, region: Alias) -> Alias:
    """Return an alias that refuses the URLs of a region as another one refuses its own."""
    if isinstance(alias.answer, Rewriting):
        return replace(alias, answer=replace(alias.answer, pattern=region.location))
    return replace(alias, location=region.location, kind=region.kind)


def _takes(alias: Alias, uri: str) -> bool:
    if alias.kind == "plain":
        return is_below(alias.location, uri)
    return _compiled(alias.location).find(uri) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> UrlPattern:
    return compile_pattern(pattern, allow_exponential=True)
