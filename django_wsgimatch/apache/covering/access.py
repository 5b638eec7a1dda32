"""
Who is let in: what the access rules of sections say together, for everybody or for some.

Mirrors mod_authz_core, mod_access_compat and ap_process_request_internal(), as far as it can be
told without a request: whether really everybody is let in, with every method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ..lines.directive import Directive, Section, split_words

CONTAINERS = ("requireall", "requireany", "requirenone")
LIMITS = ("limit", "limitexcept")
_COMPAT = ("order", "allow", "deny", "satisfy")
# These hold where TLS is not spoken, and say nothing to a virtual host that speaks nothing else.
_TLS_ONLY = ("sslrequiressl", "nssrequiressl")
# What holds below, too, once it is said. All else of this kind is said anew.
_STICKY = (*_TLS_ONLY, "sslrequire")

# Of other modules, by name: whether a directive with these words keeps somebody out.
SWITCHES: Mapping[str, Callable[[list[str]], bool]] = {
    "sslrequiressl": lambda words: True,
    "sslrequire": lambda words: True,
    "nssrequiressl": lambda words: True,
    "sslverifyclient": lambda words: words[:1] == ["require"],
    "nssverifyclient": lambda words: words[:1] == ["require"],
    "gnutlsclientverify": lambda words: words[:1] == ["require"],
    "allowmethods": lambda words: "reset" not in words,
    "wsgiaccessscript": lambda words: True,
    "mellonenable": lambda words: words[:1] == ["auth"],
    "gridsiteauth": lambda words: words[:1] == ["on"],
    "authopenidenabled": lambda words: words[:1] == ["on"],
    "shibrequiresession": lambda words: words[:1] == ["on"],
    "shibrequestsetting": lambda words: (
        words[:1] == ["requiresession"] and words[1:2] in (["1"], ["true"], ["on"])
    ),
}
RULES = ("require", "authmerging", *_COMPAT, *SWITCHES)
# Where this allows a file that cannot be read, nobody knows whom it lets in.
UNREAD = ("allowoverride", "allowoverridelist")
# Rules of mod_rewrite and mod_alias that answer with an error: whatever else is said, they do.
BARRING = ("rewriterule", "redirect", "redirectmatch", *UNREAD)

# The rules of one section, or of a server; the later one is merged over the earlier.
Layer = Sequence[Directive]


def system_of(directive: Directive) -> str:
    """Return what a rule is a part of, as a whole: a later one for the same place replaces it."""
    name = directive.key
    if name in _COMPAT:
        return "compat"
    return "require" if name == "authmerging" else name


def replaced_systems(layer: Layer) -> dict[str, Directive]:
    """Return what a section says anew, whatever stood before for the same place: by the system."""
    found = {system_of(each): each for each in layer}
    if _named_among(layer, "authmerging"):
        found.pop("require", None)
    return found


def closing_rules(layers: Sequence[Layer], *, is_tls: bool) -> tuple[Directive, ...]:
    """
    Return the rules that keep somebody out where all these layers hold, none where all get in.

    What holds for some methods only counts as holding for all: what a section limits is closed.
    """
    layers = [layer for layer in layers if layer]
    for method in ("", *sorted({m for layer in layers for each in layer for m in _named(each)})):
        found = _closing(layers, method, is_tls)
        if found:
            return found
    return ()


def _closing(layers: Sequence[Layer], method: str, is_tls: bool) -> tuple[Directive, ...]:
    barring = (each for layer in layers for each in _named_among(layer, *BARRING))
    return *_keeping_out(layers, method, is_tls), *barring


def _keeping_out(layers: Sequence[Layer], method: str, is_tls: bool) -> tuple[Directive, ...]:
    is_open, requires = _authorization(layers, method)
    # Mod_access_compat merges nothing: what a section says takes the place of all that held.
    last = next((layer for layer in reversed(layers) if _named_among(layer, *_COMPAT)), ())
    compat = [each for each in last if _holds(each, method)]
    limited = [each for layer in layers for each in layer if _holds(each, method)]
    kept_out = (*_kept_out(compat), *_switched(limited, is_tls))
    satisfy = _named_among(compat, "satisfy")[-1:]
    if satisfy and _words(satisfy[0])[:1] == ["any"] and (not kept_out or is_open):
        return ()
    return (*requires, *kept_out) if is_open is False else kept_out


def _named_among(layer: Layer, *names: str) -> list[Directive]:
    return [each for each in layer if each.key in names]


def _kept_out(layer: Layer) -> list[Directive]:
    """Return the rules by which Order, Allow and Deny of one section keep somebody out."""
    order = _named_among(layer, "order")[-1:]
    is_default_open = not order or _words(order[0])[:1] == ["deny,allow"]
    lets_all = any(_words(each)[1:] == ["all"] for each in _named_among(layer, "allow"))
    denials = [each for each in _named_among(layer, "deny") if _words(each)[1:] != ["none"]]
    if is_default_open:
        return [] if lets_all else denials
    return denials if lets_all else [*order, *denials]


def _switched(directives: Iterable[Directive], is_tls: bool) -> Iterator[Directive]:
    """Yield the directives of other modules that keep somebody out."""
    last: dict[str, Directive] = {}
    for each in directives:
        name = each.key
        if name in SWITCHES and not (name in _STICKY and name in last):
            last[name] = each
    for name, each in last.items():
        if SWITCHES[name](_words(each)) and not (is_tls and name in _TLS_ONLY):
            yield each


def _authorization(
    layers: Iterable[Layer], method: str
) -> tuple[bool | None, tuple[Directive, ...]]:
    """Return whether the Require lines let everybody in, None without any; and those that count."""
    is_open: bool | None = None
    lines: tuple[Directive, ...] = ()
    before: list[tuple[bool, tuple[Directive, ...]]] = []
    for layer in layers:
        requires = _named_among(layer, "require")
        own = tuple(each for each in requires if _holds(each, method))
        lets_all = not own or _lets_all(own, ())
        before += [(lets_all, own)] if requires else []
        merging = [_words(each)[:1] for each in _named_among(layer, "authmerging")]
        if merging[-1:] == [["and"]] and before:
            # Sections of one kind are merged first, and so with all that stood before them.
            is_open = all(each for each, _ in before)
            lines = tuple(line for _, several in before for line in several)
        elif requires and is_open is not None and merging[-1:] == [["or"]]:
            is_open, lines = is_open or lets_all, (*lines, *own)
        elif requires:
            is_open, lines = lets_all, own
    return is_open, lines


def _lets_all(lines: Sequence[Directive], around: tuple[Section, ...]) -> bool:
    """Whether the lines in a container, the outermost without any, let everybody in."""
    members: dict[Section | int, list[Directive]] = {}
    for number, line in enumerate(lines):
        inside = _containers(line)[len(around) :]
        members.setdefault(inside[0] if inside else number, []).append(line)
    found = [
        _lets_all(own, (*around, key)) if isinstance(key, Section) else _is_granted(own[0])
        for key, own in members.items()
    ]
    container = around[-1].key if around else "requireany"
    if container == "requirenone":
        return False
    return any(found) if container == "requireany" else all(found)


def _is_granted(line: Directive) -> bool:
    return _words(line)[:2] == ["all", "granted"]


def _containers(line: Directive) -> tuple[Section, ...]:
    return tuple(each for each in line.sections if each.key in CONTAINERS)


def _named(directive: Directive) -> list[str]:
    """Return the methods that the sections around a directive name."""
    return [method for _, methods in _limits(directive) for method in methods]


def _holds(directive: Directive, method: str) -> bool:
    """Whether a directive holds for a method; "" is one that no section names."""
    return all((method in methods) == is_limit for is_limit, methods in _limits(directive))


def _limits(directive: Directive) -> Iterator[tuple[bool, list[str]]]:
    for each in directive.sections:
        if each.key in LIMITS:
            yield each.key == "limit", [word.upper() for word in split_words(each.argument)]


def _words(directive: Directive) -> list[str]:
    return [word.lower() for word in directive.words]
