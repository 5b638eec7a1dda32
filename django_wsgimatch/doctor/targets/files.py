"""What an alias's target is in the file system, and whether scripts can run there."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Literal

from ...aliases.alias import Alias
from ...aliases.module_target import read_module_target
from ...aliases.resolve import Rules
from ...aliases.substitution import Template, parse_template
from ...aliases.target import IS_DIRECTORY, NOT_FOUND, OUTSIDE_ROOTS, find_script, is_inside
from ...exceptions import DirectiveError, TargetError
from ...settings_guard import settings_modules
from ...text import quoted, readable
from ..findings.finding import Finding, Findings, Subject
from .listing import Listings

State = Literal["script", "module", "directory", "missing", "unreadable", "outside"]

# How the names of files end that may be scripts.
ENDINGS = (".wsgi", ".py")


@dataclass(frozen=True, slots=True)
class TargetPlace:
    """
    Where an alias's target leads as far as the request does not decide.

    ``path`` is the script, or the directory in which the request names one, or how far one
    gets; of a module it is the text of the target. ``scripts`` are the files that can run, of a
    module its own if that is known; in a directory with others below it, ``deeper``, there may be
    more: ``below`` are those of them that a URL is known to lead to, with that URL.
    """

    state: State
    path: str
    reason: str = ""
    scripts: tuple[str, ...] = ()
    deeper: bool = False
    below: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether the target leads to one script whatever the request."""
        return self.state in ("script", "module")


def survey(alias: Alias, rules: Rules, listings: Listings) -> TargetPlace:
    """Look where an alias's target leads; nothing is loaded."""
    if alias.is_module:
        return TargetPlace("module", alias.target)
    template = parse_template(alias.target) if alias.kind == "match" else (alias.target,)
    literal = template[0] if template and isinstance(template[0], str) else ""
    is_chosen = len(template) > 1 or not literal
    filename = literal[: literal.rfind("/") + 1] or "./" if is_chosen else literal
    try:
        found = find_script(
            filename, base_directory=rules.base_directory, follow_symlinks=rules.follow_symlinks
        )
    except TargetError as error:
        return _no_script(error, filename, template, alias, rules, listings)
    if not is_inside(found.path, rules.roots):
        return TargetPlace("outside", found.path, OUTSIDE_ROOTS)
    if not os.access(found.path.encode("latin-1"), os.R_OK):
        return TargetPlace("unreadable", found.path, "this user may not read it")
    return TargetPlace("script", found.path, scripts=(found.path,))


def _no_script(
    error: TargetError,
    filename: str,
    template: Template,
    alias: Alias,
    rules: Rules,
    listings: Listings,
) -> TargetPlace:
    if error.reason == NOT_FOUND:
        begun = _begun(filename, rules, listings) if alias.kind == "match" else ()
        if begun:
            return TargetPlace("directory", os.path.dirname(begun[0]), scripts=begun)
        return TargetPlace("missing", error.path, error.reason)
    if error.reason != IS_DIRECTORY:
        return TargetPlace("unreadable", error.path, error.reason)
    if not _may_hold_scripts(error.path, rules.roots):
        return TargetPlace("outside", error.path, OUTSIDE_ROOTS)
    scripts = listings.scripts(error.path, *_ends_of_name(template))
    return TargetPlace(
        "directory", error.path, scripts=scripts, deeper=bool(listings[error.path].directories)
    )


def _may_hold_scripts(directory: str, roots: tuple[str, ...] | None) -> bool:
    return is_inside(directory + "/x", roots) or any(
        root.startswith(directory.rstrip("/") + "/") for root in roots or ()
    )


def _begun(filename: str, rules: Rules, listings: Listings) -> tuple[str, ...]:
    """The files whose names begin as the last name does: the rest of them is the request's."""
    directory, _, beginning = os.path.join(rules.base_directory, filename).rpartition("/")
    return listings.scripts(directory, beginning)


def _ends_of_name(template: Template) -> tuple[str, str]:
    """How the names of the files begin and end that the target lets a request name."""
    first = template[0] if len(template) > 1 and isinstance(template[0], str) else ""
    suffix = template[2] if len(template) > 2 and isinstance(template[2], str) else ""
    return first[first.rfind("/") + 1 :], suffix.partition("/")[0]


