"""What the checks can find, by id: the one table of ids."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ...text import shown

# An id has one meaning and is never used again for another. docs/reference/checks.rst has a
# section for each.
CATALOGUE = {
    "E001": "a setting has a value that it cannot have",
    "E002": "an entry is not a directive that Apache would accept",
    "E003": "a pattern is not a regular expression",
    "E004": "a pattern needs the pcre2 extra",
    "E005": "a pattern is prone to catastrophic backtracking (ReDoS)",
    "E006": "a process group or an application group in which nothing can run",
    "E007": "the fallback cannot be imported",
    "E010": "a script does not exist",
    "E011": "a script cannot be read or reached",
    "E012": "a target is outside WSGIMATCH_ROOTS",
    "E013": "a script asks for another DJANGO_SETTINGS_MODULE",
    "E014": "uploaded files would run: scripts are in MEDIA_ROOT",
    "E015": "a script is not valid Python",
    "E016": "two Django projects in one interpreter",
    "E017": "a process group cannot run as its user",
    "E018": "a process group has no Python, or one that is too old",
    "E019": "a directory of a process group does not exist",
    "E020": "the settings module of a process group does not import there",
    "E021": "the groups' sockets cannot be created",
    "E022": "gunicorn is not installed",
    "E023": "two projects of one interpreter have modules of the same name",
    "E024": "a URL can name a script where any user may write",
    "E026": "a script does not load in its place",
    "E030": "a process group cannot start",
    "W001": "a target uses a group that the pattern does not have",
    "W002": "a pattern can take long",
    "W003": "a pattern is found anywhere in a URL",
    "W004": "^ or $ belongs to only some branches of a pattern",
    "W005": "an unescaped dot stands before an extension",
    "W006": "an alias is hidden by earlier ones",
    "W007": "an alias can never match",
    "W008": "a location ends in a slash and its target does not",
    "W009": "SCRIPT_NAME and PATH_INFO do not rebuild the URL",
    "W010": "a directive line is not UTF-8",
    "W011": "a target is a directory in which nothing can run",
    "W012": "any user may write where scripts are",
    "W013": "a setting that does not exist",
    "W014": "scripts are in STATIC_ROOT and can be downloaded",
    "W015": "MEDIA_ROOT is below a directory of scripts",
    "W016": "a project's links lead away from its alias",
    "W017": "a login leads away from its alias",
    "W018": "another application answers the URLs of a project's static files",
    "W019": "the URLconf repeats the alias's location",
    "W020": "the URLconf has nothing for the URLs of its alias",
    "W021": "APPEND_SLASH redirects away from the alias",
    "W022": "a cookie is not sent where the alias is",
    "W023": "two projects share one session cookie",
    "W024": "two projects share one CSRF or language cookie",
    "W025": "not all projects were asked",
    "W028": "two scripts of one interpreter set a variable to different values",
    "W029": "the environment names another project than manage.py",
    "W030": "an alias is often hidden by earlier ones",
    "W031": "a target names a group as Apache does not read it",
    "W032": "an application may change its own code",
    "W033": "members of a group may write where scripts are",
    "W034": "a capture can lead to another script or directory",
    "W035": "a URL can choose a directory at any depth",
    "W036": "clients can tell the server its SCRIPT_NAME",
    "W038": "a process group runs as the server's user beside others that do not",
    "W039": "a process group has the server's secrets in its environment",
    "W040": "a process group was not tested as its user",
    "W046": "clients choose which processes are started, and nothing limits it",
    "W050": "a pattern takes the whole URL",
    "W051": "a location contains a query string or an escape",
    "W052": "a plain location is written as a pattern",
    "W053": "a process group starts without one of its options",
    "W054": "a page that has a view answers 404 below its alias",
    "W055": "a script was not checked in time",
    "W056": "a page redirects away from its alias",
    "W057": "a project has an admin that no alias leads to",
    "W058": "a project relies on REMOTE_USER",
    "W059": "one project answers below several prefixes of one interpreter",
    "W060": "the server's SCRIPT_NAME is not a prefix of any URL",
    "W061": "the server gives up on requests that a process group may take",
    "W062": "a virtual host whose entries never answer",
    "W065": "an access rule of Apache needs a decision",
    "I001": "a project answers its files with its own 404",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One thing that is wrong, or may be.

    ``where`` is the name of the setting or entry, ``message`` says what is wrong and with which
    value, ``hint`` what to do about it. What cannot be printed is escaped in all of them: much of
    it is text of scripts and processes, and Django's own ``check`` prints it too.
    """

    id: str
    where: str
    message: str
    hint: str

    def __post_init__(self) -> None:
        """Escape what cannot be printed."""
        for each in fields(self):
            object.__setattr__(self, each.name, shown(getattr(self, each.name)))
