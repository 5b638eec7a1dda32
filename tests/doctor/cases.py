"""
Entries of the table: those of which the doctor has to say something, and what; and sound ones.

Each stands alone in its table. The patterns of public configurations are among them.
"""

from __future__ import annotations

from django_wsgimatch import script_alias, script_alias_match

ONE = "app.wsgi"
TRAC_PAGES = "wiki|timeline|roadmap|browser|changeset|ticket|query|search|login|logout|about"

# What must be found: an entry, the id, and a URL or another proof that the message holds.
FOUND = [
    # The whole URL becomes SCRIPT_NAME.
    (script_alias_match("^/blog/.*", ONE), "W050", "/blog/x/y"),
    (script_alias_match("^/blog.*", ONE), "W050", "/blog/x"),
    (script_alias_match("^/blog(/.*)?$", ONE), "W050", "/blog/x"),
    (script_alias_match("^/(blog|about)(/.*)?$", ONE), "W050", "/blog/x"),
    (script_alias_match("^/(?:news|archive)/.+", ONE), "W050", "/news/a/x"),
    (script_alias_match("^/ui/(.*)", ONE), "W050", "/ui/x/y"),
    (script_alias_match("^/ui/(.*)$", ONE), "W050", "/ui/x/y"),
    (script_alias_match("/mountpoint(.*)", ONE), "W003 W050", "/mountpoint/x"),
    (script_alias_match("^/([a-z/_])+$", ONE), "W050", "/a/x"),
    (script_alias_match("^((?!/static).)*$", ONE), "W050", "/a/x"),
    (script_alias_match("^(?!/static/|/media/).*$", ONE), "W050", "/a/x"),
    (script_alias_match("^/(?!static/).*", ONE), "W050", "/a/x"),
    (script_alias_match(".*", ONE), "W050", "/a/x"),
    (script_alias_match("^/.*$", ONE), "W050", "/a/x"),
    (script_alias_match("^(/.*)$", ONE), "W050", "/a/x"),
    (script_alias_match("^/shop(?:/[^.]*)?$", ONE), "W050", "/shop/x"),
    (script_alias_match("(?i)^/shop/.*", ONE), "W050", "/shop/x/y"),
    (script_alias_match("^/[a-z]+(/.*)?$", ONE), "W050", "/a/x"),
    (script_alias_match(r"^/wiki/\w+(/\d+)?$", ONE), "W050", "/wiki/a/1"),
    (script_alias_match(r"^/blog(/\d{4})?$", ONE), "W050", "/blog/0000"),
    (script_alias_match(r"^/c\+\+(/.*)?$", ONE), "W050", "/c++/x"),
    (script_alias_match("^/(?:[^/]+/)*$", ONE), "W050", "/a/x/y/"),
    (script_alias_match("^/sites/([a-z]+)/.*", "sites/$1/wsgi.py"), "W050", "/sites/a/x/y"),
    (script_alias_match("^/(blog)/.*", f"{ONE}/$1"), "W009 W050", "/blog/x/y"),
    (script_alias_match("^/blog/.*", f"{ONE}/blog"), "W009 W050", "/blog/x/y"),
    ("WSGIScriptAliasMatch ^/blog/.* app.wsgi", "W050", "/blog/x/y"),
    # Public configurations: a queue's manager and file server, the store of an annex.
    (script_alias_match("^/manager(/.*)?$", ONE), "W050", "/manager/x"),
    (script_alias_match("^/ftp(/.*)?$", ONE), "W050", "/ftp/x"),
    (script_alias_match("^(.*)/annex/objects/(.*)", ONE), "W050", "/annex/objects/x/y"),
    # A long text before the repeats hides nothing.
    (
        script_alias_match(
            "^(/v3/OS-FEDERATION/identity_providers/.*?/protocols/.*?/auth)$", f"{ONE}/$1"
        ),
        "W002",
        "/protocols/",
    ),
    (
        script_alias_match("^/identity/domains/(.*)/users/(.*)/auth$", f"{ONE}$0"),
        "W002",
        "/users/",
    ),
    (
        script_alias_match("^/download-area/[^?]*/files/[^?]*-[0-9]+$", f"{ONE}$0"),
        "W002",
        "/files/",
    ),
    (script_alias_match("^/(?!static/)", f"{ONE}/$1"), "W001", "'^/(?!static/)'"),
    (script_alias_match("/example(/.*)", f"{ONE}$1"), "W003", "/x/y/example/"),
    (script_alias_match("^/blog/?", ONE), "W008", "'/blog/x' becomes the file 'app.wsgix'"),
    # Queries, escapes, hosts, wildcards.
    (script_alias("/find?q=x", ONE), "W051", "'/find?q=x' is compared as '/find'"),
    (script_alias("/page#top", ONE), "W051", "'/page#top' is compared as '/page'"),
    (script_alias_match(r"^/find\?q=(\w+)", ONE), "W051", "'/find?q=a' is compared as '/find'"),
    (script_alias_match("^/find[?](x|y)", ONE), "W051", "'/find?x' is compared as '/find'"),
    (script_alias("/caf%C3%A9", ONE), "W051", "is compared as '/café'"),
    (script_alias("/my%20site", ONE), "W051", "is compared as '/my site'"),
    (script_alias_match("^/a%2Eb(?=/|$)", ONE), "W051", "is compared as '/a.b'"),
    (script_alias("/a%2Fb", ONE), "W051", "is compared as '/a/b'"),
    (script_alias("/blog/.*", ONE), "W052", "'.*' included"),
    (script_alias("/(en|de)", ONE), "W052", "'(en|de)' included"),
    (script_alias("/tools/[a-z]+", ONE), "W052", "'[a-z]' included"),
    (script_alias(r"/item/\d+", ONE), "W052", r"'\d' included"),
    (script_alias("/blog$", ONE), "W052", "'$' included"),
    (script_alias("/blog/*", ONE), "W052", "'*' included"),
    (script_alias("/item/<int:id>", ONE), "W052", "'<int:id>' included"),
    (script_alias("/item/{id}", ONE), "W052", "'{id}' included"),
    ("WSGIScriptAlias /blog(/.*)? app.wsgi", "W052", "'.*' included"),
    (script_alias("^/admin", ONE), "W007", "a plain location is not a pattern"),
    (script_alias("https://example.org/a", ONE), "W007", "this names a host"),
    (script_alias("www.example.org/a", ONE), "W007", "this names a host"),
    (script_alias_match(r"^https?://example\.org/", ONE), "W007", "this names a host"),
    (script_alias_match("^hello/(.*)", f"{ONE}/$1"), "W007", "URLs begin with '/'"),
    (script_alias_match("^/a/b$/c", ONE), "W007", "the end of the URL, which nothing can follow"),
]

