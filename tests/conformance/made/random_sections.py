"""Random sections of access rules, as Apache and as WSGIMATCH_ACCESS have them; and requests."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from django_wsgimatch import access, access_match, all_of, any_of, basic, none_of
from django_wsgimatch.entry_options.access import AccessEntry, Requirement, Requirements

# Each kind of entry that Apache takes, and some that let nobody in.
USERS = """\
# people
ann:$2y$04$GjzPloBhTz0y38v0Ab9hseIS8qCC0CZvEJhQtNQmGNqMqv3XWhxYa
  bob:$apr1$Yl0ydiPC$UeWeyxf01D5DMy1rBF.3d/
cy:{SHA}u8SS5DZYKLP0EektQ/jDoNAZVNI=:a comment
dan::1TrEPW456Lg0U
eve:$6$t5YC47ZrdE0UTJOZ$kTmeFIqHTD0gAvK4CMxu69pNomLZe/Ncr4b7YkCuMteF39qNyBkQmQrvOLZnFkNfAORc3/8iA\
gVWOAuWWnyfU.
gus:$1$eOHvbOo.$odksGdDRcDTVVOam.5inH/
h i:{SHA}a71Wpm/xByp18w33k5EcrMrvMsg=
ida:$5$uz/2hWajzKSoW8xy$.dn8QeO7YntbxsQ8JJg9am5fq.bkx5LlJwHEhExS31/
jo:$2b$04$zBaT5OWmY4CyKpheoTAi/uGpx79r24NNCxIqlWtFhQ.KXNXGV97p6
kim:_7C/.fX8qXjso0W4on1g

leo:secret-leo
ann:{SHA}u8SS5DZYKLP0EektQ/jDoNAZVNI=
#mo:{SHA}u8SS5DZYKLP0EektQ/jDoNAZVNI=
:{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=
nina:{SHA}u8SS5DZYKLP0EektQ/jDo
otto:$apr1$
paul:$2y$04$tooshort
quin
r\xc3\xb6bi:$apr1$0RAgE6NK$tlKrQAM5jgG/805jy1aGm1
two\\
lines:{SHA}u8SS5DZYKLP0EektQ/jDoNAZVNI=
"""
GROUPS = """\
# groups
staff: ann bob
Admins : cy "h i"
night:dan
staff: eve
empty:
"""
PASSWORDS = {
    **{name: f"secret-{name}" for name in ("ann", "bob", "cy", "dan", "eve", "gus", "ida", "jo")},
    "kim": "secret-kim",
    "leo": "secret-leo",
    "mo": "secret-cy",
    "h i": "two words",
    "": "",
    "nina": "secret-cy",
    "twolines": "secret-cy",
    "r\xc3\xb6bi": "p\xc3\xa4ssw\xc3\xb6rd",
    "nobody": "secret-cy",
    "quin": "",
    "otto": "",
    "paul": "",
}
_LOCATIONS = ("/", "/a", "/a/", "/a/b", "/a/b/c", "/b", "/c/", "/a.b", "/A", "/x", "/a/x")
_PATTERNS = (
    *("^/a", "^/(a|b)/x$", "/b", "^(?!/b)", "", "x*", "\\.html$", "^/[ab]/?$", "^", "c$", "//"),
)
_SEGMENTS = (
    *("a", "b", "c", "x") * 3,
    *("a.b", "A", "i.html", "", ".", "..", "%61", "%2e", "a%20b", "%2F", "%62", "\xc3\xa4"),
)
_ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.1.2", "127.1.0.1", "127.9.9.9")
_NETWORKS = (
    *("127.0.0.1", "127.0.0.2", "127.0.0.0/24", "127.0", "127.1.", "127.0.0.0/255.255.0.0", "10"),
    *("127", "::1", "127.9.9.9/32", "127.0.0.0/30", "2001:db8::/32", "127.1.0.1/1"),
)
_METHODS = ("GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "FOO")


@dataclass(frozen=True, slots=True)
class Written:
    """A section as Apache's lines and as an entry of WSGIMATCH_ACCESS."""

    lines: tuple[str, ...]
    entry: AccessEntry


@dataclass(frozen=True, slots=True)
class AccessQuestion:
    """A request: from which address, for which target, with which Authorization header."""

    address: str
    target: str
    method: str = "GET"
    authorization: str | None = None


@dataclass(slots=True)
class _Rules:
    lines: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)


