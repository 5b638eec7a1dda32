"""``manage.py wsgimatch preview``: where URLs go, and why."""

from __future__ import annotations

import os
import re
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from functools import lru_cache, partial
from itertools import groupby
from typing import Any

from django.core.management.base import CommandError

from ..aliases.alias import BROKEN, Alias
from ..aliases.module_target import is_module
from ..aliases.table import AliasTable
from ..aliases.uri import parse_target
from ..answers.proxies.addresses import UNIX, address_number
from ..answers.proxies.sample import SampleRequest, sample_environ, take_from_proxies
from ..conf import configuration
from ..configured import Configuration
from ..daemon.place import Place
from ..doctor.findings.finding import Subject
from ..doctor.findings.project_report import Told, UrlAnswer
from ..doctor.projects.project_findings import MOST_PROJECTS, Asker, is_project
from ..doctor.projects.project_processes import Question
from ..doctor.projects.projects_by_url import Key, project_key
from ..doctor.projects.views import lacks_slash, path_language, urlconf_error, view_name
from ..doctor.table.wholes import whole_findings
from ..doctor.targets.files import script_findings
from ..previews.preview import preview, preview_site, rebuilt_url
from ..previews.tries import Try, tries
from ..previews.values import PlainAnswer, Preview, PreviewSite
from ..text import cut, quoted, readable, shown
from .common.output import Output
from .common.subcommand import Options, Subcommand, add_json_option, add_repeatable
from .common.terminal import Screen
from .listing import EMBEDDED, MAIN

_HOST = re.compile(r"[^\s/@:]*(?::[0-9]*)?|\[[0-9a-fA-F:.]+\](?::[0-9]*)?")
_HEADER = re.compile(r"([A-Za-z0-9-]+):[ \t]*([^\x00-\x08\n-\x1f\x7f]*?)[ \t]*")
# Who asks where only headers are given: the server's own machine.
_THIS_MACHINE = "127.0.0.1"
_REQUEST_LABELS = {"wsgi.url_scheme": "scheme"}
# So much of a page's text is shown, in characters.
_LONGEST_PAGE = 100
# What a Django project makes of a URL for which its URLconf has no view.
_NO_VIEW = {
    301: "none: APPEND_SLASH redirects",
    404: "none: the project's URLconf answers 404",
}


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "targets",
        nargs="+",
        metavar="TARGET",
        help="a request target, such as /blog/?page=2; "
        "- reads targets from standard input, one per line",
    )
    parser.add_argument(
        "--host", default="", metavar="NAME[:PORT]", help="the Host header of the requests"
    )
    add_repeatable(
        parser, "--header", metavar="'NAME: VALUE'", help="a header, such as one that a proxy sets"
    )
    parser.add_argument(
        "--peer",
        metavar="ADDRESS",
        help=f"who connects to the server: an address, or {UNIX!r} for a unix socket",
    )
    add_json_option(parser)


def _run(options: Options, output: Output) -> int:
    """Show what becomes of each target."""
    if not _HOST.fullmatch(options["host"]):
        raise CommandError(f"The host {options['host']!r} should be NAME or NAME:PORT.")
    configured = configuration()
    _warn(configured, output)
    at = site_with_views(configured, options["host"], *_asked(configured, options))
    found = previews(configured, at, _targets(options["targets"]))
    if options["as_json"]:
        output.write_json(list(map(asdict, found)))
        return 0
    is_full = options["verbosity"] > 1
    screen = output.screen
    for each in found:
        tried = explained(at, each)
        if screen is None:
            output.write_lines(_lines(each, tried, is_full=is_full))
        else:
            _draw(each, tried, screen, is_full=is_full)
    return 0


def _asked(configured: Configuration, options: Options) -> tuple[SampleRequest, Any] | tuple[()]:
    """Who asks and what a server makes of that, where one of it is given."""
    peer = options["peer"]
    if peer is None and not options["header"]:
        return ()
    if peer not in (None, UNIX) and address_number(peer) is None:
        raise CommandError(f"The peer {peer!r} should be an address, or {UNIX!r}.")
    peer = peer or _THIS_MACHINE
    headers = [_header(given) for given in options["header"]]
    environ = sample_environ(options["host"], peer, headers)
    return take_from_proxies(configured.proxies, environ, peer), environ


