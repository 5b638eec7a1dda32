"""Random alias tables, requests and directive lines: what a careful enemy would write."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.support.oracle import Request, Table
from tests.support.trees import TreeItem

# What only root can make: files of others.
PRIVATE: tuple[TreeItem, ...] = (
    {"path": "theirs", "to": "a.wsgi", "owner": 33},
    {"path": "dtheirs", "to": "d", "owner": 33},
    "shut/a.wsgi",
    {"path": "shut", "dir": True, "mode": "0700"},
    "listed/a.wsgi",
    {"path": "listed", "dir": True, "mode": "0744"},
    "passed/a.wsgi",
    {"path": "passed", "dir": True, "mode": "0711"},
)
TREE: tuple[TreeItem, ...] = (
    *(PRIVATE if os.geteuid() == 0 else ()),
    "a.wsgi",
    "b.py",
    "c",
    "A.wsgi",
    "d/a.wsgi",
    "d/b",
    "d/e/a.b",
    "d/a.wsgix",
    "app.wsgi/a.wsgi",
    "empty/",
    "d/...",
    "d/a b",
    "d/\xc3\xa9.wsgi",
    "d/\xe9",
    "d/a%2fb",
    "d/b\\a",
    "$1.wsgi",
    "d/a\nb",
    "link -> a.wsgi",
    "d/link -> ../c",
    "dlink -> d",
    "chain -> dlink",
    "gone -> nowhere",
    "loop -> loop",
    "up -> d/..",
    "abs -> {ROOT}/d/a.wsgi",
)
FILES = (
    *("a.wsgi", "b.py", "c", "A.wsgi", "d", "d/", "d/a.wsgi", "d/b", "d/e", "d/e/a.b", "app.wsgi"),
    *("app.wsgi/a.wsgi", "empty", "link", "dlink", "dlink/a.wsgi", "chain/b", "gone", "loop"),
    *("up/a.wsgi", "abs", "abs/x", "missing", "missing/a.wsgi", "d/../c", "./a.wsgi", "d//b", ""),
    *("theirs", "dtheirs/a.wsgi", "dtheirs/b", "shut", "shut/a.wsgi", "shut/x", "listed", "passed"),
    *(
        "listed/a.wsgi",
        "listed/x",
        "passed/a.wsgi",
        "passed/x",
        "$1.wsgi",
        "d/\xe9",
        "d/\xc3\xa9.wsgi",
        "d/...",
        "a.wsgi/..",
        "c/.",
        "d/e/../../b.py",
    ),
)
TAILS = ("", "", "", "/", "/x", "/a/b", "/..", "//y", "/./z", "/a/../b", "?q", ".", "x", "%20")
SEGMENTS = (
    *("a", "b", "c", "d", "e", "A", "x", "ab", "app", "a.wsgi", "b.py", "a.b", "link", "dlink"),
    *(
        "missing",
        "...",
        "..x",
        "a b",
        "\xe9",
        "\xc3\xa9",
        "a+b",
        "$1",
        "a;v=1",
        "b\\a",
        "~",
        "a%2fb",
    ),
    *("a\nb", "", ".", "..", "\xff", "a&b", "'", '"', "[a]", "{x}", "|", "^", "a?", "*"),
)
GROUPS = (
    "%{ENV:X}",
    "%{ENV:}",
    "%{GLOBAL}",
    "%{SERVER}",
    "%{RESOURCE}",
    "%{HOST}",
    "%{NOPE}",
    "x%{HOST}",
    "g",
    "$1",
)
LONG_LINES = (
    "WSGIScriptAlias /a {ROOT}/a.wsgi",
    "WSGIScriptAlias /b {ROOT}/d/",
    "WSGIScriptAliasMatch ^/c/(.*)$ {ROOT}/a.wsgi/$1",
    "WSGIScriptAliasMatch ^/d/([^/]*) {ROOT}/$1",
    "WSGIScriptAliasMatch ^/e/(.*)$ $1$1$1$1$1$1$1$1$1",
    "WSGIScriptAliasMatch ^/(.)/.*?(x/?)$ {ROOT}/a.wsgi/$2",
)
ESCAPES = (
    "%2f",
    "%2F",
    "%2e",
    "%2E%2e",
    "%00",
    "%25",
    "%2525",
    "%252f",
    "%5c",
    "%3f",
    "%23",
    "%7e",
)
BAD_ESCAPES = ("%", "%4", "%zz", "%g0", "%%", "%0")
ODD = ("//", "/./", "/../", "/..", "/.", "///", "\\", ";", "=", "@", ":", "&", "+", "!", "\x80")
ABSOLUTE = (
    *("http://{HOST}", "HTTP://{HOST}", "http://{HOST}:80", "http://{HOST}:81", "http://{HOST}."),
    *("https://{HOST}", "https://elsewhere.test", "https:", "https://", "http://u@{HOST}"),
    *("ftp://{HOST}", "x:", "http://{HOST};", "http://{HOST}:x", "https://u:p@{HOST}"),
)
ODD_STARTS = ("", "*", "a/b", "%2f", "?", ".", "//", "/", "//{HOST}", "/http://{HOST}", "http:a")
UNPARSABLE = ("#", " ", "\x01", "\x7f", "\t")
QUERIES = ("", "", "", "?", "?q", "??", "?a=%2f&b=/../", "?\xff", "?x?y", "?%zz", "?-")


@dataclass(frozen=True, slots=True)
class Case:
    """A table and what to ask it."""

    table: Table
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """Text for a location and a maker of text that it may well match."""

    source: str
    sample: Callable[[], str]


def random_case(seed: str, requests: int) -> Case:
    """The case of ``seed``: always the same one. Its virtual host is called after the seed."""
    rng = Random(seed)
    name = f"t{re.sub('[^0-9a-z]', '-', seed)}.test"
    if rng.random() < 0.03:
        return long_case(rng, name, requests)
    aliases = [random_alias(rng) for _ in range(rng.choice((1, 1, 2, 3, 5, 5, 30)))]
    lines = [*random_options(rng), *(line for line, _ in aliases)]
    table = Table(name, tuple(lines), TREE)
    pieces = [piece for _, piece in aliases]
    return Case(table, tuple(random_request(rng, pieces) for _ in range(requests)))


def long_case(rng: Random, name: str, requests: int) -> Case:
    """Requests that come close to the limits of names, filenames and substitutions."""
    lines = tuple(rng.sample(LONG_LINES, 3))
    lengths = (*range(250, 260), *range(1_990, 2_000), *range(4_030, 4_095), *range(7_240, 7_300))
    targets = []
    for _ in range(requests):
        part = rng.choice(("x", "x/", "/x", "%61"))
        length = rng.choice(lengths)
        text = (part * (length // len(part) + 1))[:length].rstrip("%6")
        targets.append(f"/{rng.choice('abcde')}/{text}{rng.choice(('', '/', '/x', '/..'))}")
    return Case(Table(name, lines, TREE), tuple(Request(target) for target in targets))


def main_table(seed: str) -> Table:
    """Aliases outside any virtual host, that few requests get as far as."""
    rng = Random(seed)
    lines = [f"WSGIScriptAlias /{rng.choice('ab')}/main {{ROOT}}/c/main"]
    lines += [f"WSGIScriptAliasMatch (x){rng.choice('ab')}?$ {{ROOT}}/d/a.wsgi$1"]
    return Table("main.test", tuple(lines), TREE)


def random_options(rng: Random) -> list[str]:
    lines = []
    if rng.random() < 0.4:
        lines.append(f"AllowEncodedSlashes {rng.choice(('On', 'NoDecode', 'Off'))}")
    if rng.random() < 0.25:
        lines.append("MergeSlashes Off")
    if rng.random() < 0.3:
        option = rng.choice(("-FollowSymLinks", "None", "SymLinksIfOwnerMatch"))
        lines.append(f"<Directory {{ROOT}}>\nOptions {option}\n</Directory>")
    if rng.random() < 0.2:
        lines.append(f"WSGIApplicationGroup {rng.choice(GROUPS)}")
    if rng.random() < 0.1:
        lines.append(f"WSGIProcessGroup {rng.choice(GROUPS)}")
    if rng.random() < 0.2:
        lines.append(f"SetEnv X {rng.choice(GROUPS)}")
    return lines


def random_alias(rng: Random) -> tuple[str, Piece]:
    if rng.random() < 0.4:
        location, name = random_location(rng), "WSGIScriptAlias"
        target = rng.choice(FILES) + rng.choice(TAILS)
    else:
        location, name = random_pattern(rng), "WSGIScriptAliasMatch"
        target = random_template(rng)
    words = [name, quoted(rng, location.source), quoted(rng, "{ROOT}/" + target)]
    return " ".join([*words, *random_alias_options(rng)]), location


def random_alias_options(rng: Random) -> list[str]:
    if rng.random() < 0.7:
        return []
    # Not both groups: Apache preloads such a script, and asks whether the process group exists.
    name = rng.choice(("application-group", "process-group", "callable-object"))
    value = rng.choice(GROUPS) if name != "callable-object" else rng.choice(("handler", "a.b"))
    return [f"{name}={quoted(rng, value)}"]


def quoted(rng: Random, word: str) -> str:
    """``word`` as Apache's word reader takes it from a line: bare where it may be."""
    if word and not re.search(r"[\s\"']", word) and rng.random() < 0.6:
        return word.replace("\\\\", "\\\\\\\\")
    quote = rng.choice("\"'")
    escaped = re.sub(rf"\\(?=[\\{quote}]|$)", r"\\\\", word).replace(quote, "\\" + quote)
    return quote + escaped.replace("\n", " ") + quote


