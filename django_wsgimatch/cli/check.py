"""``manage.py wsgimatch check``: all that the checks find."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from functools import partial

from django.conf import settings
from django.core import checks

from ..checks import file_system_findings, settings_findings
from ..conf import configuration
from ..configured import Configuration
from ..doctor.findings.finding import Finding, Progress, findings_summary, untold
from ..doctor.projects.project_findings import MOST_PROJECTS
from .common.output import Output
from .common.subcommand import Options, Subcommand, add_json_option, seconds_above_zero
from .common.terminal import Screen
from .common.unplanned import unplanned_lines


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--fail-level",
        default="ERROR",
        choices=["CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG"],
        help="exit with 1 if there are messages of this level or above (default ERROR)",
    )
    parser.add_argument("--thorough", action="store_true", help="check every Django project")
    parser.add_argument(
        "--load-timeout",
        type=seconds_above_zero,
        metavar="SECONDS",
        help="seconds that each script may take to load and answer (default 30)",
    )
    add_json_option(parser)


def _run(options: Options, output: Output) -> int:
    """Show all findings; 1 if one reaches the level to fail at."""
    with output.progress() as progress:
        found = findings(
            is_thorough=options["thorough"],
            seconds=options["load_timeout"],
            progress=progress,
        )
    if options["as_json"]:
        output.write_json(list(map(finding_record, found)))
    else:
        _show(found, output)
        if options["verbosity"] > 1 and (lines := [*unplanned_lines(configuration())]):
            output.write_lines(lines)
        output.stdout.write(findings_summary(found))
    fail_level = getattr(checks, options["fail_level"])
    return int(any(_level(each) >= fail_level for each in found))


def findings(
    *, is_thorough: bool = False, seconds: float | None = None, progress: Progress = untold
) -> list[Finding]:
    """
    Return all that the checks find, without what SILENCED_SYSTEM_CHECKS names.

    A thorough check asks all projects behind the aliases, however many there are. Each has so many
    ``seconds`` to load and answer. ``progress`` is told how far it is.
    """
    configured = configuration()
    most = None if is_thorough else MOST_PROJECTS
    found = [
        *settings_findings(configured, progress),
        *file_system_findings(configured, most_projects=most, seconds=seconds, progress=progress),
    ]
    silenced = settings.SILENCED_SYSTEM_CHECKS
    told = [finding for finding in found if f"wsgimatch.{finding.id}" not in silenced]
    return sorted(told, key=partial(_order, _positions(configured)))


def _positions(configured: Configuration) -> dict[str, int]:
    """Where each entry stands in what ``list`` shows."""
    return {where: position for position, where in enumerate(configured.names_in_order())}


def _order(positions: Mapping[str, int], finding: Finding) -> tuple[int, str, int]:
    """Settings come first, by name, then entries as in ``list``; of each the errors first."""
    position = positions.get(finding.where, -1)
    return position, finding.where if position < 0 else "", -_level(finding)


def _level(finding: Finding) -> int:
    """How grave a finding is, on the scale of Django's checks."""
    return int(getattr(checks, finding.level))


def finding_record(finding: Finding) -> dict[str, str]:
    """Return a finding as ``check --json`` has it."""
    return {
        "id": f"wsgimatch.{finding.id}",
        "level": finding.level,
        "where": finding.where,
        "message": finding.message,
        "hint": finding.hint,
    }


def _show(found: Iterable[Finding], output: Output) -> None:
    screen = output.screen
    for each in found:
        if screen is None:
            output.write_lines(each.lines())
        else:
            _draw(each, screen)


def _draw(finding: Finding, screen: Screen) -> None:
    """Draw a finding in the colour of its gravity, its cure below it."""
    message, hint = finding.lines()
    screen.line(message, finding.level)
    screen.line(hint)


SUBCOMMAND = Subcommand(_add_arguments, _run)