def _header(given: str) -> tuple[str, str]:
    found = _HEADER.fullmatch(os.fsencode(given).decode("latin-1"))
    if found is None:
        raise CommandError(
            f"The header {given!r} should be 'NAME: VALUE', the name of letters, digits and dashes."
        )
    return found[1], found[2]


def _warn(configured: Configuration, output: Output) -> None:
    if configured.problems:
        output.stderr.write(
            f"{len(configured.problems)} of the settings or entries cannot be used as they "
            "are and take no part here; `manage.py wsgimatch check` says why."
        )
    if error := urlconf_error():
        output.stderr.write(
            f"The views cannot be named, as the URLconf does not load: {cut(error, 300)}"
        )


def _targets(arguments: Iterable[str]) -> Iterator[str]:
    """The targets as latin-1 text; what a terminal passed that is no text is kept byte for byte."""
    for argument in arguments:
        if argument != "-":
            yield os.fsencode(argument).decode("latin-1")
            continue
        lines = sys.stdin.buffer.read().split(b"\n")
        if not lines[-1]:
            del lines[-1]
        yield from (line.decode("latin-1") for line in lines)


def site_with_views(
    configured: Configuration,
    host: str = "",
    request: SampleRequest | None = None,
    environ: Mapping[str, Any] | None = None,
) -> PreviewSite:
    """Return what previews are made from, with views and scripts; the rest as preview_site()."""
    return replace(
        preview_site(configured, host, request=request, environ=environ),
        view=_view if urlconf_error() is None else lambda path_info: None,
        load_error=lru_cache(maxsize=None)(partial(_load_error, configured)),
    )


def _view(path_info: str) -> str | None:
    with path_language(path_info):
        return view_name(path_info)


def _load_error(
    configured: Configuration, script: str, process_group: str, application_group: str
) -> str:
    if is_module(script):
        # Who loads it says what is wrong.
        return ""
    place = Place(process_group, application_group)
    settings_module = Asker.of(configured).settings_module(place)
    is_named = bool(settings_module) and not place.is_here
    found = next(script_findings("", script, settings_module, is_named), None)
    return f"500: {found.message}" if found else ""


def previews(
    configured: Configuration, at: PreviewSite, targets: Iterable[str]
) -> Iterator[Preview]:
    """
    Yield what becomes of each target.

    Each script is loaded once, for all targets, in a process of its own, where a Django project of
    another place is asked for its views. Of the server's own scripts only the first few are.
    """
    found = [preview(at, target) for target in targets]
    asked = _questions(found)
    told = Asker.of(configured).ask(asked)
    answers = {
        (key, question): answer
        for key, questions in asked.items()
        for question, answer in zip(questions, told[key].answers, strict=False)
    }
    has_urlconf = urlconf_error() is None
    for each in found:
        answered = _taken_whole(_with_answer(each, told, answers, has_urlconf=has_urlconf), at)
        key = project_key(each)
        if each.is_run:
            is_django = key in told and told[key].is_django
        else:
            is_django = each.status is None and is_project(configured)
        is_known = is_django and (has_urlconf or is_elsewhere(each))
        is_missing = is_known and answered.view is None and answered.urlconf_status is None
        yield replace(answered, urlconf_status=404) if is_missing else answered


def _questions(found: Iterable[Preview]) -> dict[Key, tuple[Question, ...]]:
    """What each script is asked; a whole log may lead to very many, of which not all are loaded."""
    asked: dict[Key, dict[Question, None]] = {}
    for each in found:
        is_asked = is_elsewhere(each) or project_key(each) in asked or len(asked) < MOST_PROJECTS
        if each.is_run and not each.load_error and is_asked:
            asked.setdefault(project_key(each), {})[_question(each)] = None
    return {key: tuple(questions) for key, questions in asked.items()}


def _taken_whole(previewed: Preview, at: PreviewSite) -> Preview:
    """Say so where the pattern leaves nothing of any URL for PATH_INFO."""
    if not previewed.is_run or previewed.alias is None or previewed.path_info:
        return previewed
    subject = Subject("", None, _table_for(at, previewed.target), previewed.alias)
    found = next(whole_findings(subject, at.rules), None)
    if found is None:
        return previewed
    return _warned(previewed, f"The pattern takes the whole URL. {found.hint} (W050)")


