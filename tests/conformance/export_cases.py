"""Configurations of sites, each about one thing that an export has to carry or to refuse."""

from __future__ import annotations

from tests.support.trees import TreeItem

_LOGIN = 'AuthType Basic\nAuthName "a name"\nAuthUserFile {ROOT}/users\n'
_HOST = "<VirtualHost *:{PORT}>\nServerName one.test\n"
_END = "</VirtualHost>\n"

TREE: tuple[TreeItem, ...] = (
    *("app/app.wsgi", "app/inner/other.wsgi", "tenants/a.wsgi", "tenants/b.wsgi", "old/run.wsgi"),
    *({"path": "static/site.css", "text": "body {}\n"}, {"path": "html/page.txt", "text": "x\n"}),
    {"path": "static/private/key.txt", "text": "secret\n"},
    {"path": "tenants/.htaccess.wsgi", "text": "not for anybody\n"},
)

# By what they are about. {ROOT} is the folder of the files, {PORT} the port.
CASES = {
    "an alias for all, with static files, redirects and a handler beside it": _HOST
    + "Alias /static {ROOT}/static\nRedirect permanent /gone http://new.test/\n"
    + "RedirectMatch ^/r(\\d+)$ http://new.test/$1\nAliasMatch ^/m/(.*\\.css)$ {ROOT}/static/$1\n"
    + "WSGIScriptAlias / {ROOT}/app/app.wsgi\n"
    + "<Location /file>\nSetHandler default-handler\n</Location>\n"
    + "<Location /none>\nSetHandler none\n</Location>\n"
    + _END,
    "rules of the script's folder": _HOST
    + "WSGIScriptAlias / {ROOT}/app/app.wsgi\nAlias /static {ROOT}/static\n"
    + "<Directory {ROOT}/app>\n"
    + _LOGIN
    + "Require valid-user\n</Directory>\n"
    + "<Location /open>\nRequire all granted\n</Location>\n"
    + _END,
    "rules of the script's name": _HOST
    + "WSGIScriptAlias /app {ROOT}/app/app.wsgi\nWSGIScriptAlias /other {ROOT}/app/inner/other.wsgi\n"
    + '<FilesMatch "^app">\nRequire ip 10.0.0.1\n</FilesMatch>\n'
    + "<Files *.css>\nRequire all denied\n</Files>\nAlias /static {ROOT}/static\n"
    + _END,
    "two scripts with rules of their own, one below the other": _HOST
    + "WSGIScriptAlias /inner {ROOT}/app/inner/other.wsgi\nWSGIScriptAlias / {ROOT}/app/app.wsgi\n"
    + "<Directory {ROOT}/app>\n"
    + _LOGIN
    + "Require valid-user\n</Directory>\n"
    + "<Directory {ROOT}/app/inner>\nRequire all granted\n</Directory>\n"
    + _END,
    "a folder of scripts, one of them closed": _HOST
    + "WSGIScriptAliasMatch ^/t/([^/]+) {ROOT}/tenants/$1.wsgi\n"
    + "<Files b.wsgi>\nRequire all denied\n</Files>\n"
    + '<FilesMatch "^\\.ht">\nRequire all denied\n</FilesMatch>\n'
    + _END,
    "old rules that do not merge": _HOST
    + "WSGIScriptAlias / {ROOT}/app/app.wsgi\n"
    + "<Location />\n"
    + _LOGIN
    + "Require valid-user\nOrder deny,allow\nDeny from all\n"
    + "Allow from 10.0.0.1\nSatisfy any\n</Location>\n"
    + "<Location /hook/>\nOrder deny,allow\nDeny from all\nAllow from 10.0.0.2\n</Location>\n"
    + _END,
    "rules for some methods": _HOST
    + "WSGIScriptAlias / {ROOT}/app/app.wsgi\n"
    + "<Directory {ROOT}/app>\n"
    + _LOGIN
    + "<Limit GET>\nRequire valid-user\n</Limit>\n</Directory>\n"
    + _END,
    "a rule in a condition of the script's folder": _HOST
    + "WSGIScriptAlias / {ROOT}/app/app.wsgi\n"
    + '<Directory {ROOT}/app>\n<If "%{REQUEST_URI} =~ m#^/admin#">\nRequire all denied\n</If>\n'
    + "</Directory>\n"
    + _END,
    "rewritten to a file first, then to the script": _HOST
    + "DocumentRoot {ROOT}/html\nWSGIScriptAlias /run {ROOT}/app/app.wsgi\nRewriteEngine On\n"
    + "RewriteCond {ROOT}/html%{REQUEST_URI} !-f\nRewriteRule ^/(?!run)(.*)$ /run/$1 [PT,QSA,L]\n"
    + "<Location /run/admin>\nRequire all denied\n</Location>\n"
    + _END,
    "rewritten to a script that is for all": _HOST
    + "WSGIScriptAlias / {ROOT}/app/app.wsgi\nRewriteEngine On\n"
    + "RewriteRule ^/old/(.*)$ /new/$1 [PT]\nRewriteRule ^/away http://x.test/ [R,L]\n"
    + "RewriteRule ^/never - [F]\nRewriteRule ^/file$ {ROOT}/static/site.css [L]\n"
    + _END,
    "rewriting in the script's folder": _HOST
    + "WSGIScriptAlias / {ROOT}/app/app.wsgi\n"
    + "<Directory {ROOT}/app>\nRewriteEngine On\nRewriteCond %{HTTP_USER_AGENT} ^bad\n"
    + "RewriteRule ^ - [F]\nRewriteCond %{QUERY_STRING} q=1\n"
    + "RewriteRule .* https://safe.test%{REQUEST_URI} [R=302,L]\n</Directory>\n"
    + _END,
    "a path that rewriting in the script's folder compares with": _HOST
    + "WSGIScriptAlias / {ROOT}/app/app.wsgi\n"
    + "<Directory {ROOT}/app>\nRewriteEngine On\nRewriteRule ^app\\.wsgi/x - [F]\n</Directory>\n"
    + _END,
    "an Alias whose files are scripts": _HOST
    + "Alias /old {ROOT}/old\n<Directory {ROOT}/old>\nOptions ExecCGI\n"
    + "AddHandler wsgi-script .wsgi\n</Directory>\n"
    + "Alias /one {ROOT}/app/app.wsgi\n<Files app.wsgi>\nSetHandler wsgi-script\n"
    + "Options +ExecCGI\n</Files>\nAlias /raw {ROOT}/tenants\n"
    + _END,
    "the handler for a whole location, and not for a part of it": "WSGIScriptAlias / {ROOT}/app/app.wsgi\nAlias /static {ROOT}/static\n"
    + "<Location />\nSetHandler wsgi-script\nOptions ExecCGI\n</Location>\n"
    + "<Location /static>\nSetHandler none\n</Location>\n"
    + "<Location /static/private>\nRequire all denied\n</Location>\n",
    "the main server's aliases in a virtual host": "WSGIScriptAlias /main {ROOT}/app/inner/other.wsgi\nAlias /both {ROOT}/static\n"
    + "<Directory {ROOT}/app/inner>\n"
    + _LOGIN
    + "Require valid-user\n</Directory>\n"
    + _HOST
    + "WSGIScriptAlias / {ROOT}/app/app.wsgi\nAlias /main/static {ROOT}/static\n"
    + _END
    + "<VirtualHost *:{PORT}>\nServerName two.test\nAlias /main {ROOT}/html\n"
    + _END,
    "another backend beside the application": _HOST
    + "WSGIScriptAlias / {ROOT}/app/app.wsgi\n"
    + "ProxyPass /share http://127.0.0.1:{PORT}/static\nAlias /static {ROOT}/static\n"
    + _END,
    "rules of mod_wsgi itself": _HOST
    + "WSGIScriptAlias / {ROOT}/app/app.wsgi\n"
    + "<Location /by-script>\n"
    + _LOGIN
    + "WSGIAccessScript {ROOT}/app/app.wsgi\n"
    + "</Location>\n"
    + _END,
    "what Apache says to application and client": _HOST
    + "WSGIScriptAlias / {ROOT}/app/app.wsgi\nHeader always set X-Whole yes\n"
    + "<Directory {ROOT}/app>\nHeader set X-Folder yes\nExpiresActive On\n"
    + 'ExpiresDefault "access plus 1 day"\n</Directory>\n'
    + "ErrorDocument 404 /not-here\nWSGIPassAuthorization On\n"
    + _END,
    "mod_wsgi's lines in conditions": "<IfModule mod_wsgi.c>\nWSGIDaemonProcess one threads=1\n"
    + "</IfModule>\n"
    + _HOST
    + "<IfModule mod_wsgi.c>\n    WSGIProcessGroup one\n"
    + "    WSGIScriptAlias / {ROOT}/app/app.wsgi \\\n        application-group=%{GLOBAL}\n"
    + "    Alias /static {ROOT}/static\n</IfModule>\n"
    + _END,
}

# Only what is written as a header of a client can be believed to be one.
LYING = (
    ("X-Forwarded-For", "6.6.6.6"),
    ("X-Forwarded-Proto", "https"),
    ("X-Remote-User", "root"),
    ("X_Remote_User", "root"),
    ("X-Auth-Type", "Digest"),
    ("X-Forwarded-Host", "evil.test"),
    ("Script-Name", "/evil"),
)
