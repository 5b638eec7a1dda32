"""Lines that belong to an access rule whose URLs are closed: one decision, however many lines."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ..lines.directive import Directive
from ..outcomes.outcome import Ledger
from .hosts import Host, scope_sections

# How the directives begin that say how somebody proves who they are.
_LOGINS = (
    *("auth", "anonymous", "krb", "gssapi", "mellon", "shib", "oidc", "cas", "ldap", "session"),
    *("interceptform", "lookupuser", "gridsite"),
)
# Of modules that say for a whole server how they let people in.
_OF_SERVERS = ("krb", "gssapi", "mellon", "shib", "oidc", "cas", "ldap", "gridsite")


def note_parts(
    directives: Iterable[Directive],
    main: Host,
    hosts: Sequence[Host],
    closing: Collection[int],
    ledger: Ledger,
) -> None:
    """
    Say of each line about a login to which closed rule it belongs; ``closing`` are those, by id.

    What another part of the import has said something of is left.
    """
    for directive in directives if closing else ():
        is_login = directive.key.startswith(_LOGINS)
        if not is_login or id(directive) in closing or ledger.outcome(directive) is not None:
            continue
        rule = closing_in(directive, main, hosts, closing)
        if rule is not None:
            ledger.note(directive, "part", f"It is part of the rule in {rule.spot}")


def closing_in(
    directive: Directive, main: Host, hosts: Sequence[Host], closing: Collection[int]
) -> Directive | None:
    """
    Return the rule that closes the section of a line, None where none does.

    Of some modules a line for a whole server belongs to the first rule of the server.
    """
    sections = scope_sections(directive)
    own = [host for host in (main, *hosts) if directive.host in (None, host.section)]
    for host in own:
        for place, scope in host.scopes.items():
            is_same = place == sections
            if not sections and directive.key.startswith(_OF_SERVERS):
                is_same = any(each.key.startswith(_OF_SERVERS) for each in scope.access)
            rule = next((each for each in scope.access if is_same and id(each) in closing), None)
            if rule is not None:
                return rule
    return None
