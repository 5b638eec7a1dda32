"""
What ``make test`` leaves out and ``make test-all`` runs: most cases of a matrix, and long runs.

``mostly_thorough`` marks all cases of a matrix but a few. A test that is thorough as a whole names
the one that shows its behaviour: ``@pytest.mark.thorough("test_...")``, of the same file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest
from _pytest.mark import ParameterSet

MARK = "thorough"
LEFT_OUT = pytest.StashKey[int]()
UNSHOWN = pytest.StashKey[list[str]]()


def mostly_thorough(cases: Iterable[Any], *always: object) -> list[Any]:
    """
    The cases of a matrix, for ``parametrize`` or a fixture: most of them run only when asked for.

    ``always`` names those that every run has, by their ids or values; without names the first is
    it. A tuple stands for several arguments.
    """
    sets = [_parameter_set(case) for case in cases]
    kept = [each for each in sets if any(_is(each, name) for name in always or [sets[0].values])]
    if len(kept) < len(always):
        raise ValueError(f"of {always} only {[each.values for each in kept]} are among the cases")
    return [each if each in kept else _marked(each) for each in sets]


def _parameter_set(case: Any) -> ParameterSet:
    if isinstance(case, ParameterSet):
        return case
    return pytest.param(*case) if isinstance(case, tuple) else pytest.param(case)


def _is(case: ParameterSet, name: object) -> bool:
    return name in (case.id, case.values) or (name,) == case.values


def _marked(case: ParameterSet) -> ParameterSet:
    return pytest.param(*case.values, id=case.id, marks=[*case.marks, pytest.mark.thorough])


def is_thorough(item: pytest.Item) -> bool:
    return item.get_closest_marker(MARK) is not None


def are_wanted(config: pytest.Config) -> bool:
    """Whether the command line asks for thorough tests: by option, by the mark, or by a name."""
    names_tests = any("::" in word for word in config.args)
    return config.getoption("--thorough") or names_tests or MARK in config.option.markexpr


def unshown(items: Sequence[pytest.Item]) -> list[str]:
    """The thorough tests whose behaviour no test shows that always runs."""
    found = defaultdict(list)
    for item in items:
        found[item.path, getattr(item, "originalname", item.name)].append(item)
    plain = {key for key, cases in found.items() if not all(map(is_thorough, cases))}
    hidden = (cases[0] for key, cases in found.items() if key not in plain)
    return [
        item.nodeid
        for item in hidden
        if not any((item.path, name) in plain for name in _shown_by(item))
    ]


def _shown_by(item: pytest.Item) -> Iterator[str]:
    """The tests that a test which is thorough as a whole names."""
    for mark in item.iter_markers(MARK):
        yield from mark.args
