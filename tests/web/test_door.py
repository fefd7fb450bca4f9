"""What is no request we answer is turned away, and every answer is dressed."""

import asyncio
import logging
import time
from pathlib import Path

import pytest

from indexer.errors import LedgerError, Refusal, TryAgainError
from indexer.web.door import Admission, guarded, hashed
from indexer.web.kept import LOOK
from tests.web.conftest import asked

TOKEN = "a-token-of-some-length"  # noqa: S105
DRESS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
METHODS = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY", "get"]


@pytest.mark.attack("E1")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("target", ["/v1/indices", "/", "/nowhere"])
def test_other_methods_are_not_allowed(ask, method, target):
    answer = ask(target, method)

    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("target", ["/v1/indices", "/", "/healthz", "/nowhere", "/v1/indices?x=1"])
def test_head_has_the_status_and_the_headers_of_get(ask, target):
    got, head = ask(target), ask(target, "HEAD")

    assert (head.status, head.headers) == (got.status, got.headers)


@pytest.mark.attack("E6")
@pytest.mark.parametrize(
    ("target", "method"),
    [("/v1/indices", "GET"), ("/", "GET"), ("/x", "GET"), ("/", "PUT"), ("/v1/indices?a", "GET")],
)
def test_every_answer_is_dressed(ask, target, method):
    headers = ask(target, method).headers

    assert headers.items() >= DRESS.items()
    assert not [name for name in headers if name.startswith("access-control-")]
    assert "server" not in headers


@pytest.mark.attack("E6")
@pytest.mark.parametrize("host", ["evil.example", "", "127.0.0.1.evil.example", "localhost:x"])
def test_a_name_that_is_not_ours_is_refused(published, client_of, host):
    ask = client_of(published, hosts={"localhost", "127.0.0.1", "[::1]"})

    assert ask("/v1/indices", headers={"host": host}).status == 421


@pytest.mark.attack("E6")
@pytest.mark.parametrize("host", ["", ":8000"])
def test_no_name_is_none_of_ours_even_where_one_is_empty(published, client_of, host):
    ask = client_of(published, hosts={"localhost", ""})

    assert ask("/v1/indices", headers={"host": host}).status == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000"])
def test_a_name_of_ours_is_answered(published, client_of, host):
    ask = client_of(published, hosts={"localhost", "127.0.0.1", "[::1]"})

    assert ask("/v1/indices", headers={"host": host}).status == 200


WRONG = [
    {},
    {"authorization": ""},
    {"authorization": TOKEN},
    {"authorization": "Bearer"},
    {"authorization": "Bearer "},
    {"authorization": f"Basic {TOKEN}"},
    {"authorization": f"Bearer {TOKEN}x"},
    {"authorization": f"Bearer {TOKEN[:-1]}"},
    {"authorization": f"Bearer {TOKEN.upper()}"},
    {"authorization": "Bearer \xff\xfe"},
    {"x-token": TOKEN},
]


@pytest.mark.attack("E4")
@pytest.mark.parametrize("headers", WRONG)
def test_without_the_token_nothing_is_told_and_always_in_the_same_words(
    published, client_of, headers
):
    ask = client_of(published, token=hashed(TOKEN))
    answers = [ask(target, headers=headers) for target in ("/v1/indices", "/v1/x", "/openapi.json")]

    assert {answer.status for answer in answers} == {401}
    assert {answer.body for answer in answers} == {ask("/v1/status").body}
    assert answers[0].headers["www-authenticate"] == 'Bearer realm="indexer"'


@pytest.mark.attack("E4")
@pytest.mark.parametrize(
    "target",
    ["/%761/indices", "/v1%2Findices", "/%76%31/indices/alpha/levels", "/openapi%2ejson", "/x"],
)
def test_no_spelling_of_an_address_goes_past_the_token(published, client_of, target):
    """It is the decoded path that is routed by."""
    assert client_of(published, token=hashed(TOKEN))(target).status == 401


