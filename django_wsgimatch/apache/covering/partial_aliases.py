"""A part of an alias as an alias of its own: the uris that a narrower <Location> holds for."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace

from ...aliases.alias import Alias
from ...aliases.file_options import FileOptions
from ...aliases.patterns.pattern import compile_pattern
from ...aliases.substitution import Template, as_template, group_numbers, parse_template
from ...exceptions import PatternError
from ..lines.directive import Section
from .coverage import (
    CONDITIONS,
    DIRECTORIES,
    ENDS_OF_PATHS,
    FILES,
    LOCATIONS,
    Reach,
    begins_with_slash,
    coverage,
    is_wildcard,
    prefixes_of,
    reach_of_name,
    region,
    section_pattern,
)
from .hosts import Scope

_SLASHES = re.compile("//+")
# What would mean something else inside a group, or further on in a pattern.
_UNMOVABLE = re.compile(r"\(\*|\\[GK]|\(\?\^?[a-zA-Z]*x|\(\?[RP0-9&+-]|\(\?\(")
_SPECIAL = re.compile(r"[\\.^$*+?()\[\]{}|]")
_ESCAPED_OR_SET = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]", re.DOTALL)
_INNERMOST = re.compile(r"\([^()]*\)")
_BACK_REFERENCE = re.compile(r"\\[1-9gk]|\(\?[P<'&]")
_CAPTURE = re.compile(r"(\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\])|\((?![?*])", re.DOTALL)


def narrowed(alias: Alias, section: Section) -> Alias | None:
    """
    Return the alias for those uris of an alias that a <Location> holds for.

    It leads to the same script with the same SCRIPT_NAME and PATH_INFO. None where no alias
    can say that.
    """
    text, is_pattern = section_pattern(section)
    if not is_pattern and not is_wildcard(text):
        return _below(alias, _SLASHES.sub("/", text))
    condition = without_captures(text if is_pattern else from_wildcard(text))
    if condition is None or _UNMOVABLE.search(condition):
        return None
    return _where(alias, look_ahead(condition))


def as_match(alias: Alias) -> Alias:
    """Return files as a pattern, whose target is the whole name of a file."""
    if alias.kind == "match":
        return alias
    rest = "((?s:.*))" if alias.location.endswith("/") else "((?:/(?s:.*))?)"
    target = as_template(alias.target)
    pattern = f"^{literally(alias.location)}{rest}\\z"
    return replace(alias, kind="match", location=pattern, target=f"{target}$1")


def divisible(alias: Alias, section: Section) -> Alias:
    """Return files so that narrowed() can give the part of them that a <Location> holds for."""
    text, is_pattern = section_pattern(section)
    is_file = isinstance(alias.answer, FileOptions)
    return as_match(alias) if is_file and (is_pattern or is_wildcard(text)) else alias


def files_by_name(alias: Alias, section: Section) -> Alias | None:
    """
    Return an alias for those files of an alias whose names a <Files> holds for, or None.

    It goes by the last segment of the URL, which the name of an index file is not.
    """
    is_torn = alias.location[1:].endswith("/") and not alias.target.endswith("/")
    if alias.kind != "plain" or is_torn:
        return None
    text, is_pattern = section_pattern(section)
    starts = not is_pattern or text.startswith("^")
    body = text[starts:] if is_pattern else _glob(text)
    is_odd = "^" in _ESCAPED_OR_SET.sub("", body) or (starts and is_pattern and "|" in text)
    plain = None if is_pattern and is_odd else without_captures(body)
    if plain is None:
        return None
    name = f"{'' if starts else '[^/]*?'}(?:{plain}){'' if is_pattern else '$'}"
    return restricted(as_match(alias), rf"(?=(?s:.*)/(?=[^/]*\z){name})")


def restricted(alias: Alias, condition: str) -> Alias | None:
    """Return an alias for those of its uris that a lookahead from their start holds for."""
    return None if _UNMOVABLE.search(condition) else _where(alias, condition)


def excluded(alias: Alias, other: Alias) -> Alias | None:
    """Return an alias without the uris of another one, None where one pattern cannot say that."""
    ahead = _ahead_of(other)
    return None if ahead is None else _where(alias, f"(?!{ahead[3:]}")


def shared(alias: Alias, other: Alias) -> Alias | None:
    """Return an alias for its uris that another one has, too, None where one pattern cannot."""
    ahead = _ahead_of(other)
    return None if ahead is None else _where(alias, ahead)


def _ahead_of(alias: Alias) -> str | None:
    """Return the lookahead for the uris of an alias, None where it would be another pattern."""
    if alias.kind == "plain":
        return _ahead_of_location(_SLASHES.sub("/", alias.location))
    pattern = without_captures(alias.location)
    if pattern is None or _UNMOVABLE.search(pattern):
        return None
    return look_ahead(pattern)


def _ahead_of_location(location: str) -> str:
    end = "" if location.endswith("/") else "(?:/|$)"
    return f"(?={literally(location)}{end})"


def region_of(section: Section) -> Reach:
    """Return the uris that a <Location> holds for, as far as they are known."""
    text, is_pattern = section_pattern(section)
    if is_pattern or is_wildcard(text):
        return region(None, prefixes_of(text if is_pattern else from_wildcard(text)))
    return region(text, (text,))


def _below(alias: Alias, location: str) -> Alias | None:
    if alias.kind == "match":
        return _where(alias, _ahead_of_location(location))
    # filename = target + what follows the location in the uri, and all of it for "/".
    start = "" if alias.location == "/" else _SLASHES.sub("/", alias.location)
    rest = location[len(start) :]
    return replace(alias, location=location, target=alias.target + rest)


def _where(alias: Alias, condition: str) -> Alias | None:
    """Return the alias under a condition that looks ahead from the start of the uri."""
    if alias.kind == "plain":
        location = _SLASHES.sub("/", alias.location)
        end = "" if location.endswith("/") else "(?=/|$)"
        pattern = f"^{condition}{literally(location)}{end}"
        target = as_template(alias.target)
    elif _UNMOVABLE.search(alias.location):
        return None
    elif is_anchored(alias.location):
        pattern, target = f"^{condition}{alias.location[1:]}", alias.target
    elif 0 in group_numbers(parse_template(alias.target)):
        return None
    else:
        pattern, target = f"^{condition}.*?(?:{alias.location})", alias.target
    try:
        compile_pattern(pattern)
    except PatternError:
        return None
    return replace(alias, kind="match", location=pattern, target=target)


def is_anchored(pattern: str) -> bool:
    """Whether a pattern is searched from the start of the uri only: no branch has its own ^."""
    if not pattern.startswith("^"):
        return False
    text = _ESCAPED_OR_SET.sub("", pattern)
    while (shorter := _INNERMOST.sub("", text)) != text:
        text = shorter
    return "|" not in text


def look_ahead(pattern: str) -> str:
    """Return the lookahead, from the start of the uri, for what a pattern takes."""
    if is_anchored(pattern):
        return f"(?={pattern[1:]})"
    return f"(?=.*?(?:{pattern}))"


def contradicts_itself(pattern: str) -> bool:
    """Whether a pattern begins with a lookahead, and with the one that excludes the same."""
    found: dict[str, set[str]] = {"=": set(), "!": set()}
    rest = pattern.removeprefix("^")
    while rest.startswith(("(?=", "(?!")):
        end = _end_of_group(rest)
        found[rest[2]].add(rest[3 : end - 1])
        rest = rest[end:]
    return not found["="].isdisjoint(found["!"])


def _end_of_group(text: str) -> int:
    """Return where the group ends with which a text begins."""
    depth = 0
    for found in re.finditer(rf"{_ESCAPED_OR_SET.pattern}|[()]", text, re.DOTALL):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if not depth:
            return found.end()
    return len(text)


def without_captures(pattern: str) -> str | None:
    """Return a pattern whose groups do not count: those of the alias keep their numbers."""
    if _BACK_REFERENCE.search(pattern):
        return None
    return _CAPTURE.sub(lambda found: found[1] or "(?:", pattern)


def from_wildcard(text: str) -> str:
    """Return the pattern of what apr_fnmatch() takes with APR_FNM_PATHNAME."""
    parts = re.split(r"(\[[^\]]+\]|[*?])", text)
    return "^" + "".join(map(_wildcard_part, parts)) + "$"


def _wildcard_part(part: str) -> str:
    if part in ("*", "?"):
        return "[^/]*" if part == "*" else "[^/]"
    if part.startswith("[") and part.endswith("]"):
        return part.replace("[!", "[^", 1)
    return literally(part)


def literally(text: str) -> str:
    """Return the pattern that takes a text as it is."""
    return _SPECIAL.sub(r"\\\g<0>", text)


# What begins so is the name of a file or folder that begins with a dot, and no folder of scripts.
_HIDDEN = re.compile(r"(?:\^\.\*|\.\*|\^\(\.\*\))?(?:/|\(\^\|/\)|\(\?:\^\|/\))?(\\\..*)", re.DOTALL)


def is_exact(alias: Alias, scope: Scope) -> bool:
    """Whether region_of_scope() takes no URL more than the section holds for."""
    names = [each.key for each in scope.sections]
    if any(name in (*CONDITIONS, *FILES) for name in names):
        return False
    is_folder = alias.kind == "plain" and not section_pattern(scope.sections[-1])[1]
    return names[0] in LOCATIONS or is_folder


def region_of_scope(alias: Alias, scope: Scope) -> Alias | None:
    """
    Return an alias for the URLs of an alias that a section may hold for, or None.

    It may take a few URLs more, never one less. None where one entry cannot say that.
    """
    first, last = scope.sections[0], scope.sections[-1]
    if first.key in LOCATIONS:
        # What stands further inside, an <If>, holds for a part of it that no URL tells.
        region = narrowed(alias, first)
        for each in scope.sections[1:]:
            if region is not None and each.key in LOCATIONS:
                region = narrowed(region, each) or region
        return region
    if any(each.key in CONDITIONS for each in scope.sections):
        return None
    if last.key in FILES:
        return _of_names(alias, last)
    return _of_directory(alias, last)


def _of_directory(alias: Alias, section: Section) -> Alias | None:
    text, is_pattern = section_pattern(section)
    assert section.key in DIRECTORIES
    if is_pattern:
        hidden = _HIDDEN.fullmatch(text)
        body = without_captures(hidden[1]) if hidden else None
        return restricted(alias, f"(?=.*/(?:{body}))") if body else None
    if is_wildcard(text):
        return _of_wildcard_directory(alias, text.rstrip("/"))
    path = posixpath.normpath("/" + text.lstrip("/"))
    if alias.kind == "match":
        return _of_named_directory(alias, path)
    target = posixpath.normpath(alias.target)
    location = "" if alias.location == "/" else alias.location
    is_torn = location.endswith("/") and not alias.target.endswith("/")
    if is_torn or not path.startswith(f"{target}/"):
        return None
    return Alias(location.rstrip("/") + path[len(target) :], alias.target)


def _of_wildcard_directory(alias: Alias, path: str) -> Alias | None:
    """Return the URLs of the folders below an alias's own that a <Directory> with wildcards has."""
    target = posixpath.normpath(alias.target)
    depth = len(target.split("/"))
    around, below = path.split("/")[:depth], path.split("/")[depth:]
    is_torn = alias.location.endswith("/") is not alias.target.endswith("/")
    is_above = re.search(from_wildcard("/".join(around)), target) is not None
    if alias.kind == "match" or (is_torn and alias.location != "/") or not is_above or not below:
        return None
    folder = f"{literally(alias.location.rstrip('/'))}/{from_wildcard('/'.join(below))[1:-1]}"
    return restricted(alias, f"(?={folder}(?:/|$))")


