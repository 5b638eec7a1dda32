"""The access rules before an application: who is let in, and as whom."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from ..aliases.access.rules import AccessRules
from ..aliases.access.sections import SectionIndex
from ..aliases.alias import Alias
from ..aliases.resolve import DEFAULTS, Rules
from ..aliases.table import AliasTable
from ..answers.access.judging import AccessRequest, Judge, Verdict
from ..answers.proxies.asked import REWRITTEN, Asked, asked_of, shown_target
from ..answers.proxies.by_target import ByTarget
from ..daemon.log_limits import ONCE_IN, Seldom
from .pages import error_page

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("django_wsgimatch")


class AccessGate:
    """
    A WSGI application that asks another one, for those whom the access rules let in.

    Others get 401, 403, 405 or 500 as from Apache. Who has logged in is REMOTE_USER, with an
    AUTH_TYPE, in the environ. ``table`` is the application's, under ``rules``: what the corridor
    refuses goes through to it, as it runs nothing. ``is_exempt`` tells of a request for which no
    rule holds, as of those for the pages of WSGIMATCH_HEALTH_PATH. ``comes_first`` tells whether an
    entry answers before any access rule, as a Redirect does; ``own_rules`` returns what an entry
    says itself, which comes before all sections; ``served_uris`` returns what else an entry may
    answer a uri with, as a folder's index files: the rules for these hold, too.
    """

    def __init__(
        self,
        application: WSGIApplication,
        sections: SectionIndex,
        judge: Judge,
        table: AliasTable,
        *,
        rules: Rules = DEFAULTS,
        is_exempt: Callable[[WSGIEnvironment], bool] | None = None,
        comes_first: Callable[[Alias], bool] | None = None,
        own_rules: Callable[[Alias], Sequence[AccessRules]] | None = None,
        served_uris: Callable[[Alias, str], Iterable[str]] | None = None,
    ) -> None:
        self.application = application
        self.sections = sections
        self.judge = judge
        self.table = table
        self._rules = rules
        self._is_exempt = is_exempt
        self._comes_first = comes_first
        self._own_rules = own_rules
        self._served_uris = served_uris
        self._seldom = Seldom(ONCE_IN)
        self._rules_of = ByTarget(self._found)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        found = self._rules_of(environ)
        if found:
            verdict = self._verdict(found, environ)
            if verdict.status is not None:
                self._log(verdict, environ)
                return refuse(verdict, environ, start_response)
            if verdict.user is not None:
                environ["REMOTE_USER"] = verdict.user
                environ["AUTH_TYPE"] = "Basic"
        return self.application(environ, start_response)

    def before(
        self,
        application: WSGIApplication,
        table: AliasTable,
        *,
        own_rules: Callable[[Alias], Sequence[AccessRules]] | None = None,
        served_uris: Callable[[Alias, str], Iterable[str]] | None = None,
    ) -> AccessGate:
        """Return a gate with the same sections before another application, whose table it is."""
        return AccessGate(
            application,
            self.sections,
            self.judge,
            table,
            rules=self._rules,
            own_rules=own_rules,
            served_uris=served_uris,
        )

    def _log(self, verdict: Verdict, environ: WSGIEnvironment) -> None:
        """Log why a request is not let in: what anybody can cause is no error."""
        level = logging.INFO
        if verdict.status == 500:
            # Nor may anybody fill the log with what is wrong with a file.
            if not self._seldom.is_due(verdict.reason):
                return
            level = logging.ERROR
        logger.log(level, "%s: %s", shown_target(environ), verdict.reason)

    def _verdict(self, found: Sequence[AccessRules], environ: WSGIEnvironment) -> Verdict:
        """Return the first refusal, or who is let in by the first rules, which are the uri's."""
        request = access_request(environ)
        verdicts = [self.judge.judge(found[0], request)]
        for rules in found[1:]:
            if verdicts[-1].status is None:
                verdicts.append(self.judge.judge(rules, request))
        return verdicts[0] if verdicts[-1].status is None else verdicts[-1]

    def _found(self, environ: WSGIEnvironment) -> tuple[AccessRules, ...]:
        """Return the rules that a request has to pass, one after the other."""
        asked = asked_of(environ, self._rules)
        if asked is None or (self._is_exempt is not None and self._is_exempt(environ)):
            return ()
        alias = self._alias(asked)
        own = () if alias is None or self._own_rules is None else self._own_rules(alias)
        if alias is None:
            found = [
                self.sections.rules_for(uri, asked.host) for uri in self._paths(asked, environ)
            ]
        elif self._comes_first is not None and self._comes_first(alias):
            return ()
        else:
            more = () if self._served_uris is None else self._served_uris(alias, asked.uri)
            found = [self.sections.rules_for(uri, asked.host, own) for uri in (asked.uri, *more)]
        if REWRITTEN in environ and "//" in asked.uri and self._rules.merge_slashes:
            # What Apache asks for, besides what the same URL with one slash is protected by.
            found.append(self.sections.rules_for(asked.uri, asked.host, own, is_whole=True))
        return tuple(dict.fromkeys(rules for rules in found if rules is not None))

    def _paths(self, asked: Asked, environ: WSGIEnvironment) -> Iterable[str]:
        """
        Return the uri, and the path that the fallback gets, where it is another one.

        A script gets its PATH_INFO from the uri. The fallback has the server's, in which
        ``/admin/../x`` stands as it came: a view of ``/admin/`` might answer it.
        """
        return dict.fromkeys([asked.uri, environ.get("PATH_INFO", "")])

    def _alias(self, asked: Asked) -> Alias | None:
        match = self.table.for_host(asked.host).match(asked.uri)
        return None if match is None else match.alias


def own_rules(alias: Alias) -> tuple[AccessRules, ...]:
    """Return what an entry says of access itself."""
    return () if alias.access is None else (alias.access,)


def access_request(environ: WSGIEnvironment) -> AccessRequest:
    """Return what rules may ask of a request."""
    return AccessRequest(
        environ.get("REMOTE_ADDR", ""),
        environ["REQUEST_METHOD"],
        environ.get("wsgi.url_scheme") == "https",
        environ.get("HTTP_AUTHORIZATION"),
    )


def refuse(
    verdict: Verdict, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Answer a request that is not let in."""
    assert verdict.status is not None
    more = ("WWW-Authenticate", verdict.challenge), ("Allow", verdict.allow)
    headers = [(name, value) for name, value in more if value is not None]
    return error_page(verdict.status, environ, start_response, headers)