@pytest.mark.attack("E4")
def test_a_token_in_the_query_is_none(published, client_of):
    ask = client_of(published, token=hashed(TOKEN))

    assert ask(f"/v1/indices?token={TOKEN}").status == 401


@pytest.mark.parametrize("kind", ["Bearer", "bearer"])
def test_with_the_token_requests_are_answered(published, client_of, kind):
    ask = client_of(published, token=hashed(TOKEN))

    assert ask("/v1/indices", headers={"authorization": f"{kind} {TOKEN}"}).status == 200


@pytest.mark.parametrize("target", ["/", "/live.js", "/healthz"])
def test_the_page_itself_needs_no_token(published, client_of, target):
    assert client_of(published, token=hashed(TOKEN))(target).status == 200


@pytest.mark.parametrize("headers", [{"content-length": "1"}, {"transfer-encoding": "chunked"}])
def test_a_body_is_refused_and_the_connection_with_it(ask, headers):
    answer = ask("/v1/indices", headers=headers)

    assert (answer.status, answer.headers["connection"]) == (413, "close")


@pytest.mark.attack("E3")
@pytest.mark.parametrize("target", ["/" + "a" * 2048, "/v1/indices?" + "a" * 65536])
def test_a_long_target_is_refused(ask, target):
    assert ask(target).status == 414


@pytest.mark.attack("E3")
@pytest.mark.parametrize(
    "query",
    [
        "limit=1&limit=1",
        "limit=1&%6cimit=2",
        "limit=%00",
        "%00=1",
        "limit=%ff",
        "%c0%ae=1",
        "a=\xff",
    ],
)
def test_a_query_with_no_one_reading_is_refused(ask, query):
    assert ask(f"/v1/indices?{query}").status == 422


@pytest.mark.attack("E3")
@pytest.mark.parametrize("query", ["limit=%00", "%00=1"])
def test_a_nul_in_a_query_is_refused_at_the_door(ask, query):
    assert ask(f"/v1/indices?{query}").json["detail"] == "the query has a NUL in it"


def failing(error):
    async def app(scope, receive, send):
        raise error

    return guarded(app, Admission())


@pytest.mark.parametrize(
    "error",
    [
        TryAgainError("sqlite:////srv/secret.db", "database is locked"),
        LedgerError([Refusal("sqlite:////srv/secret.db", "", "", "the database is damaged")]),
        TimeoutError(),
    ],
)
def test_a_ledger_that_cannot_be_read_is_a_matter_of_time(error, caplog):
    answer = asyncio.run(asked(failing(error), "/v1/indices"))

    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert b"secret" not in answer.body
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.attack("E6")
def test_a_bug_is_told_to_the_log_alone(caplog):
    answer = asyncio.run(asked(failing(ZeroDivisionError("/srv/secret.db")), "/v1/indices"))

    assert answer.status == 500
    assert answer.json["title"] == "Internal Server Error"
    assert b"secret" not in answer.body
    assert b"Traceback" not in answer.body
    assert caplog.records[0].exc_info


@pytest.mark.parametrize("target", ["/v1/indices", "/v1/indices/chain-1", "/v1/status"])
def test_a_damaged_ledger_is_one_problem_wherever_it_is_read(ledger, client_of, target):
    ask = client_of(ledger)
    with ledger.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE entries RENAME COLUMN revision TO lost")
    answer = ask(target)

    assert answer.status == 503
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_answer_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr("indexer.web.door.TIME", 0.05)

    async def app(scope, receive, send):
        await asyncio.sleep(5)

    assert asyncio.run(asked(guarded(app, Admission()), "/v1/indices")).status == 503


@pytest.mark.parametrize("target", ["/v1/indices", "/healthz"])
def test_a_ledger_that_was_taken_away_is_said_though_it_was_read_before(ledger, client_of, target):
    ask = client_of(ledger)
    assert ask(target).status == 200
    Path(ledger.url.database).unlink()
    time.sleep(2 * LOOK)

    assert ask(target).status == 503
