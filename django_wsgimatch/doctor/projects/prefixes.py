"""Links, logins and redirects that leave the URLs by which an alias reaches a Django project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from urllib.parse import urlsplit

from ...text import quoted
from ..findings.finding import Finding
from ..findings.project_report import Told, UrlAnswer
from ..findings.settings_lines import pasted, up_to
from ..table.wholes import beside, nested, whole_finding
from .answers import page_findings
from .projects_by_url import Projects, Reached, is_mount, project_label
from .stored_files import ROOTS

# Django's own values, which hold nothing where the project has no login of its own.
DEFAULTS = {"LOGIN_URL": "/accounts/login/", "LOGIN_REDIRECT_URL": "/accounts/profile/"}
LOGIN_SETTINGS = ("LOGIN_URL", "LOGIN_REDIRECT_URL", "LOGOUT_REDIRECT_URL")
SERVES_STATIC_FILES = "whitenoise.middleware.WhiteNoiseMiddleware"


def prefix_findings(
    projects: Projects, asked: Iterable[tuple[Reached, UrlAnswer]]
) -> Iterator[Finding]:
    """Yield what is wrong between aliases and the Django projects that they reach."""
    for _, group in groupby(asked, lambda each: each[0].subject):
        of_alias = list(group)
        told = projects.told[of_alias[0][0].key]
        if told.is_django:
            yield from _findings(projects, told, of_alias)


def _findings(
    projects: Projects, told: Told, of_alias: Sequence[tuple[Reached, UrlAnswer]]
) -> Iterator[Finding]:
    first, answer = of_alias[0]
    yield from _names_that_leave(projects, told, first, answer)
    yield from _logins_that_leave(projects, told, first, answer)
    yield from page_findings(projects, first, answer, _told_redirects(projects, first, answer))
    yield from _same_page(projects, told, first, answer)
    yield from _static_files_that_leave(projects, told, first, answer)
    yield from _files_that_end_here(projects, told, first, answer)
    yield from _doubled_prefix(told, first, answer)
    yield from _without_urls(projects, told, of_alias)
    yield from _slash_that_leaves(projects, of_alias)
    yield from _cookies_that_stay_away(told, of_alias)


def _names_that_leave(
    projects: Projects, told: Told, at: Reached, answer: UrlAnswer
) -> Iterator[Finding]:
    urls = {name: url for name, url in answer.names.items() if _is_path(url)}
    if not urls or any(projects.comes_back(url, at.key) for url in urls.values()):
        return
    name, url = next(iter(urls.items()))
    yield Finding(
        "W016",
        at.subject.where,
        f"the project's links lead away from the alias: for {quoted(at.uri)} it gets SCRIPT_NAME "
        f"{quoted(at.script_name)}, and reverse({name!r}) is {quoted(url)}, which is answered by "
        f"{project_label(projects.who(url))}.",
        _cure_of_names(projects, told, at),
    )


def _cure_of_names(projects: Projects, told: Told, at: Reached) -> str:
    forced = told.settings.get("FORCE_SCRIPT_NAME")
    if forced is not None:
        return f"Remove FORCE_SCRIPT_NAME = {forced!r}: the alias sets SCRIPT_NAME."
    if not at.script_name:
        return f"Let the alias set SCRIPT_NAME: {_without_path(projects, at)}."
    return f"If the URLconf has the whole path, let PATH_INFO keep it: {_with_path(at)}."


def _with_path(at: Reached) -> str:
    """The entry that gives the application its location too."""
    alias = at.subject.alias
    path = "$0" if alias.kind == "match" else alias.location.rstrip("/")
    return pasted(alias, at.subject.entry, target=alias.target + path)


def _without_path(projects: Projects, at: Reached) -> str:
    """The entry that leaves the location to SCRIPT_NAME."""
    alias = at.subject.alias
    target = up_to(at.key.script, alias.target, projects.rules.base_directory)
    return pasted(alias, at.subject.entry, target=target)


def _same_page(projects: Projects, told: Told, at: Reached, answer: UrlAnswer) -> Iterator[Finding]:
    """
    A whole URL that is one of many, of a project with many pages.

    A script may show one page for each such URL; a Django project has one for an empty PATH_INFO.
    """
    merge_slashes = projects.rules.merge_slashes
    others = [segment for segment in told.segments if segment]
    if is_mount(at) or not others or nested(at.subject, merge_slashes=merge_slashes):
        return
    whole = beside(at.subject, merge_slashes=merge_slashes)
    if whole is not None:
        yield whole_finding(at.subject, whole, projects.rules)


def _logins_that_leave(
    projects: Projects, told: Told, at: Reached, answer: UrlAnswer
) -> Iterator[Finding]:
    for setting, url in _login_urls(told, answer):
        if not projects.comes_back(url, at.key):
            yield Finding(
                "W017",
                at.subject.where,
                f"{setting} is {quoted(url)}, which is not one of the project's URLs below "
                f"{quoted(at.uri)}: it is answered by {project_label(projects.who(url))}.",
                f"Name the view instead of the URL, as in {setting} = "
                f"{_name_of_view(setting, at, answer)!r}, or write the URL with the alias's "
                "location in front.",
            )
    for path, location in answer.redirects.items():
        # Where no alias leads to the page, nobody is redirected.
        is_own = projects.comes_back(path, at.key)
        if is_own and _is_path(location) and not projects.comes_back(location, at.key):
            yield Finding(
                "W017",
                at.subject.where,
                f"a request for {quoted(path)} is redirected to {quoted(location)}, which is "
                f"answered by {project_label(projects.who(location))}.",
                "The redirect should stay below the alias: check FORCE_SCRIPT_NAME and LOGIN_URL.",
            )


def _name_of_view(setting: str, at: Reached, answer: UrlAnswer) -> str:
    """A name for a setting: the login's for LOGIN_URL, the front page's for where one lands."""
    if setting == "LOGIN_URL":
        return next((name for name in answer.names if name.endswith("login")), "login")
    front = f"{at.script_name}/"
    named = (name for name, url in answer.names.items() if url == front and "log" not in name)
    return next(named, "home")


def _told_redirects(projects: Projects, at: Reached, answer: UrlAnswer) -> tuple[str, ...]:
    """The redirects that do not lead to a login of the project (W017)."""
    logins = [url for name, url in answer.settings.items() if name in LOGIN_SETTINGS and url]
    leaving = [*logins, *answer.redirects.values()]
    bases = {url.partition("?")[0] for url in leaving if not projects.comes_back(url, at.key)}
    location = answer.front.location if answer.front is not None else None
    if location is not None and location.partition("?")[0] in bases:
        return (location, *answer.redirects.values())
    return tuple(answer.redirects.values())


def _login_urls(told: Told, answer: UrlAnswer) -> Iterator[tuple[str, str]]:
    for setting in LOGIN_SETTINGS:
        url = answer.settings.get(setting)
        is_used = told.settings.get(setting) != DEFAULTS.get(setting) or "login" in answer.names
        if url and is_used and _is_path(url):
            yield setting, url


def _static_files_that_leave(
    projects: Projects, told: Told, at: Reached, answer: UrlAnswer
) -> Iterator[Finding]:
    url = answer.settings.get("STATIC_URL")
    middleware = told.settings.get("MIDDLEWARE") or ()
    if not url or not _is_path(url) or SERVES_STATIC_FILES not in middleware:
        # Another server serves them, and this check cannot see whether it does.
        return
    if not projects.comes_back(url, at.key):
        yield Finding(
            "W018",
            at.subject.where,
            f"the project serves its static files itself, with whitenoise, but STATIC_URL "
            f"{quoted(url)} is answered by {project_label(projects.who(url))}.",
            f"Write STATIC_URL = {at.script_name + '/static/'!r} and WHITENOISE_STATIC_PREFIX = "
            "'/static/': whitenoise asks for STATIC_URL before Django knows SCRIPT_NAME.",
        )


def _files_that_end_here(
    projects: Projects, told: Told, at: Reached, answer: UrlAnswer
) -> Iterator[Finding]:
    for setting, page in answer.files.items():
        if page.status == 404 and projects.comes_back(page.url, at.key):
            url = answer.settings[setting]
            yield Finding(
                "I001",
                at.subject.where,
                f"{setting} is {quoted(url or '')}, but the project answers requests for files "
                f"there with 404, as for {quoted(page.url)}, unless the server in front answers "
                "them.",
                f"Let the server in front serve the files of {ROOTS[setting]} "
                f"{quoted(told.settings.get(ROOTS[setting]) or '')} there, before requests reach "
                "the project.",
            )


def _doubled_prefix(told: Told, at: Reached, answer: UrlAnswer) -> Iterator[Finding]:
    prefix = at.script_name.strip("/")
    if not prefix or at.path_info not in ("", "/") or answer.view is not None:
        return
    repeated = [each for each in told.segments if f"{each}/".startswith(f"{prefix}/")]
    if repeated:
        yield Finding(
            "W019",
            at.subject.where,
            f"the URLconf repeats the alias's location: {quoted(at.uri)} has no view, but "
            f"{quoted(f'{at.script_name}/{repeated[0]}')} has one.",
            f"Remove {repeated[0]!r} from the URLconf: the application gets the path without "
            f"SCRIPT_NAME. Or keep the path: {_with_path(at)}.",
        )


def _without_urls(
    projects: Projects, told: Told, of_alias: Sequence[tuple[Reached, UrlAnswer]]
) -> Iterator[Finding]:
    kept = [(at, answer) for at, answer in of_alias if not at.script_name]
    if not kept or any(answer.view or answer.appended for _, answer in kept):
        return
    begun = {at.path_info.strip("/").partition("/")[0] for at, _ in kept}
    if "" in begun or any(_begins(segment, begun) for segment in told.segments):
        return
    yield Finding(
        "W020",
        kept[0][0].subject.where,
        f"the application gets the whole path, as in PATH_INFO {quoted(kept[0][0].path_info)}, "
        f"but the URLconf {told.settings.get('ROOT_URLCONF')!r} has no URL that begins like that: "
        "it answers 404.",
        "Add a pattern for it to the URLconf, or move the location into SCRIPT_NAME: "
        f"{_without_path(projects, kept[0][0])}. Then the application gets the path behind it.",
    )


def _begins(segment: str, begun: Iterable[str]) -> bool:
    """Whether a pattern of the URLconf begins as a path does, or may: it begins in a group."""
    return segment[:1] in ("", "(", "<", "[", ".", "\\") or any(
        segment.startswith(each) or each.startswith(segment.rstrip("/$")) for each in begun
    )


def _slash_that_leaves(
    projects: Projects, of_alias: Sequence[tuple[Reached, UrlAnswer]]
) -> Iterator[Finding]:
    for at, answer in of_alias:
        if answer.appended and not projects.comes_back(answer.appended, at.key):
            yield Finding(
                "W021",
                at.subject.where,
                f"{quoted(at.uri)} is redirected to {quoted(answer.appended)} (APPEND_SLASH), "
                f"which is answered by {project_label(projects.who(answer.appended))}.",
                "Let the alias match the URL with a slash too: write (/|$) at the end of the "
                "pattern.",
            )
            return


def _cookies_that_stay_away(
    told: Told, of_alias: Sequence[tuple[Reached, UrlAnswer]]
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
                    f"Write {setting} = {_cookie_path(at)!r}, where the alias is, or remove the "
                    "setting.",
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
