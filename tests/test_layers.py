from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "django_wsgimatch"

# A module imports modules of lines above its own: never its own line's, never one's below.
LAYERS = [
    ["common_options", "ending", "exceptions", "log_times", "raised", "text", "whole_files"],
    ["asroot", "group_command", "gunicorn_command"],
    ["asroot.accounts", "asroot.running", "asroot.trust"],
    ["asroot.sockets", "asroot.words"],
    ["asroot.launch"],
    ["asroot.commands"],
    ["asroot.hook"],
    ["aliases.pcre.bytesets", "aliases.pcre.cursor"],
    ["aliases.pcre.properties", "aliases.pcre.syntax"],
    [
        "aliases.pcre.bracket",
        "aliases.pcre.literals",
        "aliases.pcre.measures",
        "aliases.pcre.references",
    ],
    ["aliases.pcre.quirks", "aliases.pcre.sequences"],
    ["aliases.pcre.parser", "aliases.pcre.translate"],
    ["aliases.automaton", "aliases.engine"],
    ["aliases.canonical", "aliases.counting", "aliases.travel"],
    ["aliases.attacks"],
    ["aliases.plain"],
    ["aliases.redos"],
    ["aliases.reading"],
    ["aliases.pattern"],
    ["aliases.alias", "aliases.groups", "aliases.hosts", "aliases.prefix", "aliases.substitution"],
    ["aliases.uri"],
    ["aliases.candidates", "aliases.directives", "aliases.quoting", "aliases.target"],
    ["aliases.quoting", "aliases.trie"],
    ["aliases.walk"],
    ["aliases.index"],
    ["aliases.table"],
    ["aliases.resolve"],
    [
        "daemon.deaths",
        "daemon.statements",
        "entries",
        "pages",
        "seldom",
        "settings_guard",
        "whole_body",
    ],
    ["scripts"],
    [
        "daemon.adoption",
        "daemon.ancestry",
        "daemon.changes",
        "daemon.confinement",
        "daemon.crashes",
        "daemon.gate",
        "daemon.handlers",
        "daemon.holding",
        "daemon.logs",
        "daemon.memory",
        "daemon.options",
        "daemon.owner",
        "daemon.ownership",
        "daemon.passed_file",
        "daemon.paths",
        "daemon.patience",
        "daemon.peers",
        "daemon.place",
        "daemon.protocol",
        "daemon.renewal",
        "daemon.server_threads",
        "daemon.starter",
        "daemon.wire",
    ],
    ["daemon.admission", "daemon.developing", "daemon.limits", "daemon.watching", "spokesman"],
    [
        "daemon.board",
        "daemon.body",
        "daemon.control",
        "daemon.directory",
        "daemon.elsewhere",
        "daemon.kept",
        "daemon.managers",
        "daemon.processes",
        "daemon.spec",
        "plan",
        "preloading",
    ],
    [
        "daemon.answers",
        "daemon.conversation",
        "daemon.definition",
        "daemon.group",
        "daemon.relay",
        "daemon.serving",
    ],
    ["daemon.loading", "daemon.threads"],
    ["interpreters"],
    ["daemon.nesting"],
    ["daemon.worker"],
    ["daemon.process"],
    ["daemon.boot", "leaving", "worker_renewal"],
    ["daemon.starting"],
    ["daemon.keeping"],
    ["daemon.listening", "daemon.status"],
    ["daemon.outcome"],
    ["daemon.alone", "daemon.manager"],
    ["daemon.front"],
    ["dispatcher", "health"],
    [
        "diagnose.findings",
        "diagnose.language",
        "diagnose.listing",
        "diagnose.paths",
        "diagnose.progress",
        "diagnose.subject",
        "diagnose.timing",
    ],
    ["diagnose.bounded", "diagnose.telling", "diagnose.unusable", "diagnose.visiting"],
    ["diagnose.stored"],
    ["diagnose.inside"],
    [
        "diagnose.host_names",
        "diagnose.mistakes",
        "diagnose.pasting",
        "diagnose.sources",
        "diagnose.states",
        "diagnose.wording",
    ],
    ["diagnose.search", "diagnose.targets"],
    ["diagnose.witness"],
    ["diagnose.reach"],
    ["diagnose.never"],
    [
        "diagnose.barriers",
        "diagnose.files",
        "diagnose.forwarding",
        "diagnose.miswritten",
        "diagnose.order",
        "diagnose.patterns",
        "diagnose.preview",
        "diagnose.pythons",
        "diagnose.probe",
        "diagnose.trial",
        "diagnose.urls",
        "diagnose.writers",
    ],
    ["diagnose.below", "diagnose.reached", "diagnose.serving", "diagnose.wholes"],
    ["diagnose.answers", "diagnose.remote_users", "diagnose.shared"],
    ["diagnose.unloaded"],
    ["diagnose.prefixes"],
    ["diagnose.cookies"],
    ["diagnose.exposure", "diagnose.groups", "diagnose.roots"],
    ["diagnose.captures", "diagnose.chosen", "diagnose.leaks"],
    ["diagnose.here"],
    ["servers.apache.directive", "servers.apache.surroundings", "servers.apache.unreadable"],
    ["servers.apache.limits"],
    [
        "servers.apache.lines",
        "servers.apache.modules",
        "servers.apache.templates",
        "servers.apache.variables",
        "servers.apache.versions",
        "servers.apache.wildcards",
        "servers.apache.words",
    ],
    ["servers.apache.addresses", "servers.apache.conditions", "servers.apache.includes"],
    ["servers.apache.sections"],
    ["servers.apache.dump", "servers.apache.macros", "servers.apache.nesting"],
    ["servers.apache.progress"],
    ["servers.apache.following"],
    ["servers.apache.reading"],
    ["servers.apache.given", "servers.apache.outcome", "servers.apache.reach"],
    ["servers.apache.answers", "servers.apache.coverage"],
    ["servers.apache.access", "servers.apache.regions"],
    ["servers.apache.hosts", "servers.apache.narrowing"],
    [
        "servers.apache.nearby",
        "servers.apache.overrides",
        "servers.apache.protected",
        "servers.apache.rewriting",
    ],
    ["servers.apache.access_files", "servers.apache.barring"],
    ["servers.apache.meetings"],
    ["servers.apache.resolving"],
    ["servers.apache.closing", "servers.apache.mounts"],
    ["servers.apache.processes", "servers.apache.tables", "servers.apache.takers"],
    ["servers.apache.decisions", "servers.apache.users"],
    ["servers.apache.embedded", "servers.apache.isolation", "servers.apache.settings"],
    ["servers.apache.fragment", "servers.apache.importing"],
    ["servers.apache.report"],
    ["comparing.deadline", "comparing.targets"],
    ["comparing.asking"],
    ["comparing.rules"],
    ["comparing.differences"],
    ["comparing.running"],
    ["django_wsgimatch"],
    ["refusal"],
    ["conf", "project"],
    ["places", "probing"],
    ["circumstances", "single"],
    ["checks"],
    ["inspection", "migration", "running"],
    ["awaiting"],
    ["comparison", "presentation"],
    ["terminal"],
    ["gunicorn"],
    ["management.commands.wsgimatch"],
    ["__main__", "apps", "defining", "wsgi"],
]
FIRST_WITH_DJANGO = LAYERS.index(["refusal"])
ROW = {module: row for row, modules in enumerate(LAYERS) for module in modules}


