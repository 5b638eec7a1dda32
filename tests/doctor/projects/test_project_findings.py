"""The doctor at real small sites: what breaks under a prefix, or behind one host, is found."""

from __future__ import annotations

import json
import sys

import pytest

from django_wsgimatch import script_alias
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.daemon.group_spec import GroupSpec
from django_wsgimatch.daemon.options import GroupOptions
from django_wsgimatch.daemon.place import Place
from django_wsgimatch.doctor.findings.finding import Subject
from django_wsgimatch.doctor.findings.project_report import NO_ANSWER, Told
from django_wsgimatch.doctor.projects import project_processes
from django_wsgimatch.doctor.projects.project_findings import remote_user_findings
from django_wsgimatch.doctor.projects.project_processes import Project, ask_project
from django_wsgimatch.doctor.projects.projects_by_url import FALLBACK, Key
from django_wsgimatch.entries import to_alias
from tests.support.small_projects import (
    WSGI,
    DjangoProject,
    SmallSite,
    check,
    manage,
    manage_here,
    write_site,
)
from tests.thorough import mostly_thorough

BLOG = 'script_alias("/blog", "scripts/blog.wsgi", process_group="blog"),\n'
SHOP = 'script_alias("/shop", "scripts/shop.wsgi", process_group="shop"),\n'
NEWS_AND_ADMIN = """
path("news/", page, name="news"), path("archive/", page), path("admin/", admin.site.urls),
"""
WEBLOG = BLOG.replace('"/blog"', '"/weblog"')
KEPT = 'script_alias_match("^/(news|archive)", "scripts/blog.wsgi/$1", process_group="blog"),\n'
LOGIN = 'path("login/", auth.LoginView.as_view(), name="login"), path("", page, name="home"),'
REMOTE_USER = "django.contrib.auth.middleware.RemoteUserMiddleware"
BY_PATH = """
def by_path(get_response):
    from django.urls import resolve
    def middleware(request):
        resolve(request.path)
        return get_response(request)
    return middleware
MIDDLEWARE.insert(0, "blog.settings.by_path")
"""
# Of several causes of one finding one is tried always, and one sound site of each kind.
OTHER_CAUSES = (
    "uploads that the project does not serve",
    "LOGIN_URL is Django's own, and the login lies behind the alias",
    "after the login one lands at the root",
    "after the logout one lands outside",
    "whitenoise asks for a relative STATIC_URL before Django knows the prefix",
    "the CSRF cookie is for another path",
    "an application under another name",
    "a front page that compares the whole path",
    "a front page that redirects to another project of its host",
    "a front page that redirects to a page that there is not",
    "a pattern that takes two whole URLs from a project with many pages",
    "one project below two prefixes of a pattern",
)
SOUND_TOO = (
    "one project below two aliases, with files at the root",
    "a front page that fails here, without its database",
    "a project with hosts of its own",
    "a front page that redirects to a page of its own",
    "a front page that redirects by a relative URL",
    "FORCE_SCRIPT_NAME that agrees",
    "a login at another site",
    "static files that the front serves",
    "stored files at another host",
    "a folder of uploads that is not there",
    "one name, but paths apart",
    "an application that is not Django",
)


def all_but(cases, names):
    """The ids of all other cases."""
    return [case.id for case in cases if case.id not in names]


WHITENOISE = 'MIDDLEWARE.insert(0, "whitenoise.middleware.WhiteNoiseMiddleware")'


def blog(aliases=BLOG, **project) -> SmallSite:
    """A site with one other project."""
    return SmallSite(aliases, {"blog": DjangoProject(**project)})


def redirecting(url: str) -> str:
    """A front page that redirects."""
    return (
        "def front(request):\n    from django.http import HttpResponseRedirect\n"
        f"    return HttpResponseRedirect({url})\n"
    )


STORED = """
for name in ("static", "media"):
    (BASE_DIR / "stored" / name / "a").mkdir(parents=True, exist_ok=True)
    (BASE_DIR / "stored" / name / "a" / "x.css").touch()
STATIC_ROOT = BASE_DIR / "stored" / "static"
"""
MEDIA = f"{STORED}\nMEDIA_ROOT = BASE_DIR / 'stored' / 'media'\nMEDIA_URL = 'media/'\n"
SERVED = 're_path("^(?:static|media)/", page),'

