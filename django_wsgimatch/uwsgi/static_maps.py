"""``static-map``: files that uWSGI sends before it asks an application."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..aliases.alias import Alias
from ..aliases.file_options import FileOptions
from ..apache.writing.settings import Written
from ..others.draft import Draft, path_within, written
from .around import AroundAnswers
from .options import UwsgiInstance, UwsgiOption

_ALIAS = (
    "alias(); a file that is not there is 404, where uWSGI asks the application, and links that "
    "lead out of the folder are followed, unless WSGIMATCH_FOLLOW_SYMLINKS or WSGIMATCH_ROOTS says "
    "otherwise"
)
_WHOLE = (
    "for all URLs uWSGI sends the files of a folder first, and asks the application where there is "
    "none: write an alias() for each folder and file in it"
)


def static_entries(
    draft: Draft,
    instance: UwsgiInstance,
    base: str,
    roots: Iterable[str],
    around: AroundAnswers,
) -> Iterator[Written]:
    """
    Yield an entry for each map below each root.

    uWSGI compares PATH_INFO, which has lost the mount: below each of them the map holds, too.
    """
    places = [*dict.fromkeys(roots)]
    for each in instance.all("static-map"):
        location, equals, folder = each.value.partition("=")
        if not equals or not folder or not location.startswith("/"):
            draft.note(each.line, "needs you", "it should be /location=/folder: correct it")
        elif location.strip("/") == "":
            draft.note(each.line, "needs you", _WHOLE)
        else:
            found = Alias(
                location.rstrip("/"),
                path_within(base, folder),
                answer=FileOptions(expires=around.expires),
                extras=around.of_files,
            )
            yield from _maps(each, found, places)
            draft.note(each.line, "changed", _ALIAS)


def _maps(option: UwsgiOption, entry: Alias, roots: list[str]) -> Iterator[Written]:
    for root in roots:
        comment = f"uWSGI has the same files below {root}" if root else ""
        below = replace(entry, location=f"{root}{entry.location}")
        yield written(below, [option.line], comment)