def module_name(path: Path) -> str:
    """The dotted name below the package; the package's own module bears the package's name."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    return ".".join(parts) or PACKAGE.name


def modules() -> dict[str, Path]:
    paths = {module_name(path): path for path in PACKAGE.rglob("*.py")}
    # A package that only holds modules has nothing to place.
    return {name: path for name, path in paths.items() if path.stat().st_size}


MODULES = modules()


def imported(name: str) -> Iterator[str]:
    """Every module that a module imports, wherever in the file it does, as an absolute name."""
    path = MODULES[name]
    package = path.parent.relative_to(ROOT).parts
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            source = ".".join([*base, *filter(None, [node.module])])
            yield from (member(source, alias.name) for alias in node.names)


def member(source: str, name: str) -> str:
    """``from source import name`` imports the module ``source.name`` if there is one."""
    return f"{source}.{name}" if own_name(f"{source}.{name}") in MODULES else source


def own_name(absolute: str) -> str:
    return absolute.removeprefix(f"{PACKAGE.name}.")


def test_every_module_has_a_row():
    assert sorted(MODULES) == sorted(ROW)


@pytest.mark.parametrize("name", sorted(MODULES.keys() & ROW.keys()))
def test_module_imports_lower_layers_only(name):
    lower = {module for module, row in ROW.items() if row < ROW[name]}

    own = {own_name(module) for module in imported(name) if module.startswith(PACKAGE.name)}

    assert own - lower == set()


@pytest.mark.parametrize("name", sorted(n for n in MODULES if ROW.get(n, 0) < FIRST_WITH_DJANGO))
def test_module_below_conf_knows_no_django(name):
    django = {module for module in imported(name) if module.split(".")[0] == "django"}

    assert django == set()


@pytest.mark.parametrize("name", sorted(n for n in MODULES if n.startswith("asroot")))
def test_what_runs_as_root_is_the_standard_library_and_our_own(name):
    foreign = {
        module.split(".")[0]
        for module in imported(name)
        if module.split(".")[0] not in (*sys.stdlib_module_names, PACKAGE.name)
    }

    assert foreign == set()


def test_the_starter_is_one_file_of_the_standard_library_with_fewer_than_250_lines():
    foreign = {module.split(".")[0] for module in imported("daemon.starter")}

    assert foreign <= sys.stdlib_module_names
    assert len(MODULES["daemon.starter"].read_text().splitlines()) < 250