FAULTS = [
    pytest.param(
        blog(settings=STORED), {"I001"}, id="static files that the project does not serve"
    ),
    pytest.param(
        blog(settings=f"{MEDIA}STATIC_ROOT = None\nMEDIA_URL = '/blog/uploads/'"),
        {"I001"},
        id="uploads that the project does not serve",
    ),
    pytest.param(
        SmallSite(
            'script_alias("/", "scripts/blog.wsgi/", process_group="blog"),\n',
            {"blog": DjangoProject(f"{STORED}STATIC_URL = '/static/'")},
        ),
        {"I001"},
        id="static files of a project at the root",
    ),
    pytest.param(
        blog(settings='FORCE_SCRIPT_NAME = "/weblog"'),
        {"W016"},
        id="FORCE_SCRIPT_NAME names another prefix",
    ),
    pytest.param(
        blog(settings='LOGIN_URL = "/login/"', patterns=LOGIN),
        {"W017"},
        id="LOGIN_URL is a path at the root",
    ),
    pytest.param(
        blog(patterns=LOGIN.replace("login/", "accounts/login/")),
        {"W017"},
        id="LOGIN_URL is Django's own, and the login lies behind the alias",
    ),
    pytest.param(
        blog(settings='LOGIN_URL = "login"\nLOGIN_REDIRECT_URL = "/"', patterns=LOGIN),
        {"W017"},
        id="after the login one lands at the root",
    ),
    pytest.param(
        blog(settings='LOGOUT_REDIRECT_URL = "/bye/"'),
        {"W017"},
        id="after the logout one lands outside",
    ),
    pytest.param(
        blog(settings=f'STATIC_URL = "/static/"\n{WHITENOISE}'),
        {"W018"},
        id="whitenoise behind an alias, STATIC_URL at the root",
    ),
    pytest.param(
        blog(settings=WHITENOISE),
        {"W018"},
        id="whitenoise asks for a relative STATIC_URL before Django knows the prefix",
    ),
    pytest.param(
        blog(patterns='path("blog/", page, name="home"), path("blog/about/", page),'),
        {"W019"},
        id="the URLconf repeats the location",
    ),
    pytest.param(
        blog(KEPT, patterns='path("", page, name="home"), path("about/", page),'),
        {"W016", "W020"},
        id="the path is kept, and the URLconf does not know it",
    ),
    pytest.param(
        blog(
            'script_alias_match("^/(news)$", "scripts/blog.wsgi/$1", process_group="blog"),\n',
            patterns='path("news/", page),',
        ),
        {"W021"},
        id="a pattern that ends before the slash",
    ),
    pytest.param(
        blog(settings='SESSION_COOKIE_PATH = "/weblog"'),
        {"W022"},
        id="the session cookie is for another path",
    ),
    pytest.param(
        blog(settings='CSRF_COOKIE_PATH = "/forms/"'),
        {"W022"},
        id="the CSRF cookie is for another path",
    ),
    pytest.param(
        SmallSite(
            BLOG + SHOP,
            {
                "blog": DjangoProject('SESSION_COOKIE_NAME = "sessionid"'),
                "shop": DjangoProject('SESSION_COOKIE_NAME = "sessionid"'),
            },
        ),
        {"W023"},
        id="two projects with Django's own session cookie",
    ),
    pytest.param(
        SmallSite(
            BLOG,
            {"blog": DjangoProject('CSRF_COOKIE_NAME = "csrftoken"')},
            own=DjangoProject('CSRF_COOKIE_NAME = "csrftoken"'),
        ),
        {"W024"},
        id="a project and the fallback with one CSRF cookie",
    ),
    pytest.param(
        blog(script="import nowhere\n"),
        {"E026"},
        id="a script that does not load in its place",
    ),
    pytest.param(
        blog(script=WSGI.replace("application =", "app =")),
        {"E026"},
        id="an application under another name",
    ),
    pytest.param(
        blog(script=WSGI.replace("core.wsgi", "core.asgi").replace("get_wsgi", "get_asgi")),
        {"E026"},
        id="the ASGI application of a project",
    ),
    pytest.param(
        blog(settings=BY_PATH),
        {"W054"},
        id="a middleware that resolves the whole path",
    ),
    pytest.param(
        blog(
            views="def front(request):\n    from django.http import Http404\n"
            "    if request.path != '/': raise Http404\n    return HttpResponse('front')\n",
            patterns='path("", front, name="home"), path("about/", page),',
        ),
        {"W054"},
        id="a front page that compares the whole path",
    ),
    pytest.param(
        blog(views=redirecting("'/pages/'"), patterns='path("", front), path("about/", page),'),
        {"W056"},
        id="a front page that redirects to the root of the host",
    ),
    pytest.param(
        blog(
            settings='LOGIN_URL = "/login/"',
            views="from django.contrib.auth.decorators import login_required\n"
            "front = login_required(page)\n",
            patterns='path("", front), path("about/", page),',
        ),
        {"W017"},
        id="a front page behind a login at the root of the host, which is told once",
    ),
    pytest.param(
        blog(
            views=redirecting("'https://' + request.get_host() + '/pages/'"),
            patterns='path("", front), path("about/", page),',
        ),
        {"W056"},
        id="a front page that redirects to another project of its host",
    ),
    pytest.param(
        blog(
            views=redirecting("request.path + request.path_info[1:] + 'nowhere/'"),
            patterns='path("", front), path("about/", page),',
        ),
        {"W056"},
        id="a front page that redirects to a page that there is not",
    ),
    pytest.param(
        blog(
            'script_alias_match("^/blog/.*", "scripts/blog.wsgi", process_group="blog"),\n',
        ),
        {"W050"},
        id="a pattern that takes whole URLs from a project",
    ),
    pytest.param(
        blog(
            'script_alias_match("^/(news|archive)/$", "scripts/blog.wsgi", '
            'process_group="blog"),\n',
        ),
        {"W050"},
        id="a pattern that takes two whole URLs from a project with many pages",
    ),
    pytest.param(
        blog(
            KEPT,
            patterns='path("news/", page, name="news"), path("archive/", page), '
            'path("admin/", admin.site.urls),',
        ),
        {"W057"},
        id="an admin that the alias leaves out",
    ),
    pytest.param(
        blog(settings=f'MIDDLEWARE.append("{REMOTE_USER}")'),
        {"W058"},
        id="a project that waits for Apache's REMOTE_USER",
    ),
    pytest.param(
        blog(BLOG + WEBLOG),
        {"W059"},
        id="one project below two aliases",
    ),
    pytest.param(
        blog(
            'script_alias_match("^/(?:ann|bob)(?=/|$)", "scripts/blog.wsgi", '
            'process_group="blog"),\n',
        ),
        {"W059"},
        id="one project below two prefixes of a pattern",
    ),
]