def is_elsewhere(previewed: Preview) -> bool:
    """Whether another process would run the script of a previewed target."""
    return previewed.is_run and bool(previewed.process_group or previewed.application_group)


def _question(previewed: Preview) -> Question:
    return Question(str(previewed.script_name), str(previewed.path_info))


def _with_answer(
    previewed: Preview,
    told: Mapping[Key, Told],
    answers: Mapping[tuple[Key, Question], UrlAnswer],
    *,
    has_urlconf: bool,
) -> Preview:
    key = project_key(previewed)
    if key in told and (error := told[key].error):
        return _unloaded(previewed, told[key], error)
    if not is_elsewhere(previewed):
        return _with_slash(previewed) if has_urlconf else previewed
    answer = answers.get((key, _question(previewed)))
    if answer is None:
        return replace(previewed, view=None)
    return _redirected(replace(previewed, view=answer.view), answer.appended)


def _unloaded(previewed: Preview, told: Told, error: str) -> Preview:
    """Say why the script does not load, as far as there was time to find out."""
    if told.is_late:
        view = None if is_elsewhere(previewed) else previewed.view
        return _warned(previewed, f"Its place cannot be asked: {error}.", view=view)
    line = f" ({told.trouble.line})" if told.trouble.line else ""
    warning = f"The script does not load: {error}{line}."
    return _warned(previewed, warning, view=None, load_error=error)


def _with_slash(previewed: Preview) -> Preview:
    """What APPEND_SLASH makes of a URL of this project that has no view."""
    path = previewed.path_info if previewed.is_run else previewed.uri
    has_no_view = (previewed.is_run or previewed.status is None) and previewed.view is None
    if path is None or not has_no_view:
        return previewed
    with path_language(path):
        is_redirected = lacks_slash(path)
    return _redirected(
        previewed, f"{previewed.script_name or ''}{path}/" if is_redirected else None
    )


def _redirected(previewed: Preview, url: str | None) -> Preview:
    if url is None:
        return previewed
    warning = f"Django redirects to {quoted(url)} (APPEND_SLASH)."
    return _warned(previewed, warning, urlconf_status=301)


def _warned(previewed: Preview, warning: str, **changes: Any) -> Preview:
    return replace(previewed, warnings=(*previewed.warnings, warning), **changes)


def explained(at: PreviewSite, previewed: Preview) -> tuple[Try, ...]:
    """Return how each alias fared with a previewed target, none where none was tried."""
    plain = previewed.plain_http
    is_before = previewed.file_first is not None or (plain is not None and plain.is_asked)
    if previewed.uri is None or is_before:
        return ()
    return tuple(tries(_table_for(at, previewed.target), previewed.uri))


def _table_for(at: PreviewSite, target: str) -> AliasTable:
    host = parse_target(target, allow_encoded_slashes=at.rules.allow_encoded_slashes).host
    return at.table.for_host(at.server.host if host is None else host)


def alias_rows(tried: Iterable[Try], *, is_full: bool) -> Iterator[tuple[str, str]]:
    """
    Yield (outcome, text) for each alias that was tried.

    Unless all is asked for, several in a row that lost are one, except where one nearly won.
    """
    for has_lost, run in groupby(tried, lambda each: each.outcome == "lost" and not each.is_near):
        several = list(run)
        if has_lost and not is_full and len(several) > 1:
            first, last = several[0].position, several[-1].position
            yield "lost", f"[{first}] to [{last}]: {len(several):,} lost (-v 2 says why)"
            continue
        for each in several:
            line = f"{_directive(each.alias)}: {each.outcome}, {each.reason}"
            yield each.outcome, shown(f"[{each.position}] {line}")


def _directive(alias: Alias) -> str:
    if alias == BROKEN:
        return "(broken)"
    return f"{alias.directive} {readable(alias.location)} {readable(alias.target)}".rstrip()


