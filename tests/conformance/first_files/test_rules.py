"""Rules of mod_rewrite that ask for files, imported, and asked beside the Apache that runs them."""

from __future__ import annotations

import os
import re
from contextlib import ExitStack
from random import Random

import pytest
from django.test import override_settings

from django_wsgimatch import wsgi as entry
from django_wsgimatch.apache.importing import import_configuration
from django_wsgimatch.apache.reading.reading import read_text
from tests.answers.files.sites import HOW_TO_INSTALL, INSTALLED, LOADED
from tests.support.oracle import MODULES, Apache, configuration, free_port
from tests.support.others.imported_sites import settings_dict
from tests.support.raw_http import fetch
from tests.support.trees import open_directory
from tests.support.wsgi import get

pytestmark = pytest.mark.skipif(not INSTALLED, reason=HOW_TO_INSTALL)

REQUESTS = int(os.environ.get("WSGIMATCH_RULES_REQUESTS", "120"))
APP = """\
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"the application"]
"""
TREE = (
    *("www/index.html", "www/page/a.txt", "www/page/d/index.html", "www/static/a.css", "www/b.txt"),
    *(
        "www/app/x.txt",
        "theme/a.css",
        "theme/d/b.css",
        "plain/a.css",
        "plain/c.css",
        "plain/d/b.css",
    ),
)
ROOT = 'DocumentRoot "{ROOT}/www"\nRewriteEngine On\nWSGIApplicationGroup %{{GLOBAL}}\n'
NO_FILE = "RewriteCond %{{DOCUMENT_ROOT}}%{{REQUEST_URI}} !-f\n"
RULES = {
    "a theme before the files of an application": (
        'WSGIScriptAlias / "{ROOT}/app.wsgi"\nRewriteCond "{ROOT}/theme/$1" -f\n'
        'RewriteRule "^/static/(.*)" "{ROOT}/theme/$1" [L]\n'
        'RewriteRule "^/static/(.*)" "{ROOT}/plain/$1" [L]\n'
    ),
    "files of DocumentRoot before an application": (
        'WSGIScriptAlias / "{ROOT}/app.wsgi"\n'
        "RewriteCond %{{DOCUMENT_ROOT}}%{{REQUEST_URI}} -f\n"
        "RewriteRule .* %{{DOCUMENT_ROOT}}%{{REQUEST_URI}} [L]\n"
    ),
    "a page for what is no file": (
        f'WSGIScriptAlias /app "{{ROOT}}/app.wsgi"\n{NO_FILE}'
        "RewriteCond %{{REQUEST_URI}} !^/app\n"
        "RewriteRule ^ %{{DOCUMENT_ROOT}}/index.html [L]\n"
    ),
    "a page for some of what is no file": (
        f'WSGIScriptAlias /app "{{ROOT}}/app.wsgi"\n{NO_FILE}'
        "RewriteRule ^/page/.* %{{DOCUMENT_ROOT}}/index.html [L]\n"
    ),
    "a script for what is no file": (
        f'WSGIScriptAlias /app "{{ROOT}}/app.wsgi"\n{NO_FILE}RewriteRule ^(.*)$ /app$1 [PT,L]\n'
    ),
    "a script in the folder for some of what is no file": (
        f'WSGIScriptAlias /app "{{ROOT}}/www/app.wsgi"\nAlias /static "{{ROOT}}/plain"\n'
        f"RewriteRule ^/b.txt$ - [F]\n{NO_FILE}"
        "RewriteCond %{{REQUEST_URI}} !^/(app|static)\n"
        "RewriteRule ^/(.*)$ /app/$1 [QSA,PT,L]\n"
    ),
}
BEHIND = ("", "", "", "", "/", "/x", "/index.html", "?a=b", "x")


def random_uri(random: Random) -> str:
    path = "/" + random.choice(TREE).partition("/")[2]
    if random.random() < 0.5:
        path = f"/{random.choice(['static', 'page', 'app', 'none'])}{path}"
    if random.random() < 0.3:
        path = path.rpartition("/")[0] or "/"
    return path + random.choice(BEHIND)


@pytest.mark.parametrize("rules", [pytest.param(text, id=name) for name, text in RULES.items()])
def test_an_imported_rule_answers_as_in_apache(rules):
    random = Random(rules)
    uris = ["/", *(random_uri(random) for _ in range(REQUESTS))]
    with ExitStack() as stack:
        folder = stack.enter_context(open_directory())
        for name in TREE:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(f"the file {name}")
        (folder / ("www/app.wsgi" if "www/app.wsgi" in rules else "app.wsgi")).write_text(APP)
        text = (ROOT + rules).format(ROOT=folder)
        port = started(folder, text, stack)
        theirs = {uri: told(*asked(port, uri)) for uri in uris}
        imported = import_configuration(read_text(text, "site.conf"))
        stack.enter_context(override_settings(BASE_DIR=folder, **settings_dict(imported)))
        application = entry.get_application()
        ours = {uri: told(*of(get(application, uri))) for uri in uris}

    assert imported.settings is not None
    assert imported.settings.first
    assert ours == theirs
    assert len({*map(str, ours.values())}) > 2


def started(folder, text, stack):
    port = free_port()
    whole = configuration(folder, port)
    for name in (*LOADED, "rewrite"):
        whole += f"LoadModule {name}_module {MODULES}/mod_{name}.so\n"
    (folder / "mime.types").write_text("text/html html\ntext/css css\ntext/plain txt\n")
    whole += f'TypesConfig "{folder}/mime.types"\n'
    (folder / "httpd.conf").write_text(re.sub(r"(?m)^DocumentRoot.*$", "", whole) + text)
    Apache(folder, folder / "httpd.conf", port, stack)
    return port


def asked(port, uri):
    answer = fetch(("127.0.0.1", port), uri.encode(), headers={b"Host": b"localhost"})
    return answer.status, answer.body


def of(answer):
    return answer.code, answer.body


def told(status, body):
    """Who answers; Apache stops before it runs the application, which is a 500."""
    if status == 500:
        return "the application"
    return body.decode() if status == 200 else status
