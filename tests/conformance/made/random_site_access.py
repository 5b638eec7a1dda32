"""Random whole configurations: access rules in all kinds of sections, and in .htaccess files."""

from __future__ import annotations

import base64
from dataclasses import replace
from random import Random

from tests.conformance.made.random_sections import AccessQuestion, random_question, random_section
from tests.support.trees import TreeItem

_SCRIPT = """\
import json

def application(environ, start_response):
    said = [environ.get("REMOTE_USER"), environ.get("AUTH_TYPE")]
    start_response("200 OK", [("X-Said", json.dumps(said))])
    return []
"""
_SCRIPTS = ("app/app.wsgi", "two/two.wsgi", "scripts/a.wsgi", "scripts/sub/b.wsgi")
_FILES = (
    *("files/index.html", "files/x.txt", "files/x.bak", "files/a/index.html", "files/a/x.txt"),
    *("files/private/index.html", "files/private/y.txt", "files/private/deep/z.txt"),
    *("html/index.html", "html/x.txt", "html/private/index.html", "html/files/x.txt"),
)


def _file(path: str, text: str) -> TreeItem:
    return {"path": path, "text": text}


TREE: tuple[TreeItem, ...] = (
    *(_file(path, _SCRIPT) for path in _SCRIPTS),
    *(_file(path, path) for path in _FILES),
)
_ALIASES = (
    "WSGIScriptAlias / {ROOT}/app/app.wsgi",
    "WSGIScriptAlias /app {ROOT}/app/app.wsgi",
    "WSGIScriptAlias /app/two {ROOT}/two/two.wsgi",
    "WSGIScriptAlias /s {ROOT}/scripts",
    r"WSGIScriptAliasMatch ^/m/(\w+) {ROOT}/scripts/$1.wsgi",
    "Alias /files {ROOT}/files",
    "Alias /app/files/ {ROOT}/files/",
    "Alias /one {ROOT}/files/x.txt",
    r"AliasMatch ^/am/(\w*\.txt)$ {ROOT}/files/$1",
)
_LOCATIONS = (
    *("Location /", "Location /app", "Location /app/two", "Location /files", "Location /files/a/"),
    *('LocationMatch "^/(app|files)/x"', 'LocationMatch "/private"', 'Location "/*/x.txt"'),
    *("Location /m/", "Location /one", 'Location ~ "^/s/"', "Location /files/private/deep"),
)
_FOLDERS = (
    *("Directory {ROOT}", "Directory {ROOT}/app", "Directory {ROOT}/files", "Directory /"),
    *("Directory {ROOT}/files/private", "Directory {ROOT}/scripts", "Directory {ROOT}/html"),
    *("Directory {ROOT}/scripts/sub", "Directory {ROOT}/two", "Directory {ROOT}/*/private"),
    *('DirectoryMatch "/files/"', "Directory {ROOT}/html/private"),
)
_NAMES = (
    *("Files *.bak", 'FilesMatch "^x"', "Files app.wsgi", 'FilesMatch "\\.txt$"', "Files *"),
    *("Files *", 'FilesMatch "^"'),
)
_SEGMENTS = (
    *("app", "two", "files", "a", "x", "x.txt", "x.bak", "private", "deep", "z.txt", "y.txt"),
    *("s", "a.wsgi", "sub", "b.wsgi", "m", "one", "am", "index.html", ""),
)
_KNOWN = (
    *("/", "/app", "/app/", "/app/x", "/app/two/x", "/files/", "/files/x.txt", "/files/a/x.txt"),
    *("/files/private/y.txt", "/files/private/deep/z.txt", "/app/files/x.txt", "/one", "/x.txt"),
    *("/am/x.txt", "/m/a/x", "/s/a.wsgi/y", "/s/sub/b.wsgi", "/private/index.html", "/files/x.bak"),
    *("/app/files/private/deep/z.txt", "/files/private/", "//files//x.txt", "/app/../files/x.txt"),
)
_FREQUENT = (
    *(["Require all granted"], ["Require all denied"], ["Require ip 127.0.0.2"]),
    *(["Order allow,deny", "Allow from 127.0.0.0/24"], ["Require valid-user"]),
    *(["Order deny,allow", "Deny from all", "Allow from 127.0.0.2", "Satisfy any"],),
    ["AuthType Basic", "AuthName staff", "AuthUserFile {ROOT}/../users", "Require valid-user"],
    ["AuthType Basic", "AuthName other", "AuthUserFile {ROOT}/../users", "Require user ann"],
    [
        *("AuthType Basic", "AuthName groups", "AuthUserFile {ROOT}/../users"),
        *("AuthGroupFile {ROOT}/../groups", "Require group staff"),
    ],
    ["<RequireAll>", "Require all granted", "Require not ip 127.0.1.2", "</RequireAll>"],
    ["<Limit POST>", "Require user bob", "</Limit>"],
    ["<LimitExcept GET>", "Deny from all", "</LimitExcept>"],
    ["Satisfy any", "<Limit GET PUT>", "Order allow,deny", "</Limit>", "Require valid-user"],
    ["Require ip 127.0.0.2", "<LimitExcept POST>", "Require all granted", "</LimitExcept>"],
    [
        *("<Limit GET>", "Order allow,deny", "Allow from all", "</Limit>"),
        *("<LimitExcept GET>", "Order deny,allow", "Deny from all", "</LimitExcept>"),
    ],
    [
        *("<Limit GET POST>", "AuthType Basic", "AuthName limited"),
        *("AuthUserFile {ROOT}/../users", "Require valid-user", "</Limit>"),
    ],
    ["AllowMethods GET"],
    ["AllowMethods reset"],
)


