"""
Random whole sites: configurations as people write them, from the shapes of real ones.

The other generators put together what is hard to tell apart; this one has of each kind of line as
many as real configurations have, in the places where these have them.
"""

from __future__ import annotations

from random import Random

from tests.support.trees import TreeItem


def _file(path: str) -> TreeItem:
    return {"path": path, "text": f"the file {path}\n"}


TREE: tuple[TreeItem, ...] = (
    *("shop/shop/wsgi.py", "wiki/wiki.wsgi", "api/api.wsgi", "tools/log.wsgi", "tools/list.wsgi"),
    *("tools/inner/stats.wsgi", "tools/handler.py"),
    *(
        _file(path)
        for path in (
            *("static/site.css", "static/js/site.js", "static/index.html", "static/fonts/a.woff2"),
            *("media/photo.jpg", "media/private/key.txt", "media/run.py", "html/index.html"),
            *("html/robots.txt", "html/favicon.ico", "html/docs/index.html", "html/docs/a.html"),
            *("html/.well-known/token", "errors/404.html", "shop/shop/settings.py", "cgi/run.sh"),
        )
    ),
)

_OPEN = ("Require all granted", "Order allow,deny\n    Allow from all")
_CLOSED = (
    *("Require all denied", "Require ip 10.0.0.0/8", "Require valid-user", "Require user x"),
    *("Order deny,allow\n    Deny from all\n    Allow from 10.0.0.0/8", "Require local"),
    *("Require ip 127.0.0.1", "Order deny,allow\n    Deny from all"),
    "<Limit POST PUT>\n        Require valid-user\n    </Limit>",
    "<RequireAny>\n        Require ip 10.0.0.0/8\n        Require valid-user\n    </RequireAny>",
    "Deny from all\n    Allow from 10.0.0.0/8\n    Require valid-user\n    Satisfy any",
)
_LOGIN = 'AuthType Basic\n    AuthName "Staff"\n    AuthUserFile {ROOT}/users'
# A script, where it is mounted, and whether it is one of several in a folder.
_SCRIPTS = (
    *(("/", "shop/shop/wsgi.py"), ("/", "shop/shop/wsgi.py"), ("/", "wiki/wiki.wsgi")),
    *(("/wiki", "wiki/wiki.wsgi"), ("/api", "api/api.wsgi"), ("/api/v2", "shop/shop/wsgi.py")),
    *(("/shop", "shop/shop/wsgi.py"), ("/tools/", "tools/"), ("/tools", "tools")),
)
_MATCHES = (
    *(("^/settings$", "tools/log.wsgi"), ("^/[0-9]+/log$", "tools/log.wsgi")),
    *((r"^/run/(\w+)", "tools/$1.wsgi"), ("^/(admin|files|photologue)", "tools/handler.py/$1")),
    *(("^/(?!static/|media/)", "wiki/wiki.wsgi"), ("^/manager(/.*)?$", "tools/list.wsgi")),
)
_STATIC = (
    *(("/static", "static"), ("/static/", "static/"), ("/media", "media"), ("/media/", "media/")),
    *(("/robots.txt", "html/robots.txt"), ("/favicon.ico", "html/favicon.ico"), ("/docs", "html")),
    *(("/shop/static", "static"), ("/wiki/chrome", "static")),
)
_PROTECTED = (
    *(
        "Location /admin",
        "Location /wiki/login",
        "Location /api/private",
        "Location /media/private",
    ),
    *("Location /shop/staff", 'LocationMatch "^/(api|shop)/.*/edit"', 'LocationMatch "/export$"'),
    *("Directory {ROOT}/media/private", "Location /tools", "Location /", "Directory {ROOT}/tools"),
)
_REDIRECTS = (
    *("Redirect /old /", "Redirect permanent /blog https://blog.example/", "Redirect gone /v1"),
    *(r"RedirectMatch ^/wiki/old/(.*)$ /wiki/$1", "RedirectMatch 301 ^/$ /shop/"),
    *("RedirectPermanent /home https://www.example/", "Redirect 302 /down https://status.example/"),
)
_REWRITES = (
    *("RewriteRule ^/bkr$ /wiki/ [R,L]", "RewriteRule ^/forbidden - [F]", "RewriteRule ^/v0 - [G]"),
    *(
        r"RewriteRule ^/robots\.txt$ {ROOT}/html/robots.txt [L]",
        "RewriteRule ^/x/(.*) /api/$1 [PT]",
    ),
    r"RewriteRule ^/\.well-known/(.*) {ROOT}/html/.well-known/$1 [L]",
    "RewriteCond %{HTTPS} =on\nRewriteRule ^ https://www.example%{REQUEST_URI} [R=301,L]",
    "RewriteCond %{HTTP_HOST} ^www\\.\nRewriteRule (.*) http://site.example$1 [R=301,L]",
    "RewriteCond %{HTTP_HOST} ^www\\.(.+)$ [NC]\nRewriteRule ^ http://%1%{REQUEST_URI} [R=301,L]",
    "RewriteCond %{HTTP_USER_AGENT} (Bot|Spider) [NC]\nRewriteRule .* - [F]",
    r"RewriteRule ^/paste/([^/]{3})/$ /paste/$1 [R,L]",
    "RewriteCond %{REQUEST_METHOD} ^TRACE\nRewriteRule .* - [F]",
    "RewriteCond %{REQUEST_URI} ^/git/.*$\nRewriteRule .* - [F]",
)
_EXTRAS = (
    *('Header always set X-Content-Type-Options "nosniff"', "Header append X-Frame-Options DENY"),
    *("SetEnv DJANGO_MODE production", "LimitRequestBody 10485760", "FileETag None"),
    *("ErrorDocument 404 /static/404.html", 'ErrorDocument 403 "Not for you."'),
    *("ServerSignature Off", "WSGIPassAuthorization On", "AddDefaultCharset utf-8"),
    *('ExpiresActive On\nExpiresByType text/css "access plus 1 week"', "SetEnvIf Host x dontlog"),
    '<Location /static>\n    ExpiresActive On\n    ExpiresDefault "access plus 1 day"\n</Location>',
    '<Location /api>\n    Header set Cache-Control "no-cache"\n</Location>',
)
_IN_FOLDERS = (
    *(
        "Require all denied\n",
        "Require valid-user\n",
        "Options -Indexes\n",
        "DirectoryIndex a.html\n",
    ),
    *("Order deny,allow\nDeny from all\n", '<Files "*.txt">\n    Require all denied\n</Files>\n'),
    *('ErrorDocument 404 "Gone"\n', "Redirect gone /docs/a.html\n", "ExpiresActive On\n"),
)
_OTHERS = (
    *("ProxyPass /ws http://127.0.0.1:1/ws", "ProxyPass /media/live !", "Options FollowSymLinks"),
    *("<IfModule mod_alias.c>\nAlias /extra {ROOT}/static\n</IfModule>", "ServerAdmin x@site.test"),
    *("<IfModule !mod_wsgi.c>\nRedirect / /down\n</IfModule>", "AllowEncodedSlashes On"),
    *("<Location /server-status>\n    SetHandler server-status\n    Require local\n</Location>",),
    *("ScriptAlias /cgi-bin/ {ROOT}/cgi/", "DirectoryIndex a.html"),
    *(
        '<FilesMatch "\\.(css|js)$">\n    Header set X-Kind asset\n</FilesMatch>',
        "UseCanonicalName On",
    ),
)
_SEGMENTS = (
    *("admin", "static", "media", "api", "v2", "shop", "wiki", "tools", "login", "private", "edit"),
    *("site.css", "photo.jpg", "key.txt", "log.wsgi", "list.wsgi", "stats.wsgi", "inner", "run"),
    *("log", "settings", "42", "robots.txt", "favicon.ico", "docs", "a.html", "old", "blog", "v1"),
    *(".well-known", "token", "git", "forbidden", "bkr", "x", "export", "files", "a%20b", "", ".."),
    *("js", "chrome", "staff", "paste", "abc", "run.py", "index.html", "manager", "v0", "home"),
)


