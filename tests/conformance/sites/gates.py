"""The access rules of settings as an application has them before it, for what is compared."""

from __future__ import annotations

from typing import Any

from django_wsgimatch.aliases.alias import Alias, Redirection
from django_wsgimatch.aliases.file_options import FileOptions
from django_wsgimatch.answers.access.host_names import HostNames
from django_wsgimatch.answers.access.judging import Judge
from django_wsgimatch.answers.access.kept_files import UserFiles
from django_wsgimatch.answers.access.passwords import Remembered
from django_wsgimatch.conf import access_index
from django_wsgimatch.configured import Configuration
from django_wsgimatch.server.access_gate import AccessGate
from tests.support.wsgi import make_environ


def _index_uris(alias: Alias, uri: str) -> list[str]:
    """As django_wsgimatch.wsgi has it: to import that makes an application."""
    is_folder = isinstance(alias.answer, FileOptions) and uri.endswith("/")
    index = alias.answer.index if isinstance(alias.answer, FileOptions) else ()
    return [uri + name for name in index] if is_folder else []


def gate_before(configured: Configuration, application: Any) -> AccessGate:
    """The gate of settings before an application."""
    return AccessGate(
        application,
        access_index(configured),
        Judge(UserFiles(60.0), Remembered(60.0), HostNames()),
        configured.table,
        rules=configured.rules,
        comes_first=lambda alias: isinstance(alias.answer, Redirection),
        served_uris=_index_uris,
    )


class Doorkeeper:
    """Says of requests what the access rules of settings answer, None where they let them in."""

    def __init__(self, configured: Configuration) -> None:
        self._configured = configured
        self._gate = gate_before(configured, self._let_in)

    def _let_in(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        user = environ.get("REMOTE_USER")
        start_response("200 OK", [] if user is None else [("X-User", user)])
        return []

    def answer(
        self,
        target: str,
        host: str,
        address: str = "127.0.0.1",
        authorization: str | None = None,
        method: str = "GET",
    ) -> tuple[int | None, dict[str, str]]:
        """The status of a refusal, None for none, and the headers."""
        headers = {"Host": host}
        if authorization is not None:
            headers["Authorization"] = authorization.strip(" \t")
        environ = make_environ(target, method=method, headers=headers, REMOTE_ADDR=address)
        started: list[tuple[str, list[tuple[str, str]]]] = []
        list(self._gate(environ, lambda *given: started.append(given)))  # type: ignore[arg-type]
        [(status, given)] = started
        code = int(status[:3])
        return (None if code == 200 else code), dict(given)