def preview_rows(
    previewed: Preview, tried: Iterable[Try], *, is_full: bool = False
) -> Iterator[tuple[str, str, str]]:
    """
    Yield what becomes of a target as (label, text, kind).

    The kind is how an alias fared, or the label in capitals: what a style goes by.
    """
    if previewed.request is not None:
        for label, text in _request_rows(previewed.request):
            yield label, readable(text), label.upper()
    if previewed.rewriting is not None:
        yield "asked for", readable(previewed.asked_uri or ""), "URI"
        yield "rewritten by", readable(previewed.rewriting), "REWRITTEN BY"
    if previewed.uri is not None:
        yield "uri", readable(previewed.uri), "URI"
    if previewed.plain_http is not None:
        yield "over plain HTTP", readable(_plain_text(previewed.plain_http)), "PLAIN HTTP"
    for section in previewed.access:
        yield "access", readable(section), "ACCESS"
    if len(previewed.access) > 1:
        # Of one section it would say the same again.
        yield "demands", readable("; ".join(previewed.demands) or "nothing"), "DEMANDS"
    for missing in previewed.missing_files:
        text = f"no {readable(missing.filename)} now: {shown(missing.where)}"
        yield "file first", text, "lost"
    if previewed.file_first is not None:
        text = f"{readable(previewed.filename or '')} by {shown(previewed.file_first)}"
        yield "file first", text, "won"
    for outcome, text in alias_rows(tried, is_full=is_full):
        yield "alias", text, outcome
    for label, text in _result_rows(previewed):
        yield label, text, label.upper()


def _request_rows(request: SampleRequest) -> Iterator[tuple[str, str]]:
    """Who asks, and what applications have of that."""
    trust = "a trusted proxy" if request.is_trusted else "not a trusted proxy"
    yield "peer", f"{request.peer}, {trust}"
    for name, value in request.environ.items():
        if value or name == "REMOTE_ADDR":
            yield _REQUEST_LABELS.get(name, name), value or "(no address)"
    for key in request.dropped:
        yield "dropped", key


def _result_rows(previewed: Preview) -> Iterator[tuple[str, str]]:
    for number, capture in enumerate(previewed.captures or (), 1):
        yield f"${number}", readable(capture)
    named = (
        ("filename", previewed.filename),
        ("script", previewed.script),
        ("SCRIPT_NAME", previewed.script_name),
        ("PATH_INFO", previewed.path_info),
        ("QUERY_STRING", previewed.query_string),
        ("process group", _or(previewed.process_group, EMBEDDED)),
        ("application group", _or(previewed.application_group, MAIN)),
        ("callable object", previewed.callable_object),
        ("rebuilt URL", rebuilt_url(previewed)),
    )
    yield from ((label, readable(text)) for label, text in named if text is not None)
    if previewed.view is not None:
        yield "view", shown(previewed.view)
    elif previewed.urlconf_status is not None:
        yield "view", _NO_VIEW[previewed.urlconf_status]
    yield "answer", answer_text(previewed)
    if previewed.error_page is not None:
        yield "page", shown(cut(previewed.error_page, _LONGEST_PAGE))
    for warning in previewed.warnings:
        yield "warning", shown(warning)


def _lines(found: Preview, tried: Iterable[Try], *, is_full: bool) -> Iterator[str]:
    """What becomes of a target: the target, then one thing a line."""
    yield readable(found.target)
    for label, text, _ in preview_rows(found, tried, is_full=is_full):
        yield f"  {label:<18}{text}".rstrip()


def _draw(found: Preview, tried: Iterable[Try], screen: Screen, *, is_full: bool) -> None:
    """Draw what becomes of one target; ``is_full`` shows every alias that lost."""
    screen.line(readable(found.target), "heading")
    screen.grid(
        [(label, "label"), (text, kind)]
        for label, text, kind in preview_rows(found, tried, is_full=is_full)
    )


def answer_text(previewed: Preview) -> str:
    """Return who answers a target."""
    if previewed.status is None:
        return "the fallback: no alias matches"
    if previewed.is_run:
        return "the script, which does not load" if previewed.load_error else "the script"
    if previewed.status == 200 and previewed.filename is not None:
        return f"the file {readable(previewed.filename)}"
    if previewed.url is not None:
        return f"redirects to {readable(previewed.url)} ({previewed.status})"
    return f"status {previewed.status}"


def _plain_text(plain: PlainAnswer) -> str:
    """Return what an entry for plain HTTP makes of a target, and which it is."""
    what = f"status {plain.status}"
    if plain.url is not None:
        what = f"redirects to {plain.url} ({plain.status})"
    return f"{plain.where}, {plain.directive}: {what}"


def _or(text: str | None, empty: str) -> str | None:
    return empty if text == "" else text


SUBCOMMAND = Subcommand(_add_arguments, _run)
