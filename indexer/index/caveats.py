"""What a reader must know of the data of an index before trusting a figure of it."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import combinations

import numpy as np
import polars as pl

from indexer.arrays import Grid
from indexer.definitions.basket import Constituent, Rebalance
from indexer.errors import counted
from indexer.market.calendar import Calendar
from indexer.market.lines import Line
from indexer.market.panel import Panel
from indexer.market.tables import Market
from indexer.words import Text

HORIZON_NOTICE = 60  # days before the end of a calendar from which on a build warns
_FAR = 0.1  # of the price of a share by which that of the one it becomes may differ


def missing_caveat(missing: Sequence[str]) -> Iterator[Text]:
    """Yield which constituents have no close at all."""
    if missing:
        yield Text(
            f"left out, no close in the folder: {', '.join(missing)}",
            f"数据中无收盘价，未纳入：{'、'.join(missing)}",
        )


def issuer_caveat(constituents: Sequence[Constituent], securities: pl.DataFrame) -> Iterator[Text]:
    """Yield which constituents are shares of one company: a cap on each is none on that."""
    listed = pl.col("symbol").is_in([one.symbol for one in constituents])
    rows = securities.filter(listed, pl.col("issuer").is_not_null()).select("symbol", "issuer")
    issuer = dict(rows.iter_rows())
    held: dict[str, list[Constituent]] = {}
    for one in constituents:
        if one.symbol in issuer:
            held.setdefault(issuer[one.symbol], []).append(one)
    told = [
        f"{name} ({', '.join(dict.fromkeys(one.symbol for one in shares))})"
        for name, shares in held.items()
        if any(a.symbol != b.symbol and a.overlaps(b) for a, b in combinations(shares, 2))
    ]
    if told:
        yield Text(
            f"several constituents of one company, each with a weight of its own: "
            f"{', '.join(told)}",
            f"同一公司有多只成分股，各自计权：{'、'.join(told)}",
        )


def exchange_caveats(panel: Panel) -> Iterator[Text]:
    """Yield changes into a symbol that traded before: far from the old one's price, or without one.

    A source that gives the whole past of a share under its new symbol leaves the old one none.
    """
    column = {line.symbol: j for j, line in enumerate(panel.lines)}
    for j, line in enumerate(panel.lines):
        for old, day in line.apart:
            at = [panel.closes.before(c, np.datetime64(day)) for c in (column.get(old, j), j)]
            if at[0] < 0 <= at[1] and panel.lines[column.get(old, j)].entry >= 0:
                yield Text(
                    f"{old} has no close before it becomes {line.symbol} on {day}, which has: it "
                    f"is not held before; give its earlier closes as those of {old}",
                    f"{old}于{day}变为{line.symbol}，此前只有后者有收盘价：在此之前未纳入，"
                    f"请把此前的收盘价记在{old}名下",
                )
            before, after = panel.closes.close[at] if min(at) >= 0 else (1.0, 1.0)
            if abs(after / before - 1) > _FAR:
                yield Text(
                    f"{old} becomes {line.symbol} on {day}, one for one, at {before:g} and "
                    f"{after:g} before: enter a merger with its ratio if it was another",
                    f"{old}于{day}按1:1变为{line.symbol}，此前收盘价分别为{before:g}和{after:g}："
                    "若换股比例不同，请按合并录入其比例",
                )


def renamed_caveats(lines: Sequence[Line], market: Market, last: date) -> Iterator[Text]:
    """Yield which actions of a symbol count for nothing, for it was another one's by then."""
    for line in lines:
        for old, day in (*line.past[:1], *line.apart):  # of earlier ones the lines between tell
            after = pl.col("ex_date").is_between(day, last, "right")
            count = market.actions.filter(after, pl.col("symbol") == old).height
            if count:
                yield Text(
                    f"{old} is {line.symbol} from {day} on: {counted(count, 'action')} of {old} "
                    f"after that not counted, give what is {line.symbol}'s as its own",
                    f"{old}自{day}起为{line.symbol}：此后{old}的{count}项公司行为不计入，"
                    f"属{line.symbol}者请记在其名下",
                )


def adjusted_caveat(panel: Panel) -> Iterator[Text]:
    """Yield which prices leave an index only its gross variant."""
    if panel.adjusted.any():
        told = zip(panel.lines, panel.adjusted, strict=True)
        adjusted = [line.symbol for line, is_adjusted in told if is_adjusted]
        yield Text(
            f"gross alone: prices of {', '.join(adjusted)} are adjusted for total return",
            f"仅有全收益：{'、'.join(adjusted)}的价格为复权价",
        )


def untraded_caveat(panel: Panel, shares: Grid) -> Iterator[Text]:
    """Yield which lines had come by a spin-off and left before they had any close."""
    close = panel.close[len(panel.close) - len(shares) :]
    for row, j in np.argwhere((shares[:-1] > 0) & ~(shares[1:] > 0) & np.isnan(close[:-1])):
        symbol, day = panel.lines[j].symbol, panel.sessions[len(panel.close) - len(shares) + row]
        yield Text(
            f"{symbol} came by a spin-off and left on {day}, before it had a close: no level holds "
            f"what it was worth; add its closes, or rebalance once it trades",
            f"{symbol}因分拆纳入，{day}调出时尚无收盘价：其价值未计入任何点位，请补充其行情，或待其上市交易后再调整",
        )


def off_calendar_caveat(off: pl.DataFrame) -> Iterator[Text]:
    """Yield how many closes are dated on no session of their exchange, and the first of them."""
    for symbol, day in off.sort("date", "symbol").select("symbol", "date").head(1).iter_rows():
        yield Text(
            f"{counted(len(off), 'close')} used from days closed by the exchange's calendar, the "
            f"first {symbol} of {day}",
            f"{len(off)}个收盘价的日期按交易所日历为休市日，仍予采用，最早为{symbol} {day}",
        )


def never_caveat(rebalance: Rebalance) -> Iterator[Text]:
    """Yield that a basket is never rebalanced, where its definition has a day for it."""
    if rebalance.frequency == "never" and rebalance.day != Rebalance().day:
        yield Text(
            "never rebalanced: rebalance has a day, and no frequency, as in quarterly",
            "不作定期调整：rebalance只有day而没有frequency（如quarterly）",
        )


def calendar_caveat(calendar: Calendar, last: date) -> Iterator[Text]:
    """Yield where sessions are estimated, and before that while there is time to do something."""
    known = calendar.verified_until
    if last > known:
        yield Text(
            f"sessions of {calendar.code} after {known} are estimated, not announced",
            f"{calendar.code}在{known}之后的交易日为推算，并非已公布",
        )
    elif (known - last).days <= HORIZON_NOTICE:
        yield Text(
            f"calendar {calendar.code} is known only until {known}: update exchange_calendars",
            f"{calendar.code}交易日历仅知至{known}：请更新exchange_calendars",
        )
