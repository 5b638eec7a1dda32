from __future__ import annotations

import pytest

from django_wsgimatch.answers.access import passwords
from django_wsgimatch.answers.access.passwords import Remembered, hash_kind, is_right

# As Apache's htpasswd and the system's crypt(3) have written them.
ENTRIES = {
    "bcrypt": "$2y$04$GjzPloBhTz0y38v0Ab9hseIS8qCC0CZvEJhQtNQmGNqMqv3XWhxYa",
    "apr_md5_crypt": "$apr1$Yl0ydiPC$UeWeyxf01D5DMy1rBF.3d/",
    "ldap_sha1": "{SHA}u8SS5DZYKLP0EektQ/jDoNAZVNI=",
    "des_crypt": "1TrEPW456Lg0U",
    "md5_crypt": "$1$eOHvbOo.$odksGdDRcDTVVOam.5inH/",
    "sha256_crypt": "$5$uz/2hWajzKSoW8xy$.dn8QeO7YntbxsQ8JJg9am5fq.bkx5LlJwHEhExS31/",
    "bsdi_crypt": "_7C/.fX8qXjso0W4on1g",
}
PASSWORDS = {
    "bcrypt": "secret-ann",
    "apr_md5_crypt": "secret-bob",
    "ldap_sha1": "secret-cy",
    "des_crypt": "secret-dan",
    "md5_crypt": "secret-gus",
    "sha256_crypt": "secret-ida",
    "bsdi_crypt": "secret-kim",
}


@pytest.mark.parametrize("kind", ENTRIES)
def test_each_kind_of_entry_takes_its_password_and_no_other(kind):
    answers = [is_right(each, ENTRIES[kind]) for each in (PASSWORDS[kind], "wrong", "")]

    assert (hash_kind(ENTRIES[kind]), answers) == (kind, [True, False, False])


@pytest.mark.parametrize(
    "entry",
    [
        *(
            "",
            "secret",
            "*",
            "!",
            "$apr1$",
            "$2y$04$short",
            "{SHA}",
            "{SHA}x",
            "$6$",
            "_",
            "$9$x$y",
        ),
        *(
            "$2y$99$GjzPloBhTz0y38v0Ab9hseIS8qCC0CZvEJhQtNQmGNqMqv3XWhxYa",
            "{SSHA}abcd",
            "$y$j9T$x$",
        ),
    ],
)
def test_a_broken_entry_and_a_password_in_plain_text_let_nobody_in(entry):
    assert [is_right(password, entry) for password in ("secret", "", entry)] == [False] * 3


def test_bcrypt_looks_at_72_bytes_as_apache_s_does():
    import bcrypt

    entry = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()

    assert is_right("x" * 72 + "anything", entry)


def test_a_password_too_long_for_crypt_is_wrong():
    assert not is_right("secret-gus" + "x" * 5000, ENTRIES["md5_crypt"])


@pytest.fixture
def computed(monkeypatch):
    """The passwords for which a hash was computed."""
    found = []

    def watched(password, stored):
        found.append(password)
        return is_right(password, stored)

    monkeypatch.setattr(passwords, "is_right", watched)
    return found


def test_a_right_password_is_computed_once(computed):
    remembered = Remembered(60)

    answers = [remembered.is_right("cy", "secret-cy", ENTRIES["ldap_sha1"]) for _ in range(3)]

    assert (answers, computed) == ([True] * 3, ["secret-cy"])


def test_a_wrong_password_is_computed_each_time(computed):
    remembered = Remembered(60)

    answers = [remembered.is_right("cy", "wrong", ENTRIES["ldap_sha1"]) for _ in range(3)]

    assert (answers, computed) == ([False] * 3, ["wrong"] * 3)


def test_what_is_remembered_is_for_one_user_and_one_entry(computed):
    remembered = Remembered(60)
    remembered.is_right("cy", "secret-cy", ENTRIES["ldap_sha1"])

    other_user = remembered.is_right("bob", "secret-cy", ENTRIES["ldap_sha1"])
    other_entry = remembered.is_right("cy", "secret-cy", ENTRIES["md5_crypt"])

    assert (other_user, other_entry, len(computed)) == (True, False, 3)


def test_nothing_is_remembered_where_that_is_off(computed):
    remembered = Remembered(0)

    for _ in range(3):
        remembered.is_right("cy", "secret-cy", ENTRIES["ldap_sha1"])

    assert computed == ["secret-cy"] * 3


def test_no_password_is_kept_in_memory():
    remembered = Remembered(60)
    remembered.is_right("cy", "secret-cy", ENTRIES["ldap_sha1"])

    assert b"secret" not in repr(remembered._until).encode()


def test_no_more_than_so_many_are_remembered(monkeypatch):
    monkeypatch.setattr(passwords, "_MOST_REMEMBERED", 4)
    remembered = Remembered(60)

    for number in range(10):
        remembered.is_right(f"user{number}", "secret-cy", ENTRIES["ldap_sha1"])

    assert len(remembered._until) <= 4


def test_an_unknown_user_costs_a_hash_too(computed):
    Remembered(60).compare_in_vain("nobody", "guess", tuple(ENTRIES.values()))

    assert computed == ["guess"]


def test_an_unknown_user_always_costs_the_same_hash(monkeypatch):
    entries, found = tuple(ENTRIES.values()), []
    monkeypatch.setattr(passwords, "is_right", lambda password, stored: found.append(stored))
    remembered = Remembered(60)

    for _ in range(5):
        remembered.compare_in_vain("nobody", "guess", entries)

    assert len(set(found)) == 1
