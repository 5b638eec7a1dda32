"""
Rules of mod_rewrite in sections, which compare with the path of a file, said of the URL.

A request that is passed on has no file. Its path is made of the target of its entry and what stands
behind the location in the URL, and a condition compares that.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ....aliases.alias import Alias
from ....aliases.patterns.pattern import compile_pattern
from ....aliases.patterns.pcre.measures import shortest
from ....aliases.patterns.pcre.parser import parse
from ....aliases.substitution import parse_template
from ....apache.covering.coverage import DIRECTORIES, section_pattern
from ....apache.covering.partial_aliases import is_anchored, literally
from ....apache.lines.directive import Directive, Section
from ....apache.rewriting.barring import PASSING, TAKING_ALL, flags_of, refuses
from ....exceptions import PatternError
from .quoting import as_one_line, raw_word, raw_words

# What only a request for a file has.
_NAMES = (
    r"(?:REQUEST_FILENAME|SCRIPT_FILENAME|SCRIPT_USER|SCRIPT_GROUP|PATH_INFO|PATH_TRANSLATED"
    r"|HANDLER|CONTEXT_PREFIX|CONTEXT_DOCUMENT_ROOT|LAST_MODIFIED)"
)
_OF_FILES = re.compile(rf"{_NAMES}|LA-F:", re.IGNORECASE)
# A server's rules, which come before there is a file, can ask for what becomes of the URL.
_LOOKED_AHEAD = re.compile(rf"LA-U:{_NAMES}|LA-F:", re.IGNORECASE)
_REFERENCE = re.compile(r"[$%][0-9]")
_CAPTURE = re.compile(r"\$[0-9]")
_SLASHES = re.compile("//+")
_EXPANDED = re.compile(r"[\\$%]")
# A condition takes what begins so for a comparison of another kind.
_COMPARING = ("<", ">", "=", "-")
_KNOWN = {
    *(
        "F",
        "FORBIDDEN",
        "G",
        "GONE",
        "R",
        "REDIRECT",
        "L",
        "LAST",
        "END",
        "NC",
        "NOCASE",
        "C",
        "CHAIN",
        "S",
        "SKIP",
    ),
    *("NE", "NOESCAPE", "QSA", "QSD", ""),
}
_ODD, _REFUSED = r"//|/\.\.?(?:/|$)", "RewriteRule ^ - [F]"
_REST = "((?s:.*))"
# %9 is the last, and one is for what stands behind the match.
_MOST_GROUPS = 8
# What looks at the text before it, or moves the start of the match.
LOOKING_BACK = re.compile(r"\(\?<[=!]|\\[AGKbB]|\(\*")
_ANY_CASE = {"NC", "NOCASE"}


def names_file(text: str) -> bool:
    """Whether a text asks for what only a request for a file has."""
    return _OF_FILES.search(text) is not None


def asks_for_path(condition: Directive) -> bool:
    """Whether a condition compares what the pattern of its rule has found in a path."""
    is_condition = condition.key == "rewritecond"
    return is_condition and any(_CAPTURE.search(each) for each in raw_words(condition.rest)[:1])


def looks_ahead(text: str) -> bool:
    """Whether a text asks for the file that a URL will lead to."""
    return _LOOKED_AHEAD.search(text) is not None


@dataclass(frozen=True, slots=True)
class ComparedPath:
    """
    What rules compare with: ``text`` with %1, which the pattern ``uri`` finds from the URL's start.

    Where the pattern finds nothing, no rule of the section holds. ``is_odd`` says that the text may
    have two slashes in a row, or dots, that Apache takes out of a path.
    """

    uri: str
    text: str
    is_odd: bool = False

    def refusals(self) -> Iterator[str]:
        """Yield a rule that refuses what is no path as Apache has it."""
        if self.is_odd:
            yield f"RewriteCond %{{REQUEST_URI}} {raw_word(f'^{self.uri}')}"
            yield f"RewriteCond {raw_word(self.text)} {_ODD}"
            yield _REFUSED

    def conditions(self, pattern: str, flags: Mapping[str, str]) -> Iterator[str]:
        """Yield the conditions that stand for the pattern of a rule."""
        sign, body = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
        body = f"(?:){body}" if body.startswith(_COMPARING) else body
        any_case = " [NC]" if _ANY_CASE & flags.keys() else ""
        yield f"RewriteCond %{{REQUEST_URI}} {raw_word(f'^{self.uri}')}"
        yield f"RewriteCond {raw_word(self.text)} {raw_word(f'{sign}{body}')}{any_case}"


def subject_of(alias: Alias, section: Section) -> ComparedPath | None:
    """
    Return what rules in a section compare with for the URLs of an entry, None where none tells.

    It is the path and the PATH_INFO, without the folder of the section: apply_rewrite_rule().
    """
    base = _base_of(section)
    if alias.kind == "match":
        return _subject_of_pattern(alias, base)
    if not (alias.location.startswith("/") and alias.target.startswith("/")):
        return None
    location, path = _SLASHES.sub("/", alias.location), posixpath.normpath(alias.target)
    uri, ends = literally(location), alias.target.endswith("/")
    if path.startswith("//"):
        return None
    if location == "/":
        uri, ends = "", False
    elif ends and not location.endswith("/"):
        uri += "/?"
    path += "/" if ends else ""
    if path.startswith(base):
        return ComparedPath(f"{uri}{_REST}", f"{_unexpanded(path[len(base) :])}%1")
    if base.startswith(f"{path.rstrip('/')}/"):
        inner = base[len(path.rstrip("/")) + 1 :]
        uri = uri.removesuffix("/?").removesuffix("/")
        return ComparedPath(f"{uri}/{literally(inner)}{_REST}", "%1")
    return ComparedPath(f"{uri}{_REST}", f"{_unexpanded(path)}%1")


def _base_of(section: Section) -> str:
    """Return what rules of a section take for its folder: config_perdir_create()."""
    text, is_pattern = section_pattern(section)
    if section.key in DIRECTORIES and not is_pattern:
        text = posixpath.normpath(text)
    return text if text.endswith("/") else f"{text}/"


def _subject_of_pattern(alias: Alias, base: str) -> ComparedPath | None:
    """Return the subject of a pattern: its captures, and what stands behind what it finds."""
    template, pattern = parse_template(alias.target), alias.location
    groups = _groups_of(pattern)
    literal = str(template[0]) if template and isinstance(template[0], str) else ""
    is_normal = literal.startswith("/") and posixpath.normpath(literal) == literal.rstrip("/")
    if groups is None or not is_normal or base.startswith(literal) or 0 in template:
        return None
    if not is_anchored(pattern) and "^" in pattern:
        return None
    uri = f"(?:{pattern[1:]})" if is_anchored(pattern) else f"(?s:.*?)(?:{pattern})"
    parts = [f"%{each}" if isinstance(each, int) else _unexpanded(each) for each in template]
    parts[0] = _unexpanded(literal.removeprefix(base))
    return ComparedPath(f"{uri}{_REST}", f"{''.join(parts)}%{groups + 1}", is_odd=True)


def _groups_of(pattern: str) -> int | None:
    """Return how many groups a pattern has, None where a condition cannot search for it so."""
    if LOOKING_BACK.search(pattern):
        return None
    try:
        groups = compile_pattern(pattern, allow_exponential=True).groups
        # Behind a match of one character Apache puts the whole URL.
        is_short = shortest(parse(pattern).tree) < 2
    except PatternError:
        return None
    return None if is_short or groups > _MOST_GROUPS else groups


def _unexpanded(text: str) -> str:
    return _EXPANDED.sub(r"\\\g<0>", text)


def has_odd_urls(directives: Iterable[Directive]) -> bool:
    """
    Whether a URL may have two slashes in a row or segments of dots, which no path has.

    A directive says so, or a rule makes URLs for what comes behind it.
    """
    return any(
        each.key in ("mergeslashes", "allowencodedslashes")
        or (each.key == "rewriterule" and each.words[1:2] != ["-"] and _passes_on(each))
        for each in directives
    )


def _passes_on(rule: Directive) -> bool:
    return bool({*PASSING} & flags_of(rule.words).keys())


def told_lines(
    directives: Sequence[Directive], subject: ComparedPath, *, has_odd_urls: bool
) -> dict[int, list[str]] | None:
    """
    Return the lines for rules and their conditions, by the identity of what they stand for.

    None where a rule does something else than to refuse, to redirect or to end. With
    ``has_odd_urls`` those are refused that Apache finds by another path.
    """
    found: dict[int, list[str]] = {}
    before = [f"RewriteCond %{{REQUEST_URI}} {_ODD}", _REFUSED] if has_odd_urls else []
    before += subject.refusals()
    group: list[Directive] = []
    for each in directives:
        if each.key == "rewritecond":
            group.append(each)
        elif each.key == "rewriterule":
            lines = _told_rule(each, group, subject)
            if lines is None:
                return None
            *own, rule = lines
            first = (*group, each)[0]
            found[id(first)] = [*before, *own, *(as_one_line(c) for c in group[:1])]
            found.setdefault(id(each), []).append(rule)
            group, before = [], []
    return found


def _told_rule(
    rule: Directive, conditions: Sequence[Directive], subject: ComparedPath
) -> list[str] | None:
    """Return the conditions that come before those of a rule, and the rule."""
    words = raw_words(rule.rest)
    if len(words) < 2 or words[0].startswith(("(*", "!(*")) or not is_kept(rule, conditions):
        return None
    if any('"' in each for each in (*words, subject.uri, subject.text)):
        # Nothing in quotes stands for a quote.
        return None
    flags = flags_of(words)
    if not flags.keys() <= _KNOWN:
        return None
    is_refusing = refuses(flags)
    is_away = words[1].startswith(("http://", "https://"))
    texts = "" if is_refusing else words[1]
    if not (is_refusing or is_away or words[1] == "-") or _REFERENCE.search(texts):
        return None
    if words[0] in TAKING_ALL:
        return [as_one_line(rule)]
    goal = "-" if is_refusing else raw_word(words[1])
    last = f"RewriteRule ^ {goal} {' '.join(map(raw_word, words[2:]))}".rstrip()
    return [*subject.conditions(words[0], flags), last]


def is_kept(rule: Directive, conditions: Sequence[Directive]) -> bool:
    """Whether the conditions of a rule, and where it leads, hang on no file and on no match."""
    texts = [word for each in conditions for word in raw_words(each.rest)[:1]]
    return not any(_REFERENCE.search(each) for each in texts) and not any(
        names_file(each.rest) for each in (rule, *conditions)
    )


def refuses_only(directives: Sequence[Directive]) -> bool:
    """Whether all rules among directives refuse, each for itself."""
    rules = [flags_of(each.words) for each in directives if each.key == "rewriterule"]
    alone = not any({"C", "CHAIN", "S", "SKIP"} & each.keys() for each in rules)
    return alone and all(map(refuses, rules))