def random_sites(rng: Random, port: int) -> str:
    """Return a configuration of one to four hosts; ``{ROOT}`` stands for the tree's folder."""
    count = rng.choice([0, 1, 1, 2, 4])
    if not count:
        return "\n".join([*_host(rng, "site"), ""])
    lines = _extras(rng) if rng.randrange(4) == 0 else []
    lines += _folder("", rng.choice(_OPEN)) if rng.randrange(3) == 0 else []
    for number in range(count):
        names = rng.choice([[], [], ["ServerAlias www.site%d.test"], ["ServerAlias *.site%d.test"]])
        lines += [f"<VirtualHost *:{port}>", f"ServerName site{number}.test"]
        lines += [
            *(name % number for name in names),
            *_host(rng, f"site{number}"),
            "</VirtualHost>",
        ]
    return "\n".join([*lines, ""])


def random_sites_files(rng: Random) -> dict[str, str]:
    """Return .htaccess files by their folder in the tree, which some sites read."""
    folders = ("html", "html/docs", "static", "media", "shop/shop", "tools")
    return {
        folder: rng.choice(_IN_FOLDERS) for folder in rng.sample(folders, rng.choice([0, 0, 1, 2]))
    }


def random_sites_target(rng: Random) -> str:
    """Return a request target."""
    segments = rng.choices(_SEGMENTS, k=rng.randrange(1, 4))
    return "/" + "/".join(segments) + rng.choice(["", "", "/", "?a=b&c"])


