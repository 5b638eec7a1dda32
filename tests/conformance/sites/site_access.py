"""
Random whole sites with access rules: ``python -m tests.conformance.sites.site_access --sites 50``.

Each runs in a private Apache, and is imported. The same requests go to both, from several
addresses, with credentials and without. Where the import says that it has carried the rules, the
status, WWW-Authenticate and REMOTE_USER must be Apache's; where it has closed URLs, nobody may get
in here.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from django.conf import settings

from django_wsgimatch.aliases.alias import Alias, Denial
from django_wsgimatch.aliases.resolve import resolve
from django_wsgimatch.apache.importing import import_configuration
from django_wsgimatch.apache.lines.directive import Surroundings
from django_wsgimatch.apache.reading.reading import read_file
from django_wsgimatch.conf import configuration as read_settings
from django_wsgimatch.configured import Configuration
from tests.conformance.access import AccessAnswer, ask_apache, write_files
from tests.conformance.imports import settings_of
from tests.conformance.made.random_sections import AccessQuestion
from tests.conformance.made.random_site_access import (
    TREE,
    random_folder_files,
    random_site,
    random_site_question,
)
from tests.conformance.silence import takes
from tests.conformance.sites.gates import Doorkeeper
from tests.support.oracle import (
    HOW_TO_INSTALL,
    INSTALLED,
    LOADED,
    MODULES,
    Apache,
    free_port,
    small_configuration,
)
from tests.support.trees import build_tree, open_directory

REPORTED, HOSTS = 5, 6
_RULES = (
    *("authn_core", "authn_file", "auth_basic", "authz_host", "authz_user", "authz_groupfile"),
    *("access_compat", "ssl", "allowmethods", "alias", "dir", "mime"),
)
# Who gets one of these has been kept out; 500 is a rule that Apache cannot follow.
_KEPT_OUT = (401, 403, 405, 500)


@dataclass(frozen=True, slots=True)
class SiteDifference:
    """A request that Apache answers in another way, or that is closed and is let in here."""

    seed: str
    host: str
    question: AccessQuestion
    ours: AccessAnswer
    apache: AccessAnswer
    is_closed: bool

    def __str__(self) -> str:
        what = "closed" if self.is_closed else "carried"
        asked = f"{self.seed}: {self.host}: {self.question} ({what})"
        return f"{asked}\n  ours   {self.ours}\n  apache {self.apache}"


@dataclass(slots=True)
class SiteTally:
    """
    What was asked, and what differed.

    ``closed`` are requests to URLs that the import has closed; ``over`` those that Apache lets in
    and the import does not, as it says.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    users: int = 0
    sections: int = 0
    closed: int = 0
    over: int = 0
    differences: list[SiteDifference] = field(default_factory=list)

    def __str__(self) -> str:
        counts = ", ".join(f"{n} with {status}" for status, n in sorted(self.statuses.items()))
        return (
            f"{self.sections} sections, {self.statuses.total()} requests ({counts}; {self.users} "
            f"as a user; {self.closed} to what is closed, {self.over} kept out here alone): "
            f"{len(self.differences)} differences"
        )


def compare_sites(seeds: Iterable[str], requests: int = 40) -> SiteTally:
    """Compare one site for each seed, each host with so many requests."""
    tally = SiteTally()
    for seed in seeds:
        with ExitStack() as stack:
            _compare_site(stack, seed, requests, tally)
    return tally


def _compare_site(stack: ExitStack, seed: str, requests: int, tally: SiteTally) -> None:
    rng = Random(seed)
    directory = stack.enter_context(open_directory())
    port = free_port()
    site = _write_site(rng, directory, port)
    Apache(directory, directory / "httpd.conf", port, stack)
    surroundings = Surroundings(modules=frozenset([*LOADED, *_RULES, "wsgi"]))
    imported = import_configuration(read_file(str(site), surroundings))
    assert imported.settings is not None
    tally.sections += len(imported.settings.access)
    stack.enter_context(settings_of(imported.settings))
    configured = read_settings()
    configured.require()
    ours = _Ours(configured, Doorkeeper(configured), imported.stricter)
    for host in (f"host{number}.test" for number in range(HOSTS)):
        for question in (random_site_question(rng) for _ in range(requests)):
            theirs = ask_apache(port, host, question)
            _judge(tally, seed, host, question, ours, theirs)


