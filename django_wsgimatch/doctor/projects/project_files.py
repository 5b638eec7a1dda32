"""Who answers the URLs of the projects' static files and uploads, and whether from their folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...aliases.file_options import FileOptions
from ...aliases.table import AliasTable
from ...text import quoted
from ..findings.finding import Diagnosed, Finding, Findings
from ..findings.project_report import Told, UrlAnswer
from .page_visits import ROOTS, first_file
from .prefixes import SERVES_STATIC_FILES
from .projects_by_url import FALLBACK, Answered, Key, Projects, is_path


@dataclass(frozen=True, slots=True)
class StoredFiles(Diagnosed):
    """
    The files of a project, of which ``setting`` has the URL; ``folder`` is where it collects them.

    ``where`` is the alias that leads to the project, or the setting. ``are_sent`` says that the
    project sends them itself, as far as it was asked.
    """

    where: str
    project: str
    setting: str
    url: str
    folder: str
    key: Key
    are_sent: bool

    @property
    def line(self) -> str:
        """The entry that answers with them."""
        return f"alias({self.url.rstrip('/') or '/'!r}, {self.folder!r})"


def project_file_findings(projects: Projects, asked: Iterable[Answered]) -> Findings:
    """
    Yield what is wrong with the URLs of files, where the table has entries that answer with files.

    Without any, the server in front has them all, which cannot be seen here.
    """
    if not has_files(projects.table):
        return
    first: dict[str, StoredFiles] = {}
    for files in dict.fromkeys(_all_files(projects, asked)):
        other = first.setdefault(files.url, files)
        if other.folder != files.folder:
            yield _collision(files, other)
        elif other is files:
            yield from _findings(files, projects)


def has_files(table: AliasTable) -> bool:
    """Whether a table answers any URL with files."""
    return any(isinstance(alias.answer, FileOptions) for alias in table.aliases)


def _all_files(projects: Projects, asked: Iterable[Answered]) -> Iterator[StoredFiles]:
    fallback = projects.told.get(FALLBACK)
    if projects.has_fallback and fallback is not None and fallback.answers:
        yield from _files_of("", FALLBACK, fallback, fallback.answers[0])
    for on in asked:
        yield from _files_of(on.at.subject.where, on.at.key, on.told, on.answer)


def _files_of(where: str, key: Key, told: Told, answer: UrlAnswer) -> Iterator[StoredFiles]:
    has_whitenoise = SERVES_STATIC_FILES in (told.settings.get("MIDDLEWARE") or ())
    for setting, root in ROOTS.items():
        url, folder = answer.settings.get(setting), told.settings.get(root)
        page = answer.files.get(setting)
        is_sent = page is None or page.status != 404
        if told.is_django and url and url.strip("/") and folder and is_path(url):
            yield StoredFiles(
                where or setting,
                told.settings_module,
                setting,
                url,
                os.path.abspath(str(folder)),
                key,
                is_sent if key == FALLBACK else has_whitenoise and setting == "STATIC_URL",
            )


def _collision(files: StoredFiles, other: StoredFiles) -> Finding:
    return files.finding(
        "W093",
        f"{files.setting} of {files.project!r} is {quoted(files.url)}, as is {other.setting} of "
        f"{other.project!r}: one folder answers both, {quoted(other.folder)} or "
        f"{quoted(files.folder)}.",
        f"Give {files.project!r} a {files.setting} of its own, such as 'static/', which is put "
        "below its alias, and an entry for it.",
    )


def _findings(files: StoredFiles, projects: Projects) -> Findings:
    served = projects.folder_at(files.url)
    if served is not None:
        if os.path.realpath(served) != os.path.realpath(files.folder):
            root = ROOTS[files.setting]
            yield files.finding(
                "W094",
                f"{files.setting} of {files.project!r} is {quoted(files.url)}, which is answered "
                f"with the files of {quoted(served)}. Its {root} is {quoted(files.folder)}.",
                f"Serve that folder: {files.line}.",
            )
    elif not _are_sent(files, projects) and first_file(files.folder):
        yield files.finding(
            "I002",
            f"{files.setting} of {files.project!r} is {quoted(files.url)}, which no entry answers "
            "with files.",
            f"Let this table serve them: {files.line}. Or leave them to the server in front.",
        )


def _are_sent(files: StoredFiles, projects: Projects) -> bool:
    """Whether they come first, or the project sends them, or is asked for them: I001 tells."""
    if projects.comes_first(files.url, files.folder):
        return True
    is_asked = files.key != FALLBACK and projects.comes_back(files.url, files.key)
    return files.are_sent or is_asked