SOUND = [
    pytest.param(
        blog(
            'script_alias_match("^/(en|de)(?=/|$)", "scripts/blog.wsgi/$1", '
            'process_group="blog"),\n',
            settings='MIDDLEWARE.insert(1, "django.middleware.locale.LocaleMiddleware")\n'
            'LANGUAGES = [("en", "English"), ("de", "German")]\n'
            'LANGUAGE_COOKIE_NAME = "blog_language"\n',
            patterns='*i18n_patterns(path("", page, name="home"), path("about/", page)),',
            views="from django.conf.urls.i18n import i18n_patterns\n",
        ),
        id="languages as the first part of the path",
    ),
    pytest.param(
        blog('script_alias("/caf\\u00e9", "scripts/blog.wsgi", process_group="blog"),\n'),
        id="a prefix that is not ASCII",
    ),
    pytest.param(
        blog(
            settings='MIDDLEWARE.append("blog.middleware.FromHeader")\n'
            "import sys, types\nfrom django.utils.functional import SimpleLazyObject\n"
            "class _Middleware(types.ModuleType):\n"
            "    def __getattr__(self, name):\n"
            "        if name != 'FromHeader': raise AttributeError(name)\n"
            "        from django.contrib.auth.middleware import RemoteUserMiddleware\n"
            "        return type(name, (RemoteUserMiddleware,), {'header': 'HTTP_X_REMOTE_USER'})\n"
            "sys.modules['blog.middleware'] = _Middleware('blog.middleware')\n",
        ),
        id="a user from a header of the front",
    ),
    pytest.param(
        blog(
            settings=f'MIDDLEWARE.append("{REMOTE_USER}")',
            script=WSGI + "# environ['REMOTE_USER'] = environ.get('HTTP_X_USER', '')\n",
        ),
        id="a script that sets REMOTE_USER itself",
    ),
    pytest.param(
        SmallSite(
            BLOG,
            {"blog": DjangoProject(f'MIDDLEWARE.append("{REMOTE_USER}")')},
            more="WSGIMATCH_TRUSTED_PROXIES = ['unix']\n"
            "WSGIMATCH_TRUSTED_PROXY_VARIABLES = {'REMOTE_USER': 'X-Remote-User'}\n",
        ),
        id="a proxy that tells REMOTE_USER",
    ),
    pytest.param(
        blog(BLOG + WEBLOG, settings='STATIC_URL = "/static/"'),
        id="one project below two aliases, with files at the root",
    ),
    pytest.param(
        blog(
            (BLOG + WEBLOG).replace('"),', '", application_group="%{RESOURCE}"),'),
        ),
        id="one project below two aliases, each in an interpreter of its own",
    ),
    pytest.param(
        blog(
            views="def front(request):\n    from django.http import Http404\n    raise Http404\n",
            patterns='path("", front, name="home"), path("about/", page),',
        ),
        id="a front page that is a 404 wherever it is",
    ),
    pytest.param(
        blog(
            views="def front(request):\n    raise ValueError\n",
            patterns='path("", front, name="home"), path("about/", page),',
        ),
        id="a front page that fails here, without its database",
    ),
    pytest.param(
        blog(
            settings='LOGIN_URL = "login"\nLOGIN_REDIRECT_URL = "home"',
            views="from django.contrib.auth.decorators import login_required\n"
            "front = login_required(page)\n",
            patterns=LOGIN.replace('path("", page', 'path("", front'),
        ),
        id="a front page behind a login of its own",
    ),
    pytest.param(
        blog(
            settings="SECURE_SSL_REDIRECT = True\n"
            'SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")\n'
            'MIDDLEWARE.insert(0, "django.middleware.security.SecurityMiddleware")'
        ),
        id="a project that insists on https",
    ),
    pytest.param(
        blog(settings='ALLOWED_HOSTS = [".example.org"]'), id="a project with hosts of its own"
    ),
    pytest.param(
        SmallSite(
            "",
            {"blog": DjangoProject(patterns=NEWS_AND_ADMIN)},
            more="WSGIMATCH_VIRTUAL_HOSTS = {\n"
            f"    'www.example.org': [{KEPT.strip()}],\n"
            "    'admin.example.org': [script_alias('/', 'scripts/blog.wsgi', "
            "process_group='blog')],\n}\n",
        ),
        id="an admin on a host of its own",
    ),
    pytest.param(
        blog(
            views=redirecting("'https://login.example.org/'"),
            patterns='path("", front), path("about/", page),',
        ),
        id="a front page that redirects to another host",
    ),
    pytest.param(
        blog(
            views="from django.shortcuts import redirect\n"
            "def front(request):\n    return redirect('about')\n",
            patterns='path("", front), path("about/", page, name="about"),',
        ),
        id="a front page that redirects to a page of its own",
    ),
    pytest.param(
        blog(
            views="from django.shortcuts import redirect\n"
            "def front(request):\n    return redirect('about/?x=1')\n",
            patterns='path("", front), path("about/", page, name="about"),',
        ),
        id="a front page that redirects by a relative URL",
    ),
    pytest.param(blog(), id="a project behind a prefix"),
    pytest.param(
        SmallSite(BLOG + SHOP, {"blog": DjangoProject(), "shop": DjangoProject()}),
        id="two projects, each with cookies of its own",
    ),
    pytest.param(
        blog(KEPT, patterns='path("news/", page, name="news"), path("archive/", page),'),
        id="the path is kept, and the URLconf knows it",
    ),
    pytest.param(blog(settings='FORCE_SCRIPT_NAME = "/blog"'), id="FORCE_SCRIPT_NAME that agrees"),
    pytest.param(
        blog(settings='LOGIN_URL = "login"\nLOGIN_REDIRECT_URL = "home"', patterns=LOGIN),
        id="a login that names its view",
    ),
    pytest.param(
        blog(
            settings='LOGIN_URL = "https://login.example.org/"',
        ),
        id="a login at another site",
    ),
    pytest.param(blog(settings='STATIC_URL = "/static/"'), id="static files that the front serves"),
    pytest.param(
        blog(settings=f'{MEDIA}STATIC_URL = "/static/"\nMEDIA_URL = "/media/"'),
        id="stored files that the front serves",
    ),
    pytest.param(
        blog(settings=MEDIA, patterns=f'{SERVED} path("", page, name="home"),'),
        id="stored files that views serve",
    ),
    pytest.param(
        blog(settings=f"{MEDIA}STATIC_URL = 'https://cdn.example.org/'\nMEDIA_URL = '//x/'"),
        id="stored files at another host",
    ),
    pytest.param(
        blog(settings="MEDIA_ROOT = BASE_DIR / 'nowhere'\nMEDIA_URL = 'media/'"),
        id="a folder of uploads that is not there",
    ),
    pytest.param(
        blog(
            settings='STATIC_URL = "/blog/static/"\nWHITENOISE_STATIC_PREFIX = "/static/"\n'
            + WHITENOISE
        ),
        id="whitenoise that is told both prefixes",
    ),
    pytest.param(
        blog(settings='SESSION_COOKIE_PATH = "/blog"\nCSRF_COOKIE_PATH = "/blog/"'),
        id="cookies for the alias alone",
    ),
    pytest.param(
        SmallSite(
            BLOG + SHOP,
            {
                "blog": DjangoProject('SESSION_COOKIE_NAME = "s"\nSESSION_COOKIE_PATH = "/blog"'),
                "shop": DjangoProject('SESSION_COOKIE_NAME = "s"\nSESSION_COOKIE_PATH = "/shop"'),
            },
        ),
        id="one name, but paths apart",
    ),
    pytest.param(
        SmallSite(
            BLOG + SHOP,
            {
                "blog": DjangoProject('SESSION_COOKIE_NAME = "s"', secret="shared"),
                "shop": DjangoProject('SESSION_COOKIE_NAME = "s"', secret="shared"),
            },
        ),
        id="two projects that share their sessions on purpose",
    ),
    pytest.param(
        blog(patterns='path("admin/", admin.site.urls), path("", page, name="home"),'),
        id="the admin behind a prefix",
    ),
    pytest.param(
        SmallSite(
            'script_alias_match("^/(admin|about)", "scripts/own.wsgi/$1"),\n',
            own=DjangoProject(patterns='path("admin/", admin.site.urls), path("about/", page),'),
        ),
        id="a script of this very project",
    ),
    pytest.param(
        blog(
            patterns="",
            script="def application(environ, start_response):\n"
            "    start_response('200 OK', [])\n    return [b'']\n",
        ),
        id="an application that is not Django",
    ),
]


