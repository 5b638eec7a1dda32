"""What a project's own pages answer: a 404 under its prefix, a redirect that leads astray."""

from __future__ import annotations

from collections.abc import Iterable

from ...text import quoted
from ..findings.finding import Finding, Findings
from ..findings.project_report import Page
from .projects_by_url import Answered, is_path

_PREFIX_IS_LOST = (
    "Something in the project looks up request.path in its URLconf, or builds a URL without "
    "SCRIPT_NAME. Use request.path_info, and reverse() or redirect('name')."
)


def page_findings(on: Answered, reported: Iterable[str]) -> Findings:
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