def random_location(rng: Random) -> Piece:
    count = rng.choice((0, 1, 1, 1, 2, 2, 3))
    location = "".join(rng.choice(("/", "/", "/", "/", "//")) + segment(rng) for _ in range(count))
    location += rng.choice(("", "", "", "/", "//"))
    if rng.random() < 0.05:
        location = location.lstrip("/")
    location = location.replace("\n", "") or "/"
    return Piece(location, lambda: location)


def random_template(rng: Random) -> str:
    parts = (
        "$1",
        "$1",
        "$2",
        "$0",
        "$9",
        "$10",
        "/$1",
        "/$2",
        "/$0",
        "\\$1",
        "\\a",
        "&",
        "$",
        "$$1",
    )
    template = rng.choice((*FILES, "", "d/", "d/.", "d/e/.", "a.wsgi/"))
    template += "".join(rng.choice(parts) for _ in range(rng.choice((0, 0, 1, 1, 2))))
    return template + rng.choice((*TAILS, ".wsgi", ".wsgi", ".py"))


def random_pattern(rng: Random) -> Piece:
    pieces = [random_item(rng, 2) for _ in range(rng.choice((1, 2, 2, 3, 4)))]
    start = rng.choice(
        ("^", "^", "^", "^/", "^/", "/", "", "\\A", "(?i)^/", "(?<=/)", "^/+", "(?-i)")
    )
    end = rng.choice(
        ("", "", "", "$", "(?:/|$)", "(/.*)?$", "\\z", "\\Z", "/?$", "(?=/)", "(/.*)?")
    )
    source = start + "".join(piece.source for piece in pieces) + end
    lead = "/" if "/" in start else rng.choice(("", "/"))
    return Piece(source, lambda: lead + "".join(piece.sample() for piece in pieces))


