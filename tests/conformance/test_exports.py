"""Whether an exported configuration, and a site on its own, answer as the original: short runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.apache_site import ApacheSite
from tests.conformance.exports import (
    LOADED_HERE,
    Verified,
    verify_random,
    verify_site,
)
from tests.conformance.made.kinds import PASSWORD_LINE
from tests.conformance.whole_sites.own import verify_alone
from tests.support.both_servers import needs_apache
from tests.support.oracle import free_port
from tests.support.trees import TreeEntry, TreeItem, build_tree, open_directory
from tests.thorough import mostly_thorough

pytestmark = needs_apache

# Each is about what its first line says; {ROOT} is the folder of the files, {PORT} the port.
CASES = sorted((Path(__file__).parent / "exported").glob("*.conf"))
SCRIPTS = ("app/app.wsgi", "app/inner/other.wsgi", "tenants/a.wsgi", "tenants/b.wsgi")
FILES = ("static/site.css", "static/private/key.txt", "html/page.txt", "tenants/.htaccess.wsgi")
TREE: tuple[TreeItem, ...] = (
    *SCRIPTS,
    "old/run.wsgi",
    *(TreeEntry(path=path, text=f"{path}\n") for path in FILES),
)
# What these have to refuse is closed for everybody.
ALWAYS = ("nested_scripts", "path_rules", "condition", "main_server")
REFUSING = (
    "asking_for_files",
    "borrowed_login",
    "closed_for_good",
    "handled_scripts",
    "partial_rules",
    "script_folder",
)


def verified(path, *, by_socket=False):
    """What became of one of the cases."""
    with open_directory() as directory:
        tree, port = directory / "tree", free_port()
        build_tree(tree, TREE)
        (tree / "users").write_text(PASSWORD_LINE)
        text = path.read_text().replace("{ROOT}", str(tree)).replace("{PORT}", str(port))
        site = ApacheSite(directory, text, {80: port}, [], LOADED_HERE)
        return verify_site(path.stem, site, by_socket=by_socket)


# tests/fronts/apache/ shows what becomes of each kind of line.
@pytest.mark.parametrize(
    "path",
    mostly_thorough(CASES, *(path for path in CASES if path.stem in ALWAYS)),
    ids=lambda path: path.stem,
)
def test_an_export_answers_as_the_original_and_opens_nothing(path):
    found = verified(path)

    assert found.requests > 50
    assert found.opened == 0, str(found)
    assert found.differing == [] or path.stem in REFUSING, str(found)


def test_a_socket_is_passed_to_as_a_port_is():
    [path] = (each for each in CASES if each.stem == "nested_scripts")

    found = verified(path, by_socket=True)

    assert found.requests > 50
    assert found.differing == [], str(found)


@pytest.mark.thorough("test_an_export_answers_as_the_original_and_opens_nothing")
@pytest.mark.parametrize(("seed", "kind"), [("77-3", "access"), ("77-4", "refusals")])
def test_a_random_configuration_is_opened_nowhere(seed, kind):
    found = verify_random(seed, kind)

    assert found.opened == 0, str(found)


@pytest.mark.parametrize(
    ("seed", "verifier", "share"),
    mostly_thorough(
        [
            pytest.param("9001-10", verify_site, 0.995, id="behind Apache"),
            pytest.param("9001-1", verify_site, 0.995, id="behind Apache, with several hosts"),
            pytest.param("9001-18", verify_alone, 0.97, id="on its own, with a page of errors"),
            pytest.param("9001-20", verify_alone, 0.97, id="on its own"),
        ]
    ),
)
def test_a_random_whole_site_answers_as_in_apache(seed, verifier, share):
    found = verify_random(seed, "sites", verifier)

    assert found.requests > 100
    assert found.opened == 0, str(found)
    assert len(found.differing) <= (1 - share) * found.requests, str(found)


ALONE_TREE: tuple[TreeItem, ...] = (
    "app/app.wsgi",
    TreeEntry(path="static/site.css", text="a { }\n"),
)
ALONE = """\
<VirtualHost *:{PORT}>
    ServerName shop.test
    Alias /static {ROOT}/static
    Redirect permanent /old http://shop.test/archive
    RewriteEngine On
    RewriteRule ^/gone - [G]
    WSGIScriptAlias /app {ROOT}/app/app.wsgi
</VirtualHost>
"""


def alone(text: str) -> Verified:
    """What became of a configuration."""
    with open_directory() as directory:
        port = free_port()
        build_tree(directory / "tree", ALONE_TREE)
        text = text.replace("{ROOT}", str(directory / "tree")).replace("{PORT}", str(port))
        return verify_alone("site", ApacheSite(directory, text, {80: port}, [], LOADED_HERE))


def test_a_plain_site_answers_as_in_apache():
    found = alone(ALONE)

    assert found.requests > 100
    assert found.differing == [], str(found)


def test_what_answers_in_another_way_is_seen_and_opened_where_no_report_names_it():
    found = alone(ALONE.replace("RewriteEngine On", "ProxyPass /app/x http://127.0.0.1:1/"))

    assert {each.reason for each in found.differing} == {"status 503, then 200"}
    assert found.opened == 0
