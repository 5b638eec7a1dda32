"""Random configurations of what answers without a script: files, redirects, rules, DocumentRoot."""

from __future__ import annotations

from random import Random

from tests.support.trees import TreeItem


def _file(path: str) -> TreeItem:
    return {"path": path, "text": f"the file {path}\n"}


TREE: tuple[TreeItem, ...] = (
    *("app/app.wsgi", "app/x.py", "files/run.wsgi"),
    *(
        _file(path)
        for path in (
            *("files/x.txt", "files/sub/x.txt", "files/sub/y.php", "files/.htpasswd"),
            *("files/deep/er/x.txt", "html/x.txt", "html/static/x.txt", "html/app/x.txt"),
            *("html/a.php", "html/.htaccess.bak", "other/x.txt", "other/a b.txt", "one.txt"),
            *("html/files/x.txt", "html/sub/x.txt"),
        )
    ),
)
_SCRIPTS = (
    *("WSGIScriptAlias / {ROOT}/app/app.wsgi", "WSGIScriptAlias /app {ROOT}/app/app.wsgi"),
    *(
        "WSGIScriptAliasMatch ^/m/ {ROOT}/app/app.wsgi",
        "WSGIScriptAlias /files/api {ROOT}/app/x.py",
    ),
)
_FILES = (
    *("Alias /files {ROOT}/files", "Alias /files/ {ROOT}/files/", "Alias /files/sub {ROOT}/other"),
    *("Alias /one {ROOT}/one.txt", "Alias /app/static {ROOT}/other", "Alias /sub {ROOT}/files/sub"),
    *(
        r"AliasMatch ^/am/(\w+) {ROOT}/files/$1.txt",
        r"AliasMatch ^/files/(.*)\.md$ {ROOT}/other/$1.txt",
    ),
    *("AliasMatch /am {ROOT}/one.txt", "DocumentRoot {ROOT}/html", "DocumentRoot {ROOT}/other"),
    *("Alias /run {ROOT}/files/run.wsgi", "Alias /app {ROOT}/app"),
)
_OTHERS = (
    *("ScriptAlias /files/sub/ {ROOT}/files/sub/", "ScriptAlias /sub {ROOT}/html/sub"),
    *(r"ScriptAliasMatch ^/(am|one) {ROOT}/one.txt", "ScriptAlias /html {ROOT}/html"),
)
_REDIRECTS = (
    *(
        "Redirect /old http://x.test/new",
        "Redirect permanent /files/sub /moved",
        "Redirect gone /g",
    ),
    *("RedirectMatch ^/r(.*)$ http://x.test$1", "RedirectMatch 301 /x$ /files/x.txt"),
    *(
        "RedirectPermanent /app/old https://y.test/",
        "RedirectTemp /am/old /one",
        "Redirect 404 /app/g",
    ),
    *(
        "Redirect seeother /q http://x.test/?a=1",
        r"RedirectMatch 403 \.md$",
        "Redirect 302 / http://z.test/",
    ),
    r"RedirectMatch 307 ^/(app|files)/(\w+)/y /$2/$1",
)
_RULES = (
    *("RewriteRule ^/old(.*)$ http://x.test/rewritten$1 [R=301,L]", "RewriteRule ^/g - [F]"),
    *(
        "RewriteRule ^/app/g - [G]",
        "RewriteRule ^/FILES/(.*) /files/$1 [NC,R]",
        "RewriteRule ^/q - [R=404]",
    ),
    *("RewriteRule ^/one$ {ROOT}/one.txt [L]", "RewriteRule ^/x.txt$ /static/x.txt [L]"),
    *(
        "RewriteRule ^/sub/(.*)$ {ROOT}/files/sub/$1 [L]",
        "RewriteRule ^/am - [L]",
        "RewriteRule !^/(app|files|x) /x [R,L]",
    ),
    *(
        "RewriteRule ^/files - [F]",
        "RewriteRule /y$ http://x.test/y?z=1 [R=302,L]",
        "RewriteRule ^/app /one [PT]",
    ),
    "RewriteCond %{HTTPS} off\nRewriteRule ^/old https://%{HTTP_HOST}%{REQUEST_URI} [R=301,L]",
    "RewriteCond %{HTTPS} =on\nRewriteRule ^ - [F]",
    "RewriteCond %{HTTPS} !=on\nRewriteRule ^/r https://s.test%{REQUEST_URI} [R,L,NE]",
    "RewriteCond %{REQUEST_URI} !^/files\nRewriteRule ^/(\\w+)/x /one?n=1 [R,L]",
    "RewriteCond %{REQUEST_URI} ^/am\nRewriteRule (.*) http://x.test$1 [R=308,L]",
    *(
        "RewriteRule ^/deep(.*) /files/deep$1 [R]",
        "RewriteRule ^/moved /files [S=1]",
        "RewriteRule x$ - [E=a:b]",
    ),
    *(
        "RewriteRule ^/r1 /old [R,QSA,L]",
        "RewriteRule ^/b$ /files/? [R,L]",
        "RewriteRule ^/one /am/one [L]",
    ),
    "RewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule ^/(.*)$ /app/$1 [PT,L]",
    "RewriteCond %{HTTP_HOST} ^host[1-3]\\. [NC]\nRewriteRule ^/(.*) http://x.test/$1 [R=301,L]",
    "RewriteCond %{HTTP_HOST} !^HOST[0-4] [NC]\nRewriteRule ^ http://x.test%{REQUEST_URI} [R,L]",
    "RewriteCond %{QUERY_STRING} ^a=b\nRewriteRule ^/(app|files)/x /one [R=302,L]",
    "RewriteCond %{REMOTE_ADDR} ^127\\.\nRewriteRule ^/files/sub - [F]",
    "RewriteCond %{HTTP_USER_AGENT} !x\nRewriteCond %{REQUEST_METHOD} GET\nRewriteRule ^/am - [G]",
    "RewriteRule ^/files/a http://x.test/%{REQUEST_URI}",
)
_PLACES = (
    *("Location /", "Location /files", "Location /files/sub", "Location /app", "Location /old"),
    *("Directory /", "Directory {ROOT}", "Directory {ROOT}/files", "Directory {ROOT}/files/sub"),
    *("Directory {ROOT}/html", "Directory {ROOT}/other", 'LocationMatch "x\\.txt$"', "Files x.txt"),
    *('FilesMatch "^\\."', "Files *.php", "Directory {ROOT}/app", 'Directory "{ROOT}/*/sub"'),
    *("Location /am/", "Files one.txt", "Directory {ROOT}/html/static"),
)
_CLOSING = (
    *("Require all granted", "Require all denied", "Require ip 10.0.0.1", "Require valid-user"),
    *("Order allow,deny", "Deny from all", "Order deny,allow\nAllow from all", "Satisfy any"),
    *("Require all granted", "SetHandler none", "SetHandler server-x", "AddHandler cgi-x .php"),
    *(
        "AddHandler wsgi-script .wsgi .py\nOptions +ExecCGI",
        "SetHandler wsgi-script\nOptions ExecCGI",
    ),
    *(
        "Options None",
        "SetHandler wsgi-script",
        "Redirect /old http://x.test/in",
        "Redirect 301 http://x.test/all",
    ),
    *(
        "RewriteEngine On\nRewriteRule ^ - [F]",
        "DirectoryIndex x.txt",
        "SetHandler default-handler",
    ),
)
_IN_FOLDERS = (
    *("Require all denied\n", "Require all granted\n", "DirectoryIndex x.txt\n"),
    *("<Files x.txt>\nRequire user x\n</Files>\n", "SetHandler server-x\n", "<Files>\n"),
    *("Order allow,deny\n", "RewriteEngine On\nRewriteRule ^x - [F]\n", "Redirect gone /one\n"),
    "AddHandler cgi-x .txt\n",
)
_LOGIN = "AuthType Basic\nAuthName x\nAuthUserFile {ROOT}/users"
_SEGMENTS = (
    *("app", "x", "y", "files", "sub", "x.txt", "am", "one", "old", "static", "deep", "er", "m"),
    *(
        "g",
        "q",
        "r1",
        "a.php",
        "y.php",
        ".htpasswd",
        "run.wsgi",
        "x.py",
        "FILES",
        "b.md",
        "a%20b.txt",
    ),
    *(
        "one.txt",
        "run",
        "moved",
        "api",
        "",
        "new",
        "in",
        "%2e",
        "..",
        "index.html",
        "app.wsgi",
        "b",
    ),
)


