"""
Where a URL can lead that chooses the script, beyond where its target seems to.

All is proved by matching: there is a uri that no earlier alias takes, and the file it names. What
normalisation takes out of a uri, ``..`` as a segment, no capture can hold; but a part of a segment
can be ``..``, as that of ``/app..`` behind ``^/app(.*)``. AllowEncodedSlashes opens no other way:
where ``%2F`` is decoded the uri is normalised once more, and where it is not it is no slash.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from ...aliases.patterns.pattern import Pattern
from ...aliases.resolve import Rules
from ...aliases.substitution import group_numbers, parse_template
from ...aliases.target import is_inside
from ...aliases.uri import resolve_dots
from ...exceptions import BadTarget
from ...text import quoted
from ..findings.finding import Findings, Subject
from ..targets.files import TargetPlace
from ..targets.leads import changed_examples, examples, file_of, searched_uri
from ..targets.writers import APART

# Directories that everybody may write to, where systems have them.
_OPEN_TO_ALL = ("/var/tmp", "/tmp", "/dev/shm")
_DOTS = ("../x", "..", "../../x", "../..")
_DEEP = ("x/y",)


@dataclass(frozen=True, slots=True)
class Lead:
    """A uri, and the file that it names: the script, or what follows it in the end."""

    uri: str
    file: str


def capture_findings(
    subject: Subject, place: TargetPlace, rules: Rules, media: str | None
) -> Findings:
    """Yield where uris lead that choose the script; ``media`` is MEDIA_ROOT."""
    if isinstance(subject.location, Pattern) and place.state in ("script", "directory"):
        yield from _led_out(subject, place, rules)
    if place.state == "directory":
        yield from _led_astray(subject, place, rules, media)


def _led_astray(subject: Subject, place: TargetPlace, rules: Rules, media: str | None) -> Findings:
    into_open = _first_into(subject, place, _open_directories(), rules)
    if into_open:
        lead, directory = into_open
        yield subject.finding(
            "E024",
            f"{quoted(lead.uri)} names the script {quoted(lead.file)}, and any user of this "
            f"machine may write to {quoted(directory)}.",
            "Write a directory that only the site uses in front of the capture, or set "
            "WSGIMATCH_ROOTS.",
        )
    into_uploads = _first_into(subject, place, [media] if media else [], rules)
    if into_uploads:
        lead, directory = into_uploads
        yield subject.finding(
            "W015",
            f"MEDIA_ROOT, {quoted(directory)}, is below {quoted(place.path)}, where requests "
            f"choose the script: {quoted(lead.uri)} runs the file {quoted(lead.file)}, if "
            "somebody uploads it.",
            APART,
        )
    if isinstance(subject.location, Pattern) and not into_open and not into_uploads:
        yield from _at_any_depth(subject, place, rules)


def _led_out(subject: Subject, place: TargetPlace, rules: Rules) -> Findings:
    inside = place.path.rstrip("/") + "/"
    for lead in _changed_examples(subject, _DOTS, rules):
        is_above = place.path.startswith(lead.file.rstrip("/") + "/")
        if not is_above and not (lead.file + "/").startswith(inside):
            yield subject.finding(
                "W034",
                f"a capture can lead out of {quoted(place.path)}: {quoted(lead.uri)} names the "
                f"file {quoted(lead.file)}.",
                "Let the capture match whole names only: put a slash before it in the pattern, as "
                "in ^/app/([^/]+).",
            )
            return


def _at_any_depth(subject: Subject, place: TargetPlace, rules: Rules) -> Findings:
    template = parse_template(subject.alias.target)
    first, *others = group_numbers(template) or (0,)
    literal = template[-1] if template else ""
    if not first or others or not isinstance(literal, str) or "/" not in literal:
        return
    for lead in _changed_examples(subject, _DEEP, rules):
        if lead.file.startswith(f"{place.path.rstrip('/')}/x/y/"):
            yield subject.finding(
                "W035",
                f"${first} can hold slashes, so a URL may choose a directory at any depth below "
                f"{quoted(place.path)}: {quoted(lead.uri)} names the file {quoted(lead.file)}.",
                "Write ([^/]+) to match one name.",
            )
            return


def _first_into(
    subject: Subject, place: TargetPlace, directories: Iterable[str], rules: Rules
) -> tuple[Lead, str] | None:
    """The first of some directories in which a uri can choose a script, and that uri."""
    for directory in directories:
        if directory != place.path and directory.startswith(place.path.rstrip("/") + "/"):
            for uri in _uris_into(subject, directory, rules):
                lead = _lead(subject, uri, rules)
                if lead and lead.file.startswith(directory + "/"):
                    return lead, directory
    return None


def _uris_into(subject: Subject, directory: str, rules: Rules) -> Iterator[str]:
    """Uris that may choose a script in a directory."""
    template = parse_template(subject.alias.target)
    literal = template[0] if template and isinstance(template[0], str) else ""
    if isinstance(subject.location, str):
        literal = subject.alias.target
    begun = os.path.join(rules.base_directory, literal)
    for path in (directory, f"{directory}/x"):
        if path.startswith(begun):
            yield from _uris_with(subject, path[len(begun) :], rules)


def _uris_with(subject: Subject, text: str, rules: Rules) -> Iterator[str]:
    location = subject.location
    if isinstance(location, str):
        yield from (location + text, f"{location}/{text}")
        return
    numbers = group_numbers(parse_template(subject.alias.target))
    if numbers:
        uri = searched_uri(location, {numbers[0]: text}, rules)
        yield from [uri] if uri is not None else ()
    else:
        yield from (uri + text for uri in examples(subject, rules))


def _changed_examples(subject: Subject, texts: Iterable[str], rules: Rules) -> Iterator[Lead]:
    """Where uris lead of which one capture is one of the texts."""
    pattern = subject.location
    assert isinstance(pattern, Pattern)
    for number in set(group_numbers(parse_template(subject.alias.target))):
        if not 0 < number <= pattern.groups:
            continue
        wanted = [{number: text} for text in texts]
        uris = [uri for each in wanted for uri in changed_examples(subject, each, rules)]
        found = uris or filter(None, (searched_uri(pattern, each, rules) for each in wanted))
        yield from filter(None, (_lead(subject, uri, rules) for uri in found))


def _lead(subject: Subject, uri: str, rules: Rules) -> Lead | None:
    """Where a uri of this alias leads; None if it is not a uri, or is another alias's."""
    if not _is_normal(uri, rules):
        return None
    match = subject.match(uri)
    file = file_of(match, rules) if match is not None else ""
    return Lead(uri, file) if file and is_inside(file, rules.roots) else None


def _is_normal(uri: str, rules: Rules) -> bool:
    if not uri.startswith("/"):
        # The capture whose text was changed held the first slash.
        return False
    try:
        return uri == resolve_dots(uri, rules.merge_slashes, above_root=False)
    except BadTarget:
        return False


@lru_cache(maxsize=1)
def _open_directories() -> tuple[str, ...]:
    return tuple(path for path in _OPEN_TO_ALL if _is_open(path))


def _is_open(path: str) -> bool:
    try:
        return bool(os.stat(path).st_mode & stat.S_IWOTH)
    except OSError:
        return False