def random_section(rng: Random, host: str | None) -> Written:
    """Return a section that Apache accepts; ``{ROOT}`` in its lines is the folder of the files."""
    rules = _Rules()
    # Most tables of a site ask for a user, and for nothing else.
    parts = [_login, _requirements, _host_rules, _others] if rng.random() < 0.6 else [_users_only]
    for make in parts:
        make(rng, rules)
    if not rules.options:
        rules.lines, rules.options = ["Require all granted"], {"require": "all granted"}
    _limit(rng, rules)
    is_match = rng.random() < 0.3
    place = rng.choice(_PATTERNS if is_match else _LOCATIONS)
    make_entry: Callable[..., AccessEntry] = access_match if is_match else access
    name = "LocationMatch" if is_match else "Location"
    if not place:
        name, place, make_entry = "Location", "/", access
    lines = (f'<{name} "{place}">', *rules.lines, f"</{name}>")
    return Written(lines, make_entry(place, host=host, **rules.options))


def _users_only(rng: Random, rules: _Rules) -> None:
    while "auth" not in rules.options:
        _login(rng, rules)
    words = rng.choice(["valid-user", "user ann bob eve", "group staff", "group ADMINS night"])
    rules.lines.append(f"Require {words}")
    rules.options["require"] = words


def _login(rng: Random, rules: _Rules) -> None:
    kind = rng.choice(["all"] * 6 + ["none", "realm", "users", "groups", "", "", ""])
    if kind == "none":
        rules.lines.append("AuthType None")
        rules.options["auth"] = "none"
    elif kind:
        rules.lines.append("AuthType Basic")
        # AuthName is an expression, in which a backslash is written twice once more.
        realm = rng.choice(["staff", 'say "hi"', "a\\b", "R\xc3\xa4um", 'a\\"b'])
        texts: dict[str, str] = {}
        if kind in ("all", "realm"):
            text = realm.replace("\\", "\\\\\\\\").replace('"', '\\"')
            rules.lines.append(f'AuthName "{text}"')
            texts["realm"] = realm.encode("latin-1").decode()
        if kind in ("all", "users"):
            name = rng.choice(["users"] * 18 + ["missing", "folder"])
            rules.lines.append(f"AuthUserFile {{ROOT}}/{name}")
            texts["users"] = f"{{ROOT}}/{name}"
        if kind == "groups" or (kind == "all" and rng.random() < 0.7):
            name = rng.choice(["groups"] * 9 + ["missing"])
            rules.lines.append(f"AuthGroupFile {{ROOT}}/{name}")
            texts["groups"] = f"{{ROOT}}/{name}"
        rules.options["auth"] = basic(**texts)


def _requirements(rng: Random, rules: _Rules) -> None:
    if rng.random() < 0.25:
        return
    written = [_requirement(rng, 0, "any") for _ in range(rng.choice([1, 1, 1, 2, 3]))]
    rules.lines += [line for lines, _ in written for line in lines]
    rules.options["require"] = [requirement for _, requirement in written]


def _requirement(rng: Random, depth: int, inside: str) -> tuple[list[str], Requirement]:
    """A Require line or a container that Apache accepts inside another one."""
    if depth < 3 and rng.random() < 0.3 - 0.1 * depth:
        kinds = ["all", "any", "none"] if inside == "all" else ["all", "any"]
        return _container(rng, depth, rng.choice(kinds))
    words = _demand(rng)
    if inside == "all" and rng.random() < 0.3:
        words = f"not {words}"
    return [f"Require {words}"], words


def _container(rng: Random, depth: int, kind: str) -> tuple[list[str], Requirements]:
    members = [_requirement(rng, depth + 1, kind) for _ in range(rng.randrange(1, 4))]
    # One must be able to let somebody in.
    words = _demand(rng)
    members.insert(rng.randrange(len(members) + 1), ([f"Require {words}"], words))
    name = f"Require{kind.capitalize()}"
    lines = [f"<{name}>", *(line for inner, _ in members for line in inner), f"</{name}>"]
    make = {"all": all_of, "any": any_of, "none": none_of}[kind]
    return lines, make(*(requirement for _, requirement in members))


