"""Random configurations with access rules, folders, redirects and handlers between the aliases."""

from __future__ import annotations

from random import Random

from tests.support.trees import TreeItem


def _file(path: str) -> TreeItem:
    return {"path": path, "text": "x:{SHA}\n"}


TREE: tuple[TreeItem, ...] = (
    *("app/app.wsgi", "two/two.wsgi", "scripts/a.wsgi", "scripts/b.wsgi", "scripts/x.wsgi"),
    *("scripts/sub/a.wsgi", "scripts/sub/x", "scripts/.htaccess.wsgi", "html/a.wsgi"),
    *(_file("html/index.html"), _file("html/x/y"), _file("users")),
)
ALIASES = (
    "WSGIScriptAlias / {ROOT}/app/app.wsgi",
    "WSGIScriptAlias /app {ROOT}/app/app.wsgi",
    "WSGIScriptAlias /app/two {ROOT}/two/two.wsgi",
    "WSGIScriptAlias /s {ROOT}/scripts",
    "WSGIScriptAlias /s/ {ROOT}/scripts/",
    r"WSGIScriptAliasMatch ^/m/(\w+) {ROOT}/scripts/$1.wsgi",
    "WSGIScriptAliasMatch ^/n/([^/]+) {ROOT}/scripts/$1",
)
_PLACES = (
    *("Location /", "Location /app", "Location /app/x", "Location /app/x/y", "Location /s/sub"),
    *('LocationMatch "^/(app|m)/x"', 'LocationMatch "/y$"', 'Location "/*/x"', "Location /m/"),
    *("Directory {ROOT}", "Directory {ROOT}/app", "Directory {ROOT}/scripts"),
    *("Directory {ROOT}/scripts/sub", "Directory /", "Directory {ROOT}/html"),
    *("Files app.wsgi", 'FilesMatch "^a"', "Files *.wsgi", 'FilesMatch "^\\.ht"', "Location /html"),
)
_RULES = (
    *(["Require all granted"], ["Require all denied"], ["Require valid-user"]),
    *(["Require ip 10.0.0.1"], ["Order allow,deny"], ["Order deny,allow"], ["Satisfy any"]),
    *(["Order allow,deny", "Allow from all"], ["Order deny,allow", "Deny from all"]),
    *(["Deny from all", "Satisfy any"], ["Deny from all", "Require all granted", "Satisfy any"]),
    *(["Allow from all", "Require user x", "Satisfy any"], ["AuthMerging And"]),
    *(["AuthMerging And", "Require all granted"], ["AuthMerging Or", "Require ip 10.0.0.1"]),
    ["<RequireAll>", "Require all granted", "Require not ip 10.0.0.1", "</RequireAll>"],
    ["<RequireAny>", "Require ip 10.0.0.1", "Require all granted", "</RequireAny>"],
    ["<RequireAll>", "Require all granted", "Require ip 10.0.0.1", "</RequireAll>"],
    ["<Limit GET>", "Require all denied", "</Limit>"],
    ["<Limit GET>", "Deny from all", "</Limit>"],
    ["AllowMethods GET"],
    *(["AllowMethods POST"], ["SetHandler default-handler"], ["SetHandler none"]),
    *(["SetHandler wsgi-script", "Options +ExecCGI"], ["Options +ExecCGI"]),
    *(["AddHandler wsgi-script .wsgi", "Options +ExecCGI"], ["Redirect /gone"]),
)
_REFUSALS = (
    *(["RewriteRule ^/app/x - [F]"], ["RewriteRule /y$ - [F]"], ["RewriteRule ^/S - [NC,G]"]),
    *(["RewriteRule !^/(app|s|m) - [F]"], ["RewriteRule ^/m/x /app [F]"], ["RewriteRule ^ - [F]"]),
    *(["RewriteRule ^/app - [L]"], ["RewriteRule ^/n - [R=404,L]"], ["RewriteRule .* - [G]"]),
    *(["RewriteRule ^/app - [C]", "RewriteRule x - [F]"], ["RewriteRule y. - [F]"]),
    ["RewriteRule ^/s/(.*) /app/$1 [C]", "RewriteRule /x - [F]"],
    *(["RewriteRule ^/two /s/$1 [PT]"], ["RewriteRule ^/app/two - [S=1]"]),
    ["RewriteCond %{REQUEST_URI} ^/APP [NC]", "RewriteRule x$ - [F]"],
    ["RewriteCond %{REQUEST_URI} !/y", "RewriteCond %{REQUEST_URI} =/app/x", "RewriteRule x - [F]"],
    [
        "RewriteCond %{REQUEST_URI} ^/app [OR]",
        "RewriteCond %{REQUEST_URI} !/x",
        "RewriteRule ^/(app|s) - [F]",
    ],
    ["RewriteCond %{REMOTE_ADDR} !^10\\.", "RewriteRule ^/app - [F]"],
    ["RewriteCond %{REMOTE_ADDR} ^127", "RewriteRule ^/m - [F]"],
    ["RewriteCond %{HTTP_HOST} host[0-3] [OR]", "RewriteCond %{HTTPS} on", "RewriteRule x - [F]"],
    ["RewriteCond %{REQUEST_URI} ^/s [OR]", "RewriteCond %{HTTPS} off", "RewriteRule y - [F]"],
    *(["Redirect gone /app/y"], ["Redirect 403 /m"], ["RedirectMatch 404 /x$"]),
)
_REFUSALS_IN_SECTIONS = (
    *(["RewriteRule ^ - [F]"], ["RewriteRule x - [F]"], ["RewriteRule ^a\\.wsgi/x - [G]"]),
    ["RewriteCond %{REQUEST_URI} /x", "RewriteRule .* - [F]"],
    *(["RewriteCond %{REMOTE_ADDR} !^10", "RewriteRule ^ - [F]"], ["RedirectMatch 403 y"]),
)
_IN_FILES: tuple[list[str], ...] = (
    *(["Require valid-user"], ["Require all granted"], ["Deny from all"], ["Satisfy any"]),
    *(["Order allow,deny"], ["RewriteEngine On", "RewriteRule ^ - [F]"], ["Satisfy all"]),
    *(["<Files a.wsgi>", "Require user x", "</Files>"], ["WSGICallableObject app"], []),
    *(["Redirect gone /app/x"], ["<Files>"]),
)
LOGIN = ["AuthType Basic", "AuthName x", "AuthUserFile {ROOT}/users"]
TAKERS = (
    *("Alias /html {ROOT}/html", "Alias /id {ROOT}/app/app.wsgi", "Alias /d {ROOT}/scripts"),
    *("AliasMatch ^/am/(.*) {ROOT}/scripts/$1", "Redirect /old http://x.test/new"),
    *("RedirectMatch ^/r(.*)$ http://x.test$1", "DocumentRoot {ROOT}/html"),
)
_SEGMENTS = ("app", "x", "y", "s", "sub", "a.wsgi", "m", "n", "html", "index.html", "two", "old")
_MORE = ("id", "d", "am", "r1", ".htaccess", "a", "b.wsgi", "app.wsgi", "")


