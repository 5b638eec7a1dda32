"""Links, logins and redirects that leave the URLs by which an alias reaches a Django project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from urllib.parse import urlsplit

from ..text import quoted
from .findings import Finding
from .reached import FALLBACK, Key, Projects, Reached
from .telling import Answer, Told

# Django's own values, which hold nothing where the project has no login of its own.
DEFAULTS = {"LOGIN_URL": "/accounts/login/", "LOGIN_REDIRECT_URL": "/accounts/profile/"}
LOGIN_SETTINGS = ("LOGIN_URL", "LOGIN_REDIRECT_URL", "LOGOUT_REDIRECT_URL")
SERVES_STATIC_FILES = "whitenoise.middleware.WhiteNoiseMiddleware"


def prefix_findings(
    projects: Projects, asked: Iterable[tuple[Reached, Answer]]
) -> Iterator[Finding]:
    """Yield what is wrong between aliases and the Django projects that they reach."""
    for _, group in groupby(asked, lambda each: each[0].subject):
        of_alias = list(group)
        told = projects.told[of_alias[0][0].key]
        if told.is_django:
            yield from _findings(projects, told, of_alias)


def _findings(
    projects: Projects, told: Told, of_alias: Sequence[tuple[Reached, Answer]]
) -> Iterator[Finding]:
    first, answer = of_alias[0]
    yield from _names_that_leave(projects, first, answer)
    yield from _logins_that_leave(projects, told, first, answer)
    yield from _static_files_that_leave(projects, told, first, answer)
    yield from _doubled_prefix(told, first, answer)
    yield from _without_urls(told, of_alias)
    yield from _slash_that_leaves(projects, of_alias)
    yield from _cookies_that_stay_away(told, of_alias)


def _names_that_leave(projects: Projects, at: Reached, answer: Answer) -> Iterator[Finding]:
    urls = {name: url for name, url in answer.names.items() if _is_path(url)}
    if not urls or any(projects.comes_back(url, at.key) for url in urls.values()):
        return
    name, url = next(iter(urls.items()))
    yield Finding(
        "W016",
        at.subject.where,
        f"the project's links lead away from it: for {quoted(at.uri)} it gets SCRIPT_NAME "
        f"{quoted(at.script_name)}, and reverse({name!r}) is {quoted(url)}, which is answered by "
        f"{_name(projects.who(url))}.",
        "Remove FORCE_SCRIPT_NAME if it is set: the alias gives SCRIPT_NAME. Where the URLconf "
        "holds the whole path, keep it: script_alias_match('^/(...)', '.../handler.py/$1').",
    )


def _logins_that_leave(
    projects: Projects, told: Told, at: Reached, answer: Answer
) -> Iterator[Finding]:
    for setting, url in _login_urls(told, answer):
        if not projects.comes_back(url, at.key):
            yield Finding(
                "W017",
                at.subject.where,
                f"{setting} is {quoted(url)}, which is not one of the project's URLs behind "
                f"{quoted(at.uri)}: it is answered by {_name(projects.who(url))}.",
                f"Name the view instead of the URL, as in {setting} = 'login', or write the URL "
                "with the alias's location in front.",
            )
    for path, location in answer.redirects.items():
        if _is_path(location) and not projects.comes_back(location, at.key):
            yield Finding(
                "W017",
                at.subject.where,
                f"a request for {quoted(path)} is redirected to {quoted(location)}, which is "
                f"answered by {_name(projects.who(location))}.",
                "The redirect should stay behind the alias: look at FORCE_SCRIPT_NAME and "
                "LOGIN_URL.",
            )


def _login_urls(told: Told, answer: Answer) -> Iterator[tuple[str, str]]:
    for setting in LOGIN_SETTINGS:
        url = answer.settings.get(setting)
        is_used = told.settings.get(setting) != DEFAULTS.get(setting) or "login" in answer.names
        if url and is_used and _is_path(url):
            yield setting, url


def _static_files_that_leave(
    projects: Projects, told: Told, at: Reached, answer: Answer
) -> Iterator[Finding]:
    url = answer.settings.get("STATIC_URL")
    middleware = told.settings.get("MIDDLEWARE") or ()
    if not url or not _is_path(url) or SERVES_STATIC_FILES not in middleware:
        # Somebody else serves them, and nobody here can tell whether he does.
        return
    if not projects.comes_back(url, at.key):
        yield Finding(
            "W018",
            at.subject.where,
            f"the project serves its static files itself, with whitenoise, but STATIC_URL "
            f"{quoted(url)} is answered by {_name(projects.who(url))}.",
            f"Write STATIC_URL = {at.script_name + '/static/'!r} and WHITENOISE_STATIC_PREFIX = "
            "'/static/': whitenoise asks for STATIC_URL before Django knows SCRIPT_NAME.",
        )


def _doubled_prefix(told: Told, at: Reached, answer: Answer) -> Iterator[Finding]:
    prefix = at.script_name.strip("/")
    if not prefix or at.path_info not in ("", "/") or answer.view is not None:
        return
    repeated = [each for each in told.segments if f"{each}/".startswith(f"{prefix}/")]
    if repeated:
        yield Finding(
            "W019",
            at.subject.where,
            f"the URLconf repeats the alias's location: {quoted(at.uri)} has no view, but "
            f"{quoted(f'{at.script_name}/{repeated[0]}')} has.",
            f"Take {repeated[0]!r} out of the URLconf: the application gets the path without "
            "SCRIPT_NAME. Or keep the path: script_alias_match('^/(...)', '.../handler.py/$1').",
        )


def _without_urls(told: Told, of_alias: Sequence[tuple[Reached, Answer]]) -> Iterator[Finding]:
    kept = [(at, answer) for at, answer in of_alias if not at.script_name]
    if not kept or any(answer.view or answer.appended for _, answer in kept):
        return
    begun = {at.path_info.strip("/").partition("/")[0] for at, _ in kept}
    if "" in begun or any(_begins(segment, begun) for segment in told.segments):
        return
    yield Finding(
        "W020",
        kept[0][0].subject.where,
        f"the application gets the whole path, as in PATH_INFO {quoted(kept[0][0].path_info)}, but "
        f"the URLconf {told.settings.get('ROOT_URLCONF')!r} has no URL that begins so: it answers "
        "404.",
        "Give the URLconf a pattern for it, or leave $1 out of the target: then the application "
        "gets what follows the location.",
    )


def _begins(segment: str, begun: Iterable[str]) -> bool:
    """Whether a pattern of the URLconf begins as a path does, or may: it begins in a group."""
    return segment[:1] in ("", "(", "<", "[", ".", "\\") or any(
        segment.startswith(each) or each.startswith(segment.rstrip("/$")) for each in begun
    )


def _slash_that_leaves(
    projects: Projects, of_alias: Sequence[tuple[Reached, Answer]]
) -> Iterator[Finding]:
    for at, answer in of_alias:
        if answer.appended and not projects.comes_back(answer.appended, at.key):
            yield Finding(
                "W021",
                at.subject.where,
                f"{quoted(at.uri)} is redirected to {quoted(answer.appended)} (APPEND_SLASH), "
                f"which is answered by {_name(projects.who(answer.appended))}.",
                "Let the alias match the URL with its slash too: (/|$) at the end of the pattern.",
            )
            return


def _cookies_that_stay_away(
    told: Told, of_alias: Sequence[tuple[Reached, Answer]]
) -> Iterator[Finding]:
    for setting in ("SESSION_COOKIE_PATH", "CSRF_COOKIE_PATH"):
        path = told.settings.get(setting) or "/"
        for at, _ in of_alias:
            if not covers(path, at.uri) and not covers(path, f"{at.uri}/"):
                yield Finding(
                    "W022",
                    at.subject.where,
                    f"{setting} is {quoted(path)}: browsers do not send the cookie with "
                    f"{quoted(at.uri)}, so nobody stays logged in there.",
                    f"Write {setting} = {_cookie_path(at)!r}, where the alias is, or leave it out.",
                )
                break


def covers(path: str, uri: str) -> bool:
    """Whether a cookie with a path is sent with a request for a uri (RFC 6265 5.1.4)."""
    return uri == path or uri.startswith(path if path.endswith("/") else f"{path}/")


def _cookie_path(at: Reached) -> str:
    return at.script_name or "/"


def _is_path(url: str) -> bool:
    parts = urlsplit(url)
    return not parts.scheme and not parts.netloc and url.startswith("/")


def _name(key: Key | None) -> str:
    if key is None:
        return "nobody: it is a 404"
    return "the fallback, this project" if key == FALLBACK else f"the script {quoted(key.script)}"
