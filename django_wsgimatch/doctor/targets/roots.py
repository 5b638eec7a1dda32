"""Directories of scripts into which others could put code, or from which they could read it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from ...text import quoted
from ..findings.finding import Finding, Findings, Subject
from .files import TargetPlace

APART = "Keep scripts and uploads in separate directories."


@dataclass(frozen=True, slots=True)
class Uploads:
    """Directories into which others than the site's developers write; no slash at the end."""

    media: str | None = None
    static: str | None = None


def root_findings(
    places: Iterable[tuple[Subject, TargetPlace]],
    roots: Iterable[tuple[str, str]],
    uploads: Uploads,
) -> Findings:
    """
    Yield the directories of scripts into which others could put code.

    ``roots`` are the configured ones, as (name of the setting, directory); the directories that
    the aliases lead to are added.
    """
    owners = {root or "/": where for where, root in roots}
    for subject, place in places:
        if place.state == "script":
            owners.setdefault(os.path.dirname(place.path), subject.where)
        elif place.state == "directory":
            owners.setdefault(place.path, subject.where)
    for root, where in owners.items():
        yield from _root_findings(where, root, uploads)


def _root_findings(where: str, root: str, uploads: Uploads) -> Findings:
    if uploads.media and _is_below(root, uploads.media):
        yield Finding(
            "E014",
            where,
            f"scripts are in {quoted(root)}, inside MEDIA_ROOT: uploaded files would run.",
            APART,
        )
    if uploads.static and _is_below(root, uploads.static):
        yield Finding(
            "W014",
            where,
            f"scripts are in {quoted(root)}, inside STATIC_ROOT: anyone can download their source "
            "as static files.",
            "Move the scripts out of STATIC_ROOT.",
        )


def _is_below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")
