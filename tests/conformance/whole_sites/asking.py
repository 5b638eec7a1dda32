"""What is asked of a private Apache and of what takes its place, and how."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django_wsgimatch.apache.covering.hosts import read_hosts
from django_wsgimatch.apache.importing import kind_of_file
from django_wsgimatch.apache.lines.directive import ApacheConfiguration
from django_wsgimatch.apache.outcomes.outcome import Ledger
from django_wsgimatch.comparing.http_client import Manner, OpenConnections, Response, Site, ask
from django_wsgimatch.comparing.targets import Request
from django_wsgimatch.fronts.questions.questions import SiteQuestion, questions_of
from tests.conformance.apache_site import ApacheSite
from tests.support.oracle import APACHE, ApacheFailed, answers, end_session

CREDENTIALS = ("Authorization", "Basic eDpzZWNyZXQ=")
REMOVED = (
    *("X-Forwarded-For", "X-Forwarded-Proto", "X-Remote-User", "X-Auth-Type"),
    *("X-Remote-Addr", "X-Request-Scheme", "X-SslClientVerify"),
)
# What a client says that only a trusted proxy may say: nobody believes it, here or there.
LIES = (
    *(("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "https"), ("X-Remote-User", "root")),
    *(("X_Remote_User", "root"), ("X-Auth-Type", "Digest"), ("X-Forwarded-Host", "evil.test")),
    *(("X-Forwarded-Port", "1"), ("SCRIPT_NAME", "/evil"), ("PATH_INFO", "/evil")),
    *(
        ("X-SslClientVerify", "SUCCESS"),
        ("X-Remote-Addr", "6.6.6.6"),
        ("X_Forwarded_For", "6.6.6.6"),
    ),
    ("X-Request-Scheme", "https"),
    # What a proxy would take away on the client's word.
    ("Connection", f"keep-alive, {', '.join(REMOVED)}"),
)
_MOST = 900


def asked_of_apache(
    site: ApacheSite, asked: Sequence[tuple[Site, SiteQuestion]]
) -> list[tuple[Response, Response]]:
    """Return what Apache with mod_wsgi answers. Raises ApacheFailed where it answers nothing."""
    with running_apache(site, site.text, has_wsgi=True):
        found = ask_all(asked)
    if all(each.failure for both in found for each in both):
        # What Apache only finds out after it has begun to listen ends it at the first request.
        raise ApacheFailed((site.directory / "error.log").read_text("latin-1"))
    return found


def asked_of(
    site: ApacheSite, configuration: ApacheConfiguration, more: Sequence[str]
) -> list[tuple[Site, SiteQuestion]]:
    """Return all that is asked at each port; ``more`` are targets to ask every host."""
    made = questions_of(configuration, kind_of_file)
    made = made[:: len(made) // _MOST + 1]
    hosts = dict.fromkeys(each.host for each in made)
    made += [SiteQuestion(target, host, "a random URL") for host in hosts for target in more]
    secured = _secured_ports(configuration)
    ports = site.ports.values()
    return [(Site(secured.get(p, "http"), "127.0.0.1", p), q) for p in ports for q in made]


def _secured_ports(configuration: ApacheConfiguration) -> dict[int, str]:
    """Return the ports at which TLS is spoken."""
    main, hosts = read_hosts([d for d in configuration.directives if not d.is_off], Ledger())
    speaking = [h for h in hosts if (main.is_tls if h.is_tls is None else h.is_tls)]
    addresses = (each for host in speaking for each in host.addresses)
    return {int(each.rpartition(":")[2]): "https" for each in addresses}


@contextmanager
def running_apache(site: ApacheSite, text: str, *, has_wsgi: bool) -> Iterator[None]:
    """Run an Apache with a text in the place of the site's, with mod_wsgi or without it."""
    site.text = text
    site.write()
    main = site.main.read_text().replace("WSGIRestrictEmbedded On", "WSGIRestrictEmbedded Off")
    if not has_wsgi:
        main = re.sub(r"^(WSGI.*|LoadModule wsgi.*)\n", "", main, flags=re.MULTILINE)
    site.main.write_text(main)
    log = site.directory / "error.log"
    log.touch()
    with (site.directory / "start.log").open("wb") as start_log:
        process = subprocess.Popen(
            [str(APACHE), "-D", "FOREGROUND", "-f", str(site.main)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=start_log,
            start_new_session=True,
        )
    try:
        while not all(map(answers, site.ports.values())):
            if process.poll() is not None:
                said = (site.directory / "start.log").read_text() + log.read_text("latin-1")
                raise ApacheFailed(said)
        yield
    finally:
        end_session(process)


def ask_all(
    asked: Sequence[tuple[Site, SiteQuestion]], own: Sequence[tuple[str, str]] | None = None
) -> list[tuple[Response, Response]]:
    """Ask everything twice, as nobody and with a password; ``own`` is a header for each."""
    kept = OpenConnections()
    found = []
    for number, (site, question) in enumerate(asked):
        headers = (*LIES, own[number]) if own else LIES
        nobody = Manner(verifies=False, headers=headers)
        somebody = Manner(verifies=False, headers=(*headers, CREDENTIALS))
        request = Request("GET", question.target, question.host)
        found.append((ask(site, request, nobody, kept), ask(site, request, somebody, kept)))
    kept.close()
    return found