def aliases_for_all(rng: Random) -> list[str]:
    """Return aliases of the main server, which has none as a rule."""
    return rng.sample(ALIASES[1:], rng.choice([0, 0, 0, 1, 2]))


def random_access(rng: Random, port: int) -> str:
    """Return a configuration of some virtual hosts; ``{ROOT}`` stands for the tree's folder."""
    lines = [line for _ in range(rng.randrange(3)) for line in _section(rng)]
    lines += rng.sample(TAKERS[:3], rng.randrange(2))
    lines += aliases_for_all(rng)
    for number in range(6):
        names = rng.choice([["ServerAlias *.any.test"], ["ServerAlias *"], [], []])
        lines += [f"<VirtualHost *:{port}>", f"ServerName host{number}.test", *names]
        lines += rng.sample(ALIASES, rng.randrange(1, 4))
        lines += rng.sample(TAKERS, rng.randrange(3))
        lines += [line for _ in range(rng.randrange(1, 6)) for line in _section(rng)]
        lines.append("</VirtualHost>")
    return "\n".join(lines) + "\n"


def random_refusals(rng: Random, port: int) -> str:
    """Return a configuration in which rules of mod_rewrite and mod_alias refuse URLs."""
    lines = rng.choice([[], [], _refusals(rng)]) + aliases_for_all(rng)
    for number in range(6):
        lines += [f"<VirtualHost *:{port}>", f"ServerName host{number}.test"]
        lines += [*rng.sample(ALIASES[1:], rng.randrange(3)), ALIASES[0]]
        lines += rng.sample(TAKERS, rng.randrange(2))
        lines += [line for _ in range(rng.choice([0, 0, 1])) for line in _section(rng)]
        lines += [*_refusals(rng), "</VirtualHost>"]
    return "\n".join(lines) + "\n"


