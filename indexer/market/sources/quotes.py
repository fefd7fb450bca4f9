"""Daily bars and index levels: which function of akshare's is asked, and what its columns mean.

Raw prices only. Units are settled here: shares and the listing currency.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from indexer.definitions.symbols import MAINLAND, split_symbol
from indexer.market.sources import bodies
from indexer.market.sources.plain import FIRST, LOT, VWAP, Refused
from indexer.market.sources.source import Ask, Table

Columns = dict[str, list[Any]]


class Call(Protocol):
    """A function of akshare's, called with a check of the replies it asks for."""

    def __call__(self, function: str, check: bodies.Check, **arguments: Any) -> Columns:
        """Return the columns of the frame it gives."""


Adapter = Callable[[Ask, Call], Columns]


def compact(day: date) -> str:
    """Return a date as most functions of akshare's want it: 20260507."""
    return f"{day:%Y%m%d}"


def bars(
    ask: Ask, found: Mapping[str, Sequence[Any]], names: str, units: Sequence[int] = (1,)
) -> Columns:
    """Return bars in our columns, their volumes in shares.

    Parameters
    ----------
    names : the columns' names in the order date, open, high, low, close, volume, amount and
        change against the previous close; ``-`` where there is none
    units : how many shares the source's unit of volume may be, the likeliest first

    Raises
    ------
    Refused
        If the source gives no columns.
    """
    if not found:
        raise Refused("no_data_unexplained", "no bars in the span")
    rows = len(next(iter(found.values())))
    columns = [found[n] if n != "-" else [None] * rows for n in names.split()]
    kept = [
        row
        for row in zip(*columns, strict=True)
        if row[0] is not None and str(ask.since) <= row[0] <= str(ask.until)
    ]
    days, opens, highs, lows, closes, volumes, amounts, changes = (
        [list(column) for column in zip(*kept, strict=True)] if kept else [[]] * 8
    )
    unit = _unit(kept, units)
    before = [_minus(close, change) for close, change in zip(closes, changes, strict=True)]
    return {
        "symbol": [ask.subject] * len(kept),
        "date": days,
        "open": opens,
        "high": highs,
        "low": lows,
        "close": closes,
        "volume": [None if volume is None else volume * unit for volume in volumes],
        "amount": amounts,
        "previous_close": before,
    }


def _minus(close: float | None, change: float | None) -> float | None:
    return None if close is None or change is None else round(close - change, 4)


def _unit(rows: Sequence[Sequence[Any]], units: Sequence[int]) -> int:
    """Return how many shares a unit of volume is, of those it is known to be.

    Average prices lie within the day's range in one unit only, so most bars settle it. Where they
    settle on one the source is not known to use, it has changed its unit, or its prices have lost
    their point: which of the two, the reply does not tell.
    """
    votes = dict.fromkeys((*units, *{1, LOT}.difference(units)), 0)
    for _, _, high, low, _, volume, amount, _ in rows:
        if volume and amount and low and high:
            for unit in votes:
                average = amount / (volume * unit)
                votes[unit] += low * (1 - VWAP) <= average <= high * (1 + VWAP)
    found = max(votes, key=lambda unit: votes[unit])
    if found not in units:
        told = f"volumes are told in units of {' or '.join(map(str, units))} shares"
        raise Refused("corrupt", f"{told}, and these fit their amounts in {found} only")
    return found


def _series(ask: Ask, days: Sequence[Any], closes: Sequence[Any]) -> Columns:
    kept = [
        (day, close)
        for day, close in zip(days, closes, strict=True)
        if day is not None and str(ask.since) <= day <= str(ask.until)
    ]
    return {
        "symbol": [ask.subject] * len(kept),
        "date": [day for day, _ in kept],
        "close": [close for _, close in kept],
    }


_CHINESE = "日期 开盘 最高 最低 收盘 成交量 成交额 涨跌额"
_ENGLISH = "date open high low close volume amount -"


def _lots(code: str) -> tuple[int, ...]:
    """Return the units in which mainland volumes are told: lots, on STAR lots or shares."""
    return (1, LOT) if code.startswith(("688", "689")) else (LOT,)


def eastmoney_prices(ask: Ask, call: Call) -> Columns:
    """Return bars of a share of the mainland, Hong Kong or New York."""
    code, suffix = split_symbol(ask.subject)
    span = {"start_date": compact(ask.since), "end_date": compact(ask.until)}
    if suffix in MAINLAND:
        check = bodies.kline(code, [int(suffix == "SH")], 11)
        found = call("stock_zh_a_hist", check, symbol=code, adjust="", timeout=20, **span)
        return bars(ask, found, _CHINESE, _lots(code))
    if suffix == "HK":
        return bars(
            ask, call("stock_hk_hist", bodies.kline(code, [116], 11), symbol=code, **span), _CHINESE
        )
    return bars(ask, _american(code, call, span), _CHINESE)


