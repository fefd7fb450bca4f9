"""Trading days and constituents as upstreams announce them, through akshare's own code."""

from datetime import date

import numpy as np
import pytest

from benchmarks.standin.faults import Fault
from indexer.errors import MarketDataError, MissingInputError, SourceError
from indexer.market.sources.akshare import upstreams
from indexer.run.announced import constituents, trading_days
from indexer.run.calendars import against
from tests.market.sources.standin import LAST, Reach


def test_trading_days_to_come_are_announced_too(reach: Reach):
    ahead = date(2026, 6, 15)
    reach.standin.market.sessions.append(ahead)

    days = trading_days(upstreams(reach.access), LAST).tolist()

    assert [day for day in days if day.year == 2026] == reach.standin.market.sessions[1:]
    assert days[-1] == ahead


def test_a_day_beyond_all_announcements_is_left_out(reach: Reach):
    reach.standin.market.sessions.append(date(2028, 1, 4))

    assert trading_days(upstreams(reach.access), LAST)[-1].item() == LAST


def test_the_calendar_is_compared_with_what_is_announced(reach: Reach):
    reach.standin.market.sessions.remove(date(2026, 5, 18))
    days = trading_days(upstreams(reach.access), LAST)

    told = against("XSHG", days[days >= np.datetime64("2026-03-02")], source="Sina")

    assert told["to_close"] == ["2026-05-18"]
    assert (told["to_open"], told["compared"]) == ([], ["2026-03-02", "2026-06-12"])


def test_constituents_come_with_weights_that_sum_to_one_the_largest_first(reach: Reach):
    rows = constituents("000985.SH", upstreams(reach.access), LAST)

    assert rows.rows() == [
        (date(2026, 5, 31), "300308.SZ", 0.6),
        (date(2026, 5, 31), "600584.SH", 0.4),
    ]


def test_an_index_nobody_publishes_is_said(reach: Reach):
    with pytest.raises(MissingInputError, match=r"name an index of CSI's"):
        constituents("HSTECH.HK", upstreams(reach.access), LAST)


@pytest.mark.parametrize(
    ("kind", "error"), [("http_429", SourceError), ("gzip_bomb", MarketDataError)]
)
def test_an_upstream_that_fails_is_told_with_what_it_was_asked(reach: Reach, kind: str, error):
    reach.standin.choose = lambda _: Fault(kind)

    with pytest.raises(error, match=r"weights of 000985\.SH"):
        constituents("000985.SH", upstreams(reach.access), LAST)
