"""An emperor's vassals: a folder of files, each of which is a uWSGI of its own."""

from __future__ import annotations

import glob
import grp
import os
import pwd
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..apache.lines.directive import Spot
from ..apache.lines.limits import Volume
from ..apache.outcomes.outcome import Category
from ..others.draft import Draft
from .options import UwsgiInstance
from .reading import read_instance

# uwsgi_emperor_is_valid(), but for what plugins add.
_ENDINGS = (".ini", ".xml", ".yml", ".yaml", ".json", ".js")
_NONE = "no file of a vassal is there: copy its folder to this machine, or name it as FILE"
_PLACE = "vassals are no files here but {0}: write an entry and a process group for each"


def is_emperor(instance: UwsgiInstance) -> bool:
    """Whether a uWSGI runs others."""
    return instance.last("emperor") is not None


def vassals_of(
    draft: Draft, instance: UwsgiInstance, environ: Mapping[str, str], volume: Volume
) -> Iterator[UwsgiInstance]:
    """Yield the instances of an emperor's vassals, in the order of their files."""
    tyrant = instance.last("emperor-tyrant")
    is_tyrant = tyrant is not None and tyrant.is_on
    if tyrant is not None:
        draft.note(tyrant.line, "kept", "each process group runs as the owner of its file")
    after = [*instance.all("vassals-include"), *instance.all("vassals-inherit")]
    before = [*instance.all("vassals-include-before"), *instance.all("vassals-inherit-before")]
    sets = [each for key in ("vassals-set", "vassal-set") for each in instance.all(key)]
    for each in (*after, *before, *sets):
        draft.note(each.line, "kept", "every vassal has it")
    base = os.path.dirname(os.path.abspath(instance.file.partition(":")[0]))
    for option in instance.all("emperor"):
        if "://" in option.value or option.value.startswith(("pg", "mongodb", "zmq", "amqp")):
            kind = option.value.partition(":")[0]
            draft.note(option.line, "needs you", _PLACE.format(f"rows of {kind}"))
            continue
        files = vassal_files(os.path.join(base, option.value.removeprefix("dir://")))
        draft.note(option.line, *_told(files))
        for file in files:
            read = read_instance(
                file,
                environ,
                volume,
                before=tuple(os.path.join(base, each.value) for each in before),
                after=tuple(os.path.join(base, each.value) for each in after),
                given=tuple(_given(each.value, each.line.spot) for each in sets),
            )
            yield with_owner(read) if is_tyrant else read


def _told(files: list[str]) -> tuple[Category, str]:
    count = f"{len(files)} vassal{'' if len(files) == 1 else 's'}"
    return ("kept", f"{count}, a process group each") if files else ("needs you", _NONE)


def _given(text: str, spot: Spot) -> tuple[str, str, Spot]:
    key, _, value = text.partition("=")
    return key, value, spot


def vassal_files(path: str) -> list[str]:
    """Return the files of a folder, or those that a pattern matches, that an emperor takes."""
    if os.path.isdir(path):
        found = [os.path.join(path, name) for name in os.listdir(path)]
    else:
        found = glob.glob(path)
    return sorted(each for each in found if each.endswith(_ENDINGS) and os.path.isfile(each))


def with_owner(instance: UwsgiInstance) -> UwsgiInstance:
    """Return an instance with the owner of its file, as emperor-tyrant takes it: of a link its."""
    try:
        status = os.lstat(instance.file)
    except OSError:
        return instance
    return replace(instance, owner=(_user(status.st_uid), _group(status.st_gid)))


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
