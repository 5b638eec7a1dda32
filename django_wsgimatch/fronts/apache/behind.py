"""
The settings of a site behind Apache: what `export apache` makes Apache pass on, and send with it.

The export decides what cannot be carried; the import reports that, line by line.
"""

from __future__ import annotations

from dataclasses import replace

from ...apache.covering.coverage import FileKinds
from ...apache.importing import Imported, import_configuration, kind_of_file
from ...apache.lines.directive import ApacheConfiguration, Refusal, Spot
from ...apache.lines.limits import Exhausted
from ...apache.outcomes.outcome import Outcome, refused
from ...apache.outcomes.staying import STAYS
from ...apache.writing.setting import Setting
from ..backend import Backend
from .export import FOR_APPLICATIONS, ExportNote, told_by_export
from .needs import trusted_settings
from .remains import BY_PROXY, UNSENT

_COMMENTS = {
    "WSGIMATCH_TRUSTED_PROXIES": "Apache, as the server sees it: what it sends is believed.",
    "WSGIMATCH_TRUSTED_PROXY_HEADERS": "`export apache` has Apache send these headers.",
    "WSGIMATCH_TRUSTED_PROXY_VARIABLES": "",
}
_NOBODY = "Name the address of Apache, as the server sees it: so far nothing it sends is believed."

ByLine = dict[tuple[Spot, str], ExportNote]


def import_behind_apache(
    configuration: ApacheConfiguration, backend: Backend, kind_of: FileKinds = kind_of_file
) -> Imported:
    """
    Return the settings of a site that Apache stays in front of, and what became of each directive.

    ``backend`` is where the export of its files passes requests to.
    """
    imported = import_configuration(configuration, kind_of, is_behind=True)
    if imported.settings is None:
        return imported
    try:
        notes, carried = told_by_export(configuration, backend, kind_of)
    except Exhausted as error:
        cause = Refusal(error.spot, "", error.reason, error.cure)
        return Imported(None, (refused(cause),))
    trusted = {} if carried is None else trusted_settings(carried, backend)
    others = [each for each in imported.settings.others if each.name not in trusted]
    others += (Setting(name, value, _comment(name, value)) for name, value in trusted.items())
    by_line = {(each.spot, each.text.strip()): each for each in notes if _counts(each)}
    return replace(
        imported,
        settings=replace(imported.settings, others=tuple(others)),
        outcomes=tuple(_with_note(each, by_line) for each in imported.outcomes),
    )


def _comment(name: str, value: object) -> str:
    return _COMMENTS[name] if value else _NOBODY


def _counts(note: ExportNote) -> bool:
    """Whether the export knows of a line what the settings do not."""
    if note.kind == "exact":
        return note.note in (BY_PROXY, UNSENT)
    return note.kind == "refused" or note.text.partition(" ")[0].lower() not in FOR_APPLICATIONS


def _with_note(outcome: Outcome, by_line: ByLine) -> Outcome:
    """Return an outcome as the export has it, where that carries a line in another form, or not."""
    note = by_line.get((outcome.spot, outcome.text))
    if note is None or outcome.category in ("off", "refused"):
        return outcome
    if note.kind == "exact":
        is_entry = note.note == UNSENT and outcome.note != STAYS
        return outcome if is_entry else replace(outcome, category="changed", note=note.note)
    return replace(outcome, category="needs you", note=note.note)