def _of_named_directory(alias: Alias, path: str) -> Alias | None:
    """Return the URLs of a pattern with the name of a directory in which scripts lie."""
    ending, template = _ending_of_names(alias), parse_template(alias.target)
    folder = posixpath.normpath(str(template[0]))
    if ending is None or len(group_numbers(template)) > 1 or not path.startswith(f"{folder}/"):
        return None
    name = literally(path[len(folder) + 1 :])
    if ending and _meets(name, ending):
        return None
    return restricted(alias, f"(?=.*/{name}(?:/|$))")


def _of_names(alias: Alias, section: Section) -> Alias | None:
    """Return the URLs with a segment that may be the name of the script."""
    text, is_pattern = section_pattern(section)
    starts, body, ends = _parts(text) if is_pattern else (True, _glob(text), True)
    ending = _ending_of_names(alias)
    if ending is None or body is None or _ODD.search(_ESCAPED_OR_SET.sub(_kept_escape, body)):
        return None
    if ending and starts and ends and (stem := _stem(body, ending)):
        # Whatever the pattern takes behind it.
        body, ends = stem, False
    elif ending and (ends or not starts or _meets(body, ending)):
        return None
    if any(coverage((section,), reach_of_name(each)) != "none" for each in _fixed_names(alias)):
        # The target itself may name the script.
        return None
    plain = without_captures(_END.sub(lambda found: found[1] or "(?=/|$)", body))
    if plain is None:
        return None
    start, end = "/" if starts else "/[^/]*?", "(?:/|$)" if ends else ""
    return restricted(alias, f"(?=.*{start}(?:{plain}){end})")


