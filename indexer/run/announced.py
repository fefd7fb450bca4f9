"""What upstreams announce that no store holds: trading days, and who is in their indices."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from indexer.arrays import Days
from indexer.errors import Flaw, MarketDataError, MissingInputError, SourceError, TryAgainError
from indexer.market.sources.akshare import sources_of
from indexer.market.sources.archive import private_archive
from indexer.market.sources.plain import FIRST
from indexer.market.sources.source import AHEAD, Answer, Ask, Source, Table
from indexer.run.fetch import Way, reaching

CALENDAR = "XSHG"  # whose days upstreams tell


def trading_days(sources: Sequence[Source], asked_on: date) -> Days:
    """Return the trading days of Shanghai as an upstream announces them, those to come included.

    Raises
    ------
    SourceError
        If no upstream can be reached.
    TryAgainError
        If none has any now.
    MarketDataError
        If what they answer cannot be believed.
    """
    answer = _answered("sessions", "", FIRST, asked_on, sources)
    return np.array(answer.frame["date"].sort().to_list(), dtype="datetime64[D]")


def constituents(index: str, sources: Sequence[Source], asked_on: date) -> pl.DataFrame:
    """Return who is in a published index, and their weights: date, symbol and weight.

    Weights are fractions of one at the end of the last month, the largest first.

    Raises
    ------
    MissingInputError
        If no upstream publishes the constituents of such an index.
    SourceError, TryAgainError, MarketDataError
        As `trading_days` does.
    """
    if not sources_of("weights", index, sources):
        said = "nobody publishes its constituents: name an index of CSI's, such as 000300.SH"
        raise MissingInputError([Flaw("index", None, index, said)])
    rows = _answered("weights", index, FIRST, asked_on, sources).frame
    return rows.sort("weight", "symbol", descending=[True, False]).drop("index")


def trading_days_through_akshare(way: Way) -> Days:
    """Ask the upstreams behind akshare; raises as `trading_days` does."""
    with private_archive() as archive, reaching(way, archive) as (sources, at):
        return trading_days(sources, at.date())


def constituents_through_akshare(index: str, way: Way) -> pl.DataFrame:
    """Ask the upstreams behind akshare; raises as `constituents` does."""
    with private_archive() as archive, reaching(way, archive) as (sources, at):
        return constituents(index, sources, at.date())


def _answered(
    table: Table, subject: str, since: date, asked_on: date, sources: Sequence[Source]
) -> Answer:
    """Return the first answer that is one, or raise with what the last source said."""
    until = asked_on + AHEAD if table == "sessions" else asked_on
    ask = Ask(table, subject, since, until, asked_on)
    answers = []
    for source in sources_of(table, subject, sources):
        answers.append(source.fetch(ask))
        if answers[-1].outcome == "ok":
            return answers[-1]
    told = answers[-1] if answers else None
    if told is None or told.outcome == "blocked":
        name = told.source if told else "no source"
        raise SourceError(name, str(ask), told.reason if told else "nobody is asked who has it")
    if told.outcome == "corrupt":
        raise MarketDataError([Flaw(told.source, None, str(ask), told.reason)])
    raise TryAgainError(f"{told.source}: {ask}", told.reason)
