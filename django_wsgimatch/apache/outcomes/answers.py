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
from ..lines.set_by_request import BY_REQUEST, bare_variable, variables_set_by
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


def passed(name: str) -> str:
    """Return what is said of a variable that Apache takes from its own environment."""
    return (
        "Apache takes its value from its own environment, or what SetEnv or UnsetEnv says if it is "
        "not there. Write it into the entries: "
        f'environ={{"{name}": os.environ["{name}"]}}'
    )


_STATIC = "Serve the files with whitenoise, or with the server in front"
_REWRITE = (
    "Rules may change the URL before it reaches the aliases, or answer it: move them to the "
    "server in front"
)
_ACCESS = "It controls access: move the rule to the server in front, or into a view"
_RULE = (
    "It controls access: a section of WSGIMATCH_ACCESS. What no section can say answers 403 until "
    "you decide; with --open it is open to everybody"
)
_PEERS = (
    "Write WSGIMATCH_TRUSTED_PROXIES and WSGIMATCH_TRUSTED_PROXY_HEADERS: who connects to the "
    "server now, which may be another proxy than before, and the headers that it sets. gunicorn's "
    "--forwarded-allow-ips sets only the scheme"
)
_OVERRIDES = "The .htaccess files on the way to a script are read; look for those that are not here"
_LOGIN = (
    "WSGIMATCH_ACCESS has logins of the kind Basic, with files of users and groups: let the server "
    "in front or Django ask for others"
)
_TLS = "Set up TLS in the server in front, and SECURE_PROXY_SSL_HEADER in Django"
_HEADERS = "Set it in the server in front, or in a middleware"
_VARIABLE = (
    "In Apache it sets a variable in the application's environ, for some requests only. Set it in "
    "a middleware, or in the script"
)
_PROXY = "Let the server in front pass these URLs on, before requests reach the aliases"
_HANDLER = (
    "It sets what answers in its section: let the server in front answer all that is not a "
    "WSGI script"
)
_FILTER = "Change bodies in the server in front, or in a middleware"
_COMPRESSION = "Responses are not compressed here: the server in front may, or GZipMiddleware"
_LIMIT = "Set the limit in the server in front; gunicorn and Django have limits of their own"
_FILES = "It applies to files that Apache itself serves"
_LOG = "Set logs in gunicorn: --access-logfile, --error-logfile and --log-level"
_SERVER = "Set it in the server: gunicorn has --bind, --workers, --threads, --user and --timeout"
_CONNECTION = "Set it for connections of the server in front, or of gunicorn"
_PYTHON = "An option of the Python that runs the server: PYTHONOPTIMIZE and its like"
_RESTRICTION = "There is no such restriction here"
_SCRIPT = "No counterpart: do it in a middleware, or in the server in front"

_OVERRIDE = "Pages of errors never replace what an application answers"

_FILE_ENTRY = "An entry; what Apache denies of its folder, or runs in it, answers 403"
_REDIRECT = "An entry; needs you in a section, unless that is a <Location>, and at another address"
_RULES = (
    "An entry where the rule redirects, refuses, or sends a file, and its conditions test the URL "
    "or the scheme; the others need you"
)
_OPTION = "An option of the entries whose scripts or locations are in its scope"

_ENVIRON = "The option environ of the entries whose scripts are in its scope"
_CHANGES = (
    "The option headers of the entries in its scope, where the value is fixed: without %{...}, a "
    "condition, or edit"
)

_PROXY_HEADERS = (
    "WSGIMATCH_TRUSTED_PROXY_HEADERS, where all entries agree; it needs you where no line names "
    "proxies, as mod_wsgi then believes everybody"
)
_ONE_CLIENT = (
    "WSGIMATCH_TRUSTED_PROXIES and WSGIMATCH_TRUSTED_PROXY_HEADERS, for a header with one client's "
    "address, and addresses or networks; what else mod_remoteip does needs you"
)

