"""One client has its share of requests and no more; it is known by its address alone."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.web import ratelimit
from indexer.web.ratelimit import RateLimit, client_of


@given(
    st.integers(1, 5),
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2000)), max_size=60),
)
def test_of_any_stretch_a_client_is_answered_what_it_allows_and_a_second_more(rate, asked):
    """Milliseconds between requests; each stretch between two answers is looked at."""
    limit, now, answered = RateLimit(rate), 0.0, defaultdict(list)
    for client, pause in asked:
        now += pause / 1000
        if limit.take(client, now) == 0:
            answered[client].append(now)

    for times in answered.values():
        for n, first in enumerate(times):
            for count, last in enumerate(times[n:], 1):
                assert count <= rate * (last - first + 1) + 1e-9


@given(st.integers(1, 5), st.lists(st.integers(0, 3000), min_size=1, max_size=40))
def test_who_comes_again_when_told_to_is_answered(rate, pauses):
    limit, now = RateLimit(rate), 0.0
    for pause in pauses:
        now += pause / 1000
        if wait := limit.take("a", now):
            now += wait + 1e-9
            assert limit.take("a", now) == 0


def test_one_client_takes_nothing_of_another():
    limit = RateLimit(1)

    assert [limit.take(client, 0.0) for client in ("a", "a", "b")] == [0.0, 1.0, 0.0]


def test_of_very_many_clients_who_was_quiet_longest_is_forgotten(monkeypatch):
    monkeypatch.setattr(ratelimit, "REMEMBERED", 2)
    limit = RateLimit(1)
    for client in ("a", "b", "a", "c"):
        limit.take(client, 0.0)

    assert [limit.take(client, 0.0) for client in ("a", "b")] == [1.0, 0.0]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
    ],
)
def test_a_client_is_an_address_or_a_network_of_64_bits(one, other, same):
    assert (client_of(one) == client_of(other)) is same


class Timed(RateLimit):
    """A limit by a clock that is set by hand."""

    now = 0.0

    def take(self, client: str, now: float) -> float:
        """Take a request at the instant that is set."""
        assert now > 0
        return super().take(client, self.now)


@pytest.mark.attack("E5")
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-forwarded-for": "198.51.100.7"},
        {"forwarded": "for=198.51.100.7"},
        {"x-real-ip": "198.51.100.7"},
        {"authorization": "Bearer another"},
    ],
)
def test_a_client_that_asks_too_often_is_told_when_to_come_again(published, client_of, headers):
    limit = Timed(2)
    ask = client_of(published, limit=limit)
    found = [ask("/v1/indices", headers=headers if n else {}) for n in range(3)]
    limit.now += int(found[-1].headers["retry-after"])

    assert [answer.status for answer in found] == [200, 200, 429]
    assert found[-1].json["detail"] == "a client is answered 2 times a second: ask again later"
    assert ask("/v1/indices", headers=headers).status == 200


@pytest.mark.attack("E5")
def test_a_wrong_token_is_counted_too(published, client_of):
    """Else a token could be guessed as fast as the network is."""
    ask = client_of(published, limit=Timed(1), token=b"\0" * 32)

    assert [ask("/v1/indices").status for _ in range(3)] == [401, 429, 429]
