"""uWSGI configurations of the shapes that sites have, and what uWSGI 2.0 answers for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class UwsgiSite:
    """
    Files, the ones that are given to uWSGI, and by target what it answers.

    ``runs`` is False for what needs more than one uWSGI to be asked.
    """

    files: Mapping[str, str]
    answers: Mapping[str, Any]
    given: str = "site.ini"
    runs: bool = True
    environ: Mapping[str, str] | None = None


SITES = {
    "a project with a module and a callable": UwsgiSite(
        {
            "site.ini": "[uwsgi]\nchdir = {ROOT}/src\nmodule = shop.wsgi\ncallable = other\n"
            "processes = 2\nthreads = 2\nmaster = true\nvacuum = true\n",
            "src/shop/__init__.py": "",
            "src/shop/helper.py": "x = 1\n",
            "src/shop/wsgi.py": "",
        },
        {
            "/": ["wsgi other", "", "/"],
            "/a/b": ["wsgi other", "", "/a/b"],
            "/a%2Fb": ["wsgi other", "", "/a/b"],
            "/a%20b?c=d": ["wsgi other", "", "/a b"],
        },
    ),
    "a file, and a callable in it": UwsgiSite(
        {
            "site.ini": "[uwsgi]\nwsgi-file = {ROOT}/front.py\ncallable = other\n",
            "front.py": "",
        },
        {"/": ["front other", "", "/"], "/x": ["front other", "", "/x"]},
    ),
    "a factory": UwsgiSite(
        {
            "site.ini": "[uwsgi]\nchdir = {ROOT}\nmodule = portal:create()\n",
            "portal.py": "",
        },
        {"/login": ["portal created", "", "/login"]},
    ),
    "mounts, a longer one behind a shorter, and a module for the rest": UwsgiSite(
        {
            "site.ini": "[uwsgi]\nchdir = {ROOT}\nmanage-script-name = true\n"
            "mount = /shop=shop:application\nmount = /shop/api=api.py\n"
            "mount = /wiki=wiki:create()\nmodule = front:application\n",
            **{f"{name}.py": "" for name in ("shop", "api", "wiki", "front")},
        },
        {
            "/": ["front", "", "/"],
            "/shop": ["shop", "/shop", ""],
            "/shop/": ["shop", "/shop", "/"],
            "/shop/cart": ["shop", "/shop", "/cart"],
            "/shopping": ["front", "", "/shopping"],
            "/shop/api": ["api", "/shop/api", ""],
            "/shop/api/v1": ["api", "/shop/api", "/v1"],
            "/shop/apix": ["shop", "/shop", "/apix"],
            "/wiki/Page": ["wiki created", "/wiki", "/Page"],
            "/%73hop/x": ["shop", "/shop", "/x"],
            "/shop%2Fapi": ["api", "/shop/api", ""],
            "/wiki/../shop/x": ["shop", "/shop", "/x"],
        },
    ),
    "mounts alone, of which the first answers the rest": UwsgiSite(
        {
            "site.ini": "[uwsgi]\nchdir = {ROOT}\nmanage-script-name = 1\n"
            "mount = /one=one.py\nmount = /=two.py\n",
            "one.py": "",
            "two.py": "",
        },
        {
            "/one/x": ["one", "/one", "/x"],
            "/": ["one", "", "/"],
            "/x": ["one", "", "/x"],
        },
    ),
    "mounts that uWSGI leaves to the server in front, over HTTP": UwsgiSite(
        {
            "site.ini": "[uwsgi]\nchdir = {ROOT}\nmount = /one=one.py\nmodule = two\n",
            "one.py": "",
            "two.py": "",
        },
        {"/one/x": ["two", "", "/one/x"], "/": ["two", "", "/"]},
    ),
    "placeholders of all kinds": UwsgiSite(
        {
            "shop.ini": "[uwsgi]\nbase = %d\nmodule_name = %n\ncallable_name = $(CALLABLE)\n"
            "chdir = %(base)src\nmanage-script-name = true\n"
            "mount = /%n=%(module_name):%(callable_name)\nmount = /%c/x=%(base)src/rest.py\n"
            "threads = %(one one - 10)\none = 1\n",
            "src/shop.py": "",
            "src/rest.py": "",
        },
        {
            "/shop/a": ["shop other", "/shop", "/a"],
            "/FOLDER/x/a": ["rest", "/FOLDER/x", "/a"],
            "/else": ["shop other", "", "/else"],
        },
        given="shop.ini",
        environ={"CALLABLE": "other"},
    ),
    "a file that takes most of it from others, and from other sections": UwsgiSite(
        {
            "site.ini": "[uwsgi]\nini = :web\nini = {ROOT}/common.ini\n"
            "inherit = {ROOT}/last.ini\n"
            "[other]\nmodule = never\n[web]\nmount = /api=api.py\n",
            "common.ini": "; for all\n[uwsgi]\nmanage-script-name = 1\nini = {ROOT}/more.ini:x\n",
            "more.ini": "[uwsgi]\nmodule = never\n[x]\nchdir = {ROOT}\n",
            "last.ini": "[uwsgi]\nmodule = front\n",
            "api.py": "",
            "front.py": "",
        },
        {"/api/x": ["api", "/api", "/x"], "/x": ["front", "", "/x"]},
    ),
    "files of static-map, which every mount has": UwsgiSite(
        {
            "site.ini": "[uwsgi]\nchdir = {ROOT}\nmanage-script-name = 1\nmount = /shop=shop.py\n"
            "module = front\nstatic-map = /static=assets\nstatic-map = /robots.txt={ROOT}/r.txt\n",
            "assets/a.css": "a {}",
            "assets/deep/b.css": "b {}",
            "r.txt": "nobody",
            "shop.py": "",
            "front.py": "",
        },
        {
            "/static/a.css": "a {}",
            "/static/deep/b.css": "b {}",
            "/shop/static/a.css": "a {}",
            "/robots.txt": "nobody",
            "/shop/statically": ["shop", "/shop", "/statically"],
            "/x": ["front", "", "/x"],
        },
    ),
    "files of check-static, and then the application": UwsgiSite(
        {
            "site.ini": "[uwsgi]\nchdir = {ROOT}\nmodule = front\ncheck-static = {ROOT}/www\n"
            "static-index = start.html\n",
            "www/a.css": "a {}",
            "www/docs/start.html": "<p>docs",
            "www/docs/b c.txt": "b c",
            "www/empty/x": "x",
            "front.py": "",
        },
        {
            "/a.css": "a {}",
            "/a.css?x": "a {}",
            "/docs/b%20c.txt": "b c",
            "/docs/": "<p>docs",
            "/docs/none": ["front", "", "/docs/none"],
            "/a.css/x": ["front", "", "/a.css/x"],
            "/empty/": ["front", "", "/empty/"],
            "/empty": ["front", "", "/empty"],
            "/": ["front", "", "/"],
        },
    ),
    "files of check-static below a mount, and a map of the same": UwsgiSite(
        {
            "site.ini": "[uwsgi]\nchdir = {ROOT}\nmanage-script-name = 1\nmount = /shop=shop.py\n"
            "module = front\ncheck-static = {ROOT}/www\nstatic-map = /={ROOT}/more\n",
            "www/a.css": "a {}",
            "more/a.css": "another",
            "more/b.css": "b {}",
            "shop.py": "",
            "front.py": "",
        },
        {
            "/a.css": "a {}",
            "/b.css": "b {}",
            "/shop/a.css": "a {}",
            "/shop/b.css": "b {}",
            "/shop/c.css": ["shop", "/shop", "/c.css"],
            "/c.css": ["front", "", "/c.css"],
        },
    ),
    "two maps of the same URLs": UwsgiSite(
        {
            "site.ini": "[uwsgi]\nchdir = {ROOT}\nmodule = front\n"
            "static-map = /s={ROOT}/one\nstatic-map = /s={ROOT}/two\n",
            "one/a.css": "a {}",
            "two/a.css": "another",
            "two/b.css": "b {}",
            "front.py": "",
        },
        {
            "/s/a.css": "a {}",
            "/s/b.css": "b {}",
            "/s/c.css": ["front", "", "/s/c.css"],
        },
    ),
    "routes that redirect and refuse": UwsgiSite(
        {
            "site.ini": "[uwsgi]\nchdir = {ROOT}\nmodule = front\n"
            "route = ^/old/(\\d+)$ redirect-permanent:/new/$1\n"
            "route = ^/private break:403 Forbidden\nroute = ^/gone$ return:410\n"
            "route-uri = ^/away redirect:https://away.example/\n",
            "front.py": "",
        },
        {
            "/old/17": "301 /new/17",
            "/old/x": ["front", "", "/old/x"],
            "/private": 403,
            "/private/x": 403,
            "/gone": 410,
            "/away": "302 https://away.example/",
            "/new/17": ["front", "", "/new/17"],
        },
    ),
    "routes, which hold below every mount": UwsgiSite(
        {
            "site.ini": "[uwsgi]\nchdir = {ROOT}\nmanage-script-name = 1\nmount = /a=shop.py\n"
            "mount = /a/b=wiki.py\nmodule = front\nroute = ^/old/(\\d+) redirect:/new/$1\n"
            "route = ^/(b/)?no break:403 Forbidden\n",
            **{f"{name}.py": "" for name in ("shop", "wiki", "front")},
        },
        {
            "/old/1": "302 /new/1",
            "/a/old/2": "302 /new/2",
            "/a/b/old/3": "302 /new/3",
            "/a/bc/old/3": ["shop", "/a", "/bc/old/3"],
            "/no": 403,
            "/b/no": 403,
            "/a/no": 403,
            "/a/b/no": 403,
            "/a/b/b/no": 403,
            "/a/b/c": ["wiki", "/a/b", "/c"],
            "/x": ["front", "", "/x"],
        },
    ),
    "a loop over names, and conditions": UwsgiSite(
        {
            "site.ini": "[uwsgi]\nchdir = {ROOT}\nmanage-script-name = true\nfor = one two\n"
            "mount = /%(_)=%(_).py\nendfor =\nif-env = NOWHERE\nmodule = never\nendif =\n"
            "if-not-env = NOWHERE\nmodule = front\nendif =\n",
            **{f"{name}.py": "" for name in ("one", "two", "front")},
        },
        {
            "/one/x": ["one", "/one", "/x"],
            "/two/x": ["two", "/two", "/x"],
            "/x": ["front", "", "/x"],
        },
    ),
    "an emperor's vassals": UwsgiSite(
        {
            "emperor.ini": "[uwsgi]\nemperor = {ROOT}/vassals\nvassals-include = {ROOT}/all.ini\n",
            "all.ini": "[uwsgi]\nmanage-script-name = true\nchdir = {ROOT}\n",
            "vassals/shop.ini": "[uwsgi]\nsocket = {ROOT}/shop.sock\nmount = /%n=%n.py\n",
            "vassals/wiki.ini": "[uwsgi]\nsocket = {ROOT}/wiki.sock\nmount = /%n=%n:other\n",
            "vassals/front.ini": "[uwsgi]\nsocket = {ROOT}/front.sock\nmodule = front\n",
            "vassals/off.ini.disabled": "[uwsgi]\nmodule = never\n",
            **{f"{name}.py": "" for name in ("shop", "wiki", "front")},
        },
        {
            "/shop/x": ["shop", "/shop", "/x"],
            "/wiki/x": ["wiki other", "/wiki", "/x"],
            "/x": ["front", "", "/x"],
        },
        given="emperor.ini",
        runs=False,
    ),
}