def random_access_files(rng: Random) -> dict[str, str]:
    """Return .htaccess files by their folder in the tree."""
    folders = ("", "app", "scripts", "scripts/sub", "two")
    return {
        folder: "\n".join([*LOGIN, *rng.choice(_IN_FILES), ""])
        for folder in rng.sample(folders, rng.randrange(1, 4))
    }


def random_overrides(rng: Random, port: int) -> str:
    """Return a configuration that has .htaccess files read in some folders."""
    lines = [line for _ in range(rng.choice([1, 1, 2])) for line in _override(rng)]
    lines += aliases_for_all(rng)
    for number in range(6):
        lines += [f"<VirtualHost *:{port}>", f"ServerName host{number}.test"]
        lines += [*rng.sample(ALIASES[1:], rng.randrange(3)), ALIASES[0]]
        lines += [line for _ in range(rng.choice([0, 0, 1])) for line in _section(rng)]
        lines += [line for _ in range(rng.choice([0, 0, 1])) for line in _override(rng)]
        lines.append("</VirtualHost>")
    return "\n".join(lines) + "\n"


def _override(rng: Random) -> list[str]:
    places = ("{ROOT}", "{ROOT}/app", "{ROOT}/scripts", "{ROOT}/scripts/sub", "{ROOT}/*")
    value = rng.choice(["All", "All", "None", "AuthConfig Limit FileInfo"])
    rules = rng.choice([[], [], ["Require all granted"], ["Require user x"]])
    return [f"<Directory {rng.choice(places)}>", f"AllowOverride {value}", *rules, "</Directory>"]


def _refusals(rng: Random) -> list[str]:
    lines = [f"RewriteEngine {rng.choice(['On', 'On', 'On', 'Off'])}"] * rng.choice([1, 1, 1, 0])
    lines += rng.choice([[], [], [], ["RewriteOptions Inherit"], ["RewriteOptions InheritDown"]])
    lines += rng.choice([[], [], [], ["RewriteOptions InheritBefore"]])
    lines += [line for _ in range(rng.randrange(4)) for line in rng.choice(_REFUSALS)]
    if rng.randrange(3) == 0:
        place = rng.choice(_PLACES)
        rules = ["RewriteEngine On", *rng.choice(_REFUSALS_IN_SECTIONS)]
        lines += [f"<{place}>", *rules, f"</{place.split()[0]}>"]
    return lines


def random_access_target(rng: Random) -> str:
    """Return a request target."""
    segments = rng.choices(_SEGMENTS + _MORE, k=rng.randrange(1, 5))
    return "/" + "/".join(segments)


def _section(rng: Random) -> list[str]:
    place = rng.choice(_PLACES)
    rules = [line for _ in range(rng.choice([1, 1, 2])) for line in rng.choice(_RULES)]
    if not place.startswith("Location "):
        rules = [rule for rule in rules if not rule.startswith("Redirect")]
    return [f"<{place}>", *LOGIN, *rules, f"</{place.split()[0]}>"]