_READ: Mapping[str, tuple[Category, str]] = {
    "WSGIScriptAlias": ("kept", "An entry of WSGIMATCH_ALIASES, or of WSGIMATCH_VIRTUAL_HOSTS"),
    "WSGIScriptAliasMatch": ("kept", "An entry, as above"),
    "WSGIDaemonProcess": ("kept", "A process group in WSGIMATCH_PROCESS_GROUPS"),
    "WSGIProcessGroup": ("kept", f"{_OPTION}: process_group"),
    "WSGIApplicationGroup": ("kept", f"{_OPTION}: application_group"),
    "WSGICallableObject": ("kept", f"{_OPTION}: callable_object"),
    "WSGIPassAuthorization": ("kept", f"{_OPTION}: pass_authorization"),
    "Alias": ("kept", _FILE_ENTRY),
    "AliasMatch": ("kept", _FILE_ENTRY),
    "DocumentRoot": ("kept", "The last entry, if no other one takes all URLs"),
    "Redirect": ("kept", _REDIRECT),
    "RedirectMatch": ("kept", _REDIRECT),
    "RedirectPermanent": ("kept", _REDIRECT),
    "RedirectTemp": ("kept", _REDIRECT),
    "RewriteRule": ("kept", _RULES),
    "RewriteCond": ("kept", _RULES),
    "RewriteEngine": ("not needed", "Each rule has a line of its own here"),
    "RewriteOptions": ("not needed", "The rules are read with it"),
    "DirectoryIndex": ("kept", "The option index of entries whose files answer"),
    "SetEnv": ("kept", _ENVIRON),
    "UnsetEnv": ("kept", _ENVIRON),
    "PassEnv": ("changed", "The option environ, from the environment that the settings see"),
    "Header": ("kept", _CHANGES),
    "AddDefaultCharset": ("kept", f"{_OPTION}: charset"),
    "ExpiresActive": ("kept", "The options expires and expires_by_type, together with their lines"),
    "ExpiresDefault": ("kept", "The option expires, where ExpiresActive is on"),
    "ExpiresByType": ("kept", "The option expires_by_type, where ExpiresActive is on"),
    "ErrorDocument": (
        "kept",
        "WSGIMATCH_ERROR_PAGES, for all hosts or some; needs you in a section for some URLs",
    ),
    "LimitRequestBody": ("kept", f"{_OPTION}: body_limit"),
    "WSGITrustedProxies": (
        "kept",
        "WSGIMATCH_TRUSTED_PROXIES, where all entries agree",
    ),
    "WSGITrustedProxyHeaders": ("kept", _PROXY_HEADERS),
    "RemoteIPHeader": ("changed", _ONE_CLIENT),
    "RemoteIPInternalProxy": ("changed", _ONE_CLIENT),
    "WSGIScriptReloading": ("kept", "WSGIMATCH_SCRIPT_RELOADING, where all entries agree"),
    "WSGIChunkedRequest": ("kept", "WSGIMATCH_CHUNKED_REQUEST, where all entries agree"),
    "WSGIImportScript": (
        "changed",
        "The entry of that script names both groups, so the script is loaded at the start",
    ),
    "WSGIPythonHome": ("changed", "The python_home of groups that do not set one"),
    "WSGIPythonPath": ("changed", "`serve --pythonpath`, if an entry runs in no process group"),
    "User": (
        "changed",
        "`serve --user`: a server started by root needs the user that applications run as",
    ),
    "Group": ("changed", "`serve --group`, beside `--user`"),
    "WSGIRestrictEmbedded": (
        "not needed",
        "No effect if every entry has a process group; otherwise it needs you",
    ),
    "AllowEncodedSlashes": ("kept", "WSGIMATCH_ALLOW_ENCODED_SLASHES, where all hosts agree"),
    "MergeSlashes": ("kept", "WSGIMATCH_MERGE_SLASHES, where all hosts agree"),
    "DirectorySlash": ("kept", "WSGIMATCH_DIRECTORY_SLASH, where all entries agree"),
    "AcceptPathInfo": ("needs you", "Off has no counterpart; On and Default are how it works here"),
    "Options": (
        "kept",
        "WSGIMATCH_FOLLOW_SYMLINKS, if the same applies from the root directory down",
    ),
    "ServerName": ("kept", "The host in WSGIMATCH_VIRTUAL_HOSTS, or WSGIMATCH_SERVER_NAME"),
    "ServerAlias": ("kept", "Another host with the same entries"),
}

# What becomes of them stands in the server's command, at the top of the settings.
_OF_SERVERS: Mapping[str, tuple[Category, str]] = {
    "Listen": ("changed", "`serve --bind`, where the entries are those of its address"),
    "SSLEngine GnuTLSEnable": ("changed", "A server of its own for the addresses with TLS"),
    "SSLCertificateFile GnuTLSCertificateFile GnuTLSX509CertificateFile": (
        "changed",
        "`serve --certfile`; a second one for the same address needs you",
    ),
    "SSLCertificateKeyFile GnuTLSKeyFile GnuTLSX509KeyFile": ("changed", "`serve --keyfile`"),
    "SSLCertificateChainFile": ("changed", "`serve --ca-certs`"),
    "SSLCipherSuite": ("changed", "`serve --ciphers`; those of TLS 1.3 need you"),
    "GnuTLSPriorities": ("changed", "Python's choice; what NORMAL or PFS does not begin needs you"),
    "SSLProtocol": (
        "changed",
        "The server speaks TLS 1.2 and 1.3; a line without one of them needs you",
    ),
    "SSLHonorCipherOrder": ("changed", "The server chooses the cipher"),
    "LimitRequestLine LimitRequestFields LimitRequestFieldSize": (
        "changed",
        "Options of gunicorn's with the same names; hosts that differ need you",
    ),
}

