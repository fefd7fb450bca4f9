"""What the doctor sees of a store that is fetched into."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from indexer.market.sources import guard
from indexer.market.sources.archive import append_reply
from indexer.market.sources.guard import Guard, Pace
from indexer.market.tables import TABLES
from indexer.run.supply import Check, supplied

NOW = datetime(2026, 8, 20, 12, tzinfo=UTC)  # after Shanghai's and Hong Kong's close


class Clock:
    """A clock that stands still."""

    def now(self) -> datetime:
        """Return the instant."""
        return NOW

    def sleep(self, seconds: float) -> None:
        """Wait for nothing."""
        raise AssertionError(seconds)


def prices(**last: int) -> pl.DataFrame:
    rows = [(f"{s[1:7]}.{s[-2:]}", date(2026, 8, d), 1.0) for s, d in last.items()]
    return pl.DataFrame(
        rows, schema={n: TABLES["prices"].empty().schema[n] for n in ("symbol", "date", "close")},
        orient="row",
    )  # fmt: skip


@pytest.fixture
def store(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(guard, "_memory", lambda: tmp_path / "pace.json")
    asked = ("https://a/b", 200, "2026-08-20T09:00:00+00:00")
    refused = ("https://a/b", 403, "2026-08-20T10:00:00+00:00")
    append_reply(tmp_path / "store" / "replies", asked, b"body", {"source": "sina"})
    append_reply(tmp_path / "store" / "replies", refused, b"forbidden", {"source": "sina"})
    return tmp_path / "store"


def seen(store: Path, **last: int) -> dict[str, Check]:
    return {one.about: one for one in supplied(store, prices(**last), NOW)}


def test_a_market_that_is_not_fetched_into_is_not_looked_at(tmp_path):
    assert list(supplied(tmp_path, prices(_600584SH=20), NOW)) == []


def test_closes_of_the_last_final_session_are_fresh(store):
    found = seen(store, _600584SH=20, _000063SZ=3)

    assert found["market XSHG"] == Check("market XSHG", "ok", "last close 2026-08-20")


def test_closes_before_it_are_late(store):
    found = seen(store, _600584SH=18)["market XSHG"]

    assert (found.state, "2 behind 2026-08-20" in found.message) == ("late", True)


def test_the_archive_is_measured_and_each_source_has_a_last_reply_that_was_no_refusal(store):
    found = seen(store)

    assert found[str(store / "replies")].message.startswith("replies: 2, 0.0 MiB")
    assert found["source sina"].message == "last replied at 2026-08-20T09:00:00+00:00"


def test_a_host_that_is_left_alone_is_told(store, tmp_path):
    gate = Guard(Clock(), tmp_path / "pace.json")
    gate.wait("1.push2his.eastmoney.com")
    gate.note("push2his.eastmoney.com", failed=True)
    gate.note("push2his.eastmoney.com", failed=True)

    found = seen(store)["push2his.eastmoney.com"]

    assert found.state == "note"
    assert "left alone until 2026-08-20T12:30:00+00:00; requests today: 1" in found.message


@pytest.mark.parametrize(("asked", "state"), [(1799, "ok"), (1800, "note")])
def test_a_budget_is_noted_from_nine_tenths_on(store, tmp_path, asked, state):
    gate = Guard(Clock(), tmp_path / "pace.json", Pace(0, 0, 2000))
    gate.wait("www.safe.gov.cn")
    kept = json.loads((tmp_path / "pace.json").read_text())
    kept["www.safe.gov.cn"]["asked"] = asked
    (tmp_path / "pace.json").write_text(json.dumps(kept))

    found = seen(store)["www.safe.gov.cn"]

    assert (found.state, found.message) == (state, f"requests today: {asked}, at most 2000")
