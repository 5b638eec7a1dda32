"""Unit configurations of the shapes that sites have, and what Unit 1.35 answers for each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LISTENER = "unix:{ROOT}/socket"


@dataclass(frozen=True, slots=True)
class UnitSite:
    """A configuration, files beside it, and by target what Unit answers."""

    configuration: Mapping[str, Any]
    files: Mapping[str, str]
    answers: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The configuration as a file has it."""
        return json.dumps(self.configuration, indent=2)


def _python(module: str, **more: Any) -> dict[str, Any]:
    return {"type": "python", "path": "{ROOT}", "module": module, **more}


def _site(
    passed: str, applications: Any, answers: Any, routes: Any = None, **files: str
) -> UnitSite:
    configuration = {"listeners": {LISTENER: {"pass": passed}}, "applications": applications}
    if routes is not None:
        configuration["routes"] = routes
    modules = {f"{name}.py": "" for name in ("shop", "wiki", "front")}
    return UnitSite(configuration, {**modules, **files}, answers)


def _step(passed: str, **match: Any) -> dict[str, Any]:
    action = {"action": {"pass": passed}}
    return {"match": match, **action} if match else action


SHOP, WIKI, FRONT = (f"applications/{name}" for name in ("shop", "wiki", "front"))
THREE = {name: _python(name) for name in ("shop", "wiki", "front")}

