"""What a project's own pages answer: a 404 under its prefix, a redirect that leads astray."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from ...text import quoted
from ..findings.finding import Finding
from ..findings.project_report import Page, UrlAnswer
from .projects_by_url import Projects, Reached, project_label

_PREFIX_IS_LOST = (
    "Something in the project looks up request.path in its URLconf, or builds a URL without "
    "SCRIPT_NAME. Use request.path_info, and reverse() or redirect('name')."
)


def page_findings(
    projects: Projects, at: Reached, answer: UrlAnswer, reported: Iterable[str]
) -> Iterator[Finding]:
    """
    Yield what is wrong with an alias's front page and with the project's admin.

    ``reported`` are redirects that have been told already.
    """
    pages = (("front page", answer.front), ("admin", answer.admin))
    for what, page in pages:
        if page is None:
            continue
        if what == "admin" and not projects.comes_back(page.url, at.key):
            if not projects.is_reached_anywhere(page.url, at.key):
                yield _admin_that_nobody_reaches(projects, at, page)
            continue
        if page.status == 404 and page.at_root not in (0, 404):
            yield _lost_below_prefix(at, page, what)
        elif page.location is not None and page.location not in reported:
            yield from _led_away(projects, at, page, what)


def _lost_below_prefix(at: Reached, page: Page, what: str) -> Finding:
    return Finding(
        "W054",
        at.subject.where,
        f"the project's {what} has a view and answers 404 below the alias: {quoted(page.url)} "
        f"gets 404, but the same page without SCRIPT_NAME {quoted(at.script_name)} gets "
        f"{page.at_root}.",
        _PREFIX_IS_LOST,
    )


def _led_away(projects: Projects, at: Reached, page: Page, what: str) -> Iterator[Finding]:
    location = str(page.location)
    if not _is_path(location):
        # Another host may well log people in for this one.
        return
    if page.there == 404:
        end = "which this project answers with 404"
    elif what == "front page" and not projects.comes_back(location, at.key):
        end = f"which is answered by {project_label(projects.who(location))}"
    else:
        return
    yield Finding(
        "W056",
        at.subject.where,
        f"the project's {what}, {quoted(page.url)}, redirects to {quoted(location)}, {end}.",
        _PREFIX_IS_LOST,
    )


def _admin_that_nobody_reaches(projects: Projects, at: Reached, page: Page) -> Finding:
    return Finding(
        "W057",
        at.subject.where,
        f"the project has an admin at {quoted(page.url)} that no alias leads to: that URL is "
        f"answered by {project_label(projects.who(page.url))}.",
        "If it should be reachable here, let an alias match it too. If not, remove it from the "
        "URLconf, or silence this check.",
    )


def _is_path(url: str) -> bool:
    parts = urlsplit(url)
    return not parts.scheme and not parts.netloc and url.startswith("/")
