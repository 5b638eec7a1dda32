"""``static-map`` and ``check-static``: files that uWSGI sends before it asks an application."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from ..aliases.alias import Alias
from ..aliases.directives import root_of
from ..aliases.file_options import FileOptions
from ..apache.writing.settings import Written
from ..others.draft import Draft, path_within, written
from .around import AroundAnswers
from .options import UwsgiInstance, UwsgiOption

_LINKS = (
    "links that lead out of the folder are followed, unless WSGIMATCH_FOLLOW_SYMLINKS or "
    "WSGIMATCH_ROOTS says otherwise"
)
_ALIAS = f"alias(); a file that is not there is 404, where uWSGI asks the application, and {_LINKS}"
_FIRST = f"WSGIMATCH_FILES_FIRST: what is no file goes on to the application; {_LINKS}"
_WHOLE = (
    "uWSGI sends the files of a folder first, and asks the application where there is none. "
    "WSGIMATCH_FILES_FIRST would, but {0}: write an alias() for each folder and file in it"
)
_HOSTS = "it holds for all hosts, and here are several"
_SKIPPED = "it knows no static-skip-ext"
_INDEX = "index of the files; uWSGI sends it for a folder without its slash, too"


@dataclass(frozen=True, slots=True)
class StaticEntries:
    """The files of an instance: those of the table, and those that come before it."""

    of_table: list[Written] = field(default_factory=list)
    first: list[Written] = field(default_factory=list)


def static_entries(
    draft: Draft,
    instance: UwsgiInstance,
    base: str,
    roots: Iterable[str],
    around: AroundAnswers,
    *,
    has_hosts: bool,
) -> StaticEntries:
    """
    Return an entry for each folder below each root.

    uWSGI compares PATH_INFO, which has lost the mount: below each of them the map holds, too. A
    folder for all URLs, and one of several for the same, answers only with what is there. Such
    files come first for all hosts, so that there are none where it ``has_hosts``.
    """
    why_not = _HOSTS if has_hosts else ""
    why_not = why_not or (_SKIPPED if instance.last("static-skip-ext") else "")
    writer = _Writer(draft, base, [*dict.fromkeys(roots)], around, _index(draft, instance), why_not)
    # It is asked before the maps.
    for each in instance.all("check-static"):
        writer.add_first(each, "", each.value)
    maps = [*instance.all("static-map")]
    times = Counter(each.value.partition("=")[0].rstrip("/") for each in maps)
    for each in maps:
        location, equals, folder = each.value.partition("=")
        if not equals or not folder or not location.startswith("/"):
            draft.note(each.line, "needs you", "it should be /location=/folder: correct it")
        elif location.strip("/") == "" or (times[location.rstrip("/")] > 1 and not why_not):
            writer.add_first(each, location.rstrip("/"), folder)
        else:
            writer.add(each, location.rstrip("/"), folder)
    return writer.found


def _index(draft: Draft, instance: UwsgiInstance) -> tuple[str, ...]:
    """Return the files that answer for a folder, none where nothing says so."""
    options = [*instance.all("static-index")]
    for each in options:
        draft.note(each.line, "changed", _INDEX)
    return tuple(each.value for each in options if each.value)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes entries; ``why_not`` says why no files may come first, "" where they may."""

    draft: Draft
    base: str
    roots: list[str]
    around: AroundAnswers
    index: tuple[str, ...]
    why_not: str
    found: StaticEntries = field(default_factory=StaticEntries)

    def add(self, option: UwsgiOption, location: str, folder: str) -> None:
        """Add an entry to the table."""
        options = replace(self._kept(), index=self.index or FileOptions().index)
        path = path_within(self.base, folder)
        self.found.of_table.extend(self._below(option, Alias(location, path, answer=options)))
        self.draft.note(option.line, "changed", _ALIAS)

    def add_first(self, option: UwsgiOption, location: str, folder: str) -> None:
        """Add files that come before the table."""
        if self.why_not or not folder:
            reason = (
                _WHOLE.format(self.why_not) if folder else "it should name a folder: correct it"
            )
            self.draft.note(option.line, "needs you", reason)
            return
        options = replace(self._kept(), index=self.index)
        path = path_within(self.base, folder)
        alias = Alias(location, path, answer=options) if location else root_of(path, options)
        self.found.first.extend(self._below(option, alias))
        self.draft.note(option.line, "changed", _FIRST)

    def _kept(self) -> FileOptions:
        around = self.around
        return FileOptions(expires=around.expires, expires_by_type=around.expires_by_type)

    def _below(self, option: UwsgiOption, alias: Alias) -> Iterator[Written]:
        for root in self.roots:
            comment = f"uWSGI has the same files below {root}" if root else ""
            below = replace(alias, extras=self.around.of_files)
            if root:
                below = _moved(below, root)
            yield written(below, [option.line], comment)


def _moved(alias: Alias, root: str) -> Alias:
    """Return an entry for the same files below another root."""
    answer = alias.answer
    assert isinstance(answer, FileOptions)
    if not answer.is_root:
        return replace(alias, location=f"{root}{alias.location}")
    return replace(
        alias,
        location=root,
        target=alias.target.rstrip("/"),
        answer=replace(answer, is_root=False),
    )
