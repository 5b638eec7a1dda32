"""What becomes of the options that no setting has a name for: nothing, or work for the user."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from ..apache.outcomes.outcome import Category
from .logic import ENDS, is_logic


@dataclass(frozen=True, slots=True)
class UwsgiAnswer:
    """The category and the note of options whose names fit one of the patterns."""

    names: str
    category: Category
    note: str


_SERVER = "the server that runs the settings has its own"
_FRONT = "nothing here answers with it: the server in front can"
_OTHER_WORK = (
    "it runs something beside the applications: a systemd unit or a cron job of its own does that"
)
_API = "the module `uwsgi` is there under uWSGI alone: applications that use it need another way"
_FILES = "files are answered here as Apache does"

# The first that fits counts.
UWSGI_ANSWERS = (
    UwsgiAnswer("https* *ssl* sni* http-to-https", "needs you", f"TLS: {_FRONT}"),
    UwsgiAnswer(
        "socket http http-* http11-socket *-socket socket-* uwsgi-* chmod-* chown-* abstract* "
        "listen-* shared-* fast* reuse-port so-* tcp-* freebind map-socket no-defer-accept "
        "enable-proxy-protocol protocol puwsgi-socket",
        "not needed",
        f"the address: {_SERVER}, say it there",
    ),
    UwsgiAnswer(
        "master* vacuum die-on-term need-app no-orphans lazy lazy-apps pidfile* "
        "safe-pidfile* daemonize* strict thunder-lock* buffer-size max-fd post-buffering* "
        "enable-threads *procname* single-interpreter memory-report close-on-exec* offload-* "
        "reload-mercy exit-on-reload ignore-* write-errors-* disable-write-* "
        "log* *-log *-logger logger* req-* threaded-logger disable-logging stats* carbon* "
        "metric* enable-metrics plugins-dir plugin-dir need-plugins autoload binary-path honour-* "
        "py-autoreload py-auto-reload* python-autoreload* touch-logre* touch-logrotate wsgi-* "
        "no-threads-wait cpu-affinity harakiri-* no-default-app manage-script-name callable "
        "emperor-* vassals-* vassal-* auto-procname show-config backlog-* alarm* max-vars "
        "worker-reload-mercy mule-reload-mercy py-call-osafterfork py-tracebacker version "
        "max-requests-delta max-worker-lifetime-delta min-worker-lifetime thunder-* "
        "chdir2 static-safe static-cache-paths* file-serve-mode mime* no-site no-initgroups "
        "catch-exceptions heartbeat fs-reload fs-brutal-reload notify-* snmp* "
        "pcre-jit never-swap ksm force-cwd print subscription-* subscribe-freq locks ftok "
        "set set-ph set-placeholder master-fifo chunked-input-*",
        "not needed",
        _SERVER,
    ),
    UwsgiAnswer(
        "attach-daemon* smart-attach-* *-attach-daemon* cron* *-cron unique-cron* timer* spooler* "
        "mule mules farm* exec-* worker-exec* hook-*",
        "needs you",
        _OTHER_WORK,
    ),
    UwsgiAnswer(
        "cache* *-cache-item queue* sharedarea rpc-max signal* snmp-* legion* websockets-* "
        "websocket-*",
        "needs you",
        _API,
    ),
    UwsgiAnswer(
        "gevent* async ugreen greenlet loop asyncio* tornado* coroae*",
        "needs you",
        "applications run in threads here: `threads` of the process group says in how many. What "
        "counts on thousands of waiting requests needs more of them, or an ASGI server",
    ),
    UwsgiAnswer(
        "static-expires* static-gzip* static-index static-skip-ext static-map2 check-static*",
        "needs you",
        f"{_FILES}: write alias() entries, and the rest of it into the server in front",
    ),
    UwsgiAnswer(
        "error-page-*",
        "needs you",
        "write the text of the file into WSGIMATCH_ERROR_PAGES, or the URL-path that an alias() "
        "gives it",
    ),
    UwsgiAnswer(
        "add-header rem-header del-header *collect-header pull-header",
        "needs you",
        f"a header for every answer: {_FRONT}, and so can a middleware of the application",
    ),
    UwsgiAnswer(
        "cheaper*",
        "changed",
        "a process group has a fixed number of processes: all that `processes` says",
    ),
    UwsgiAnswer(
        "cheap idle die-on-idle",
        "needs you",
        "`inactivity_timeout` of the process group, in seconds, ends it until the next request",
    ),
    UwsgiAnswer(
        "reload-on-* evil-reload-on-*",
        "needs you",
        "a limit of memory: `memory_limit` of the process group, in bytes, is the nearest",
    ),
    UwsgiAnswer(
        "else",
        "needs you",
        "uWSGI 2.0 does not know it, so what follows belongs to the condition before it as well",
    ),
    UwsgiAnswer("limit-post", "needs you", f"the longest body: {_FRONT}"),
    UwsgiAnswer(
        "paste ini-paste* pecan eval web3 pump wsgi-lite worker-override python-raw",
        "needs you",
        "it makes an application of something else than a module or a file: write a file that "
        "does, with the name `application`, and an entry for it",
    ),
    UwsgiAnswer(
        "vhost* dynamic-apps",
        "needs you",
        "it picks the application by what the server in front says: write a virtual host or an "
        "entry for each in WSGIMATCH_VIRTUAL_HOSTS or WSGIMATCH_ALIASES",
    ),
    UwsgiAnswer(
        "fastrouter* *router* zerg* corerouter*",
        "needs you",
        "requests go from one uWSGI to others: the entries of this table send them to process "
        "groups",
    ),
    UwsgiAnswer(
        "import *import py-import shared-* pymodule-alias post-pymodule-alias",
        "needs you",
        "a module that is imported beside the application: let the application import it, or say "
        "`preload` of the process group",
    ),
    UwsgiAnswer(
        "envdir* unenv chroot pivot-root cgroup* unshare* cap jail* setns* mount-* umount-* ns-* "
        "limit-nproc",
        "needs you",
        "no process group has it: say it in the systemd unit of the server, or of the group "
        "(`serve --process-group`)",
    ),
)


@lru_cache(maxsize=4096)
def answer_of(key: str) -> UwsgiAnswer | None:
    """Return what becomes of an option by its name, None where the import does not know it."""
    if key in ENDS or is_logic(key):
        return UwsgiAnswer(key, "not needed", "the import has followed it")
    for each in UWSGI_ANSWERS:
        if any(fnmatchcase(key, pattern) for pattern in each.names.split()):
            return each
    return None