def _write_site(rng: Random, directory: Path, port: int) -> Path:
    write_files(directory)
    tree = directory / "tree"
    build_tree(tree, TREE)
    for folder, lines in random_folder_files(rng).items():
        (tree / folder / ".htaccess").write_bytes(_placed(lines, tree))
    text = small_configuration(directory, port)
    text = text[: text.index("<Directory />")]
    text += "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in _RULES)
    (directory / "mime.types").write_text("text/html html\ntext/plain txt\n")
    # Where no line says so, Apache reads .htaccess files and allows nothing in them.
    text += "<Directory />\nAllowOverride None\n</Directory>\nWSGIPassAuthorization On\n"
    text += f'TypesConfig mime.types\nInclude "{directory}/site.conf"\n'
    (directory / "httpd.conf").write_text(text)
    (directory / "site.conf").write_bytes(_placed(random_site(rng, port, HOSTS), tree))
    return directory / "site.conf"


def _placed(text: str, tree: Path) -> bytes:
    return (
        text.replace("{ROOT}/..", str(tree.parent)).replace("{ROOT}", str(tree)).encode("latin-1")
    )


@dataclass(frozen=True, slots=True)
class _Ours:
    configured: Configuration
    doorkeeper: Doorkeeper
    stricter: Sequence[Alias]

    def is_stricter(self, host: str, question: AccessQuestion) -> bool:
        """Whether the report says that Apache lets in more people than the settings do."""
        uri = resolve(self.configured.table, question.target.replace("HOST", host)).uri
        return uri is not None and any(takes(region, uri) for region in self.stricter)

    def answer(self, host: str, question: AccessQuestion) -> tuple[AccessAnswer, bool, bool]:
        """The answer; whether something answers the URL; and whether an import has closed it."""
        target = question.target.replace("HOST", host)
        found = resolve(self.configured.table.for_host(host), target, rules=self.configured.rules)
        is_script = found.match is not None and found.match.alias.answer is None
        if found.match is None or (is_script and found.status != 200):
            return AccessAnswer(404), False, False
        if not is_script and question.method not in ("GET", "HEAD"):
            # Files answer 405.
            return AccessAnswer(405), False, False
        is_closed = isinstance(found.match.alias.answer, Denial)
        status, headers = self.doorkeeper.answer(
            target, host, question.address, question.authorization, question.method
        )
        if status is None and is_closed:
            status = 403
        user = headers.get("X-User") if is_script else None
        said = AccessAnswer(
            status or 200,
            headers.get("WWW-Authenticate"),
            user,
            "Basic" if user is not None else None,
        )
        return said, True, is_closed


def _judge(
    tally: SiteTally,
    seed: str,
    host: str,
    question: AccessQuestion,
    ours: _Ours,
    theirs: AccessAnswer,
) -> None:
    said, is_answered, is_closed = ours.answer(host, question)
    if not is_answered:
        return
    tally.statuses[theirs.status] += 1
    tally.users += theirs.user is not None
    tally.closed += is_closed
    is_let_in = theirs.status not in _KEPT_OUT
    tally.over += is_closed and is_let_in
    if is_closed:
        is_same = said.status in _KEPT_OUT
    elif said.status != 200 and is_let_in and ours.is_stricter(host, question):
        tally.over += 1
        is_same = True
    elif said.status == 200:
        is_same = is_let_in and (theirs.user == said.user or theirs.status != 200)
    else:
        is_same = said == theirs
    if not is_same:
        found = SiteDifference(seed, host, question, said, theirs, is_closed)
        tally.differences.append(found)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Compare imported access rules with Apache.")
    parser.add_argument("--sites", type=int, default=50)
    parser.add_argument("--seed", default=str(time.time_ns() % 10**9))
    options = parser.parse_args(arguments)
    if not INSTALLED:
        print(HOW_TO_INSTALL, file=sys.stderr)
        return 2
    if not settings.configured:
        settings.configure(BASE_DIR="/", SECRET_KEY="only for the tests")
    print(f"--seed {options.seed}")
    logging.disable(logging.CRITICAL)
    tally = compare_sites(f"{options.seed}-{number}" for number in range(options.sites))
    print(tally)
    for difference in tally.differences[:REPORTED]:
        print(difference)
    return int(bool(tally.differences))


if __name__ == "__main__":
    raise SystemExit(main())
