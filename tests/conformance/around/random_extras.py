"""Random virtual hosts with SetEnv, Header and their kin in the sections around their aliases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

TREE = (
    *("a.wsgi", "d/b.wsgi"),
    *("files/x.txt", "files/index.html", "files/img/z.css", "files/img/index.html"),
)

VARIABLES = ("TZ", "trac.env_path", "REMOTE_USER", "HTTP_X_VAR", "HTTPS", "G", "DOCUMENT_ROOT")
CHANGED = ("X-A", "X-B", "Vary", "Cache-Control", "ETag", "Set-Cookie", "Content-Type")

_PLAIN = ("/", "/a", "/app", "/app/x", "/s/")
_FILES = ("/f", "/f/img", "/g/", "/app/f")
_SCRIPTS = ("a.wsgi", "a.wsgi/tail", "d/b.wsgi")
_SECTIONS = (
    *(f"Directory {path}" for path in ("/", "{ROOT}", "{ROOT}/d", "{ROOT}/files", "{ROOT}/*")),
    *("Directory {ROOT}/files/img", "DirectoryMatch wsgi$", "DirectoryMatch ^{ROOT}/f"),
    *("Files a.wsgi", "Files *.wsgi", "Files *", "Files x.txt", "FilesMatch ^b", "Files *.css"),
    *(r"FilesMatch \.css$", r'FilesMatch "\.(te?xt|js)$"', "FilesMatch ^z|txt", "FilesMatch x"),
    *(f"Location {path}" for path in (*_PLAIN, *_FILES, "/f/", "/a/", "/app/*", "/ap")),
    *(f"LocationMatch {text}" for text in ("^/a", "x$", "^/(a|f)/", ".*", "css$")),
)
# Of the main server's sections each holds for all, or for a part that can be told.
_FOR_ALL = ("Directory /", "Directory {ROOT}", "Location /", "LocationMatch .*", "Files *")
_VALUES = ("1", "two words", "caf\xc3\xa9", "100%%", "a, b", r"b\\s", "")
_ACTIONS = ("set", "append", "merge", "add", "setifempty", "unset")
_CODES = (
    *("access plus 1 day", "A60", "now plus 2 hours 5 minutes", "access plus 0 seconds"),
    *("modification plus 1 hour", "Access plus 1 day", "M60", "modification plus 60 years", "A-5"),
)
_TYPES = ("text/html", "Text/CSS", "text/*", "application/*", "text/plain", "*/*", "x/y")
_PATHS = ("a", "app", "x", "x.txt", "f", "img", "z.css", "s", "b.wsgi", "tail", "index.html")


def random_server_extras(rng: Random) -> list[str]:
    """Lines for the main server."""
    return [*_extras(rng, 3, is_told=True), *_sections(rng, 1, _FOR_ALL, is_told=True)]


def random_extras(rng: Random) -> list[str]:
    """Lines for a virtual host."""
    group = rng.choice(("one", "%{ENV:G}", "%{GLOBAL}"))
    lines = [f"WSGIApplicationGroup {group}"]
    lines += [
        f"WSGIScriptAlias {rng.choice(_PLAIN)} {{ROOT}}/{rng.choice(_SCRIPTS)}"
        for _ in range(rng.randint(1, 2))
    ]
    for _ in range(rng.randint(0, 2)):
        location = rng.choice(_FILES)
        slash = "/" if location.endswith("/") else ""
        lines.append(f"Alias {location} {{ROOT}}/{rng.choice(('files', 'files/img'))}{slash}")
    return [*lines, *_extras(rng, 3), *_sections(rng, 4, _SECTIONS)]


def random_extras_target(rng: Random) -> str:
    """A request target, most often one that begins like a location."""
    start = rng.choice((*_PLAIN, *_FILES)).rstrip("/") if rng.random() < 0.7 else ""
    return f"{start}/" + "/".join(rng.choice(_PATHS) for _ in range(rng.randint(0, 2)))


def _sections(
    rng: Random, most: int, sections: Sequence[str], *, is_told: bool = False
) -> Iterator[str]:
    for _ in range(rng.randint(0, most)):
        section = rng.choice(sections)
        yield f"<{section}>"
        yield from _extras(rng, 3, is_told=is_told)
        yield f"</{section.split()[0]}>"


def _extras(rng: Random, most: int, *, is_told: bool = False) -> list[str]:
    """Lines; ``is_told`` leaves out what a settings file cannot say."""
    found = [_line(rng) for _ in range(rng.randint(0, most))]
    return [each for each in found if not is_told or not _is_untold(each)]


def _is_untold(line: str) -> bool:
    return any(word in line for word in ("edit", "Content-Type", "env="))


def _line(rng: Random) -> str:
    kind = rng.random()
    if kind < 0.3:
        return f'SetEnv {rng.choice(VARIABLES)} "{_variable(rng)}"'
    if kind < 0.36:
        return f"UnsetEnv {rng.choice(VARIABLES)}"
    if kind < 0.72:
        return _header(rng)
    if kind < 0.8:
        return f"AddDefaultCharset {rng.choice(('utf-8', 'Off', 'On', 'latin1'))}"
    if kind < 0.86:
        return f"ExpiresActive {rng.choice(('On', 'on', 'On', 'Off'))}"
    if kind < 0.91:
        return f'ExpiresDefault "{rng.choice(_CODES)}"'
    if kind < 0.96:
        return f'ExpiresByType {rng.choice(_TYPES)} "{rng.choice(_CODES)}"'
    return f"LimitRequestBody {rng.choice(('0', '5', '100'))}"


def _variable(rng: Random) -> str:
    return rng.choice(("1", "on", "two words", "caf\xc3\xa9", "", "grp"))


def _header(rng: Random) -> str:
    always = rng.choice(("", "", "", "always ", "onsuccess "))
    action, name = rng.choice(_ACTIONS), rng.choice(CHANGED)
    if rng.random() < 0.05:
        return f"Header {always}edit {name} a b"
    if action == "unset":
        return f"Header {always}unset {name}"
    condition = " env=!never" if rng.random() < 0.05 else ""
    values = ("Cookie", "Accept-Encoding") if name == "Vary" else _VALUES
    return f'Header {always}{action} {name} "{rng.choice(values)}"{condition}'