_NEEDS_YOU: Mapping[str, str] = {
    "ScriptAlias ScriptAliasMatch Action Script": "CGI stays with Apache, or another server",
    "RewriteMap RewriteBase RewriteLog*": _REWRITE,
    "Auth* Anonymous* Krb* Gssapi* Mellon* Shib* OIDC* CAS* LDAP* Session*": _LOGIN,
    "InterceptForm* LookupUser*": _LOGIN,
    "SSL* GnuTLS* NSS* MD*": _TLS,
    "SSLRequireSSL NSSRequireSSL": "Plain HTTP is refused there: let the server in front redirect",
    "AllowMethods AuthMerging WSGIAccessScript": _RULE,
    "GridSite*": _ACCESS,
    "RequestHeader": _HEADERS,
    "SetEnvIf* BrowserMatch*": _VARIABLE,
    "Proxy* NoProxy Balancer*": _PROXY,
    "SetHandler AddHandler RemoveHandler": _HANDLER,
    "SetOutputFilter SetInputFilter AddOutputFilter AddInputFilter Filter* Substitute": _FILTER,
    "AddOutputFilterByType": _FILTER,
    "UserDir": _STATIC,
    "LimitXML*": _LIMIT,
    "QS_* Sec* DOS* Evasive* GeoIP* Lua* XSendFile* Cache* Dav* Ext*": _SCRIPT,
    "FallbackResource": _REWRITE,
    "UseCanonicalName UseCanonicalPhysicalPort": (
        "Group names take the port of the Host header; name the groups if that matters"
    ),
    "CGIPassAuth": _VARIABLE,
    "WSGIAuthUserScript WSGIAuthGroupScript WSGIGroupAuthoritative": _LOGIN,
    "WSGIDispatchScript WSGIHandlerScript": _SCRIPT,
    "WSGIRestrictProcess": "Set process_group where a variable chooses the group",
    "RemoteIP*": _PEERS,
    "WSGIErrorOverride": _OVERRIDE,
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
    "AllowOverride": (("none",), _OVERRIDES),
    "AllowOverrideList": (("none",), _OVERRIDES),
    "UseCanonicalName": (
        ("off",),
        "Group names take the port of the Host header; name the groups if that matters",
    ),
    "ProxyRequests": (("off",), _PROXY),
    "WSGIMapHEADToGET": (("off",), "HEAD reaches the application as HEAD"),
    "WSGICaseSensitivity": (("on",), "Paths are compared byte by byte"),
    "WSGIErrorOverride": (("off",), _OVERRIDE),
}

_NOT_NEEDED: Mapping[str, str] = {
    "ServerPath": "For browsers that send no Host header",
    "ListenBacklog Port BindAddress PidFile ServerRoot DefaultRuntimeDir "
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
    "ServerAdmin ServerSignature ServerTokens": "Only shown on Apache's own pages",
    "DirectoryCheckHandler AccessFileName FileETag "
    "AddType AddCharset AddEncoding AddLanguage AddDescription AddIcon* "
    "AddAlt* DefaultType DefaultIcon DefaultLanguage ForceType RemoveType RemoveEncoding "
    "TypesConfig MIMEMagicFile IndexOptions IndexIgnore* IndexOrderDefault IndexStyleSheet "
    "IndexHeadInsert HeaderName ReadmeName ContentDigest LanguagePriority ForceLanguagePriority "
    "MultiviewsMatch ModMimeUsePathInfo ImapMenu ImapBase ImapDefault "
    "CheckSpelling CheckCaseOnly CacheNegotiatedDocs": _FILES,
    "Deflate* Brotli*": _COMPRESSION,
    "ExtendedStatus StatusOptions": "`manage.py wsgimatch status` shows the groups",
    "Define UnDefine Include IncludeOptional Use UndefMacro MacroIgnoreEmptyArgs "
    "MacroIgnoreBadNesting Error Warning": "Already applied",
    "WSGISocketPrefix WSGISocketRotation WSGIAcceptMutex": (
        "The server makes a folder for the groups' sockets; WSGIMATCH_SOCKET_DIRECTORY sets another"
    ),
    "WSGIPythonOptimize WSGIPythonWarnings WSGIPythonHashSeed WSGIDontWriteBytecode "
    "WSGISwitchInterval WSGIPythonEggs WSGIFreeThreading": _PYTHON,
    "WSGIRestrictStdin WSGIRestrictStdout WSGIRestrictSignal": _RESTRICTION,
    "WSGILazyInitialization WSGIDestroyInterpreter WSGIPerInterpreterGIL WSGIVerboseDebugging "
    "WSGIEnableSendfile WSGIPassApacheRequest WSGIIgnoreActivity WSGIServerMetrics "
    "WSGITelemetry* WSGISlowRequests": "Internal to mod_wsgi",
}


