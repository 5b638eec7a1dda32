"""The files of DocumentRoot that a rule leaves alone which passes all other URLs on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...aliases.alias import Alias
from ...aliases.directives import root_of
from ...aliases.file_options import FileOptions
from ..covering.alias_lines import answering_aliases
from ..covering.hosts import Host
from ..covering.indexes import may_share
from ..covering.partial_aliases import excluded
from ..lines.directive import Directive
from ..rewriting.barring import Rule
from ..rewriting.rewriting import aheads_of, root_files


def files_before(
    rule: Rule,
    root: str,
    left: str,
    passing: Sequence[str],
    taken: Iterable[Alias],
    servers: Sequence[Host],
) -> Alias | None:
    """
    Return the files that come first, without the URLs that Apache answers otherwise.

    ``left`` says whether folders are left alone, too ("all"), ``passing`` which URLs rules before
    this one do not pass on; ``taken`` are those that they have. What is left to aliases is no file:
    their scripts may lie in the same folder. None where one pattern cannot say all that.
    """
    options = FileOptions() if left == "all" else FileOptions(index=())
    rivals = [*taken, *answering_aliases(dict.fromkeys(servers))]
    aheads = aheads_of(rule, passing)
    files = root_files(root, aheads, options)
    shared = [each for each in rivals if may_share(files, each)]
    if any(each.kind == "plain" and not each.location.strip("/") for each in shared):
        return None
    # A redirect comes before files here, too, but not before a new URL.
    redirects = (alias for server in servers for alias, line in server.direct if _is_redirect(line))
    if any(may_share(files, each) for each in redirects):
        return None
    if not aheads and not shared:
        return root_of(root, options)
    for each in shared:
        without = excluded(files, each)
        if without is None:
            return None
        files = without
    return files


def _is_redirect(line: Directive) -> bool:
    return line.key.startswith("redirect")
