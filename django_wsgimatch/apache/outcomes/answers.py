"""
What becomes of Apache's directives: ``ANSWERS`` is the one table of them.

A directive that has a part of its own in the import, such as WSGIScriptAlias, stands here too, with
what the reference page says of it; ``is_read`` tells those apart. A name that ends in ``*`` stands
for all directives that begin so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..lines.directive import Directive, Spot
from ..lines.words import split_words
from .outcome import Category, Outcome, outcome


@dataclass(frozen=True, slots=True)
class DirectiveAnswer:
    """
    What becomes of a directive.

    ``harmless`` are arguments, lower case and one blank between them, with which it says nothing.
    """

    category: Category
    note: str
    is_read: bool = False
    harmless: tuple[str, ...] = ()


_STATIC = "Serve the files with whitenoise, or with the server in front"
_REDIRECT = "Let the server in front redirect, or a view, or SECURE_SSL_REDIRECT: no alias does"
_REWRITE = (
    "Rules may change the URL before the aliases see it, or answer it: put them into the server "
    "in front"
)
_ACCESS = "It keeps people out: put the rule into the server in front, or into a view"
_RULE = "What it keeps people out of answers 403 until you decide, with --open it is open to all"
_PEERS = (
    "No REMOTE_ADDR, host or port is taken from headers: gunicorn's --forwarded-allow-ips sets "
    "the scheme alone, and REMOTE_ADDR is the server in front, empty behind a unix socket. Let a "
    "middleware read what that server passes on"
)
_OVERRIDES = "The .htaccess files on the way to a script are read; look for those that are not here"
_TYPES = "It changes the headers of applications, too: set them in the server in front"
_LOGIN = (
    "The server in front must ask for the password, or Django must: REMOTE_USER does not come by "
    "itself"
)
_TLS = "The server in front has the certificates; SECURE_PROXY_SSL_HEADER tells Django of it"
_HEADERS = "Set it in the server in front, or in a middleware"
_VARIABLE = (
    "It reaches the application's environ in Apache. Give the process group an environment, which "
    "reaches os.environ, or set it in the script"
)
_PROXY = "The server in front passes these URLs on; it must do so before the aliases"
_HANDLER = (
    "It decides who answers in its section: let the server in front answer what is no WSGI script"
)
_FILTER = "The server in front changes bodies on their way, or a middleware does"
_LIMIT = "Set the limit in the server in front; gunicorn and Django have limits of their own"
_FILES = "Holds for files that Apache itself serves"
_LOG = "Logs are a matter of gunicorn: --access-logfile, --error-logfile and --log-level"
_SERVER = "A matter of the server: gunicorn has --bind, --workers, --threads, --user and --timeout"
_CONNECTION = "A matter of connections: the server in front, or gunicorn, has its own"
_PYTHON = "An option of the Python that runs the server: PYTHONOPTIMIZE and its like"
_RESTRICTION = "There is no such restriction here"
_SCRIPT = "No counterpart: do it in a middleware, or in the server in front"

_OPTION = "An option of the entries whose scripts or locations lie in its scope"

_READ: Mapping[str, tuple[Category, str]] = {
    "WSGIScriptAlias": ("kept", "An entry of WSGIMATCH_ALIASES, or of WSGIMATCH_VIRTUAL_HOSTS"),
    "WSGIScriptAliasMatch": ("kept", "An entry, as above"),
    "WSGIDaemonProcess": ("kept", "A process group in WSGIMATCH_PROCESS_GROUPS"),
    "WSGIProcessGroup": ("kept", f"{_OPTION}: process_group"),
    "WSGIApplicationGroup": ("kept", f"{_OPTION}: application_group"),
    "WSGICallableObject": ("kept", f"{_OPTION}: callable_object"),
    "WSGIPassAuthorization": ("kept", f"{_OPTION}: pass_authorization"),
    "WSGIScriptReloading": ("kept", "WSGIMATCH_SCRIPT_RELOADING, where all entries agree"),
    "WSGIChunkedRequest": ("kept", "WSGIMATCH_CHUNKED_REQUEST, where all entries agree"),
    "WSGIImportScript": (
        "changed",
        "The entry of that script names both its groups: so it is loaded ahead",
    ),
    "WSGIPythonHome": ("changed", "The python_home of groups that have none of their own"),
    "WSGIPythonPath": (
        "needs you",
        "Set PYTHONPATH for the server, where an entry runs in no process group",
    ),
    "User": ("changed", "`serve --user`: root must name whom the applications run as"),
    "Group": ("changed", "`serve --group`, beside `--user`"),
    "WSGIRestrictEmbedded": (
        "not needed",
        "Says nothing where every entry has a process group; else it needs you",
    ),
    "AllowEncodedSlashes": ("kept", "WSGIMATCH_ALLOW_ENCODED_SLASHES, where all hosts agree"),
    "MergeSlashes": ("kept", "WSGIMATCH_MERGE_SLASHES, where all hosts agree"),
    "AcceptPathInfo": ("needs you", "Off has no counterpart; On and Default are as here"),
    "Options": (
        "kept",
        "WSGIMATCH_FOLLOW_SYMLINKS, where the same holds from the root on",
    ),
    "ServerName": ("kept", "The host in WSGIMATCH_VIRTUAL_HOSTS, or WSGIMATCH_SERVER_NAME"),
    "ServerAlias": ("kept", "Another host with the same entries"),
}

_NEEDS_YOU: Mapping[str, str] = {
    "Alias AliasMatch": _STATIC,
    "ScriptAlias ScriptAliasMatch Action Script": "CGI stays with Apache, or another server",
    "Redirect RedirectMatch RedirectPermanent RedirectTemp": _REDIRECT,
    "Rewrite*": _REWRITE,
    "Auth* Anonymous* Krb* Gssapi* Mellon* Shib* OIDC* CAS* LDAP* Session*": _LOGIN,
    "InterceptForm* LookupUser*": _LOGIN,
    "SSL* GnuTLS* NSS* MD*": _TLS,
    "SSLRequireSSL NSSRequireSSL": "Plain HTTP is refused there: let the server in front redirect",
    "AllowMethods AuthMerging WSGIAccessScript": _RULE,
    "GridSite*": _ACCESS,
    "Header RequestHeader": _HEADERS,
    "SetEnv* PassEnv UnsetEnv BrowserMatch*": _VARIABLE,
    "Proxy* NoProxy Balancer*": _PROXY,
    "SetHandler AddHandler RemoveHandler": _HANDLER,
    "SetOutputFilter SetInputFilter AddOutputFilter AddInputFilter Filter* Substitute": _FILTER,
    "ExpiresDefault ExpiresByType": _TYPES,
    "UserDir": _STATIC,
    "ErrorDocument": "There are small pages of our own; 404 and 500 of Django are its templates",
    "LimitRequestBody LimitRequestFields LimitRequestFieldSize LimitRequestLine LimitXML*": _LIMIT,
    "QS_* Sec* DOS* Evasive* GeoIP* Lua* XSendFile* Cache* Dav* Ext*": _SCRIPT,
    "FallbackResource": _REWRITE,
    "UseCanonicalName UseCanonicalPhysicalPort": (
        "Group names take the port of the Host header; name the groups if that matters"
    ),
    "CGIPassAuth": _VARIABLE,
    "WSGIAuthUserScript WSGIAuthGroupScript WSGIGroupAuthoritative": _LOGIN,
    "WSGIDispatchScript WSGIHandlerScript": _SCRIPT,
    "WSGIRestrictProcess": "Say process_group where a variable chooses the group",
    "WSGITrustedProxyHeaders WSGITrustedProxies RemoteIP*": _PEERS,
    "WSGIErrorOverride": "There is no ErrorDocument here that could take an answer's place",
    "WSGIMapHEADToGET": "HEAD reaches the application as HEAD",
    "WSGICaseSensitivity": "Paths are compared byte by byte",
    "Suexec* AssignUserID MPMITK*": "Give the process group a user",
}

_HARMLESS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "Require": (("all granted",), _RULE),
    "Allow": (("from all",), _RULE),
    "Deny": ((), _RULE),
    "Order": ((), _RULE),
    "Satisfy": (("all",), _RULE),
    "AddDefaultCharset": (("off",), _TYPES),
    "ExpiresActive": (("off",), _TYPES),
    "SSLEngine": (("off",), _TLS),
    "RewriteEngine": (("off",), _REWRITE),
    "AllowOverride": (("none",), _OVERRIDES),
    "AllowOverrideList": (("none",), _OVERRIDES),
    "UseCanonicalName": (
        ("off",),
        "Group names take the port of the Host header; name the groups if that matters",
    ),
    "ProxyRequests": (("off",), _PROXY),
    "WSGIMapHEADToGET": (("off",), "HEAD reaches the application as HEAD"),
    "WSGICaseSensitivity": (("on",), "Paths are compared byte by byte"),
    "WSGIErrorOverride": (("off",), "There is no ErrorDocument here to take an answer's place"),
}

_NOT_NEEDED: Mapping[str, str] = {
    "ServerPath": "For browsers that send no Host header",
    "Listen ListenBacklog Port BindAddress PidFile ServerRoot DefaultRuntimeDir "
    "ServerLimit StartServers MinSpare* MaxSpare* MaxClients MaxRequests* MaxConnections* "
    "MaxRequestWorkers ThreadsPerChild ThreadLimit ThreadStackSize MaxMem* GracefulShutdown* "
    "CoreDumpDirectory ScoreBoardFile Mutex AcceptMutex LockFile AsyncRequestWorkerFactor "
    "NameVirtualHost": _SERVER,
    "LoadModule LoadFile ClearModuleList AddModule": "There are no modules to load",
    "ErrorLog ErrorLogFormat CustomLog GlobalLog LogFormat LogLevel TransferLog CookieLog "
    "ForensicLog BufferedLogs LogIOTrackTTFB HostnameLookups": _LOG,
    "Timeout KeepAlive KeepAliveTimeout MaxKeepAliveRequests RequestReadTimeout AcceptFilter "
    "Protocols* Protocol H2* TraceEnable HttpProtocolOptions EnableSendfile EnableMMAP "
    "SendBufferSize ReceiveBufferSize": _CONNECTION,
    "ServerAdmin ServerSignature ServerTokens": "Stood on Apache's own pages",
    "DocumentRoot": "Needs you where no alias takes /: then its files answer 404 here",
    "DirectoryIndex DirectorySlash DirectoryCheckHandler AccessFileName FileETag "
    "AddType AddCharset AddEncoding AddLanguage AddDescription AddIcon* "
    "AddAlt* DefaultType DefaultIcon DefaultLanguage ForceType RemoveType RemoveEncoding "
    "TypesConfig MIMEMagicFile IndexOptions IndexIgnore* IndexOrderDefault IndexStyleSheet "
    "IndexHeadInsert HeaderName ReadmeName ContentDigest LanguagePriority ForceLanguagePriority "
    "MultiviewsMatch ModMimeUsePathInfo ImapMenu ImapBase ImapDefault "
    "CheckSpelling CheckCaseOnly CacheNegotiatedDocs": _FILES,
    "AddOutputFilterByType Deflate* Brotli*": (
        "Responses are not compressed here: the server in front may, or GZipMiddleware"
    ),
    "ExtendedStatus StatusOptions": "`manage.py wsgimatch status` shows the groups",
    "Define UnDefine Include IncludeOptional Use UndefMacro MacroIgnoreEmptyArgs "
    "MacroIgnoreBadNesting Error Warning": "Has been followed",
    "WSGISocketPrefix WSGISocketRotation WSGIAcceptMutex": (
        "The groups' sockets get a folder of their own; WSGIMATCH_SOCKET_DIRECTORY names another"
    ),
    "WSGIPythonOptimize WSGIPythonWarnings WSGIPythonHashSeed WSGIDontWriteBytecode "
    "WSGISwitchInterval WSGIPythonEggs WSGIFreeThreading": _PYTHON,
    "WSGIRestrictStdin WSGIRestrictStdout WSGIRestrictSignal": _RESTRICTION,
    "WSGILazyInitialization WSGIDestroyInterpreter WSGIPerInterpreterGIL WSGIVerboseDebugging "
    "WSGIEnableSendfile WSGIPassApacheRequest WSGIIgnoreActivity WSGIServerMetrics "
    "WSGITelemetry* WSGISlowRequests": "A matter of mod_wsgi's own insides",
}


# What is said of a directive that has a part of its own in the import, and had none here.
_NO_ALIAS = "It holds for no alias of this file"
_NO_HOST = "No request reaches it: no host is answered by the virtual host that it stands in"
_IDLE: Mapping[str, str] = {
    "wsgiscriptalias": _NO_HOST,
    "wsgiscriptaliasmatch": _NO_HOST,
    "servername": "The names of groups do not show it, and no alias of this file is told by it",
    "user": "Root does not run applications here: start the server with `serve --user`",
    "group": "Root does not run applications here: start the server with `serve --user`",
    "options": "It keeps no symbolic link from being followed on the way to a script",
    "acceptpathinfo": "Text behind the script reaches it here, too",
    "wsgipythonhome": "No entry runs in the server's own process",
    "wsgipythonpath": "No entry runs in the server's own process",
    "wsgirestrictembedded": "No entry runs in the server's own process",
}


def _table() -> dict[str, DirectiveAnswer]:
    table = {
        name: DirectiveAnswer(category, note, is_read=True)
        for name, (category, note) in _READ.items()
    }
    for names, note in _NEEDS_YOU.items():
        table |= {name: DirectiveAnswer("needs you", note) for name in names.split()}
    for names, note in _NOT_NEEDED.items():
        table |= {name: DirectiveAnswer("not needed", note) for name in names.split()}
    for name, (arguments, note) in _HARMLESS.items():
        table[name] = DirectiveAnswer("needs you", note, harmless=arguments)
    return table


ANSWERS = _table()
_BY_NAME = {name.lower(): answer for name, answer in ANSWERS.items()}
_BY_START = tuple((name[:-1], answer) for name, answer in _BY_NAME.items() if name.endswith("*"))
_UNKNOWN = DirectiveAnswer("unknown", "")


def answer_for(name: str) -> DirectiveAnswer:
    """Return the answer to a directive's name, whatever its case."""
    name = name.lower()
    if name in _BY_NAME:
        return _BY_NAME[name]
    found = (answer for start, answer in _BY_START if name.startswith(start))
    return next(found, _UNKNOWN)


