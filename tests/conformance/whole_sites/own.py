"""
Real configurations: what Apache with mod_wsgi answers, and what the site does on its own.

``python -m tests.conformance.whole_sites.own [FOLDER]`` runs each file of a folder in a private
Apache, imports it as a site without Apache, serves that with a real gunicorn, and asks both all
that is made of the configuration, with credentials and without. The same are two answers with the
same status and Location, of the same application with the same SCRIPT_NAME and PATH_INFO, or of the
server itself with a body of the same size; error pages have texts of their own. ``--random N`` does
so with N random configurations of each kind. What an application answers here, and Apache answers
itself or keeps people out of, is opened, unless the report of the import names the URL.

gunicorn has one port. Where a configuration has several, each has settings of its own, as `import
--address` writes them. A front tells it the scheme of the port that a client has asked, as the
server would know it that speaks TLS there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.index.prefix import alias_matches
from django_wsgimatch.aliases.patterns.pattern import compile_pattern
from django_wsgimatch.aliases.uri import parse_target
from django_wsgimatch.apache.importing import Imported, import_configuration
from django_wsgimatch.apache.lines.directive import ApacheConfiguration
from django_wsgimatch.apache.reading.reading import read_text
from django_wsgimatch.apache.resolving.addresses import at_address
from django_wsgimatch.apache.writing.fragment import python_lines
from django_wsgimatch.comparing.http_client import Response, Site
from django_wsgimatch.comparing.rules import header_values, is_own_page
from django_wsgimatch.exceptions import AddressError, BadTarget
from tests.conformance.apache_site import ApacheSite
from tests.conformance.exports import (
    SETTINGS,
    Verified,
    is_told,
    judge,
    main,
    prepare,
)
from tests.conformance.whole_sites.asking import ask_all, asked_of, asked_of_apache
from tests.support.both_servers import gunicorn
from tests.support.oracle import free_port

# What the file of Debian's Apache has, and files are protected by here without any line.
_SHIPPED = '<FilesMatch "^\\.ht">\nRequire all denied\n</FilesMatch>\n'
# What the private Apache's own file has: without the line an AuthType alone would be a mistake.
_ROOT = "<Directory />\nRequire all granted\n</Directory>\n"
# What is asked at a port with TLS comes to gunicorn with the word of a front for it.
_NO_FRONT = ("--forwarded-allow-ips", "192.0.2.1")
_TRUSTED = """\
WSGIMATCH_TRUSTED_PROXIES = ["127.0.0.1"]
WSGIMATCH_TRUSTED_PROXY_HEADERS = ["X-Forwarded-Scheme"]
"""


def verify_alone(name: str, site: ApacheSite, more: Sequence[str] = ()) -> Verified:
    """Compare a site that Apache takes with the same on its own."""
    _give_root(site)
    site.shipped, site.text = _SHIPPED, _ROOT + site.text
    configuration = prepare(site)
    found = Verified(name, "compared")
    asked = asked_of(site, configuration, more)
    old = asked_of_apache(site, asked)
    for port in site.ports.values():
        at_port = [number for number, (at, _) in enumerate(asked) if at.port == port]
        own = [asked[number] for number in at_port]
        imported = import_configuration(_at_port(configuration, port))
        before = len(found.differing)
        with _served(site, imported) as there:
            schemes = [("X-Forwarded-Scheme", at.scheme) for at, _ in own]
            new = ask_all([(there, question) for _, question in own], schemes)
        judge(found, own, [old[number] for number in at_port], new, _said_alone)
        found.differing[before:] = [
            replace(each, is_named=_is_named(imported, each.request.target))
            for each in found.differing[before:]
        ]
    return found


def _at_port(configuration: ApacheConfiguration, port: int) -> ApacheConfiguration:
    """Return what `import --address` imports of a port, all where no host has it."""
    try:
        return at_address(configuration, f"*:{port}")
    except AddressError:
        return configuration


@contextmanager
def _served(site: ApacheSite, imported: Imported) -> Iterator[Site]:
    """Serve what a site imports as with gunicorn."""
    assert imported.settings is not None
    lines = [SETTINGS, *python_lines(imported.settings, "site.conf"), _TRUSTED]
    (site.directory / "own").mkdir(exist_ok=True)
    (site.directory / "own" / "settings.py").write_text("\n".join(lines))
    port = free_port()
    with gunicorn(site.directory, port=port, words=_NO_FRONT):
        yield Site("http", "127.0.0.1", port)


def _is_named(imported: Imported, target: str) -> bool:
    """Whether the report names an URL, as one that something else than an alias answers."""
    try:
        uri = parse_target(target, allow_encoded_slashes=True, merge_slashes=True).uri
    except BadTarget:
        return False
    return any(_takes(each.region, uri) for each in imported.taken)


def _takes(region: Alias, uri: str) -> bool:
    if region.kind == "plain":
        return region.location == "/" or alias_matches(uri, region.location) > 0
    pattern = compile_pattern(region.location, allow_exponential=True, empty_counts=True)
    return pattern.find(uri) is not None


def _give_root(site: ApacheSite) -> None:
    """Give a site a DocumentRoot of its own: without one it has that of this machine's Apache."""
    roots = (d for d in read_text(site.text, "site.conf").directives if d.key == "documentroot")
    if all(each.host is not None or each.is_off for each in roots):
        site.text += f'\nDocumentRoot "{site.directory}/htdocs"\n'


def _said_alone(response: Response) -> tuple[object, ...]:
    """What counts of a response: an application's, or the server's own."""
    location, challenge = (
        header_values(response, name, ()) for name in ("Location", "WWW-Authenticate")
    )
    told = (response.failure, response.status, location)
    if is_told(response):
        said = json.loads(response.body)
        return (*told, said["SCRIPT_NAME"], said["PATH_INFO"])
    is_own = is_own_page(response) or 300 <= response.status < 400
    return (*told, challenge, None if is_own else len(response.body))


if __name__ == "__main__":
    raise SystemExit(main(None, verify_alone, "Compare configurations with the site on its own."))