# What may say something else of a URL than of the name in it: where it begins, what must not
# follow, and what takes as much as there is.
_ODD = re.compile(r"\^|\\[AzZGBK]|\(\?(?:<?[!=]|>)|[*+?}]\+")
_FLAG = re.compile(r"\(\?i\)")
# The end of a name, which a slash may follow in a URL, and what only looks like that.
_END = re.compile(rf"({_ESCAPED_OR_SET.pattern})|\$", re.DOTALL)


def _kept_escape(found: re.Match[str]) -> str:
    """Leave out sets and characters that are meant as they are."""
    return found[0] if found[0][1:] in [*"AzZGBK"] else ""


def _parts(pattern: str) -> tuple[bool, str | None, bool]:
    """Return whether a pattern begins at the start of a name, what it has inside, where it ends."""
    flag = _FLAG.match(pattern)
    whole = pattern[flag.end() :] if flag else pattern
    starts, ends = whole.startswith("^"), whole.endswith("$") and not whole.endswith("\\$")
    body = whole[starts : len(whole) - ends]
    is_divided = "|" in re.sub(r"\\.|\[[^\]]*\]|\([^()]*\)", "", body)
    body = f"(?i){body}" if flag else body
    return starts, None if is_divided and (starts or ends) else body, ends


def _glob(text: str) -> str:
    return from_wildcard(text)[1:-1] if is_wildcard(text) else literally(text)


