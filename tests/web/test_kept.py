"""Answers are made once for the last entry of what they tell of, and never outlive it."""

import asyncio
import gc
import time
from datetime import UTC, datetime

import pytest

from benchmarks.reliability import shown
from indexer.errors import TryAgainError
from indexer.ledger.database import publishing
from indexer.ledger.heads import Mark
from indexer.web import kept
from indexer.web.kept import Kept, Marks
from tests.web.conftest import SESSIONS, asked

LATER = datetime(2026, 3, 9, tzinfo=UTC)
DAY = shown.days(SESSIONS)[7]
TARGET = f"/v1/indices/chain-1/levels?from={DAY}&to={DAY}&variant=price"


def test_an_answer_has_a_tag_and_is_not_sent_again_to_who_has_it(ask):
    got = ask(TARGET)
    again = ask(TARGET, headers={"if-none-match": got.headers["etag"]})

    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == got.headers["etag"]
    assert "content-length" not in again.headers


@pytest.mark.parametrize("asked_for", ['"other", {}', "W/{}", "*"])
def test_a_tag_is_found_among_others_and_when_it_is_weak(ask, asked_for):
    tag = ask(TARGET).headers["etag"]

    assert ask(TARGET, headers={"if-none-match": asked_for.format(tag)}).status == 304


def test_another_tag_gets_the_answer(ask):
    assert ask(TARGET, headers={"if-none-match": '"other"'}).status == 200


@pytest.mark.attack("E8")
def test_a_corrected_level_is_served_at_once_and_under_another_tag(ledger, client_of):
    ask = client_of(ledger)
    before = ask(TARGET)
    shown.correct(ledger, "chain-1", DAY, 123.0, LATER)
    until = time.monotonic() + 5  # where a look takes longer than a request may wait
    after = before
    while time.monotonic() < until and after.body in (before.body, b""):
        after = ask(TARGET, headers={"if-none-match": before.headers["etag"]})

    assert after.status == 200
    assert after.json["rows"][0]["level"] == "123.0000"


def test_what_did_not_change_keeps_its_tag_over_a_publication(ledger, client_of):
    ask = client_of(ledger)
    before = ask("/v1/indices/chain-2/levels")
    shown.correct(ledger, "chain-1", DAY, 123.0, LATER)

    assert ask("/v1/indices/chain-2/levels").headers["etag"] == before.headers["etag"]


def test_no_proxy_may_answer_without_asking(ask):
    assert ask(TARGET).headers["cache-control"] == "no-cache"
    assert ask("/v1/status").headers["cache-control"] == "no-store"
    assert ask("/v1/indices/chain-9").headers["cache-control"] == "no-store"


def test_a_publication_that_holds_the_database_keeps_nobody_waiting(ledger, client_of):
    ask = client_of(ledger)
    before = ask(TARGET)
    with publishing(ledger) as connection:
        connection.exec_driver_sql("PRAGMA locking_mode=EXCLUSIVE")
        connection.exec_driver_sql("CREATE TABLE held (x)")
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("BEGIN EXCLUSIVE")
        during = ask(TARGET)
        connection.exec_driver_sql("PRAGMA locking_mode=NORMAL")

    assert (during.status, during.body) == (200, before.body)


class Counted:
    """An application that counts what it is asked, behind what is kept."""

    def __init__(self, size=1, status=200):
        self.size, self.status, self.count = size, status, 0
        self.chain = [Mark(1, "a", "first")]
        self.kept = Kept(self.answer, Marks(self.look), ("/",))

    async def look(self, number):
        """Return the entries from a number on, newest first."""
        return [mark for mark in reversed(self.chain) if mark.number >= number]

    def publish(self, subject):
        """Append an entry, and let the next request look."""
        self.chain.append(Mark(len(self.chain) + 1, subject, f"{subject} {len(self.chain)}"))
        self.kept.marks.at -= 1

    def ask(self, *targets):
        """Ask for one after another, and return how many answers were made."""
        before = self.count

        async def one_by_one():
            for target in targets:
                await asked(self.kept, target)

        asyncio.run(one_by_one())
        return self.count - before

    async def answer(self, scope, receive, send):
        """Take a while."""
        self.count += 1
        await asyncio.sleep(0.02)
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * self.size})


def test_a_shorter_ledger_in_its_place_is_looked_at_as_it_grows():
    counted = Counted()
    for _ in range(5):
        counted.publish("a")
    counted.ask("/v1/indices", "/v1/indices/a")
    counted.chain = [Mark(1, "a", "restored")]
    counted.kept.marks.at -= 1
    assert counted.ask("/v1/indices", "/v1/indices/a") == 2
    counted.publish("a")

    assert counted.ask("/v1/indices", "/v1/indices/a") == 2
    assert counted.ask("/v1/indices", "/v1/indices/a") == 0


def test_many_who_ask_at_once_have_one_answer_made():
    counted = Counted()

    async def all_at_once():
        return await asyncio.gather(*(asked(counted.kept, "/a") for _ in range(50)))

    answers = asyncio.run(all_at_once())

    assert counted.count == 1
    assert {answer.body for answer in answers} == {b"x"}


