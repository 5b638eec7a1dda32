"""What stands in WSGIMATCH_ALIASES: entries as written, judged only when the table is built."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from operator import length_hint
from typing import TYPE_CHECKING, Any, Literal

from .aliases.alias import Alias, Answer, Denial, Redirection, Rewriting
from .aliases.directives import (
    check_option,
    check_process_group,
    expand_variables,
    get_word,
    join_lines,
    make_alias,
    parse_directive,
    root_of,
)
from .aliases.file_options import FileOptions, read_file_options
from .aliases.module_target import read_module_target
from .aliases.target import FollowSymlinks
from .entry_options.access import OwnAccess, to_own_rules
from .entry_options.extras import EXTRAS, read_extras
from .entry_options.redirection import read_redirection
from .entry_options.rewriting import read_rewriting
from .entry_options.texts import FilePath, Text, as_utf8, bytes_of
from .exceptions import DirectiveError

if TYPE_CHECKING:
    from typing import TypedDict

    from typing_extensions import Unpack

    class FileEntryOptions(TypedDict, total=False):
        """The options of an entry whose files answer: those of FileOptions."""

        index: Sequence[str]
        cache_control: str
        expires: int | str
        expires_by_type: Mapping[str, int | str]
        charset: str
        precompressed: bool
        immutable: bool
        forced_type: str
        types: Mapping[str, str]
        encodings: Mapping[str, str]
        follow_symlinks: FollowSymlinks | None
        headers: Mapping[str, str] | Sequence[Sequence[str]]
        access: OwnAccess

    class NoOptions(TypedDict):
        """The options of an entry that has none."""

    class Options(TypedDict, total=False):
        """The options of an entry: mod_wsgi's, in snake case, and what stands around a script."""

        process_group: str
        application_group: str
        callable_object: str
        pass_authorization: bool
        environ: Mapping[str, str]
        headers: Mapping[str, str] | Sequence[Sequence[str]]
        charset: str
        expires: int | str
        expires_by_type: Mapping[str, int | str]
        body_limit: int
        access: OwnAccess


OPTIONS = ("process_group", "application_group", "callable_object", "pass_authorization")

