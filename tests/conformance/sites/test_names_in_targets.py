"""Rules by the names of scripts, where a target has more of a name than the URL: nothing opens."""

from __future__ import annotations

import pytest

from tests.conformance.apache_site import WITH_RULES, ApacheSite
from tests.conformance.exports import LOADED_HERE, verify_site
from tests.conformance.silence import compare_site
from tests.support.both_servers import needs_apache
from tests.support.oracle import free_port
from tests.support.trees import build_tree, open_directory
from tests.thorough import mostly_thorough

pytestmark = needs_apache

TREE = ("app/app.wsgi", "app/inner/b.wsgi", "blog/app.wsgi", "all/app.wsgi", "all/b.wsgi", "all/x")
TARGETS = [
    *("/t/app", "/t/blog", "/t/blog/x", "/t/app/app", "/u/xapp.wsgi", "/u/app.wsgi", "/u/b.wsgi"),
    *("/v/p.wsgi", "/v/.wsgi/x", "/m/app", "/m/b", "/m/b/app", "/m/app.wsgi", "/w/b.wsgi/x"),
    *("/d/inner", "/d/inner/b.wsgi", "/d/inner/b.wsgi/x", "/d/app.wsgi", "/d/app.wsgi/inner"),
    *("/x", "/x/y", "/sapp.wsgi", "/s/app.wsgi", "/s/b.wsgi/x", "/s/x", "/s/x/y"),
]
ALIASES = r"""
WSGIScriptAliasMatch ^/t/([^/]+) {ROOT}/$1/app.wsgi
WSGIScriptAliasMatch ^/u/x?([^/]+) {ROOT}/all/$1
WSGIScriptAliasMatch ^/v/([^/]+) {ROOT}/all/ap$1
WSGIScriptAliasMatch ^/m/(\w+) {ROOT}/all/$1.wsgi
WSGIScriptAliasMatch ^/w/([^/]+) {ROOT}/all/$1
WSGIScriptAliasMatch ^/d/([^/]+) {ROOT}/app/$1
WSGIScriptAlias /x {ROOT}/all/x
WSGIScriptAlias /s {ROOT}/all
"""
RULE = "Require ip 10.0.0.1"


@pytest.fixture(scope="module")
def site_of():
    """Make a site with some lines behind the aliases."""
    with open_directory() as directory:

        def made(lines, modules):
            tree, port = directory / "tree", free_port()
            if not tree.exists():
                build_tree(tree, TREE)
            host = (
                f"<VirtualHost *:{port}>\nServerName one.test\n{ALIASES}{lines}\n</VirtualHost>\n"
            )
            return ApacheSite(directory, host.replace("{ROOT}", str(tree)), {80: port}, [], modules)

        yield made


SECTIONS = [
    pytest.param(f'<FilesMatch "^app">\n{RULE}\n</FilesMatch>', id="how a name begins"),
    pytest.param(f'<FilesMatch "(?i)^APP">\n{RULE}\n</FilesMatch>', id="in any case"),
    pytest.param(f'<FilesMatch "^b.w">\n{RULE}\n</FilesMatch>', id="into the ending"),
    pytest.param(f'<FilesMatch "(^a|i$)">\n{RULE}\n</FilesMatch>', id="where a name ends, inside"),
    pytest.param(f'<FilesMatch "^(?!b)">\n{RULE}\n</FilesMatch>', id="how a name does not begin"),
    pytest.param(f"<Files app.wsgi>\n{RULE}\n</Files>", id="a name of which the URL has a part"),
    pytest.param(f"<Files x>\n{RULE}\n</Files>", id="a name that the target has"),
    pytest.param(f"<Directory {{ROOT}}/app/inner>\n{RULE}\n</Directory>", id="a folder"),
]


@pytest.mark.parametrize("section", SECTIONS)
def test_an_import_opens_nothing(site_of, section):
    site = site_of(section, WITH_RULES)
    site.write()

    found = compare_site("names", site, TARGETS)

    assert found.opened == [], str(found)
    assert found.kept_out > 0


# An export asks four servers, and has no rule of its own for a kind of name.
@pytest.mark.parametrize(
    "section",
    mostly_thorough(
        SECTIONS, "how a name does not begin", "a name of which the URL has a part", "a folder"
    ),
)
def test_an_export_opens_nothing(site_of, section):
    found = verify_site("names", site_of(section, LOADED_HERE), TARGETS)

    assert found.opened == 0, str(found)
    assert found.requests > 100
