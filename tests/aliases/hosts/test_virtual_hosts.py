from __future__ import annotations

import time
from random import Random

import pytest

from django_wsgimatch.aliases.hosts.virtual_hosts import HostIndex, host_matches, name_in

LABELS = ("a", "b", "A", "www", "example", "")


def random_name(rng: Random) -> str:
    return ".".join(rng.choice(LABELS) for _ in range(rng.choice((1, 1, 2, 2, 3, 4))))


@pytest.mark.parametrize("seed", range(5))
def test_the_first_pattern_is_found_as_by_trying_one_after_the_other(seed):
    rng = Random(seed)
    for _ in range(300):
        given = [random_name(rng) for _ in range(rng.choice((1, 3, 8)))]
        patterns = list(dict.fromkeys((*given, *rng.sample(["*", ".", ""], rng.choice((0, 1))))))
        hosts = [random_name(rng) + rng.choice(("", ":80", ".")) for _ in range(10)]

        found = [HostIndex(patterns).find(host) for host in hosts]

        expected = [
            next((each for each in patterns if host_matches(each, name_in(host))), None)
            for host in hosts
        ]
        assert found == expected, patterns


def test_a_name_of_many_labels_is_looked_up_at_once():
    index = HostIndex([f".host{number}.example" for number in range(1000)])
    name = "a." * 4000 + "host5.example"
    # A machine that is busy with other things gives this thread no more CPU time.
    started = time.thread_time()

    found = index.find(name)

    assert found == ".host5.example"
    assert time.thread_time() - started < 0.1


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        pytest.param("a.example", "a.example", True, id="the name itself"),
        pytest.param("A.Example", "a.example", True, id="in any case"),
        pytest.param("a.example", "b.a.example", False, id="no subdomains unasked"),
        pytest.param(".example", "a.example", True, id="a subdomain"),
        pytest.param(".example", "example", True, id="a dot takes the domain too"),
        pytest.param(".example", "counterexample", False, id="not the end of a name"),
        pytest.param("*", "a.example", True, id="any host"),
    ],
)
def test_host_matches(pattern, name, expected):
    found = host_matches(pattern, name)

    assert found is expected