_FILE_LINES = ("alias", "aliasmatch", "documentroot")
_BEFORE_ACCESS = ": as in Apache, it answers before anybody is asked who they are"


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One alias as a settings file says it; nothing in it has been checked yet.

    With an ``answer`` it needs no application, and has a target only where files answer.
    """

    kind: Literal["plain", "match"]
    location: Text
    target: FilePath
    options: Mapping[str, Any] = field(default_factory=dict)
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class FileEntry:
    """
    One line of a file of directives, or what was wrong with the file (``error``).

    ``source`` is the file, with the line's number behind it where there is a line: of lines that
    were joined the last one's, as in Apache's messages.
    """

    line: str
    source: str
    error: str = ""


def script_alias(location: Text, target: FilePath, **options: Unpack[Options]) -> Entry:
    """
    Send the urls below a prefix to a WSGI script, as WSGIScriptAlias does.

    ``location`` is compared literally, case included; ``target`` is the script's file (text
    behind it becomes PATH_INFO) or a directory of scripts, relative to settings.BASE_DIR. Text
    with a colon and no slash names a module, as for gunicorn: ``package.module:application``, or
    ``package.module:create()`` for a function that returns the application. Text
    stands for its UTF-8 bytes. Mistakes are reported when the table is built, all at once.

    Beside mod_wsgi's options there are ``environ``, what the application finds in its environ
    besides (SetEnv), ``headers``, a dict of those that its responses get, or a list of
    ``("append", "Vary", "Cookie")`` and other actions of ``Header``, ``charset`` for text that
    names none, ``expires`` in seconds, ``expires_by_type`` for some types, and ``body_limit`` in
    bytes: a longer body is a 413.
    ``access`` is rules(...): who may ask for these urls.
    """
    return Entry("plain", location, target, _shared(options))


def script_alias_match(pattern: Text, target: FilePath, **options: Unpack[Options]) -> Entry:
    """
    Send the urls in which a regular expression is found to a script, as WSGIScriptAliasMatch does.

    The pattern is a PCRE as Apache compiles it, and is searched, not anchored. ``$0`` to ``$9``
    in ``target`` are its groups. All else is as with script_alias().
    """
    return Entry("match", pattern, target, _shared(options))


def _shared(options: Options) -> Mapping[str, Any]:
    """Return the options as one value for all entries that have the same."""
    try:
        return _first_of_equals(**options)
    except TypeError:
        # Some value is a list or a dict, which cannot be looked for.
        return options


# Optimization: each dict of an entry took 64 bytes, with two options 184.
@lru_cache(maxsize=1024, typed=True)
def _first_of_equals(**options: Any) -> Mapping[str, Any]:
    return options


def alias(location: Text, path: FilePath, **options: Unpack[FileEntryOptions]) -> Entry:
    """
    Answer the urls below a prefix with files, as Apache's Alias does.

    ``location`` is compared as script_alias() does. ``path`` is a folder, or one file, relative to
    settings.BASE_DIR; the rest of the uri is put behind it. Whatever the order of the entries,
    redirects are tried first, then these, then scripts. The options are those of
    ``aliases.file_options.FileOptions``; lists and dicts may stand for its tuples. ``headers`` and
    ``access`` are as with script_alias().
    """
    return Entry("plain", location, path, options, FileOptions())


def alias_match(pattern: Text, path: FilePath, **options: Unpack[FileEntryOptions]) -> Entry:
    """
    Answer the urls in which a regular expression is found with files, as AliasMatch does.

    ``pattern`` is searched as script_alias_match() does. ``path`` with its groups filled in is the
    whole name of the file. All else is as with alias().
    """
    return Entry("match", pattern, path, options, FileOptions())


def document_root(path: FilePath, **options: Unpack[FileEntryOptions]) -> Entry:
    """
    Answer what no other entry answers with files, as Apache's DocumentRoot does.

    ``path`` is a folder, relative to settings.BASE_DIR. It is tried after all other entries,
    and what it has no file for is 404: the fallback answers nothing. All else is as with alias().
    """
    return Entry("plain", "/", path, options, FileOptions(is_root=True))


def redirect(
    location: Text, url: Text = "", status: int | str = 302, **options: Unpack[NoOptions]
) -> Entry:
    """
    Send the urls below a prefix to another URL, as Redirect does.

    ``location`` is compared as script_alias() does. What follows it in the uri is put behind
    ``url``, which has a scheme and a host or begins with a slash, and so is the query. ``status``
    is a number or Apache's word for it: permanent, temp, seeother, gone. One that is not 300 to
    399 has no URL. No line break in a request's uri gets into the header. There are no options: a
    redirect answers before access rules are asked, as in Apache.
    """
    answer = Redirection(url, status)  # type: ignore[arg-type]
    return Entry("plain", location, "", options, answer)


def redirect_match(
    pattern: Text, url: Text = "", status: int | str = 302, **options: Unpack[NoOptions]
) -> Entry:
    """
    Send the urls in which a regular expression is found to another URL, as RedirectMatch does.

    ``pattern`` is searched as script_alias_match() does. ``$0`` to ``$9`` in ``url`` are its
    groups. All else is as with redirect().
    """
    answer = Redirection(url, status)  # type: ignore[arg-type]
    return Entry("match", pattern, "", options, answer)


def rewrite(
    pattern: Text,
    url: Text = "",
    *,
    append_query: bool = False,
    when: Mapping[str, Text] | None = None,
    status: int | str | None = None,
) -> Entry:
    """
    Pass the urls in which a regular expression is found on as others, as RewriteRule does with PT.

    ``pattern`` is searched as script_alias_match() does, and ``$0`` to ``$9`` in ``url`` are its
    groups. All else sees the new url alone: access rules, redirects, files, scripts. Applications
    find it as SCRIPT_NAME and PATH_INFO, and in REQUEST_URI what the client has sent. Whatever the
    order of the entries these are tried first, each url once. A query in ``url`` takes the place of
    the request's, or stands before it with ``append_query`` (QSA). ``when`` has patterns for
    variables of the environ, such as ``{"REQUEST_METHOD": "^POST$"}``: all must be found. With a
    ``status`` the entry answers itself, as redirect_match() does, before later ones rewrite.
    """
    answer = Rewriting(pattern, url, append_query, when, status)  # type: ignore[arg-type]
    return Entry("plain", "", "", answer=answer)


def deny(location: Text, *, note: str = "", status: Literal[403, 404, 500] = 403) -> Entry:
    """
    Refuse the urls below a prefix with 403, as ``Require all denied`` does, or with another status.

    ``location`` is compared as script_alias() does. ``note`` says why, to those who read logs and
    ``manage.py wsgimatch``; clients do not see it. An entry before this one still answers.
    """
    return Entry("plain", location, "", answer=Denial(note, status))


def deny_match(pattern: Text, *, note: str = "", status: Literal[403, 404, 500] = 403) -> Entry:
    """
    Refuse the urls in which a regular expression is found with 403, or another ``status``.

    ``pattern`` is searched as script_alias_match() does. All else is as with deny().
    """
    return Entry("match", pattern, "", answer=Denial(note, status))


def read_directives(path: str | os.PathLike[str]) -> list[FileEntry]:
    """
    Return the entries of a file of directive lines, those of mod_wsgi and of mod_alias.

    ``Define NAME value`` is followed, comments and blank lines are passed over. What is wrong
    with the file, or with a line, is reported when the table is built.
    """
    source = os.fspath(path)
    try:
        with open(source, "rb") as file:
            lines = file.read().decode("latin-1").split("\n")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return [FileEntry("", source, f"cannot be read: {reason}")]
    return list(_defined(lines, source))


def _defined(lines: list[str], source: str) -> Iterator[FileEntry]:
    variables: dict[str, str] = {}
    unread = iter(lines)
    for line in join_lines(unread):
        number = len(lines) - length_hint(unread)
        line = expand_variables(line, variables)
        name, rest = get_word(line)
        if name.lower() == "define":
            variable, rest = get_word(rest)
            variables[variable] = get_word(rest)[0]
        else:
            yield FileEntry(line, f"{source}:{number}")


def to_alias(
    entry: object,
    *,
    process_groups: Collection[str],
    variables: Mapping[str, str],
    to_path: Callable[[FilePath], str] | None = None,
) -> Alias:
    """
    Return the alias that an entry of any form stands for.

    ``process_groups`` are the names of the defined ones, ``variables`` the values for
    ``${NAME}`` in directive lines; ``to_path`` makes the paths of files of users absolute, where
    they are not yet. Raises DirectiveError.
    """
    if isinstance(entry, FileEntry):
        if entry.error:
            raise DirectiveError(f"{entry.source} {entry.error}")
        entry = entry.line
    if isinstance(entry, str | bytes):
        lines = list(join_lines(line_bytes(entry).split("\n")))
        if len(lines) != 1:
            raise DirectiveError(f"{entry!r} should be one directive line, not {len(lines)}")
        line = expand_variables(lines[0], variables)
        return parse_directive(line, process_groups=process_groups)
    if isinstance(entry, Entry):
        return check_process_group(_guarded_alias(entry, to_path or _as_it_is), process_groups)
    raise DirectiveError(
        f"{entry!r} should be script_alias(...), alias(...), redirect(...), deny(...), one of them "
        "with _match, rewrite(...), or a directive line"
    )


def to_first_alias(entry: object, to_path: Callable[[FilePath], str]) -> Alias:
    """
    Return the alias of an entry of WSGIMATCH_FILES_FIRST; text or a path is a folder's.

    It has an index only where it says so: the page of a folder is the application's. ``to_path``
    is as for to_alias(). Raises DirectiveError.
    """
    if isinstance(entry, str | bytes | os.PathLike):
        if isinstance(entry, str) and get_word(entry)[0].lower() in _FILE_LINES:
            raise DirectiveError(f"{entry!r} is a directive line: text is a folder here")
        entry = document_root(entry)
    if not isinstance(entry, Entry) or not isinstance(entry.answer, FileOptions):
        raise DirectiveError(
            f"{_as_written(entry)} should be a folder, document_root(...), alias(...) or "
            "alias_match(...)"
        )
    if "index" not in entry.options:
        entry = replace(entry, options={**entry.options, "index": ()})
    return _guarded_alias(entry, to_path)


def _as_written(entry: object) -> str:
    """Return how the author has begun an entry."""
    if not isinstance(entry, Entry):
        return repr(entry)
    function = Alias("", "", entry.kind, answer=entry.answer).function
    return f"{function}({entry.location!r}, ...)"


def line_bytes(line: Text) -> str:
    """
    The bytes of a directive line as latin-1 text.

    A line whose characters all are bytes is taken as it is, as in WSGI; any other as UTF-8.
    """
    if isinstance(line, bytes):
        return line.decode("latin-1")
    return line if all(c <= "\xff" for c in line) else as_utf8("a directive line", line)


def _as_it_is(path: FilePath) -> str:
    return bytes_of("path", path)


def _guarded_alias(entry: Entry, to_path: Callable[[FilePath], str]) -> Alias:
    """Return the alias of an entry, with the access rules that it has itself."""
    if entry.options and isinstance(entry.answer, Redirection):
        name = next(iter(entry.options))
        why = _BEFORE_ACCESS if name == "access" else ""
        raise DirectiveError(f"a redirect has no option {name!r}{why}")
    if "access" not in entry.options:
        return _entry_alias(entry)
    options = {**entry.options}
    own = to_own_rules(options.pop("access"), to_path)
    return replace(_entry_alias(replace(entry, options=options)), access=own)


def _entry_alias(entry: Entry) -> Alias:
    if entry.answer is not None:
        return _answering_alias(entry, entry.answer)
    extras = {name: value for name, value in entry.options.items() if name in EXTRAS}
    options = {
        name.replace("_", "-"): _option(name, value)
        for name, value in entry.options.items()
        if name not in extras
    }
    location = bytes_of("location", entry.location)
    target = bytes_of("target", entry.target)
    alias = make_alias(entry.kind, location, target, options)
    if extras:
        alias = replace(alias, extras=read_extras(extras))
    return _module_alias(alias) if isinstance(entry.target, str) else alias


def _module_alias(alias: Alias) -> Alias:
    """Return the alias of a module, if that is what its target names. Raises DirectiveError."""
    module = read_module_target(alias.target)
    if module is None:
        return alias
    name = module.callable_object
    if alias.callable_object not in (None, name):
        raise DirectiveError(
            f"the target {alias.target!r} names {name!r}, and callable_object names "
            f"{alias.callable_object!r}: leave callable_object out"
        )
    return replace(alias, is_module=True, callable_object=name)


def _answering_alias(entry: Entry, answer: Answer) -> Alias:
    if isinstance(answer, Rewriting):
        return Alias("", "", answer=read_rewriting(answer))
    location = bytes_of("location" if entry.kind == "plain" else "pattern", entry.location)
    if isinstance(answer, Redirection):
        return Alias(
            location, "", entry.kind, answer=read_redirection(entry.kind, answer.url, answer.status)
        )
    if isinstance(answer, FileOptions):
        return _file_alias(entry, location, bytes_of("path", entry.target), answer)
    if not isinstance(answer.note, str):
        raise DirectiveError(f"note should be a string, not {answer.note!r}")
    if answer.status not in (403, 404, 500):
        raise DirectiveError(f"status should be 403, 404 or 500, not {answer.status!r}")
    return Alias(location, "", entry.kind, answer=answer)


def _file_alias(entry: Entry, location: str, path: str, answer: FileOptions) -> Alias:
    given = dict(entry.options)
    headers = {"headers": given.pop("headers")} if "headers" in given else {}
    options = read_file_options(given, others=["headers", "access"])
    if answer.is_root:
        alias = root_of(path, options)
    else:
        alias = Alias(location, path, entry.kind, answer=options)
    return replace(alias, extras=read_extras(headers)) if headers else alias


def _option(name: str, value: object) -> str:
    if name not in OPTIONS:
        known = ", ".join((*OPTIONS, *EXTRAS, "access"))
        raise DirectiveError(f"{name!r} is not an option; the options are {known}")
    if name == "pass_authorization":
        if not isinstance(value, bool):
            raise DirectiveError(f"pass_authorization should be True or False, not {value!r}")
        value = "On" if value else "Off"
    if not isinstance(value, str):
        raise DirectiveError(f"{name} should be a string, not {value!r}")
    return check_option(name.replace("_", "-"), as_utf8(name, value))