def random_site(rng: Random, port: int, hosts: int = 6) -> str:
    """Return a configuration; ``{ROOT}`` stands for the folder of the tree."""
    # Without a Require line an AuthType is a mistake, and Apache answers 500.
    lines = ["DocumentRoot {ROOT}/html", "<Directory />", "Require all granted", "</Directory>"]
    lines += [line for _ in range(rng.choice([0, 0, 1, 2])) for line in _section(rng)]
    for number in range(hosts):
        lines += [f"<VirtualHost *:{port}>", f"ServerName host{number}.test"]
        lines += rng.sample(_ALIASES, rng.randrange(1, 5))
        lines += [line for _ in range(rng.choice([1, 1, 2, 2, 3, 5])) for line in _section(rng)]
        if rng.random() < 0.15:
            lines += ["<Directory {ROOT}>", "AllowOverride All", "</Directory>"]
        lines.append("</VirtualHost>")
    return "\n".join(lines) + "\n"


def random_folder_files(rng: Random) -> dict[str, str]:
    """Return .htaccess files by their folder in the tree."""
    folders = ("files", "files/private", "scripts", "app", "html")
    chosen = rng.sample(folders, rng.randrange(3))
    return {folder: "\n".join([*_rules(rng), ""]) for folder in chosen}


def random_site_question(rng: Random) -> AccessQuestion:
    """Return a request, often for what is there."""
    asked = random_question(rng)
    if rng.random() < 0.5:
        name = rng.choice(["ann", "ann", "bob"])
        token = base64.b64encode(f"{name}:secret-{name}".encode()).decode()
        asked = replace(asked, authorization=f"Basic {token}")
    if rng.random() < 0.7:
        return replace(asked, target=rng.choice(_KNOWN))
    return replace(asked, target="/" + "/".join(rng.choices(_SEGMENTS, k=rng.randrange(1, 4))))


def _section(rng: Random) -> list[str]:
    place = rng.choice(rng.choice([_LOCATIONS, _LOCATIONS, _FOLDERS, _FOLDERS, _NAMES]))
    if rng.random() < 0.04:
        inner = ["<If \"%{REQUEST_METHOD} == 'POST'\">", *_rules(rng), "</If>"]
        return [f"<{place}>", *inner, f"</{place.split()[0]}>"]
    return [f"<{place}>", *_rules(rng), f"</{place.split()[0]}>"]


def _rules(rng: Random) -> list[str]:
    if rng.random() < 0.6:
        return rng.choice(_FREQUENT)
    while True:
        lines = [*random_section(rng, None).lines[1:-1]]
        is_odd = any(line.startswith("AuthMerging") or "\\" in line for line in lines)
        # AuthMerging alone takes all Require lines away, and an AuthType is a mistake then.
        is_mistaken = is_odd and not any(line.startswith("Require") for line in lines)
        if not is_mistaken and (not is_odd or rng.random() < 0.2):
            return [line.replace("{ROOT}", "{ROOT}/..") for line in lines]