# What is said of a directive that has a part of its own in the import, and had none here.
_NO_ALIAS = "It applies to no alias of this file"
_NO_HOST = "No request reaches it: its virtual host answers no host"
_IDLE: Mapping[str, str] = {
    "wsgiscriptalias": _NO_HOST,
    "wsgiscriptaliasmatch": _NO_HOST,
    "servername": "Group names do not contain it, and no alias of this file depends on it",
    "user": "Root does not run applications here: start the server with `serve --user`",
    "group": "Root does not run applications here: start the server with `serve --user`",
    "options": "It stops no symbolic link on the path to a script from being followed",
    "acceptpathinfo": "The script gets the path behind its name here, too",
    "directoryindex": "No entry answers with files there",
    "directoryslash": "No entry leads to a folder of scripts there",
    "rewriteengine": "Each rule has a line of its own here",
    "rewriteoptions": "The rules are read with it",
    "rewritecond": "It is part of the rule behind it",
    "documentroot": "No entry needs its files",
    "wsgipythonhome": "No entry runs in the server's own process",
    "wsgipythonpath": "No entry runs in the server's own process",
    "wsgirestrictembedded": "No entry runs in the server's own process",
}


def _table() -> dict[str, DirectiveAnswer]:
    table = {
        name: DirectiveAnswer(category, note, is_read=True)
        for name, (category, note) in _READ.items()
    }
    for names, (category, note) in _OF_SERVERS.items():
        table |= {name: DirectiveAnswer(category, note, is_read=True) for name in names.split()}
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


def is_internal(directive: Directive) -> bool:
    """Whether a directive only sets variables that Apache reads, and applications do not."""
    name, words = directive.key, directive.words
    if name in ("setenv", "unsetenv", "passenv"):
        found = [*map(bare_variable, words[:1] if name == "setenv" else words)]
    else:
        found = [*variables_set_by(directive)] if name in BY_REQUEST else []
    return bool(found) and all(map(is_apaches, found))


# As Apache's manual lists them, and the usual name for what is not to be logged.
_INTERNAL = frozenset(
    [
        *("no-gzip", "no-brotli", "gzip-only-text/html", "dont-vary", "force-no-vary"),
        *("nokeepalive", "downgrade-1.0", "force-response-1.0", "force-gzip", "no-cache"),
        *("redirect-carefully", "suppress-error-charset", "ssl-unclean-shutdown", "dontlog"),
        *("apache_run_user", "apache_run_group", "apache_log_dir", "apache_pid_file"),
        *("apache_lock_dir", "apache_run_dir", "authdigestenablequerystringhack"),
    ]
)


def is_apaches(variable: str) -> bool:
    """Whether a variable, in lower case, is one that Apache itself reads."""
    return variable in _INTERNAL or variable.startswith("proxy-")


def _compresses(directive: Directive) -> bool:
    """Whether a directive does no more than compress responses."""
    words = directive.words[:1]
    names = words[0].upper().split(";") if words and directive.key in _FILTERING else []
    return bool(names) and all(each in _COMPRESSING for each in names)


_FILTERING = ("setoutputfilter", "addoutputfilter", "addoutputfilterbytype")
_COMPRESSING = ("DEFLATE", "BROTLI_COMPRESS")


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
        return outcome(directive, "not needed", f"Not read, since {refused} is refused")
    words = " ".join(directive.words).lower()
    if is_internal(directive):
        return outcome(directive, "not needed", "Apache itself reads these variables")
    if answer.is_read:
        return outcome(directive, "not needed", _IDLE.get(directive.key, _NO_ALIAS))
    if words in answer.harmless:
        return outcome(directive, "not needed", "No effect: this is how it works without it")
    if _compresses(directive):
        return outcome(directive, "changed", _COMPRESSION)
    if answer is _UNKNOWN:
        return outcome(directive, "unknown", "Check whether its module answers requests")
    return outcome(directive, answer.category, answer.note)
