"""What answers a URL, asked of the table and the rules that this very site runs by."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.encoding import iri_to_uri

from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.resolve import Resolution, resolve
from django_wsgimatch.conf import configuration


@dataclass(frozen=True)
class Answer:
    """What becomes of a URL; ``script`` is seen from the site's own directory."""

    resolution: Resolution
    script: str


@dataclass(frozen=True)
class Section:
    """The URLs that one alias answers; without a ``directive`` those that none does."""

    directive: str
    answers: list[Answer]


def explain(url: str) -> Section:
    """What answers a URL that has been typed into a browser's address bar."""
    return next(section for section in sections([url]) if section.answers)


def sections(urls: Iterable[str]) -> list[Section]:
    """The aliases in their order, each with those of the URLs that are its own; last the others."""
    answers = [answer(url) for url in urls]
    aliases = [*configuration().table.aliases, None]
    return [
        Section(directive(alias), [found for found in answers if alias_of(found) == alias])
        for alias in aliases
    ]


def answer(url: str) -> Answer:
    configured = configuration()
    resolution = resolve(configured.table, iri_to_uri(url), rules=configured.rules)
    script = resolution.script
    return Answer(
        resolution, os.path.relpath(script, configured.rules.base_directory) if script else ""
    )


def alias_of(answer: Answer) -> Alias | None:
    match = answer.resolution.match
    return match.alias if match else None


def directive(alias: Alias | None) -> str:
    return f"{alias.directive} {alias.location} {alias.target}" if alias else ""
