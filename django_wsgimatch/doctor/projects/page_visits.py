"""A project's pages and files, asked for by GET as a browser would; runs in the project's place."""

from __future__ import annotations

import io
import os
import re
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

# How long a page may take to answer, in seconds: one that takes longer tells nothing.
SECONDS = 5.0
# The settings that name the files' URLs, and their folders.
ROOTS = {"STATIC_URL": "STATIC_ROOT", "MEDIA_URL": "MEDIA_ROOT"}
# So many names of a folder are looked at, so deep.
_NAMES, _DEEPEST = 200, 4
# What stands in a URL as it is in a file's name.
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Asks a project's application for pages, by GET and HTTPS at a host."""

    application: Callable[..., Any]
    host: str

    def page(self, script_name: str, path_info: str) -> dict[str, Any] | None:
        """
        Return what a page answers: its status, and where it redirects to; None where it does not.

        A 404 is asked for once more with an empty SCRIPT_NAME, and a redirect that stays below
        ``script_name`` is followed once.
        """
        first = self.visit(script_name, path_info)
        if first is None:
            return None
        status, location = first
        told: dict[str, Any] = {"url": script_name + path_info or "/", "status": status}
        if status == 404 and script_name:
            told["at_root"] = (self.visit("", path_info or "/") or (0,))[0]
        if location is not None and 300 <= status < 400:
            told["location"] = self._on_host(urljoin(told["url"], location))
            path = urlsplit(told["location"]).path
            if path.startswith(f"{script_name}/") and told["location"].startswith("/"):
                below = unquote(path[len(script_name) :], "latin-1")
                told["there"] = (self.visit(script_name, below) or (0,))[0]
        return told

    def files(
        self, script_name: str, urls: Mapping[str, str | None], settings: Mapping[str, Any]
    ) -> dict[str, dict[str, Any]]:
        """Return by setting the URL of a file below the project's own prefix, and its status."""
        found = {}
        for setting, root in ROOTS.items():
            url, folder = urls.get(setting), settings.get(root)
            if not url or not folder or not url.startswith(f"{script_name}/"):
                continue
            file = first_file(str(folder))
            if file is None:
                continue
            path = f"{url[len(script_name) :].rstrip('/')}/{file}"
            answer = self.visit(script_name, path)
            if answer is not None:
                found[setting] = {"url": script_name + path, "status": answer[0]}
        return found

    def visit(self, script_name: str, path_info: str) -> tuple[int, str | None] | None:
        """Return the status and the Location of a page, None where it raises or takes too long."""
        answers: list[tuple[int, str | None]] = []

        def ask() -> None:
            # The application is not ours: whatever it raises is no answer.
            with suppress(Exception, SystemExit):
                answers.append(self._get(script_name, path_info))

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(SECONDS)
        return answers[0] if answers else None

    def _on_host(self, url: str) -> str:
        """A URL of the very host that was asked, without it."""
        parts = urlsplit(url)
        if parts.netloc.partition(":")[0] != self.host:
            return url
        return parts._replace(scheme="", netloc="").geturl() or "/"

    def _get(self, script_name: str, path_info: str) -> tuple[int, str | None]:
        started: list[tuple[str, list[tuple[str, str]]]] = []
        environ = {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": script_name,
            "PATH_INFO": path_info,
            "QUERY_STRING": "",
            "SERVER_NAME": self.host,
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": self.host,
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            "wsgi.run_once": True,
        }

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Any:
            started.append((status, headers))
            return lambda data: None

        body = self.application(environ, start_response)
        if hasattr(body, "close"):
            body.close()
        status, headers = started[-1]
        return int(status[:3]), dict(headers).get("Location")


def first_file(folder: str, depth: int = _DEEPEST) -> str | None:
    """Return the path of a file in a folder or below, None where none is found."""
    try:
        with os.scandir(folder) as entries:
            found = [each for each in islice(entries, _NAMES) if _PLAIN.fullmatch(each.name)]
            files = sorted(each.name for each in found if each.is_file())
            folders = sorted(each.name for each in found if each.is_dir(follow_symlinks=False))
    except OSError:
        return None
    if files:
        return files[0]
    for name in folders if depth else ():
        if (below := first_file(os.path.join(folder, name), depth - 1)) is not None:
            return f"{name}/{below}"
    return None