@pytest.mark.parametrize(("site", "ids"), mostly_thorough(FAULTS, *all_but(FAULTS, OTHER_CAUSES)))
def test_a_fault_is_found(tmp_path, site, ids):
    found = check(write_site(tmp_path / "site", site))

    assert {each["id"].rpartition(".")[2] for each in found} == ids, found


@pytest.mark.parametrize("site", mostly_thorough(SOUND, *all_but(SOUND, SOUND_TOO)))
def test_nothing_is_found_where_all_is_well(tmp_path, site):
    assert check(write_site(tmp_path / "site", site)) == []


def test_preview_asks_the_project_in_its_place_for_the_view(tmp_path):
    directory = write_site(tmp_path / "site", blog())

    done = manage_here(
        directory, "preview", "--json", "/blog/about/", "/blog/about", "/blog/nothing"
    )

    shown = [(each["view"], each["warnings"]) for each in json.loads(done.stdout)]
    assert shown == [
        ("blog.urls.page", []),
        (None, ["Django redirects to '/blog/about/' (APPEND_SLASH)."]),
        (None, []),
    ]


def test_preview_of_this_project_names_the_redirect_for_a_missing_slash(tmp_path):
    directory = write_site(tmp_path / "site", blog())

    # The URLconf of this project is a process's own.
    done = manage(directory, "preview", "--json", "/about")

    [shown] = json.loads(done.stdout)
    assert (shown["view"], shown["warnings"]) == (
        None,
        ["Django redirects to '/about/' (APPEND_SLASH)."],
    )