def test_who_gives_up_does_not_take_the_answer_from_the_others():
    counted = Counted()

    async def first_gives_up():
        first = asyncio.create_task(asked(counted.kept, "/a"))
        second = asyncio.create_task(asked(counted.kept, "/a"))
        await asyncio.sleep(0.01)
        first.cancel()
        return await second

    assert asyncio.run(first_gives_up()).body == b"x"
    assert counted.count == 1


@pytest.mark.attack("E8")
def test_an_answer_made_while_an_entry_came_is_not_kept():
    counted = Counted()

    async def overtaken():
        slow = asyncio.create_task(asked(counted.kept, "/a"))
        await asyncio.sleep(0.01)
        counted.publish("a")
        await asked(counted.kept, "/a")
        await slow
        await asked(counted.kept, "/a")

    asyncio.run(overtaken())

    assert counted.count == 2
    assert list(counted.kept.answers) == [b"/a?"]


def test_an_entry_of_another_subject_leaves_an_answer():
    counted = Counted()
    of_a, of_b, all_of_them = "/v1/indices/a/levels", "/v1/indices/b/levels", "/v1/indices"
    counted.ask(of_a, of_b, all_of_them)
    counted.publish("b")

    assert counted.ask(of_a) == 0
    assert counted.ask(of_b) == 1
    assert counted.ask(all_of_them) == 1
    assert len(counted.kept.answers) == 3


def test_an_address_written_otherwise_tells_of_the_same_subject():
    counted = Counted()
    counted.ask("/v1/indices/%61/levels")
    counted.publish("a")

    assert counted.ask("/v1/indices/%61/levels") == 1


@pytest.mark.parametrize(
    "chain",
    [[], [Mark(1, "b", "x")], [Mark(n, "a", f"other {n}") for n in (1, 2, 3)]],
    ids=["emptied", "shorter", "longer"],
)
def test_another_ledger_in_its_place_leaves_nothing(chain):
    counted = Counted()
    counted.publish("a")
    counted.ask("/v1/indices/c")
    counted.chain = chain
    counted.kept.marks.at -= 1

    assert counted.ask("/v1/indices/c") == 1


def test_problems_are_not_kept():
    counted = Counted(status=404)
    asyncio.run(asked(counted.kept, "/a"))
    asyncio.run(asked(counted.kept, "/a"))

    assert counted.count == 2
    assert not counted.kept.answers


def test_there_is_room_for_so_many_bytes_and_the_oldest_goes(monkeypatch):
    monkeypatch.setattr(kept, "ROOM", 2 * kept.BESIDE + 20)
    counted = Counted(size=4)

    async def three():
        for target in ("/a", "/b", "/a", "/c"):
            await asked(counted.kept, target)

    asyncio.run(three())

    assert list(counted.kept.answers) == [b"/a?", b"/c?"]
    assert counted.kept.size == 2 * (kept.BESIDE + len(b"/a?") + 4)


def test_answers_without_a_body_are_not_kept_for_ever(monkeypatch):
    """What an answer takes beside its body counts, or ever more of them would fit."""
    monkeypatch.setattr(kept, "ROOM", 3 * kept.BESIDE)
    counted = Counted(size=0)
    counted.ask(*(f"/{n}" for n in range(20)))

    assert len(counted.kept.answers) == 2


def test_what_is_made_anew_before_it_was_counted_is_not_taken_off_what_is_kept():
    """An answer that ends in the same turn of the loop in which a later entry is seen."""

    async def ended():
        counted = Counted(size=4)
        making = asyncio.get_running_loop().create_task(asyncio.sleep(0, kept.Reply(200, [], b"1")))
        await making
        counted.kept.answers[b"/a?"] = kept.Cached("an older entry", making)
        await asked(counted.kept, "/a")
        return counted.kept.size

    assert asyncio.run(ended()) == kept.BESIDE + len(b"/a?") + 4


def test_a_failure_that_a_later_entry_overtook_is_not_logged_as_a_bug(caplog):
    async def overtaken():
        counted = Counted()

        async def failing():
            raise TryAgainError("ledger", "gone")

        making = asyncio.get_running_loop().create_task(failing())
        await asyncio.wait({making})
        counted.kept._weigh(b"/a?", kept.Cached("an older entry", making))

    asyncio.run(overtaken())
    gc.collect()

    assert not caplog.records


def test_a_ledger_that_cannot_be_read_is_said_where_nothing_is_known():
    counted = Counted()

    async def look(number):
        raise TryAgainError("ledger", f"gone from {number}")

    counted.kept.marks = Marks(look)
    with pytest.raises(TryAgainError):
        asyncio.run(asked(counted.kept, "/a"))


def test_a_look_that_fails_after_nobody_waits_is_not_logged_as_a_bug(caplog):
    counted = Counted()
    counted.ask("/v1/indices")

    async def look(number):
        await asyncio.sleep(2 * kept.PATIENCE)
        raise TryAgainError("ledger", f"locked from {number}")

    async def in_vain():
        counted.kept.marks.look = look
        counted.kept.marks.at -= 1
        answer = await asked(counted.kept, "/v1/indices")
        await asyncio.sleep(2 * kept.PATIENCE)
        gc.collect()  # asyncio tells of a task as it goes
        return answer.status

    assert asyncio.run(in_vain()) == 200
    assert not caplog.records