# What must stay silent.
SOUND = [
    # One page, however its URL is written.
    script_alias_match(r"^/robots\.txt$", ONE),
    script_alias_match(r"^/(?:robots\.txt|favicon\.ico)$", ONE),
    script_alias_match("^/$", ONE),
    script_alias_match("^/about/?$", ONE),
    script_alias_match("^/feed(?:/atom)?$", ONE),
    script_alias_match(r"^/sitemap(?:-news)?\.xml$", ONE),
    script_alias_match("^/(?:health|ready)z?$", ONE),
    # A page for each of many things: what a small script is for.
    script_alias_match("^/[^/]+$", ONE),
    script_alias_match("^/[0-9]+/?$", ONE),
    script_alias_match(r"^/user/\w+$", ONE),
    script_alias_match(r"^/thumbnails/(\d+)x(\d+)\.png$", ONE),
    script_alias_match(r"^/.*\.php$", ONE),
    script_alias_match(r"\.html$", ONE),
    # Something is left for PATH_INFO.
    script_alias_match("^/blog(?=/|$)", ONE),
    script_alias_match("^/(?:blog|about)(?=/|$)", ONE),
    script_alias_match("^/(blog|about)", f"{ONE}/$1"),
    script_alias_match("^/u/([^/]+)", ONE),
    script_alias_match("^/u/([^/]*)", ONE),
    script_alias_match("^/x(/.*)?$", f"{ONE}$1"),
    script_alias_match("^/(.*)$", f"{ONE}/$1"),
    script_alias_match("^/.*", f"{ONE}$0"),
    script_alias_match("^(?!/static/)/", ONE),
    script_alias_match("^(?=/.*/edit$)/", ONE),
    # As an import writes what holds for a part of an alias.
    script_alias_match("^(?!/admin/health(?:/|$))/admin(?=/|$)", ONE),
    script_alias_match("^(?=(?=/adm)(?!/admin/public))/", ONE),
    script_alias_match(r"^(?=.*?(?:\.php$))/", ONE),
    script_alias_match("^(?=/(?i:Old))/", ONE),
    # A long text before repeats that share nothing.
    script_alias_match("^/identity/domains/([^/]+)/users/([^/]+)/auth$", f"{ONE}$0"),
    script_alias_match("^/v3/OS-FEDERATION/identity_providers/[^/]*(?=/|$)", ONE),
    script_alias_match("(?i)^/shop(?=/|$)", ONE),
    # Captures choose the script.
    script_alias_match("^/tools/([a-z]+)", "$1.wsgi"),
    script_alias_match("^/sites/([^/]+)", "sites/$1/wsgi.py"),
    script_alias_match("^/sites/([^/]+)(?=/|$)", "sites/$1/wsgi.py"),
    # Characters that are meant.
    script_alias("/", ONE),
    script_alias("/blog", ONE),
    script_alias("/blog", f"{ONE}/blog"),
    script_alias("/~ann", ONE),
    script_alias("/c++", ONE),
    script_alias("/wiki/Foo_(bar)", ONE),
    script_alias("/caf\u00e9", ONE),
    script_alias("/100%", ONE),
    script_alias("/a,b;c=d", ONE),
    script_alias("/.well-known/acme", ONE),
    script_alias("/v1.0", ONE),
    script_alias("/my site", ONE),
    script_alias("/@ann", ONE),
    script_alias("/price-$5", ONE),
    script_alias("/[id]", ONE),
    script_alias_match(r"^/100%(?=/|$)", ONE),
    # Public configurations: an alias for each page of a queue, a service, a tracker for each tool.
    *(
        script_alias_match(f"^/{name}$", ONE)
        for name in ("settings", "create", "stats", "metrics", "checkpackage")
    ),
    *(
        script_alias_match(f"^/[0-9]+/{name}$", ONE)
        for name in ("log", "backtrace", "delete", "exploitable", "start")
    ),
    script_alias_match("^/cblr/svc/([^/]*)", ONE),
    script_alias_match(f"^/tools/[^/]+(?=/(?:{TRAC_PAGES})(?:/|$))", ONE),
    *(
        script_alias(location, ONE)
        for location in ("/XMLRPC", "/SAT-DUMP-INTERNAL", "/ipa/smartproxy", "/error-univention")
    ),
]
