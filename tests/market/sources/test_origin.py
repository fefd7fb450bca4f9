"""Where rows are from, one by one, when several sources have told of them."""

from datetime import date, datetime

import polars as pl

from indexer.market.sources.origin import stamped, traced
from indexer.market.sources.source import Answer, Ask, Reply
from indexer.market.sources.verdict import Verdict
from indexer.market.tables import TABLES

DAYS = [date(2026, 8, 19), date(2026, 8, 20)]
ON = date(2026, 11, 20)


def bars(*closes: float | None) -> pl.DataFrame:
    rows = [("300308.SZ", day, c) for day, c in zip(DAYS, closes, strict=True) if c is not None]
    told = pl.DataFrame(rows, schema=["symbol", "date", "close"], orient="row")
    return pl.concat([TABLES["prices"].empty(), told], how="diagonal_relaxed")


def told(source: str, *closes: float | None) -> tuple[Answer, Verdict]:
    ask = Ask("prices", "300308.SZ", *DAYS, ON)
    replies = tuple(
        Reply("https://a", 200, sha, "2026-11-20T20:00:00+08:00")
        for sha in ("first", f"{source}'s")
    )
    answer = Answer(ask, source, "ok", bars(*closes), "", replies)
    return answer, Verdict("ok", bars(*closes), (), ())


def sources(rows: pl.DataFrame, **closes: tuple[float | None, ...]) -> list[tuple[str, str]]:
    """Return source and digest of each row."""
    replies = {name: told(name, *given) for name, given in closes.items()}
    return traced("prices", rows, replies, ON).select("source", "sha256").rows()


EASTMONEY, TENCENT = ("eastmoney", "eastmoney's"), ("tencent", "tencent's")


def test_a_row_that_all_tell_is_from_the_first():
    assert sources(bars(10.0, 11.0), eastmoney=(10.0, 11.0), tencent=(10.0, 11.0)) == [
        EASTMONEY,
        EASTMONEY,
    ]


def test_a_row_that_one_source_alone_has_is_from_that():
    assert sources(bars(10.0, 11.0), eastmoney=(10.0, None), tencent=(10.0, 11.0)) == [
        EASTMONEY,
        TENCENT,
    ]


def test_a_row_is_from_whose_figure_counts():
    assert sources(bars(10.0, 11.0), eastmoney=(10.5, 11.0), tencent=(10.0, 11.0)) == [
        TENCENT,
        EASTMONEY,
    ]


def test_figures_of_several_sources_make_a_row_of_the_first():
    assert sources(bars(10.2, 11.0), eastmoney=(10.5, 11.0), tencent=(10.0, 11.0)) == [
        EASTMONEY,
        EASTMONEY,
    ]


def test_rows_are_as_old_as_the_last_reply_of_their_answer():
    row = stamped(bars(10.0, 11.0), told("sina", 10.0, 11.0)[0]).row(0, named=True)

    assert row["fetched_at"] == datetime(2026, 11, 20, 12)  # noqa: DTZ001 (in UTC)


def test_what_no_upstream_replied_has_no_digest():
    ask = Ask("prices", "300308.SZ", *DAYS, ON)

    rows = stamped(bars(10.0, 11.0), Answer(ask, "folder", "ok", bars(10.0, 11.0)))

    assert rows.select("source", "fetched_at", "sha256").row(0) == ("folder", None, None)