def _meets(body: str, ending: str) -> bool:
    """Whether what a name begins with may reach into what a target puts behind it."""
    found = _LITERALS.fullmatch(body)
    if found is None:
        return True
    words = [f"{found[1]}{each}{found[3]}" for each in (found[2] or "").split("|")]
    texts = [each.replace("\\", "").lower() for each in words]
    rests = (each[place:] for each in texts for place in range(len(each)))
    return any(each.startswith(ending.lower()) or ending.lower().startswith(each) for each in rests)


def _stem(body: str, ending: str) -> str | None:
    """Return what a URL has of a whole name of which a target has the ending, None if in doubt."""
    name = body.replace("\\", "") if _LITERALS.fullmatch(body) and "(" not in body else ""
    return literally(name[: -len(ending)]) if name.find(ending) == len(name) - len(ending) else None


_LITERAL_TEXT = r"(?:[\w-]|\\[.-])*"
_LITERALS = re.compile(
    rf"(?:\(\?i\))?({_LITERAL_TEXT})"
    rf"(?:\((?:\?:)?({_LITERAL_TEXT}(?:\|{_LITERAL_TEXT})*)\))?({_LITERAL_TEXT})"
)


def _ending_of_names(alias: Alias) -> str | None:
    """
    Return what a target puts behind the names that stand in the URLs, "" for nothing.

    None where a name may begin elsewhere than behind a slash of a URL, or end elsewhere.
    """
    if alias.kind == "plain":
        is_torn = alias.location[1:].endswith("/") and not alias.target.endswith("/")
        return None if is_torn else ""
    template = parse_template(alias.target)
    groups = [place for place, part in enumerate(template) if isinstance(part, int)]
    if not groups or not all(_is_name(alias.location, template, place) for place in groups):
        return None
    if any(not str(template[place + 1]).startswith("/") for place in groups[:-1]):
        return None
    last = template[-1]
    if isinstance(last, str):
        return None if "/" in last else last
    found = _capture_of(alias.location, last)
    is_path = found is not None and begins_with_slash(alias.location[found[0] + 1 :])
    ends = ENDS_OF_PATHS if is_path else ("", "$", r"\z")
    return "" if found and alias.location[found[1] :] in ends else None


def _is_name(pattern: str, template: Template, place: int) -> bool:
    """Whether what a group takes begins behind a slash, in the URL and in the target."""
    before, number = template[place - 1] if place else "", template[place]
    found = _capture_of(pattern, int(number))
    if (
        found is not None
        and place == len(template) - 1
        and begins_with_slash(pattern[found[0] + 1 :])
    ):
        return True
    is_begun = found is not None and pattern[: found[0]].endswith("/")
    return is_begun and isinstance(before, str) and before.endswith("/")


def _capture_of(pattern: str, number: int) -> tuple[int, int] | None:
    """Return where a group of a pattern begins and ends, None for none that is counted simply."""
    if re.search(r"\(\?(?:P?<\w|'|\|)", pattern):
        return None
    count = 0
    opened: list[tuple[int, int]] = []
    for found in re.finditer(rf"{_ESCAPED_OR_SET.pattern}|[()]", pattern, re.DOTALL):
        if found[0] == "(":
            is_counted = pattern[found.end() : found.end() + 1] not in ("?", "*")
            count += is_counted
            opened.append((count if is_counted else 0, found.start()))
        elif found[0] == ")" and opened:
            own, start = opened.pop()
            if own == number:
                return start, found.end()
    return None


def _fixed_names(alias: Alias) -> Iterator[str]:
    """Yield the names in a target that may be a script's, whatever the URL."""
    if alias.kind == "plain":
        yield posixpath.basename(posixpath.normpath(alias.target))
        return
    first, *others = (part for part in parse_template(alias.target) if isinstance(part, str))
    yield posixpath.basename(first.rstrip("/"))
    yield from (name for each in others for name in each.split("/")[1:] if name)
