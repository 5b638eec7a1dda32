"""Pages of Apache's own, such as server-status: nobody gets them here."""

from __future__ import annotations

from collections.abc import Iterable

from ...aliases.alias import Alias, Denial
from ..covering.coverage import is_wildcard, section_pattern
from ..covering.hosts import Host, scope_sections
from ..lines.directive import Directive
from ..outcomes.outcome import Ledger

# By handler: what shows the same here.
_PAGES = {
    "server-status": "`manage.py wsgimatch status` shows the groups",
    "server-info": "`manage.py wsgimatch list` shows the entries",
    "ldap-status": "there is no such page here",
    "balancer-manager": "there is no such page here",
}
OWN_PAGE = "sethandler"


def find_own_pages(hosts: Iterable[Host], ledger: Ledger) -> None:
    """
    Make entries that refuse everybody of the pages that Apache makes itself.

    The access rules of their sections are taken out: nobody is let in, whatever they say.
    """
    for host in hosts:
        for directive in host.takers:
            location = _location(directive)
            if location is None:
                continue
            name = directive.words[0].lower()
            note = f"a page of Apache's own stood here, {name}: {directive.spot}"
            host.direct.append((Alias(location, "", answer=Denial(note)), directive))
            host.carried.add(id(directive))
            ledger.note(directive, "changed", f"{location}: 403; {_PAGES[name]}")
            scope = host.scopes[scope_sections(directive)]
            for rule in scope.access:
                ledger.note(rule, "not needed", f"Nobody gets the page of {directive.spot}")
            scope.access.clear()


def _location(directive: Directive) -> str | None:
    """Return the URL of a page, None for all else."""
    sections = scope_sections(directive)
    handler = (directive.words or [""])[0].lower()
    is_page = directive.key == OWN_PAGE and handler in _PAGES
    if not is_page or [each.key for each in sections] != ["location"]:
        return None
    location, is_pattern = section_pattern(sections[0])
    is_plain = not is_pattern and not is_wildcard(location)
    return location if is_plain and location.startswith("/") and location != "/" else None