def _host(rng: Random, name: str) -> list[str]:
    """Return the lines of a host whose daemon process has a name."""
    parts = [_files(rng), _scripts(rng), _access(rng), _extras(rng), _others(rng)]
    rng.shuffle(parts)
    first = [*_root(rng), *_daemon(rng, name), *_redirects(rng)]
    return [*first, *(line for part in parts for line in part)]


def _daemon(rng: Random, name: str) -> list[str]:
    if rng.randrange(2):
        return []
    group = rng.choice(["%{GLOBAL}", "%{GLOBAL}", "%{SERVER}", "main"])
    lines = [f"WSGIDaemonProcess {name} threads=5", f"WSGIProcessGroup {name}"]
    return [*lines, *rng.choice([[], [f"WSGIApplicationGroup {group}"]])]


def _root(rng: Random) -> list[str]:
    if rng.randrange(3) == 0:
        return []
    override = rng.choice(["", "", "AllowOverride None\n    ", "AllowOverride All\n    "])
    return ["DocumentRoot {ROOT}/html", *_folder("html", f"{override}{rng.choice(_OPEN)}")]


def _scripts(rng: Random) -> list[str]:
    """Return one to three aliases, those of the longer locations first, with their folders."""
    chosen = dict(rng.sample(_SCRIPTS, rng.choice([1, 1, 1, 2, 3])))
    lines = []
    for pattern, target in rng.sample(_MATCHES, rng.choice([0, 0, 0, 1, 2])):
        lines += [f"WSGIScriptAliasMatch {pattern} {{ROOT}}/{target}", *_folder("tools")]
    for location in sorted(chosen, key=len, reverse=True):
        target = chosen[location]
        folder, _, name = target.rpartition("/")
        options = rng.choice(["", "", "", " application-group=%{GLOBAL}"])
        lines.append(f"WSGIScriptAlias {location} {{ROOT}}/{target}{options}")
        lines += _of_script(rng, folder or name, name if folder else "")
    return lines


def _of_script(rng: Random, folder: str, name: str) -> list[str]:
    """Return who may ask for a script: a section for its folder, or for the file within."""
    rules = rng.choice(_OPEN)
    if name and rng.randrange(3) == 0:
        return _folder(folder, f"<Files {name}>\n        {rules}\n    </Files>")
    if rng.randrange(6) == 0:
        rules = f"{_LOGIN}\n    {rng.choice(_CLOSED)}"
    more = rng.choice(["", "", "", "Options FollowSymLinks\n    ", "AllowOverride None\n    "])
    return _folder(folder, f"{more}{rules}")


def _files(rng: Random) -> list[str]:
    lines = []
    for location, target in rng.sample(_STATIC, rng.choice([0, 1, 1, 2])):
        lines.append(f"Alias {location} {{ROOT}}/{target}")
        if rng.randrange(3):
            more = rng.choice(["", "", "Options -Indexes\n    ", "AllowOverride All\n    "])
            lines += _folder(target.split("/")[0], f"{more}{rng.choice(_OPEN)}")
        if rng.randrange(6) == 0:
            lines += _section(f"Location {location}", "SetHandler None")
    return lines


def _access(rng: Random) -> list[str]:
    lines = []
    for place in rng.sample(_PROTECTED, rng.choice([0, 0, 1, 1, 2])):
        lines += _section(place, f"{_LOGIN}\n    {rng.choice(_CLOSED)}")
    if rng.randrange(8) == 0:
        lines += _section(r'FilesMatch "^\.ht"', "Require all denied")
    return lines


def _redirects(rng: Random) -> list[str]:
    lines = rng.sample(_REDIRECTS, rng.choice([0, 0, 0, 1, 2]))
    rewrites = rng.sample(_REWRITES, rng.choice([0, 0, 0, 1, 2]))
    return [*lines, *(["RewriteEngine On", *rewrites] if rewrites else [])]


def _extras(rng: Random) -> list[str]:
    return rng.sample(_EXTRAS, rng.choice([0, 0, 1, 2]))


def _others(rng: Random) -> list[str]:
    return rng.sample(_OTHERS, rng.choice([0, 0, 0, 1]))


def _folder(path: str, rules: str = _OPEN[0]) -> list[str]:
    return _section(f"Directory {'/'.join(filter(None, ('{ROOT}', path)))}", rules)


def _section(place: str, rules: str) -> list[str]:
    return [f"<{place}>", f"    {rules}", f"</{place.split()[0]}>"]