def random_item(rng: Random, depth: int) -> Piece:
    atom = random_atom(rng, depth)
    if rng.random() < 0.6:
        return atom
    # Repeats of repeats would exhaust PCRE's match limit, which Python's re does not have.
    repeats = re.search(r"[^\\][*+]|\{[0-9]", atom.source)
    bounds = OPTIONAL if repeats else BOUNDS
    quantifier = rng.choice(tuple(bounds))
    low, high = bounds[quantifier]
    source = unit(atom.source) + quantifier + rng.choice(("", "", "", "?", "+"))
    return Piece(source, lambda: "".join(atom.sample() for _ in range(rng.randint(low, high))))


def unit(source: str) -> str:
    """``source`` as something that a quantifier may follow: PCRE refuses it behind an anchor."""
    if re.fullmatch(r"\[[^]]+\]|\([^?].*\)|\\[^bBAzZK]|[^$^\\]", source, re.DOTALL):
        return source
    return f"(?:{source})"


def random_atom(rng: Random, depth: int) -> Piece:
    if depth and rng.random() < 0.35:
        return random_group(rng, depth - 1)
    source, samples = rng.choice(ATOMS)
    if rng.random() < 0.003:
        source = rng.choice(REFUSED)
    return Piece(source, lambda: rng.choice(samples))