SITES = {
    "a listener that leads to an application": _site(
        SHOP,
        {"shop": _python("shop", callable="other", processes=2, threads=2)},
        {
            "/": ["shop other", "", "/"],
            "/a/b": ["shop other", "", "/a/b"],
            "/a%2Fb%20c": ["shop other", "", "/a/b c"],
            "//a///b": ["shop other", "", "/a/b"],
            "/a/../b": ["shop other", "", "/b"],
        },
    ),
    "a factory": _site(
        SHOP,
        {"shop": _python("shop", callable="create", factory=True)},
        {"/x": ["shop created", "", "/x"]},
    ),
    "a prefix": _site(
        SHOP,
        {"shop": _python("shop", prefix="/shop/")},
        {
            "/shop": ["shop", "/shop", ""],
            "/shop/x": ["shop", "/shop", "/x"],
            "/shopping": ["shop", "", "/shopping"],
            "/x": ["shop", "", "/x"],
        },
    ),
    "routes by prefix, with the whole path": _site(
        "routes",
        THREE,
        {
            "/shop/x": ["shop", "", "/shop/x"],
            "/shop": ["front", "", "/shop"],
            "/wiki": ["wiki", "", "/wiki"],
            "/wiki/": ["wiki", "", "/wiki/"],
            "/wikipedia": ["front", "", "/wikipedia"],
            "/": ["front", "", "/"],
            "/%73hop/x": ["shop", "", "/shop/x"],
        },
        [_step(SHOP, uri="/shop/*"), _step(WIKI, uri=["/wiki", "/wiki/*"]), _step(FRONT)],
    ),
    "routes to targets with prefixes": _site(
        "routes/main",
        {
            "all": {
                "type": "python",
                "path": "{ROOT}",
                "targets": {
                    "shop": {"module": "shop", "prefix": "/shop"},
                    "wiki": {"module": "wiki", "callable": "other"},
                },
            }
        },
        {
            "/shop": ["shop", "/shop", ""],
            "/shop/x": ["shop", "/shop", "/x"],
            "/wiki/x": ["wiki other", "", "/wiki/x"],
            "/x": 404,
        },
        {
            "main": [
                _step("applications/all/shop", uri=["/shop", "/shop/*"]),
                _step("applications/all/wiki", uri="/wiki/*"),
            ]
        },
    ),
    "exclusions, stars in the middle and regular expressions": _site(
        "routes",
        THREE,
        {
            "/shop/a": ["shop", "", "/shop/a"],
            "/shop/secret/a": ["front", "", "/shop/secret/a"],
            "/x/edit": ["wiki", "", "/x/edit"],
            "/x/edit/y": ["front", "", "/x/edit/y"],
            "/item/17": ["wiki", "", "/item/17"],
            "/item/17a": ["front", "", "/item/17a"],
            "/a/item/17": ["front", "", "/a/item/17"],
            "/deep/file.php": 404,
            "/file.phpx": ["front", "", "/file.phpx"],
        },
        [
            {"match": {"uri": "*.php"}, "action": {"return": 404}},
            _step(SHOP, uri=["/shop/*", "!/shop/secret/*"]),
            _step(WIKI, uri=["/*/edit", r"~^/item/[0-9]+$"]),
            _step(FRONT),
        ],
    ),
    "all but some paths": _site(
        "routes",
        THREE,
        {
            "/": ["shop", "", "/"],
            "/admin/x": ["front", "", "/admin/x"],
            "/static/x": ["front", "", "/static/x"],
            "/administrator": ["shop", "", "/administrator"],
        },
        [_step(SHOP, uri=["!/admin/*", "!/static/*"]), _step(FRONT)],
    ),
    "hosts": _site(
        "routes",
        THREE,
        {
            "shop.example/x": ["shop", "", "/x"],
            "SHOP.EXAMPLE:8080/x": ["shop", "", "/x"],
            "a.wiki.example/x": ["wiki", "", "/x"],
            "wiki.example/x": ["front", "", "/x"],
            "other.example/x": ["front", "", "/x"],
            "shop.example/wiki/x": ["wiki", "", "/wiki/x"],
        },
        [
            _step(WIKI, uri="/wiki/*", host=["shop.example", "*.wiki.example"]),
            _step(SHOP, host="shop.example"),
            _step(WIKI, host="*.wiki.example"),
            _step(FRONT),
        ],
    ),
    "files, and an application behind them": _site(
        "routes",
        THREE,
        {
            "/static/a.css": "a {}",
            "/static/none": 404,
            "/favicon.ico": "icon",
            "/favicon.ico/x": ["shop", "", "/favicon.ico/x"],
            "/x": ["shop", "", "/x"],
            "/app/a.css": ["wiki", "", "/app/a.css"],
        },
        [
            _step(WIKI, uri="/app/*"),
            {"match": {"uri": "/static/*"}, "action": {"share": "{ROOT}$uri"}},
            {"match": {"uri": "/favicon.ico"}, "action": {"share": "{ROOT}/icons/f.ico"}},
            _step(SHOP),
        ],
        **{"static/a.css": "a {}", "icons/f.ico": "icon"},
    ),
    "an application before files that would have its paths": _site(
        "routes",
        THREE,
        {
            "/api/a.txt": ["shop", "", "/api/a.txt"],
            "/b.txt": "b",
            "/c": 404,
        },
        [_step(SHOP, uri="/api/*"), {"action": {"share": "{ROOT}/www$uri"}}],
        **{"www/api/a.txt": "a", "www/b.txt": "b"},
    ),
    "files first, and then applications": _site(
        "routes",
        THREE,
        {
            "/a.css": "a {}",
            "/docs/": "<p>docs",
            "/docs/b%20c.txt": "b c",
            "/none": ["front", "", "/none"],
            "/docs/none": ["front", "", "/docs/none"],
            "/": ["front", "", "/"],
            "/api/a.txt": ["shop", "", "/api/a.txt"],
        },
        [
            _step(SHOP, uri="/api/*"),
            {"action": {"share": "{ROOT}/www$uri", "fallback": {"pass": FRONT}}},
        ],
        **{
            "www/a.css": "a {}",
            "www/api/a.txt": "a",
            "www/docs/index.html": "<p>docs",
            "www/docs/b c.txt": "b c",
        },
    ),
    "files of several folders first, for some URLs": _site(
        "routes",
        THREE,
        {
            "/s/a.css": "a {}",
            "/s/b.css": "b {}",
            "/s/c.css": ["wiki", "", "/s/c.css"],
            "/a.css": ["front", "", "/a.css"],
        },
        [
            {
                "match": {"uri": "/s/*"},
                "action": {
                    "share": ["{ROOT}/one$uri", "{ROOT}/two$uri"],
                    "fallback": {"pass": WIKI},
                },
            },
            _step(FRONT),
        ],
        **{"one/s/a.css": "a {}", "two/s/a.css": "another", "two/s/b.css": "b {}"},
    ),
    "redirects and refusals": _site(
        "routes",
        THREE,
        {
            "/old/x": "301 https://new.example/old/x",
            "/moved": "302 /shop",
            "/private/x": 403,
            "/gone": 410,
            "/shop": ["shop", "", "/shop"],
        },
        [
            {
                "match": {"uri": "/old/*"},
                "action": {"return": 301, "location": "https://new.example$request_uri"},
            },
            {"match": {"uri": "/moved"}, "action": {"return": 302, "location": "/shop"}},
            {"match": {"uri": "/private/*"}, "action": {"return": 403}},
            {"match": {"uri": "/gone"}, "action": {"return": 410}},
            _step(SHOP),
        ],
    ),
    "routes within routes, which do not come back": _site(
        "routes/main",
        THREE,
        {
            "/a/shop/x": ["shop", "", "/a/shop/x"],
            "/a/x": 404,
            "/b/x": ["front", "", "/b/x"],
        },
        {
            "main": [_step("routes/inner", uri="/a/*"), _step(FRONT)],
            "inner": [_step(SHOP, uri="/a/shop/*"), _step(WIKI, uri="/b/*")],
        },
    ),
}
