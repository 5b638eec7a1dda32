"""What becomes of example URLs: slashes that get lost, and what applications rebuild wrongly."""

from __future__ import annotations

from ...aliases.resolve import Rules
from ...aliases.table import Match
from ...aliases.target import find_script, split_uri
from ...exceptions import TargetError
from ...text import quoted
from ..findings.finding import Findings, Subject
from ..targets.leads import example_matches


def url_findings(subject: Subject, rules: Rules) -> Findings:
    """Yield what is wrong with the filenames and urls that an alias makes of example uris."""
    if subject.alias.is_module:
        # No file's name is made of its URLs.
        return
    matches = list(example_matches(subject, rules))
    yield from _lost_slash(subject, matches)
    yield from _not_rebuilt(subject, matches, rules)


def _lost_slash(subject: Subject, matches: list[Match]) -> Findings:
    for match in matches:
        uri = match.uri[: match.end]
        longer = subject.match(uri + "x") if uri.endswith("/") and uri != "/" else None
        if longer and longer.end == match.end and not longer.filename.endswith("/x"):
            yield subject.finding(
                "W008",
                f"the location {quoted(subject.alias.location)} ends in a slash, the target "
                f"{quoted(subject.alias.target)} does not: {quoted(longer.uri)} becomes the file "
                f"{quoted(longer.filename)}.",
                "End both in a slash or neither.",
            )
            return


def _not_rebuilt(subject: Subject, matches: list[Match], rules: Rules) -> Findings:
    for match in matches:
        try:
            script = find_script(match.filename, base_directory=rules.base_directory)
        except TargetError:
            continue
        script_name, path_info = split_uri(match.uri, script.path_info)
        if script_name + path_info != match.uri:
            yield subject.finding(
                "W009",
                f"for {quoted(match.uri)} the application gets SCRIPT_NAME {quoted(script_name)} "
                f"and PATH_INFO {quoted(path_info)}: links and redirects that it builds lead to "
                f"{quoted(script_name + path_info)}.",
                "The text behind the script's name in the target should be the end of the "
                "location. Remove it, or repeat the location there.",
            )
            return