OPTIONAL = {"?": (0, 1), "{0,1}": (0, 1)}
BOUNDS = {"*": (0, 3), "+": (1, 3), "{2}": (2, 2), "{1,2}": (1, 2), **OPTIONAL}
ATOMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    *(
        (letter, (letter,))
        for letter in ("a", "b", "c", "ab", "/", "/", "/", "-", "app", "d", "\xe9")
    ),
    (".", ("a", "\n", "\xff", "/")),
    ("\\.", (".", "x")),
    (".*", ("a/b", "", "d/a.wsgi")),
    ("[^/]+", ("a", "a.wsgi", "d")),
    ("[^/]*", ("", "b", "a b")),
    ("([^/]+)", ("a", "a.wsgi", "c", "d")),
    ("(.*)", ("", "a", "d/b", "a/../b")),
    ("(.+?)", ("a", "ab")),
    ("\\w+", ("a", "A_1", "\xe9")),
    ("\\W", ("-", "/", "\xe9")),
    ("\\d{1,3}", ("1", "2024")),
    ("\\s", (" ", "\n", "\x0b", "\xa0")),
    ("\\S+", ("a", "\xa0")),
    ("\\b", ("",)),
    ("\\B", ("",)),
    ("[a-c]", ("a", "C")),
    ("[^a-c/]", ("d", "A")),
    ("[[:alpha:]]+", ("ab", "A", "1")),
    ("[[:^digit:]]", ("a", "1")),
    ("[]a]", ("]", "a")),
    ("[\\d\\-.]", ("1", "-", ".")),
    ("[\\x61\\x{62}]", ("a", "b")),
    ("\\x2f", ("/",)),
    ("\\Qa.b\\E", ("a.b", "axb")),
    ("\\h", (" ", "\t", "\xa0")),
    ("\\N", ("a", "\n")),
    ("\\R", ("\n", "\r\n", "\x85")),
    ("\\v", ("\n", "\x85")),
    ("(?=a)a", ("a",)),
    ("(?!b)\\w", ("a", "b")),
    ("(?<!a)b", ("b",)),
    ("(?i:App)", ("app", "APP", "aPp")),
    ("(?i:\xe9)", ("\xe9", "\xc9")),
    ("(?#note)", ("",)),
    ("(?s:.)", ("\n", "a")),
    ("(?-s:.)", ("\n", "a")),
    ("(a)?(b)?", ("a", "b", "ab", "")),
    ("(ab|a)(b?)", ("a", "ab", "abb")),
    ("(?|(a)x|(b)y)", ("ax", "by")),
    ("(\\w)\\1", ("aa", "ab")),
    ("(?<n>a|b)\\k<n>", ("aa", "bb", "ab")),
    ("(?P<m>a|b)(?P=m)", ("aa", "ba")),
    ("(?>a+)b", ("aab", "ab")),
    ("a++", ("aa",)),
    ("\\K", ("",)),
    ("$", ("",)),
    ("^", ("",)),
    ("a{,2}", ("a{,2}", "aa")),
    ("a{", ("a{",)),
    ("\\$", ("$",)),
    ("\\_", ("_",)),
    ("\\e", ("\x1b",)),
    ("\\cA", ("\x01",)),
    ("\\101", ("A",)),
    ("\\z", ("",)),
)
REFUSED = (
    "^*",
    "\\b+",
    "a**",
    "(?<=a+)",
    "\\L",
    "*",
    "(",
    ")",
    "[z-a]",
    "(?u)",
    "\\9",
    "a{2,1}",
    "[[:nope:]]",
)


def random_group(rng: Random, depth: int) -> Piece:
    opening = rng.choice(("(", "(", "(?:", "(?i:", "(?>"))
    branches = [
        [random_item(rng, depth) for _ in range(rng.choice((1, 1, 2)))]
        for _ in range(rng.choice((1, 1, 2, 3)))
    ]
    joined = "|".join("".join(piece.source for piece in branch) for branch in branches)
    return Piece(
        f"{opening}{joined})",
        lambda: "".join(piece.sample() for piece in rng.choice(branches)),
    )


def segment(rng: Random) -> str:
    return rng.choice(SEGMENTS)


