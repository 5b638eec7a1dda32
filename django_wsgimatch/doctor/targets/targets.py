"""Targets that do not exist: the file that was meant, if one is there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from difflib import get_close_matches

from ..findings.settings_lines import pasted
from ..findings.subject import Subject


def meant(subject: Subject, base_directory: str) -> str:
    """Return the entry with the target that was meant, "" where none is found."""
    for target in _candidates(subject.alias.target, base_directory):
        if os.path.isfile(os.path.join(base_directory, target).encode("latin-1")):
            return pasted(subject.alias, subject.entry, target=target)
    return ""


def _candidates(target: str, base_directory: str) -> Iterator[str]:
    if "$" in target:
        return
    # As gunicorn and WSGI_APPLICATION write it: module:name, or a dotted path.
    module = target.partition(":")[0]
    if "/" not in module:
        yield f"{module.replace('.', '/')}.py"
        yield f"{module.rpartition('.')[0].replace('.', '/')}.py"
    yield module
    yield os.path.expanduser(target)
    directory, name = os.path.split(target)
    try:
        there = os.listdir(os.path.join(base_directory, directory).encode("latin-1"))
    except OSError:
        return
    names = [each.decode("latin-1") for each in there]
    yield from (
        os.path.join(directory, each) for each in get_close_matches(name, names, cutoff=0.8)
    )
