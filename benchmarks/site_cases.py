"""
The sites that people really have, each a table of ten entries and what is asked for.

`benchmarks.sites` dispatches their requests in a process, `benchmarks.site_servers` has servers
answer them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.resolve import Rules

PLANNED = "planned"
ONE_HOST, MANY_HOSTS = "one virtual host", "10,000 virtual hosts"
MANY = 10_000
LOOKING = "ever new missing tenants"
REPEATED, PAGE = "default settings, one path", "a Django view"
FIXED_GROUP, NAMED_GROUP = "a process group", "a process group, %{RESOURCE}"
# Their application groups have processes of their own.
ELSEWHERE = ("%{RESOURCE}", "%{SERVER}", "%{HOST}")
ENTRIES = 10


@dataclass(frozen=True)
class Case:
    """
    A site and its requests.

    ``path`` holds ``{}`` where something new stands in each request, ``options`` are the
    dispatcher's, ``environ`` is what differs in the requests.
    """

    path: str = "/app5/archive/item{}"
    aliases: tuple[Alias, ...] = ()
    rules: Rules = field(default_factory=Rules)
    hosts: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    is_missing: bool = False


def in_a_group(plain: Case, application_group: str) -> Case:
    return replace(
        plain,
        rules=Rules(
            process_group="site", process_groups=("site",), application_group=application_group
        ),
    )


def served_cases(scripts: Path) -> dict[str, Case]:
    """The cases that servers are asked for, by their names."""
    known = cases(scripts)
    plain, page = known[PLANNED], Alias("/page", f"{scripts}/page.wsgi")
    return {
        REPEATED: replace(plain, path="/app5/archive/item"),
        **{name: case for name, case in known.items() if name not in ELSEWHERE},
        PAGE: replace(plain, aliases=(*plain.aliases, page), path="/page/item{}"),
        FIXED_GROUP: in_a_group(plain, "%{GLOBAL}"),
        NAMED_GROUP: in_a_group(plain, "%{RESOURCE}"),
    }


def cases(scripts: Path) -> dict[str, Case]:
    """The cases by their names."""
    script = f"{scripts}/hello.wsgi"
    plain = Case(aliases=tuple(Alias(f"/app{number}", script) for number in range(ENTRIES)))
    # A site's own directories, as `import` writes them and as people do.
    directory = (*plain.aliases, Alias("/scripts/", f"{scripts}/"))
    tenants = (*plain.aliases, Alias("^/t/([^/]+)", f"{scripts}/$1.wsgi", "match"))
    lost = (*plain.aliases, Alias("/lost", f"{scripts}/none.wsgi"))
    many = tuple(f"host{number}.example.com" for number in range(MANY))
    return {
        PLANNED: plain,
        ONE_HOST: replace(plain, hosts=("www.example.com",)),
        MANY_HOSTS: replace(plain, hosts=(*many, "www.example.com")),
        "a wildcard host": replace(plain, hosts=("other.example.com", ".example.com")),
        "CHUNKED_REQUEST = False": replace(plain, options={"chunked_request": False}),
        "FOLLOW_SYMLINKS = False": replace(plain, rules=Rules(follow_symlinks=False)),
        'FOLLOW_SYMLINKS = "owner"': replace(plain, rules=Rules(follow_symlinks="owner")),
        "%{RESOURCE}": replace(plain, rules=Rules(application_group="%{RESOURCE}")),
        "%{SERVER}": replace(plain, rules=Rules(application_group="%{SERVER}")),
        "%{HOST}": replace(plain, rules=Rules(application_group="%{HOST}")),
        "%{ENV:x}": replace(
            plain, rules=Rules(application_group="%{ENV:x}"), environ={"x": "%{GLOBAL}"}
        ),
        "a percent-encoded path": replace(plain, path="/app5/caf%C3%A9/item{}"),
        "// in the path": replace(plain, path="/app5//archive/item{}"),
        "/. in the path": replace(plain, path="/app5/./archive/item{}"),
        "below SCRIPT_NAME": replace(
            plain, path="/mount/app5/archive/item{}", environ={"SCRIPT_NAME": "/mount"}
        ),
        "an alias that ends in a slash": replace(
            plain, aliases=directory, path="/scripts/hello.wsgi/item{}"
        ),
        "a tenant": replace(plain, aliases=tenants, path="/t/hello/item{}"),
        "a missing tenant": replace(
            plain, aliases=tenants, path="/t/nobody/item{}", is_missing=True
        ),
        LOOKING: replace(plain, aliases=tenants, path="/t/nobody{}/item", is_missing=True),
        "a missing script": replace(plain, aliases=lost, path="/lost/item{}", is_missing=True),
    }
