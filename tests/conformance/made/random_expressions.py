"""Random configurations whose lines ask for something: conditions, expressions, variables."""

from __future__ import annotations

from random import Random

from tests.conformance.made.random_access import ALIASES, LOGIN, TAKERS, aliases_for_all

_PLACES = (
    *("Location /", "Location /app", "Location /app/x", "Location /s/sub", "Location /html"),
    *('LocationMatch "^/(app|m)/x"', 'LocationMatch "/y$"', "Location /n/a.wsgi"),
    *("Directory {ROOT}", "Directory {ROOT}/app", "Directory {ROOT}/scripts"),
    *("Directory {ROOT}/scripts/sub", "Directory /", "Directory {ROOT}/html"),
    *("Files app.wsgi", 'FilesMatch "^[ab]"', "Files *.wsgi"),
)
_INNER = ("Files *.wsgi", 'FilesMatch "^a"', "Files index.html")
_EXPRESSIONS = (
    *("%{REQUEST_URI} =~ m#^/app#", "%{REQUEST_URI} == '/app/x'", "%{REQUEST_METHOD} == 'GET'"),
    *("%{REQUEST_FILENAME} =~ m#wsgi$#", "-f %{REQUEST_FILENAME}", "! -e '%{REQUEST_FILENAME}'"),
    *("%{PATH_INFO} != ''", "%{HTTP_HOST} =~ /host[0-3]/", "%{HTTPS} == 'on'", "true", "false"),
    *("-R '127.0.0.0/8'", "%{REMOTE_ADDR} == '10.0.0.1'", "%{QUERY_STRING} =~ /a=b/"),
    *("%{SCRIPT_FILENAME} =~ m#/scripts/#", "reqenv('SEEN') == '1'", "-n reqenv('SEEN')"),
    *("%{HANDLER} == 'wsgi-script'", "! (%{REQUEST_URI} =~ m#/x$#)", "%{THE_REQUEST} =~ m#/y #"),
    "%{REQUEST_URI} =~ m#^/s# || %{REMOTE_USER} == 'x'",
)
_RULES = (
    *("Require all granted", "Require all denied", "Require valid-user", "Require ip 127.0.0.1"),
    *("Require env SEEN", "Require method GET", "Require method POST"),
    *("Order deny,allow\nDeny from all\nAllow from env=SEEN", "Order allow,deny\nAllow from all"),
    *("Order allow,deny\nAllow from all\nDeny from env=SEEN", "Satisfy any"),
    *("Require local", "Require host localhost", "Require forward-dns localhost"),
    "<RequireAny>\nRequire env SEEN\nRequire ip 10.0.0.1\n</RequireAny>",
    "<RequireAll>\nRequire all granted\nRequire not env SEEN\n</RequireAll>",
    "<RequireAll>\nRequire local\n<RequireNone>\nRequire env SEEN\n</RequireNone>\n</RequireAll>",
)
_SETTING = (
    *("SetEnvIf Request_URI ^/app SEEN=1", "SetEnvIf Request_URI /x$ SEEN", "SetEnv SEEN 1"),
    *("SetEnvIfNoCase Host HOST[0-2] SEEN=1", "SetEnvIf Request_URI ^/app/x !SEEN"),
    *("SetEnvIf Remote_Addr ^127 SEEN=1", 'SetEnvIfExpr "%{REQUEST_URI} =~ m#^/s#" SEEN=1'),
    "SetEnvIf Request_Method GET SEEN=1",
)
_CONDITIONS = (
    *("%{REQUEST_FILENAME} -f", "%{REQUEST_FILENAME} !-f", "%{REQUEST_FILENAME} -d"),
    *("%{REQUEST_FILENAME} wsgi", "%{PATH_INFO} .", "%{PATH_INFO} ^$", "%{SCRIPT_FILENAME} app"),
    *("%{DOCUMENT_ROOT}%{REQUEST_URI} -f", "%{DOCUMENT_ROOT}%{REQUEST_URI} !-e"),
    *("%{ENV:SEEN} 1", "%{ENV:SEEN} !^1", "%{QUERY_STRING} a=b", "%{REQUEST_METHOD} !POST"),
    *("%{LA-U:REQUEST_FILENAME} wsgi", "%{LA-U:REMOTE_USER} !x", "%{THE_REQUEST} /x"),
    *('expr "%{REQUEST_URI} =~ m#^/app#"', "$1 ^x", "$0 ."),
)
_REWRITES = (
    *("RewriteRule ^/app/(.*) - [F]", "RewriteRule ^ - [F]", "RewriteRule x - [G]"),
    *("RewriteRule ^/(m|n)/ - [R=404]", "RewriteRule ^(.*)$ - [F]", "RewriteRule !^/app - [F]"),
    *("RewriteRule ^ - [E=SEEN:1]", "RewriteRule ^/app/x - [L]", "RewriteRule ^/s - [S=1]"),
    *("RewriteRule ^/old /app [PT]", "RewriteRule ^/y http://x.test/ [R,L]"),
)


def random_expressions(rng: Random, port: int) -> str:
    """Return a configuration of some virtual hosts; ``{ROOT}`` stands for the tree's folder."""
    lines = [line for _ in range(rng.choice([0, 0, 1, 2])) for line in _section(rng)]
    lines += rng.sample(_SETTING, rng.choice([0, 0, 1]))
    lines += rng.sample(TAKERS[:3], rng.choice([0, 0, 1])) + aliases_for_all(rng)
    for number in range(6):
        lines += [f"<VirtualHost *:{port}>", f"ServerName host{number}.test"]
        lines += rng.sample(ALIASES, rng.randrange(1, 4))
        lines += rng.sample(TAKERS, rng.choice([0, 0, 1, 2]))
        lines += rng.sample(_SETTING, rng.choice([0, 0, 1, 2]))
        lines += [line for _ in range(rng.choice([0, 1, 1, 2])) for line in _section(rng)]
        lines += _rewriting(rng, rng.choice([0, 0, 1, 2]))
        lines.append("</VirtualHost>")
    return "\n".join(lines) + "\n"


def _section(rng: Random) -> list[str]:
    place = rng.choice(_PLACES)
    lines = _rules(rng)
    if place.startswith("Directory") and rng.randrange(4) == 0:
        lines += _within(rng.choice(_INNER), _rules(rng))
    if rng.randrange(3) == 0:
        lines += _within(f'If "{rng.choice(_EXPRESSIONS)}"', _rules(rng))
    if place.startswith(("Location /", "Directory")) and rng.randrange(4) == 0:
        lines += _rewriting(rng, 1)
    return _within(place, [*LOGIN, *lines])


def _within(place: str, lines: list[str]) -> list[str]:
    return [f"<{place}>", *lines, f"</{place.split()[0]}>"]


def _rules(rng: Random) -> list[str]:
    if rng.randrange(4) == 0:
        return [f'Require expr "{rng.choice(_EXPRESSIONS)}"']
    return [rng.choice(_RULES) for _ in range(rng.choice([1, 1, 2]))]


def _rewriting(rng: Random, count: int) -> list[str]:
    lines = []
    for _ in range(count):
        for condition in rng.sample(_CONDITIONS, rng.choice([0, 1, 1, 2])):
            lines.append(f"RewriteCond {condition}{rng.choice(['', '', ' [NC]', ' [OR]'])}")
        lines.append(rng.choice(_REWRITES))
    return ["RewriteEngine On", *lines] if lines else []
