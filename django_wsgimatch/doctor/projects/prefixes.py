"""Links, logins, pages and redirects that leave the URLs by which an alias reaches a project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from ...text import quoted
from ..findings.finding import Finding, Findings, up_to
from ..findings.project_report import LOGIN_SETTINGS, Page
from ..table.wholes import beside, nested, whole_finding
from .page_visits import ROOTS
from .projects_by_url import Answered, is_mount, is_path

# Django's own values, which hold nothing where the project has no login of its own.
DEFAULTS = {"LOGIN_URL": "/accounts/login/", "LOGIN_REDIRECT_URL": "/accounts/profile/"}
SERVES_STATIC_FILES = "whitenoise.middleware.WhiteNoiseMiddleware"


_PREFIX_IS_LOST = (
    "Something in the project looks up request.path in its URLconf, or builds a URL without "
    "SCRIPT_NAME. Use request.path_info, and reverse() or redirect('name')."
)


def prefix_findings(asked: Iterable[Answered]) -> Findings:
    """Yield what is wrong between aliases and the Django projects that they reach."""
    for _, group in groupby(asked, lambda each: each.at.subject):
        of_alias = list(group)
        if of_alias[0].told.is_django:
            yield from _findings(of_alias)


def _findings(of_alias: Sequence[Answered]) -> Findings:
    first = of_alias[0]
    yield from _names_that_leave(first)
    yield from _logins_that_leave(first)
    yield from _pages_that_fail(first, _told_redirects(first))
    yield from _same_page(first)
    yield from _static_files_that_leave(first)
    yield from _files_that_end_here(first)
    yield from _doubled_prefix(first)
    yield from _without_urls(of_alias)
    yield from _slash_that_leaves(of_alias)
    yield from _cookies_that_stay_away(of_alias)


def _names_that_leave(on: Answered) -> Findings:
    urls = {name: url for name, url in on.answer.names.items() if is_path(url)}
    if not urls or any(on.comes_back(url) for url in urls.values()):
        return
    name, url = next(iter(urls.items()))
    yield on.finding(
        "W016",
        f"the project's links lead away from the alias: for {quoted(on.at.uri)} it gets "
        f"SCRIPT_NAME {quoted(on.at.script_name)}, and reverse({name!r}) is {quoted(url)}, which "
        f"is answered by {on.whose(url)}.",
        _cure_of_names(on),
    )


def _cure_of_names(on: Answered) -> str:
    forced = on.setting("FORCE_SCRIPT_NAME")
    if forced is not None:
        return f"Remove FORCE_SCRIPT_NAME = {forced!r}: the alias sets SCRIPT_NAME."
    if not on.at.script_name:
        return f"Let the alias set SCRIPT_NAME: {_without_path(on)}."
    if on.at.subject.alias.is_module:
        return (
            f"If the URLconf has the whole path, remove {quoted(on.at.script_name)} from it: a "
            "module's location is always SCRIPT_NAME."
        )
    return f"If the URLconf has the whole path, let PATH_INFO keep it: {_with_path(on)}."


def _with_path(on: Answered) -> str:
    """The entry that gives the application its location too."""
    alias = on.at.subject.alias
    path = "$0" if alias.kind == "match" else alias.location.rstrip("/")
    return on.at.subject.line(target=alias.target + path)


def _without_path(on: Answered) -> str:
    """The entry that leaves the location to SCRIPT_NAME."""
    target = up_to(on.at.key.script, on.at.subject.alias.target, on.projects.rules.base_directory)
    return on.at.subject.line(target=target)


def _same_page(on: Answered) -> Findings:
    """
    A whole URL that is one of many, of a project with many pages.

    A script may show one page for each such URL; a Django project has one for an empty PATH_INFO.
    """
    others = [segment for segment in on.told.segments if segment]
    if is_mount(on.at) or not others or nested(on.at.subject, on.projects.rules):
        return
    whole = beside(on.at.subject, on.projects.rules)
    if whole is not None:
        yield whole_finding(on.at.subject, whole, on.projects.rules)


def _logins_that_leave(on: Answered) -> Findings:
    for setting, url in _login_urls(on):
        if not on.comes_back(url):
            yield on.finding(
                "W017",
                f"{setting} is {quoted(url)}, which is not one of the project's URLs below "
                f"{quoted(on.at.uri)}: it is answered by {on.whose(url)}.",
                f"Name the view instead of the URL, as in {setting} = "
                f"{_name_of_view(setting, on)!r}, or write the URL with the alias's "
                "location in front.",
            )
    for path, location in on.answer.redirects.items():
        # Where no alias leads to the page, nobody is redirected.
        is_own = on.comes_back(path)
        if is_own and is_path(location) and not on.comes_back(location):
            yield on.finding(
                "W017",
                f"a request for {quoted(path)} is redirected to {quoted(location)}, which is "
                f"answered by {on.whose(location)}.",
                "The redirect should stay below the alias: check FORCE_SCRIPT_NAME and LOGIN_URL.",
            )


def _name_of_view(setting: str, on: Answered) -> str:
    """A name for a setting: the login's for LOGIN_URL, the front page's for where one lands."""
    if setting == "LOGIN_URL":
        return next((name for name in on.answer.names if name.endswith("login")), "login")
    front = f"{on.at.script_name}/"
    named = (name for name, url in on.answer.names.items() if url == front and "log" not in name)
    return next(named, "home")


def _told_redirects(on: Answered) -> tuple[str, ...]:
    """The redirects that do not lead to a login of the project (W017)."""
    logins = [url for name, url in on.answer.settings.items() if name in LOGIN_SETTINGS and url]
    leaving = [*logins, *on.answer.redirects.values()]
    bases = {url.partition("?")[0] for url in leaving if not on.comes_back(url)}
    location = on.answer.front.location if on.answer.front is not None else None
    if location is not None and location.partition("?")[0] in bases:
        return (location, *on.answer.redirects.values())
    return tuple(on.answer.redirects.values())


def _login_urls(on: Answered) -> Iterator[tuple[str, str]]:
    for setting in LOGIN_SETTINGS:
        url = on.answer.settings.get(setting)
        is_used = on.setting(setting) != DEFAULTS.get(setting) or "login" in on.answer.names
        if url and is_used and is_path(url):
            yield setting, url


def _static_files_that_leave(on: Answered) -> Findings:
    url = on.answer.settings.get("STATIC_URL")
    middleware = on.setting("MIDDLEWARE") or ()
    if not url or not is_path(url) or SERVES_STATIC_FILES not in middleware:
        # Another server serves them, and this check cannot see whether it does.
        return
    if not on.comes_back(url):
        yield on.finding(
            "W018",
            f"the project serves its static files itself, with whitenoise, but STATIC_URL "
            f"{quoted(url)} is answered by {on.whose(url)}.",
            f"Write STATIC_URL = {on.at.script_name + '/static/'!r} and WHITENOISE_STATIC_PREFIX = "
            "'/static/': whitenoise asks for STATIC_URL before Django knows SCRIPT_NAME.",
        )


def _files_that_end_here(on: Answered) -> Findings:
    for setting, page in on.answer.files.items():
        if page.status == 404 and on.comes_back(page.url):
            url = on.answer.settings[setting]
            yield on.finding(
                "I001",
                f"{setting} is {quoted(url or '')}, but the project answers requests for files "
                f"there with 404, as for {quoted(page.url)}, unless the server in front answers "
                "them.",
                f"Serve the files of {ROOTS[setting]} before requests reach the project: "
                f"alias({(url or '').rstrip('/')!r}, {on.setting(ROOTS[setting])!r}). Or let the "
                "server in front do so.",
            )


def _doubled_prefix(on: Answered) -> Findings:
    prefix = on.at.script_name.strip("/")
    if not prefix or on.at.path_info not in ("", "/") or on.answer.view is not None:
        return
    repeated = [each for each in on.told.segments if f"{each}/".startswith(f"{prefix}/")]
    if repeated:
        yield on.finding(
            "W019",
            f"the URLconf repeats the alias's location: {quoted(on.at.uri)} has no view, but "
            f"{quoted(f'{on.at.script_name}/{repeated[0]}')} has one.",
            f"Remove {repeated[0]!r} from the URLconf: the application gets the path without "
            f"SCRIPT_NAME. Or keep the path: {_with_path(on)}.",
        )


def _without_urls(of_alias: Sequence[Answered]) -> Findings:
    kept = [on for on in of_alias if not on.at.script_name]
    if not kept or any(on.answer.view or on.answer.appended for on in kept):
        return
    first = kept[0]
    begun = {on.at.path_info.strip("/").partition("/")[0] for on in kept}
    if "" in begun or any(_begins(segment, begun) for segment in first.told.segments):
        return
    yield first.finding(
        "W020",
        f"the application gets the whole path, as in PATH_INFO {quoted(first.at.path_info)}, "
        f"but the URLconf {first.setting('ROOT_URLCONF')!r} has no URL that begins like "
        "that: it answers 404.",
        "Add a pattern for it to the URLconf, or move the location into SCRIPT_NAME: "
        f"{_without_path(first)}. Then the application gets the path behind it.",
    )


def _begins(segment: str, begun: Iterable[str]) -> bool:
    """Whether a pattern of the URLconf begins as a path does, or may: it begins in a group."""
    return segment[:1] in ("", "(", "<", "[", ".", "\\") or any(
        segment.startswith(each) or each.startswith(segment.rstrip("/$")) for each in begun
    )


def _slash_that_leaves(of_alias: Sequence[Answered]) -> Findings:
    for on in of_alias:
        url = on.answer.appended
        if url and not on.comes_back(url):
            yield on.finding(
                "W021",
                f"{quoted(on.at.uri)} is redirected to {quoted(url)} (APPEND_SLASH), "
                f"which is answered by {on.whose(url)}.",
                "Let the alias match the URL with a slash too: write (/|$) at the end of the "
                "pattern.",
            )
            return


def _cookies_that_stay_away(of_alias: Sequence[Answered]) -> Findings:
    for setting in ("SESSION_COOKIE_PATH", "CSRF_COOKIE_PATH"):
        path = of_alias[0].setting(setting) or "/"
        for on in of_alias:
            uri = on.at.uri
            if not covers(path, uri) and not covers(path, f"{uri}/"):
                yield on.finding(
                    "W022",
                    f"{setting} is {quoted(path)}: browsers do not send the cookie with "
                    f"{quoted(uri)}, so nobody stays logged in there.",
                    f"Write {setting} = {on.at.script_name or '/'!r}, where the alias is, or "
                    "remove the setting.",
                )
                break


def covers(path: str, uri: str) -> bool:
    """Whether a cookie with a path is sent with a request for a uri (RFC 6265 5.1.4)."""
    return uri == path or uri.startswith(path if path.endswith("/") else f"{path}/")


def _pages_that_fail(on: Answered, reported: Iterable[str]) -> Findings:
    """
    Yield what is wrong with an alias's front page and with the project's admin.

    ``reported`` are redirects that have been told already.
    """
    pages = (("front page", on.answer.front), ("admin", on.answer.admin))
    for what, page in pages:
        if page is None:
            continue
        if what == "admin" and not on.comes_back(page.url):
            if not on.projects.is_reached_anywhere(page.url, on.at.key):
                yield _admin_that_nobody_reaches(on, page)
            continue
        if page.status == 404 and page.at_root not in (0, 404):
            yield _lost_below_prefix(on, page, what)
        elif page.location is not None and page.location not in reported:
            yield from _led_away(on, page, page.location, what)


def _lost_below_prefix(on: Answered, page: Page, what: str) -> Finding:
    return on.finding(
        "W054",
        f"the project's {what} has a view and answers 404 below the alias: {quoted(page.url)} "
        f"gets 404, but the same page without SCRIPT_NAME {quoted(on.at.script_name)} gets "
        f"{page.at_root}.",
        _PREFIX_IS_LOST,
    )


def _led_away(on: Answered, page: Page, location: str, what: str) -> Findings:
    if not is_path(location):
        return
    if page.there == 404:
        end = "which this project answers with 404"
    elif what == "front page" and not on.comes_back(location):
        end = f"which is answered by {on.whose(location)}"
    else:
        return
    yield on.finding(
        "W056",
        f"the project's {what}, {quoted(page.url)}, redirects to {quoted(location)}, {end}.",
        _PREFIX_IS_LOST,
    )


def _admin_that_nobody_reaches(on: Answered, page: Page) -> Finding:
    return on.finding(
        "W057",
        f"the project has an admin at {quoted(page.url)} that no alias leads to: that URL is "
        f"answered by {on.whose(page.url)}.",
        "If it should be reachable here, let an alias match it too. If not, remove it from the "
        "URLconf, or silence this check.",
    )