def random_request(rng: Random, pieces: list[Piece]) -> Request:
    """A request that is likely to match one of ``pieces``."""
    host = "{HOST}" + rng.choice(("", "", "", "", ":80", ":443", ":8080", "."))
    target = random_path(rng, pieces) + rng.choice(QUERIES)
    chance = rng.random()
    if chance < 0.04 and target[:1] in "/?":
        return Request(rng.choice(ABSOLUTE) + target, host)
    if chance < 0.06:
        return Request(rng.choice(ODD_STARTS) + target, host)
    return Request(target, host)


def random_path(rng: Random, pieces: list[Piece]) -> str:
    path = rng.choice(pieces).sample() if rng.random() < 0.85 else ""
    path = path if path.startswith("/") or rng.random() < 0.02 else "/" + path
    for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
        path += rng.choice(("/", "/", "/", "", "//")) + segment(rng)
    path = "".join(escape(rng, character) for character in path)
    for _ in range(rng.choice((0, 0, 0, 0, 1, 1, 2))):
        place = rng.randint(min(1, len(path)), len(path))
        path = path[:place] + noise(rng) + path[place:]
    return path


def escape(rng: Random, character: str) -> str:
    """``character`` as a client sends it: some must be escaped, any may be."""
    needed = character <= " " or character in "#?%\x7f"
    if needed or (rng.random() < 0.04 and character != "/"):
        return rng.choice(("%{:02x}", "%{:02X}")).format(ord(character))
    return character


def noise(rng: Random) -> str:
    chance = rng.random()
    if chance < 0.03:
        return rng.choice(BAD_ESCAPES)
    if chance < 0.05:
        return rng.choice(UNPARSABLE)
    if chance < 0.3:
        return rng.choice(ESCAPES)
    if chance < 0.4:
        return f"%{rng.randrange(1, 256):02x}"
    if chance < 0.7:
        return rng.choice(ODD)
    return rng.choice("abcdABx./-_")


# The words of a directive line: as often as not something is wrong with them.
LINE_WORDS = (
    *(
        "/a",
        "/app",
        "^/a(.*)",
        "(",
        "a{2,1}",
        "[z-a]",
        "/x.wsgi",
        "/x/$1",
        "x",
        "=",
        "a=b",
        "#",
        "&",
    ),
    *("process-group=", "process-group=x", "process-group=%{GLOBAL}", "application-group=g"),
    *("application-group=%{GLOBAL}", "callable-object=f", "callable-object=", "Process-Group=x"),
    *(
        "application-group=",
        "pass-authorization=On",
        "pass-authorization=oFF",
        "pass-authorization=1",
    ),
    *(
        "pass-authorization=",
        "process-group",
        "application-group==b",
        "bogus=1",
        '""',
        "''",
        '"a b"',
    ),
    *(
        "'a b'",
        '"a',
        "'a",
        '"a\\"b"',
        '"a"b',
        "a\\ b",
        "a\\\\",
        "\\",
        '"\\',
        '"\\\\"',
        'a"b',
        "'\"'",
    ),
    *(
        "application-group='a b'",
        'process-group="',
        "process-group= x",
        "callable-object='a'b",
        "\xff",
    ),
    *(
        "application-group=%{ENV:x}",
        "pass-authorization='On'",
        'callable-object=""',
        "/\xe9",
        "\x0b",
    ),
    *("application-group=g process-group=%{GLOBAL}", "process-group=nope application-group=g"),
)
BLANKS = (*[" "] * 9, "  ", "\t", " \t ", "\x0b", "\x0c", "\xa0", "")
NAMES = ("WSGIScriptAlias", "WSGIScriptAliasMatch", "wsgiscriptalias", "WSGISCRIPTALIASMATCH")


def random_line(rng: Random) -> str:
    """A directive line, as often as not one that Apache refuses."""
    line = rng.choice(("", "", "", " ", "\t ")) + rng.choice(NAMES)
    for _ in range(rng.choice((0, 1, 2, 2, 2, 3, 3, 4, 5))):
        word = rng.choice(LINE_WORDS) if rng.random() < 0.9 else random_pattern(rng).source
        line += rng.choice(BLANKS) + word.replace("\n", "")
    if rng.random() < 0.2:
        place = rng.randint(len("\t WSGIScriptAliasMatch"), len(line) + 30)
        line = line[:place] + rng.choice("\"'\\ =\t\xff\x01$%{}()") + line[place:]
    return line
