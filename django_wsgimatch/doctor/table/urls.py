"""What becomes of example URLs: slashes that get lost, and what applications rebuild wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from ...aliases.resolve import Rules
from ...aliases.table import Match
from ...aliases.target import find_script, split_uri
from ...exceptions import TargetError
from ...text import quoted
from ..findings.finding import Finding
from ..findings.subject import Subject
from ..uris.hidden_aliases import example_uris

_EXAMPLES = 8


def url_findings(subject: Subject, rules: Rules) -> Iterator[Finding]:
    """Yield what is wrong with the filenames and urls that an alias makes of example uris."""
    uris = islice(example_uris(subject.location, merge_slashes=rules.merge_slashes), _EXAMPLES)
    matches = [match for uri in uris if (match := _match(subject, uri))]
    yield from _lost_slash(subject, matches)
    yield from _not_rebuilt(subject, matches, rules)


def _match(subject: Subject, uri: str) -> Match | None:
    match = subject.table.match(uri)
    return match if match and match.position == subject.position else None


def _lost_slash(subject: Subject, matches: list[Match]) -> Iterator[Finding]:
    for match in matches:
        uri = match.uri[: match.end]
        longer = _match(subject, uri + "x") if uri.endswith("/") and uri != "/" else None
        if longer and longer.end == match.end and not longer.filename.endswith("/x"):
            yield Finding(
                "W008",
                subject.where,
                f"the location {quoted(subject.alias.location)} ends in a slash, the target "
                f"{quoted(subject.alias.target)} does not: {quoted(longer.uri)} becomes the file "
                f"{quoted(longer.filename)}.",
                "End both in a slash or neither.",
            )
            return


def _not_rebuilt(subject: Subject, matches: list[Match], rules: Rules) -> Iterator[Finding]:
    for match in matches:
        try:
            script = find_script(match.filename, base_directory=rules.base_directory)
        except TargetError:
            continue
        script_name, path_info = split_uri(match.uri, script.path_info)
        if script_name + path_info != match.uri:
            yield Finding(
                "W009",
                subject.where,
                f"for {quoted(match.uri)} the application gets SCRIPT_NAME {quoted(script_name)} "
                f"and PATH_INFO {quoted(path_info)}: links and redirects that it builds lead to "
                f"{quoted(script_name + path_info)}.",
                "The text behind the script's name in the target should be the end of the "
                "location. Remove it, or repeat the location there.",
            )
            return