def test_preview_says_why_a_project_cannot_be_asked(tmp_path):
    directory = write_site(tmp_path / "site", blog(script="import nowhere\n"))

    done = manage_here(directory, "preview", "--json", "/blog/")

    [shown] = json.loads(done.stdout)
    assert shown["view"] is None
    line = f"line 1 of {directory}/scripts/blog.wsgi"
    assert shown["warnings"] == [
        f"The script does not load: ModuleNotFoundError: No module named 'nowhere' ({line})."
    ]


def project_with(tmp_path, source: str) -> Project:
    """A project of one script, in a group of its own."""
    (tmp_path / "evil.wsgi").write_text(source)
    return Project(
        GroupSpec(Place("evil", ""), GroupOptions()),
        str(tmp_path / "evil.wsgi"),
        "application",
        None,
        sys.executable,
    )


def test_a_project_that_never_loads_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(project_processes, "SECONDS", 0.5)

    told = ask_project(project_with(tmp_path, "import time\ntime.sleep(60)\n"), ())

    assert told.error == "it takes more than 0.5 s"


ANSWER = """
import os
for file in range(3, 20):
    try:
        os.write(file, {})
    except OSError:
        pass
os._exit(0)
"""


@pytest.mark.parametrize(
    ("source", "error"),
    [
        pytest.param(
            "import os\nwhile True: os.write(1, b'x' * 65536)",
            "it prints more than 16,777,216 bytes to standard error",
            id="prints without end",
        ),
        pytest.param(
            "import os\nos.write(2, b'x\\n\\x1b]0;PWN\\x07\\x1b[2J'); os._exit(1)",
            r"\x1b]0;PWN\x07\x1b[2J",
            id="ends with a line that moves the cursor",
        ),
        pytest.param(
            "raise ValueError('\\x1b[2J\\u202e\\udc80\\nERROR ' + 'x' * 10**6)",
            rf"ValueError: \x1b[2J\u202e\udc80\nERROR {'x' * 258}...",
            id="raises a text of many lines",
        ),
        pytest.param(
            ANSWER.format(r"""b'{"error": "\\u001b[2J"}'"""),
            r"\x1b[2J",
            id="writes the answer itself",
        ),
        pytest.param(ANSWER.format("b'[' * 100_000"), NO_ANSWER, id="answers lists in lists"),
        pytest.param(
            ANSWER.format("b'x' * 10**8"),
            "it prints more than 262,144 bytes to standard output",
            id="answers without end",
        ),
        pytest.param("import os\nos.kill(0, 9)", "it ended with status -9", id="ends its group"),
    ],
)
def test_a_hostile_project_tells_nothing(tmp_path, source, error):
    assert ask_project(project_with(tmp_path, source), ()).error == error