def _is_internal(directive: Directive) -> bool:
    """Whether a directive only sets variables that Apache reads, and applications do not."""
    words = split_words(directive.rest)
    name = directive.name.lower()
    if name in ("setenv", "unsetenv", "passenv"):
        names = words[:1] if name == "setenv" else words
    else:
        names = words[1 if name.startswith("browsermatch") else 2 :]
    found = [each.removeprefix("!").partition("=")[0].lower() for each in names]
    return bool(found) and all(each in _INTERNAL or each.startswith("proxy-") for each in found)


# As Apache's manual lists them, and the usual name for what is not to be logged.
_INTERNAL = frozenset(
    [
        *("no-gzip", "no-brotli", "gzip-only-text/html", "dont-vary", "force-no-vary"),
        *("nokeepalive", "downgrade-1.0", "force-response-1.0", "force-gzip", "no-cache"),
        *("redirect-carefully", "suppress-error-charset", "ssl-unclean-shutdown", "dontlog"),
        *("apache_run_user", "apache_run_group", "apache_log_dir", "apache_pid_file"),
        *("apache_lock_dir", "apache_run_dir"),
    ]
)


def is_known(name: str) -> bool:
    """Whether a name is a directive's, not one that only begins like some."""
    return name.lower() in _BY_NAME


def answered(directive: Directive, refused: Spot | None = None) -> Outcome:
    """
    Return the outcome of a directive that no part of the import has made anything of.

    ``refused`` is the line that kept the import from looking at any.
    """
    if directive.is_off:
        return outcome(directive, "off", directive.because)
    answer = answer_for(directive.name)
    if answer.is_read and refused is not None:
        return outcome(directive, "not needed", f"Not looked at, since {refused} is refused")
    words = " ".join(split_words(directive.rest)).lower()
    if answer.note == _VARIABLE and _is_internal(directive):
        return outcome(directive, "not needed", "Apache itself reads these variables")
    if answer.is_read:
        return outcome(directive, "not needed", _IDLE.get(directive.name.lower(), _NO_ALIAS))
    if words in answer.harmless:
        return outcome(directive, "not needed", "As it is without it")
    if answer is _UNKNOWN:
        return outcome(directive, "unknown", "Look whether its module answers requests")
    return outcome(directive, answer.category, answer.note)