def file_findings(
    places: Iterable[tuple[Subject, TargetPlace]],
    settings_of: Callable[[Subject], tuple[str | None, bool]],
    base_directory: str = "/",
) -> Findings:
    """
    Yield what is wrong with the places of aliases and with the scripts there.

    ``settings_of`` tells the settings module of the process that answers for an alias, and whether
    a process group's ``settings`` name it; relative targets begin in ``base_directory``.
    """
    seen: set[str] = set()
    for subject, place in places:
        yield from _target_findings(subject, place, base_directory)
        named = (s for s in place.scripts if place.is_known or s.endswith(ENDINGS))
        for script in (*named, *place.below):
            if script not in seen:
                seen.add(script)
                yield from script_findings(subject.where, script, *settings_of(subject))


def _target_findings(subject: Subject, place: TargetPlace, base_directory: str) -> Findings:
    target, path = quoted(subject.alias.target), quoted(place.path)
    if place.state == "missing":
        yield subject.finding(
            "E010",
            f"the target {target} does not exist: there is no {path}. Every request gets 404.",
            _cure_of_missing(subject, base_directory),
        )
    elif place.state == "unreadable":
        yield subject.finding(
            "E011",
            f"the target {target} cannot be used: {place.reason}: {path}.",
            "Let the server's user read the file and enter all directories above it: namei -l "
            f"{readable(place.path)}",
        )
    elif place.state == "outside":
        yield subject.finding(
            "E012",
            f"the target {target} is outside WSGIMATCH_ROOTS: {path}. Every request gets 403.",
            "Add its directory to WSGIMATCH_ROOTS, or remove that setting.",
        )
    elif place.state == "directory" and not place.scripts and not place.deeper:
        yield subject.finding(
            "W011",
            f"the target {target} leads to the directory {path}, which has no file that it could "
            "name: requests get 403 or 404.",
            "Name the script, or put scripts there.",
        )


def _cure_of_missing(subject: Subject, base_directory: str) -> str:
    if line := _as_module(subject):
        return f"A directive line names a file, as in Apache. To name the module: {line}."
    if line := meant(subject, base_directory):
        return f"There is another: {line}."
    return "Fix the path. A relative path starts at settings.BASE_DIR."


def _as_module(subject: Subject) -> str:
    """Return the entry that names a module where a directive line has one's name for a file."""
    try:
        is_named = read_module_target(subject.alias.target) is not None
    except DirectiveError:
        return ""
    return replace(subject, entry=None).line(is_module=True) if is_named else ""


def read_script(script: str) -> bytes:
    """Return a script's source as far as it would be run, nothing where it cannot be read."""
    try:
        with open(script.encode("latin-1"), "rb") as file:
            return file.read().partition(b"\0")[0]
    except OSError:
        return b""


def script_findings(
    where: str, script: str, settings_module: str | None, is_named: bool = False
) -> Findings:
    """Yield why a script, which is only read, would not be run."""
    try:
        with open(script.encode("latin-1"), "rb") as file:
            source = file.read().partition(b"\0")[0]
        ast.parse(source)
    except OSError as error:
        message = f"the script {quoted(script)} cannot be read: {error.strerror}."
        yield Finding("E011", where, message, "Let the server's user read it.")
        return
    except (SyntaxError, ValueError) as error:
        line = f" (line {error.lineno})" if isinstance(error, SyntaxError) else ""
        message = f"the script {quoted(script)} is not valid Python: {error.args[0]}{line}."
        yield Finding("E015", where, message, "Fix it; until then it answers 500.")
        return
    for asked in settings_modules(source, with_defaults=not is_named):
        if settings_module and asked != settings_module:
            yield Finding(
                "E013",
                where,
                f"the script {quoted(script)} asks for DJANGO_SETTINGS_MODULE {asked!r}, but the "
                f"process runs {settings_module!r}. One process holds one Django project: the "
                "script answers 500.",
                "Give its alias its own process group: process_group='...'.",
            )


def meant(subject: Subject, base_directory: str) -> str:
    """Return the entry with the target that was meant, "" where none is found."""
    for target in _candidates(subject.alias.target, base_directory):
        if os.path.isfile(os.path.join(base_directory, target).encode("latin-1")):
            return subject.line(target=target)
    return ""


def _candidates(target: str, base_directory: str) -> Iterator[str]:
    if "$" in target:
        return
    # As WSGI_APPLICATION writes it, a dotted path, or as gunicorn does, behind a file.
    module = target.partition(":")[0]
    if "/" not in module:
        yield f"{module.replace('.', '/')}.py"
        yield f"{module.rpartition('.')[0].replace('.', '/')}.py"
    yield module
    yield os.path.expanduser(target)
    directory, name = os.path.split(target)
    try:
        there = os.listdir(os.path.join(base_directory, directory).encode("latin-1"))
    except OSError:
        return
    names = [each.decode("latin-1") for each in there]
    yield from (
        os.path.join(directory, each) for each in get_close_matches(name, names, cutoff=0.8)
    )