def _american(code: str, call: Call, span: dict[str, str]) -> Columns:
    """Return bars of the one American exchange that knows a code."""
    told = code.replace("-", "_").replace(".", "_")
    for number in (105, 106, 107):  # Nasdaq, New York, American
        try:
            check = bodies.kline(told, [number], 11)
            return call("stock_us_hist", check, symbol=f"{number}.{told}", **span)
        except Refused as refused:
            if refused.outcome != "no_data_unexplained":
                raise
    raise Refused("no_data_unexplained", f"no American exchange knows {code}")


_TOLD_AS_THEY_ARE = ("sh688", "sz399", "sh000", "sz000")


def tencent_prices(ask: Ask, call: Call) -> Columns:
    """Return bars of a mainland share; amounts to a hundred yuan.

    Raises
    ------
    Refused
        If there are none.
    """
    code, suffix = split_symbol(ask.subject)
    symbol = f"{suffix.lower()}{code}"
    seen: list[int] = []
    span = {"start_date": str(ask.since), "end_date": str(ask.until)}
    check = bodies.tencent(symbol, ask.until, seen)
    try:
        found = call("stock_zh_a_hist_tx", check, symbol=symbol, adjust="", timeout=20, **span)
    except IndexError:
        if any(seen):
            raise
        raise Refused("no_data_unexplained", "no bars") from None
    if not symbol.startswith(_TOLD_AS_THEY_ARE):  # akshare has taken lots for granted
        found["volume"] = [None if v is None else v / LOT for v in found["volume"]]
    return bars(ask, found, _ENGLISH, _lots(code))


def sina_prices(ask: Ask, call: Call) -> Columns:
    """Return bars of a share, from its whole history: a window may begin with a day of no trade."""
    code, suffix = split_symbol(ask.subject)
    if suffix == "HK":
        return bars(ask, call("stock_hk_daily", bodies.klc(code), symbol=code, adjust=""), _ENGLISH)
    if suffix == "US":
        check = bodies.by_path({"/staticdata/us/": bodies.klc(code), "_qfq.js": bodies.factors})
        found = call("stock_us_daily", check, symbol=code, adjust="")
        return bars(ask, found, "date open high low close volume - -")
    symbol = f"{suffix.lower()}{code}"
    check = bodies.by_path({"klc_kl.js": bodies.klc(symbol), "getAmount": bodies.amounts})
    return bars(ask, call("stock_zh_a_daily", check, symbol=symbol, adjust=""), _ENGLISH)


def eastmoney_series(ask: Ask, call: Call) -> Columns:
    """Return levels of an index of the mainland or of Hong Kong.

    Raises
    ------
    Refused
        If it stands on no page of the list.
    """
    code, suffix = split_symbol(ask.subject)
    if suffix == "HK":
        numbers, listed = [100, 124, 125, 305], set[str]()
        check = bodies.by_path(
            {"clist": bodies.listing(listed), "kline": bodies.kline(code, numbers, 14)}
        )
        try:
            found = call("stock_hk_index_daily_em", check, symbol=code)
        except KeyError:
            if code in listed:
                raise
            raise Refused("no_data_unexplained", f"{code} is on no page") from None
        return _series(ask, found["date"], found["latest"])
    prefix = suffix.lower() if code[:3] in {"000", "399", "899"} else "csi"
    number = {"sh": 1, "sz": 0, "bj": 0, "csi": 2}[prefix]
    found = call(
        "stock_zh_index_daily_em",
        bodies.kline(code, [number], 8),
        symbol=f"{prefix}{code}",
        start_date=compact(ask.since),
        end_date=compact(ask.until),
    )
    return _series(ask, found["date"], found["close"])


def sina_series(ask: Ask, call: Call) -> Columns:
    """Return levels of an index of the mainland, of Hong Kong or of New York."""
    code, suffix = split_symbol(ask.subject)
    if suffix == "HK":
        found = call("stock_hk_index_daily_sina", bodies.klc(code), symbol=code)
    elif suffix == "US":
        found = call("index_us_stock_sina", bodies.klc(code), symbol=f".{code}")
    else:
        symbol = f"{suffix.lower()}{code}"
        found = call("stock_zh_index_daily", bodies.klc(symbol), symbol=symbol)
    return _series(ask, found["date"], found["close"])


_CSINDEX_KEYS = (
    *("tradeDate", "indexCode", "indexNameCnAll", "indexNameCn", "indexNameEnAll"),
    *("indexNameEn", "open", "high", "low", "close", "change", "changePct", "tradingVol"),
    *("tradingValue", "consNumber", "peg"),
)


def csindex_series(ask: Ask, call: Call) -> Columns:
    """Return levels of a CSI index, closes only."""
    code, _ = split_symbol(ask.subject)
    found = call(
        "stock_zh_index_hist_csindex",
        bodies.csindex(code, _CSINDEX_KEYS),
        symbol=code,
        start_date=compact(max(ask.since, FIRST)),
        end_date=compact(ask.until),
    )
    return _series(ask, found["日期"], found["收盘"])


QUOTES: dict[tuple[str, Table], Adapter] = {
    ("eastmoney", "prices"): eastmoney_prices,
    ("tencent", "prices"): tencent_prices,
    ("sina", "prices"): sina_prices,
    ("eastmoney", "series"): eastmoney_series,
    ("sina", "series"): sina_series,
    ("csindex", "series"): csindex_series,
}
