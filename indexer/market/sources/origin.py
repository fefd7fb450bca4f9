"""Where rows are from: whose answer has them, and its last reply, as the columns of a store."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

import polars as pl

from indexer.market.conventions.hierarchy import precedence
from indexer.market.sources.agree import IDENTITY
from indexer.market.sources.source import Answer
from indexer.market.sources.verdict import Verdict
from indexer.market.tables import TABLES


def stamped(rows: pl.DataFrame, answer: Answer) -> pl.DataFrame:
    """Return rows of one answer with where they are from: source, instant in UTC and digest."""
    last = answer.replies[-1] if answer.replies else None
    at = datetime.fromisoformat(last.fetched_at).astimezone(UTC) if last else None
    return rows.with_columns(
        source=pl.lit(answer.source),
        fetched_at=pl.lit(at and at.replace(tzinfo=None), pl.Datetime("us")),
        sha256=pl.lit(last and last.sha256, pl.String),
    )


def traced(
    table: str, rows: pl.DataFrame, replies: Mapping[str, tuple[Answer, Verdict]], on: date
) -> pl.DataFrame:
    """Return rows that several answers agree on with where they are from.

    That is the first answer with the figures of a row that levels rest on, about which the
    hierarchy refuses a row where sources differ; where none has all of them, the first with the
    row.

    Parameters
    ----------
    table : one of ``prices``, ``series``, ``shares``, ``actions``, ``fx``
    replies : by source, in the order of the hierarchy: the answer, and what of it is believed
    on : the date whose hierarchy counts
    """
    key = list(IDENTITY[table])
    rules = {name: precedence(table, name, "", on) for name in TABLES[table].columns}
    figures = [name for name, rule in rules.items() if rule and rule.otherwise == "refuse"]
    whole = [*key, *(name for name in figures if name not in key)]
    empty = TABLES[table].empty()
    seen = pl.concat(
        pl.concat([empty, told.rows], how="diagonal_relaxed").select(*whole, source=pl.lit(name))
        for name, (_, told) in replies.items()
    )
    exact, keyed = (
        rows.join(
            seen.unique(names, keep="first", maintain_order=True).select(*names, "source"),
            on=names,
            how="left",
            nulls_equal=True,
            maintain_order="left",
        )["source"]
        for names in (whole, key)
    )
    stamps = pl.concat(stamped(pl.DataFrame({"source": [n]}), a) for n, (a, _) in replies.items())
    source = pl.select(pl.coalesce(exact, keyed)).to_series()
    named = rows.with_columns(source.alias("source"))
    return named.join(stamps, on="source", how="left", maintain_order="left")
