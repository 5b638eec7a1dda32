"""
Rules that make a URL of the host's name, as from ``www.`` to the name without: one for each name.

mod_rewrite fills in what a condition has found in the Host header, ``%1``, or all of it. Where a
virtual host has names without wildcards, that is known of each beforehand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from ...aliases.patterns.pattern import compile_pattern
from ...exceptions import PatternError
from ..covering.hosts import Host
from ..covering.partial_aliases import literally
from ..rewriting.barring import Rule, alternatives
from .conditions import VariableTest, When, read_variable_test

# These stand for the host or a part of it.
_FILLED = re.compile(r"%(?:\{HTTP_HOST\}|([1-9]))")
_NAME = re.compile(r"[\w.-]+", re.ASCII)


def is_made_of_name(rule: Rule) -> bool:
    """Whether the URL of a rule is made of the host's name, or of what a condition has found."""
    return _FILLED.search(rule.substitution) is not None


def rules_by_name(rule: Rule, host: Host) -> Iterator[tuple[Rule, When]]:
    """
    Yield a rule without conditions for each name of its host that it holds for, and when it does.

    There are none where its URL is not made of the name, or where more must be known than that.
    """
    names = dict.fromkeys(name for name, _ in host.names)
    if not is_made_of_name(rule) or not all(map(_NAME.fullmatch, names)):
        return
    # What %1 stands for is what the last condition of all has found.
    is_last = rule.all_conditions[-1:] == rule.conditions[-1:]
    tests = [
        [read_variable_test(each) for each in group] for group in alternatives(rule.conditions)
    ]
    told = [[each for each in group if each is not None and _is_of_name(each)] for group in tests]
    if not is_last or list(map(len, told)) != list(map(len, tests)):
        return
    for name in names:
        groups = _groups(told, name)
        if groups is not None:
            url = _FILLED.sub(partial(_value, name, groups), rule.substitution)
            when = (("HTTP_HOST", f"^(?i:{literally(name)})$"),)
            yield replace(rule, conditions=(), substitution=url), when


def _is_of_name(test: VariableTest) -> bool:
    return test.variable == "HTTP_HOST" and not test.is_text


def _groups(tests: Iterable[Sequence[VariableTest]], name: str) -> tuple[str, ...] | None:
    """Return what conditions find in a name, from ``%0`` on; None where they do not hold."""
    groups: tuple[str, ...] = ()
    for group in tests:
        held = next(filter(None, (_held(each, name, groups) for each in group)), None)
        if held is None:
            return None
        [groups] = held
    return groups


def _held(test: VariableTest, name: str, before: tuple[str, ...]) -> tuple[tuple[str, ...]] | None:
    """Return what is found after a condition that holds, None where it does not."""
    try:
        pattern = compile_pattern(test.body, empty_counts=True)
    except PatternError:
        return None
    found = pattern.find(name)
    if (found is None) is not test.is_negated:
        return None
    if found is None:
        return (before,)
    return (tuple(found.group(number) or "" for number in range(pattern.groups + 1)),)


def _value(name: str, groups: Sequence[str], filled: re.Match[str]) -> str:
    if filled[1] is None:
        return name
    number = int(filled[1])
    return groups[number] if number < len(groups) else ""
