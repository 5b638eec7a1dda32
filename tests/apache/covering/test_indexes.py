"""Sections are found by their paths; what is passed over must hold for nothing."""

from __future__ import annotations

from random import Random

import pytest

from benchmarks.imports import configuration
from django_wsgimatch.apache.covering.coverage import coverage, reach_of
from django_wsgimatch.apache.covering.hosts import Host, read_hosts
from django_wsgimatch.apache.covering.indexes import ScopeIndex
from django_wsgimatch.apache.importing import import_configuration
from django_wsgimatch.apache.outcomes.outcome import Ledger
from django_wsgimatch.apache.reading.reading import read_text
from django_wsgimatch.apache.resolving import resolving
from tests.conformance.made.random_scopes import random_host


def random_server(seed: int) -> Host:
    """The aliases and sections of twenty random hosts, all in one."""
    rng = Random(seed)
    lines = [line.replace("{ROOT}", "/srv") for _ in range(20) for line in random_host(rng)]
    return read_hosts(read_text("\n".join([*lines, ""]), "site.conf").directives, Ledger())[0]


@pytest.fixture
def asked(monkeypatch):
    """The sections that aliases are held against, as they are."""
    sections_asked = []

    def counted(sections, reach):
        sections_asked.append(sections)
        return coverage(sections, reach)

    monkeypatch.setattr(resolving, "coverage", counted)
    return sections_asked


@pytest.mark.parametrize("seed", range(20))
def test_a_section_that_the_index_passes_over_holds_for_nothing(seed):
    server = random_server(seed)
    scopes = list(server.scopes.values())
    index = ScopeIndex(scopes)

    for alias, _ in server.aliases:
        reach = reach_of(alias, lambda path: "missing")
        near = index.near(reach)
        held = {
            n: each for n, each in enumerate(scopes) if coverage(each.sections, reach) != "none"
        }
        assert held.items() <= near.items()


@pytest.mark.parametrize("kind", ["sections", "patterns"])
def test_an_alias_is_held_against_no_more_sections_in_a_longer_file(kind, asked):
    text = configuration(kind, 4_000)

    import_configuration(read_text(text, "site.conf"))

    # Of /app123 also those of /app1 and /app12 are; options and access rules ask once together.
    assert 0 < len(asked) <= 6 * text.count("WSGIScriptAlias")


def test_a_file_that_says_all_of_it_twice_takes_twice_the_time(asked):
    import_configuration(read_text(configuration("repeated", 1_000), "site.conf"))
    few = len(asked)
    import_configuration(read_text(configuration("repeated", 2_000), "site.conf"))

    assert 1.9 * few < len(asked) - few < 2.1 * few


def test_files_are_found_by_the_scripts_name(asked):
    lines = [
        f"WSGIScriptAlias /{n} /srv/{n}.wsgi\n<Files {n}.wsgi>\nWSGIApplicationGroup g\n</Files>\n"
        for n in range(100)
    ]

    import_configuration(read_text("".join(lines), "site.conf"))

    assert len(asked) == 100
