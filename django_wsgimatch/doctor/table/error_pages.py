"""Pages of errors that those who get the error would not see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...text import quoted
from ..findings.finding import Diagnosed, Findings

# These let everybody in, or only say how somebody would log in.
_OPEN = "Require all granted"
_LOGIN = "Basic "
_REFUSALS = (401, 403)


@dataclass(frozen=True, slots=True)
class DiagnosedPage(Diagnosed):
    """
    The URL-path that answers for an error, as asked for on a host ("" for all).

    ``where`` is its name in the settings.
    ``answered`` is the status that it has itself, None where the fallback answers; ``demands`` is
    what the access rules for it say.
    """

    where: str
    status: int
    path: str
    host: str
    answered: int | None
    demands: tuple[str, ...]


def error_page_findings(pages: Iterable[DiagnosedPage]) -> Findings:
    """Yield which pages are an error themselves, or closed to those whom rules keep out."""
    for page in pages:
        on_host = f" on {page.host}" if page.host else ""
        if page.answered not in (None, 200):
            yield page.finding(
                "W066",
                f"{quoted(page.path)} answers {page.answered} itself{on_host}: clients get the "
                "small page.",
                "Name a URL-path that an entry answers, such as a file below an alias(), or write "
                "the text itself.",
            )
        elif page.status in _REFUSALS and (closed := _closing(page)):
            yield page.finding(
                "W067",
                f"access rules hold for {quoted(page.path)}{on_host}, too ({'; '.join(closed)}): "
                "whom they keep out gets the small page.",
                f"Open it: access({page.path.partition('?')[0]!r}, require='all granted').",
            )


def _closing(page: DiagnosedPage) -> list[str]:
    return [each for each in page.demands if each != _OPEN and not each.startswith(_LOGIN)]