def test_no_script_moves_the_cursor_of_check_and_preview(tmp_path):
    evil = "raise ValueError('\\x1b]0;PWN\\x07\\x1b[2J\\nERROR fake')\n"
    directory = write_site(tmp_path / "site", blog(script=evil))

    printed = [
        manage_here(directory, *words).stdout
        for words in (["check"], ["check", "--json"], ["preview", "/blog/"], ["list"])
    ]

    assert r"ValueError: \x1b]0;PWN\x07\x1b[2J\nERROR fake" in printed[0]
    assert r"ValueError: \x1b]0;PWN\x07\x1b[2J\nERROR fake" in printed[2]
    assert all(text.replace("\n", "").isprintable() for text in printed)


def test_what_a_project_prints_is_no_answer(tmp_path):
    directory = write_site(
        tmp_path / "site", blog(script="print('hello')\nimport os; os.write(1, b'no')\n" + WSGI)
    )

    assert check(directory) == []


WAITING = Told(is_django=True, settings_module="blog.settings", needs_remote_user=True)
OTHER = Told(is_django=True, settings_module="shop.settings", needs_remote_user=True)


@pytest.fixture
def where(tmp_path):
    """The places that are named for what projects have told; a script's source is given."""

    def where_is(told, sources):
        entry = script_alias("/x", "x.wsgi")
        table = AliasTable([to_alias(entry, process_groups=(), variables={})])
        for name, source in sources.items():
            (tmp_path / name).write_text(source)
        keys = {name: Key("blog", "", str(tmp_path / name)) for name in sources}
        subjects = {key: Subject(name, entry, table, 0) for name, key in keys.items()}
        all_told = {keys.get(name, FALLBACK): each for name, each in told.items()}
        return [finding.where for finding in remote_user_findings(all_told, subjects)]

    return where_is


def test_a_project_is_told_once(where):
    assert where({"a": WAITING, "b": WAITING, "": WAITING}, {"a": "", "b": ""}) == ["a"]


def test_each_project_is_told(where):
    assert where({"a": WAITING, "b": OTHER}, {"a": "", "b": ""}) == ["a", "b"]


def test_the_server_s_own_project_has_a_setting_for_its_place(where):
    assert where({"": WAITING}, {}) == ["MIDDLEWARE"]


def test_a_script_that_sets_it_is_left_in_peace(where):
    assert where({"a": WAITING}, {"a": "environ['REMOTE_USER'] = 'ann'"}) == []


def test_a_project_with_users_of_its_own(where):
    assert where({"a": Told(is_django=True)}, {"a": ""}) == []