def random_answers(rng: Random, port: int) -> str:
    """Return a configuration of some virtual hosts; ``{ROOT}`` stands for the tree's folder."""
    lines = rng.sample(_FILES, rng.choice([0, 0, 1, 2]))
    lines += rng.sample(_REDIRECTS[:-2], rng.choice([0, 0, 1]))
    lines += rng.sample(_SCRIPTS[1:], rng.choice([0, 0, 0, 1]))
    lines += rng.choice([[], [], ["<Directory />", "Require all denied", "</Directory>"]])
    lines += [line for _ in range(rng.choice([0, 0, 1, 2])) for line in _section(rng)]
    if rng.randrange(3) == 0:
        folder = rng.choice(("{ROOT}", "{ROOT}/files", "{ROOT}/html", "{ROOT}/*"))
        lines += [f"<Directory {folder}>", "AllowOverride All", "</Directory>"]
    for number in range(6):
        names = rng.choice([["ServerAlias *.any.test"], ["ServerAlias *"], [], [], []])
        lines += [f"<VirtualHost *:{port}>", f"ServerName host{number}.test", *names]
        own = rng.sample(_SCRIPTS, rng.choice([0, 1, 1, 2])) + rng.sample(_FILES, rng.randrange(5))
        own += rng.sample(_OTHERS, rng.choice([0, 0, 0, 1]))
        own += rng.sample(_REDIRECTS, rng.choice([0, 1, 1, 2]))
        if rng.randrange(2):
            own += ["RewriteEngine On", *rng.sample(_RULES, rng.randrange(1, 4))]
        rng.shuffle(own)
        lines += own
        lines += [line for _ in range(rng.choice([0, 1, 1, 2, 3])) for line in _section(rng)]
        lines.append("</VirtualHost>")
    return "\n".join(lines) + "\n"


def random_files_of_folders(rng: Random) -> dict[str, str]:
    """Return .htaccess files by their folder in the tree."""
    folders = ("files", "files/sub", "html", "html/static", "other", "files/deep/er")
    return {folder: rng.choice(_IN_FOLDERS) for folder in rng.sample(folders, rng.randrange(4))}


def random_answers_target(rng: Random) -> str:
    """Return a request target."""
    segments = rng.choices(_SEGMENTS, k=rng.randrange(1, 5))
    return "/" + "/".join(segments) + rng.choice(["", "", "", "?a=b&c"])


def _section(rng: Random) -> list[str]:
    place = rng.choice(_PLACES)
    rules = [rng.choice(_CLOSING) for _ in range(rng.choice([1, 1, 2]))]
    if place.startswith(("Location /", "Directory {")) is False:
        rules = [rule for rule in rules if not rule.startswith(("Redirect", "RewriteE", "Options"))]
    return [f"<{place}>", _LOGIN, *rules, f"</{place.split()[0]}>"]
