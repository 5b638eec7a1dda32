"""Lines that belong to an access rule whose URLs are closed: one decision, however many lines."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ..covering.hosts import Host, scope_sections
from ..lines.directive import Directive, Section
from ..outcomes.outcome import Ledger

# How the directives begin that say how somebody proves who they are.
_LOGINS = (
    *("auth", "anonymous", "krb", "gssapi", "mellon", "shib", "oidc", "cas", "ldap", "session"),
    *("interceptform", "lookupuser", "gridsite"),
)
# A page for those whom the rule keeps out: until it is decided, that is everybody.
_PAGE = "errordocument"
# Of modules that say for a whole server how they let people in.
_OF_SERVERS = ("krb", "gssapi", "mellon", "shib", "oidc", "cas", "ldap", "gridsite")


class ClosedRules:
    """
    The access rules whose URLs are closed until the user decides, by where they stand.

    ``closing`` are these rules, by identity.
    """

    def __init__(self, main: Host, hosts: Sequence[Host], closing: Collection[int]) -> None:
        self.closing = closing
        self._in_sections: dict[tuple[Section | None, tuple[Section, ...]], Directive] = {}
        self._of_servers: dict[Section | None, Directive] = {}
        for host in (main, *hosts) if closing else ():
            for sections, scope in host.scopes.items():
                rule = next((each for each in scope.access if id(each) in closing), None)
                if rule is None:
                    continue
                self._in_sections.setdefault((host.section, sections), rule)
                if any(each.key.startswith(_OF_SERVERS) for each in scope.access):
                    # What stands in the main server holds in all hosts.
                    for server in (host.section, None):
                        self._of_servers.setdefault(server, rule)

    def beside(self, directive: Directive) -> Directive | None:
        """
        Return the rule that closes the section of a line, None where none does.

        Of some modules a line for a whole server belongs to the first rule of theirs there.
        """
        sections = scope_sections(directive)
        if not sections and directive.key.startswith(_OF_SERVERS):
            return self._of_servers.get(directive.host)
        return self._in_sections.get((directive.host, sections))


def note_parts(directives: Iterable[Directive], closed: ClosedRules, ledger: Ledger) -> None:
    """
    Say of each line about a login, or about pages of errors, to which closed rule it belongs.

    What another part of the import has said something of is left.
    """
    for directive in directives if closed.closing else ():
        is_part = directive.key.startswith(_LOGINS) or directive.key == _PAGE
        if not is_part or id(directive) in closed.closing or ledger.outcome(directive) is not None:
            continue
        rule = closed.beside(directive)
        if rule is not None:
            ledger.note_part(directive, rule)