def _demand(rng: Random) -> str:
    return rng.choice(
        [
            *("all granted", "all denied", "local", *["valid-user"] * 4),
            *(f"ip {' '.join(rng.sample(_NETWORKS, rng.randrange(1, 3)))}",) * 3,
            f"user {rng.choice(['ann', 'ann bob', 'cy', 'dan eve jo', 'Ann', 'kim', 'nobody'])}",
            f"user {rng.choice(['bob ann gus', 'eve', 'ann'])}",
            'user "h i" gus',
            *[f"group {rng.choice(['staff', 'admins', 'night empty', 'STAFF', 'none'])}"] * 2,
            f"method {rng.choice(['GET', 'POST PUT', 'HEAD', 'GET OPTIONS'])}",
            f"host {rng.choice(['localhost', 'example.org localhost', '.test'])}",
        ]
    )


def _host_rules(rng: Random, rules: _Rules) -> None:
    if rng.random() < 0.6:
        return
    parts = rng.sample(["order", "allow", "deny", "satisfy"], rng.randrange(1, 5))
    for part in parts:
        if part == "order":
            value = rng.choice(["allow,deny", "deny,allow", "mutual-failure"])
            rules.lines.append(f"Order {value}")
        elif part == "satisfy":
            value = rng.choice(["any", "any", "all"])
            rules.lines.append(f"Satisfy {value}")
        else:
            origins = rng.sample([*_NETWORKS, "all", "all", "localhost"], rng.randrange(1, 3))
            value = " ".join(origins)
            rules.lines.append(f"{part.capitalize()} from {value}")
        rules.options[part] = value


def _limit(rng: Random, rules: _Rules) -> None:
    """Put the rules into a <Limit> or <LimitExcept>, where all of them may stand in one."""
    fit = {"require", "order", "allow", "deny", "satisfy"} & set(rules.options)
    if (
        not fit
        or rng.random() < 0.85
        or {"require_ssl", "auth_merging", "allow_methods"} & set(rules.options)
    ):
        return
    name, option = rng.choice([("Limit", "limit"), ("LimitExcept", "limit_except")])
    methods = " ".join(rng.sample(["GET", "POST", "PUT", "HEAD", "DELETE"], rng.randrange(1, 4)))
    rules.lines = [f"<{name} {methods}>", *rules.lines, f"</{name}>"]
    rules.options[option] = methods


def _others(rng: Random, rules: _Rules) -> None:
    if rng.random() < 0.05:
        rules.lines.append("SSLRequireSSL")
        rules.options["require_ssl"] = True
    if rng.random() < 0.1:
        value = rng.choice(["GET", "POST", "GET POST", "HEAD OPTIONS", "reset"])
        rules.lines.append(f"AllowMethods {value}")
        rules.options["allow_methods"] = value
    if rng.random() < 0.25:
        value = rng.choice(["off", "and", "or"])
        rules.lines.append(f"AuthMerging {value}")
        rules.options["auth_merging"] = value


def random_question(rng: Random) -> AccessQuestion:
    """Return a request for a path that sections are about, often with credentials."""
    target = "/" + "/".join(rng.choices(_SEGMENTS, k=rng.randrange(1, 4)))
    if rng.random() < 0.05:
        target = rng.choice(["//a", "http://HOST/a", "/a?x=/b", "/b/../a/", "/a//b", "/%2e%2e/a"])
    return AccessQuestion(rng.choice(_ADDRESSES), target, rng.choice(_METHODS), _authorization(rng))


def _authorization(rng: Random) -> str | None:
    if rng.random() < 0.15:
        return None
    user = rng.choice([*PASSWORDS, "ann", "bob", "cy", "ann", "bob"])
    password = PASSWORDS[user] if rng.random() < 0.8 else rng.choice(["", "wrong", "secret-ann:x"])
    text = f"{user}:{password}"
    if rng.random() < 0.1:
        text = rng.choice([user, f"{text}\0tail", f"{user}\0:{password}", f":{text}", ""])
    token = base64.b64encode(text.encode("latin-1")).decode()
    if rng.random() < 0.1:
        token = rng.choice([token.rstrip("="), token[:-1], f"{token} x", f"{token}=", f"*{token}"])
    scheme = rng.choice(["Basic"] * 12 + ["basic", "BASIC", "Basic ", "Basic\t", "Digest", "Basi"])
    return rng.choice([f"{scheme} {token}"] * 30 + [scheme, token, f"{scheme} \t{token}"])
