"""The kinds of random configurations, and the site that a private Apache runs of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.conformance.apache_site import ApacheSite
from tests.conformance.made import (
    random_access,
    random_answers,
    random_expressions,
    random_sites,
)
from tests.support.oracle import free_port
from tests.support.trees import TreeItem, build_tree

# What `openssl passwd -apr1 -salt saltsalt secret` prints.
PASSWORD_LINE = "x:$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0\n"


def _no_files(rng: Random) -> dict[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Kind:
    """
    How random configurations of a kind are made.

    ``text`` makes one for a port, ``target`` a request target; ``tree`` are the files, and
    ``files_of_folders`` makes the .htaccess files, by their folder in the tree. ``is_closing`` says
    that most of it is closed on purpose: it is for finding what is opened, and counts nothing else.
    """

    text: Callable[[Random, int], str]
    target: Callable[[Random], str]
    tree: Sequence[TreeItem]
    files_of_folders: Callable[[Random], dict[str, str]] = _no_files
    is_closing: bool = False


_ACCESS = random_access.random_access_target, random_access.TREE
KINDS = {
    "access": Kind(random_access.random_access, *_ACCESS),
    "refusals": Kind(random_access.random_refusals, *_ACCESS),
    "overrides": Kind(random_access.random_overrides, *_ACCESS, random_access.random_access_files),
    "expressions": Kind(random_expressions.random_expressions, *_ACCESS, is_closing=True),
    "answers": Kind(
        random_answers.random_answers,
        random_answers.random_answers_target,
        random_answers.TREE,
        random_answers.random_files_of_folders,
    ),
    "sites": Kind(
        random_sites.random_sites,
        random_sites.random_sites_target,
        random_sites.TREE,
        random_sites.random_sites_files,
    ),
}
# Those of which people want to know how much is the same.
COUNTED = tuple(name for name, kind in KINDS.items() if not kind.is_closing)


def random_site(
    rng: Random, kind: str, directory: Path, modules: tuple[str, ...], count: int
) -> tuple[ApacheSite, list[str]]:
    """Make a random site in a folder, and a count of targets to ask for."""
    made = KINDS[kind]
    tree, port = directory / "tree", free_port()
    build_tree(tree, made.tree)
    (tree / "users").write_text(PASSWORD_LINE)
    text = made.text(rng, port).replace("{ROOT}", str(tree))
    for folder, lines in made.files_of_folders(rng).items():
        (tree / folder / ".htaccess").write_text(lines.replace("{ROOT}", str(tree)))
    site = ApacheSite(directory, text, {80: port}, [], modules)
    return site, [made.target(rng) for _ in range(count)]
