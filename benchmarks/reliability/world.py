"""A market as it truly was: twenty years of closes, dividends, splits, suspensions, new codes.

Drawn from a seed. What a publisher sees of it on a day is this up to that day, with faults.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from indexer.arrays import Days, Flags, Grid
from indexer.market.calendar import read_calendar
from indexer.market.tables import TABLES, Manifest, Market

COMMON, OWN = 0.009, 0.012  # deviation of the daily return all share, and of each one's own
STEADY = 0.08  # no daily return is larger: below the limit of every board
CALENDAR = "XSHG"

Row = dict[str, Any]


@dataclass(frozen=True)
class World:
    """The truth.

    Attributes
    ----------
    days : (T,) sessions
    symbols : (N,) codes
    close : (T, N) raw closes, NaN where there was no trade
    volume : (T, N) shares traded, positive wherever there is a close
    actions, suspensions : rows of those tables, by date
    """

    seed: int
    days: Days
    symbols: tuple[str, ...]
    close: Grid
    volume: Grid
    actions: tuple[Row, ...]
    suspensions: tuple[Row, ...]

    @cached_property
    def market(self) -> Market:
        """All of it as tables."""
        row, column = np.nonzero(~np.isnan(self.close))
        order = np.lexsort((row, column))
        row, column = row[order], column[order]
        names = np.array(self.symbols)
        prices = pl.DataFrame(
            {
                "symbol": names[column],
                "date": self.days[row],
                "close": self.close[row, column],
                "volume": self.volume[row, column],
                "amount": np.round(self.volume[row, column] * self.close[row, column], 2),
            }
        )
        return Market(
            "world",
            Manifest(synthetic=True),
            prices=_framed("prices", prices),
            securities=_framed("securities", pl.DataFrame(list(self._securities()))),
            shares=_framed("shares", pl.DataFrame(list(self._shares()))),
            actions=_framed("actions", pl.DataFrame(list(self.actions))),
            suspensions=_framed("suspensions", pl.DataFrame(list(self.suspensions))),
            fx=TABLES["fx"].empty(),
            series=TABLES["series"].empty(),
        )

    def row(self, day: date) -> int:
        """Return the row of the first session on or after a day."""
        return int(np.searchsorted(self.days, np.datetime64(day, "D")))

    def day(self, row: int) -> date:
        """Return the date of a row."""
        found: date = self.days[row].item()
        return found

    def _securities(self) -> Iterator[Row]:
        for n, symbol in enumerate(self.symbols):
            first = self.days[np.flatnonzero(~np.isnan(self.close[:, n]))[0]].item()
            yield {"symbol": symbol, "segment": f"segment-{n % 4}", "list_date": first}

    def _shares(self) -> Iterator[Row]:
        rng = np.random.default_rng([self.seed, 4])
        for symbol in self.symbols:
            total = float(rng.integers(5, 500)) * 1e7
            for year in sorted({int(str(day)[:4]) for day in self.days}):
                yield {
                    "symbol": symbol,
                    "date": date(year, 1, 1),
                    "total_shares": total,
                    "free_float_shares": total * float(rng.integers(15, 100)) / 100,
                }


def drawn(seed: int, first: date, last: date, count: int = 24, pauses: float = 0.4) -> World:
    """Draw a world of so many symbols, suspended so many times a year each."""
    rng = np.random.default_rng([seed, 0])
    days = read_calendar(CALENDAR).between(first, last)
    symbols = tuple(_symbol(n) for n in range(count))
    traded, suspensions = _traded(rng, days, symbols, pauses)
    actions = sorted(
        _drawn_actions(rng, days, symbols), key=lambda row: (row["ex_date"], row["symbol"])
    )
    close = _closes(rng, traded, days, symbols, actions)
    volume = rng.integers(10_000, 9_000_000, close.shape).astype(float)
    return World(seed, days, symbols, close, volume, tuple(actions), suspensions)


def definitions(seed: int, world: World, count: int = 10, base: int = 30) -> list[Row]:
    """Draw definitions of all schemes over a world's symbols; their base is at this session."""
    rng = np.random.default_rng([seed, 3])
    schemes = ("equal", "market_cap", "free_float", "price", "fixed")
    # So many have closes before the base date that a cap of a fifth can be met, slips or not.
    early = np.flatnonzero(~np.isnan(world.close[: base - 5]).all(axis=0))
    found: list[Row] = []
    for n in range(count):
        size = min(len(world.symbols), int(rng.integers(8, 14)))
        any_ones = rng.choice(len(world.symbols), size, replace=False).tolist()
        chosen = sorted({*any_ones, *rng.choice(early, 7, replace=False).tolist()})
        scheme = schemes[n % len(schemes)]
        weights = [{"weight": 1.0 + j} if scheme == "fixed" else {} for j in chosen]
        found.append(
            {
                "version": 1,
                "id": f"index-{n}",
                "name": {"en": f"Index {n}"},
                "currency": "CNY",
                "calendar": CALENDAR,
                "base": {"date": world.days[base].item(), "level": 1000},
                "variants": ["price", "gross", "net"],
                "withholding": {"view": "non-resident", "CN": 0.1},
                "weighting": _weighting(scheme, capped=n % 2 == 1),
                "rebalance": _RULES[n % len(_RULES)],
                "constituents": [
                    {"symbol": world.symbols[j]} | weight
                    for j, weight in zip(chosen, weights, strict=True)
                ],
            }
        )
    return found


def write_definitions(some: Sequence[Row], folder: Path) -> list[Path]:
    """Write definitions as files named by their ids, and return those."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{one['id']}.yaml" for one in some]
    for path, one in zip(paths, some, strict=True):
        path.write_text(yaml.safe_dump(one, sort_keys=False), encoding="utf-8")
    return paths


def write_folder(market: Market, folder: Path) -> None:
    """Write a market as a folder of CSV tables."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in TABLES:
        table: pl.DataFrame = getattr(market, name)
        if not table.is_empty():
            table.write_csv(folder / f"{name}.csv")
    (folder / "manifest.yaml").write_text("synthetic: true\n", encoding="utf-8")


_RULES: tuple[Row, ...] = (
    {"frequency": "quarterly", "day": "third friday", "reference_lag": 5},
    {"frequency": "monthly", "day": "first session"},
    {"frequency": "semiannual", "day": "second friday", "reference_lag": 3},
    {"frequency": "annual", "day": "last session"},
    {"frequency": "quarterly", "untradable": "freeze"},
)


def _weighting(scheme: str, *, capped: bool) -> Row:
    told: Row = {"scheme": scheme}
    if capped:
        told["caps"] = {"constituent": 0.2}
    if scheme == "fixed":
        told["normalise"] = True
    return told


def _symbol(n: int) -> str:
    board, suffix = (("600", "SH"), ("000", "SZ"), ("300", "SZ"), ("601", "SH"))[n % 4]
    return f"{board}{100 + 7 * n:03}.{suffix}"


def _traded(
    rng: np.random.Generator, days: Days, symbols: Sequence[str], pauses: float
) -> tuple[Flags, tuple[Row, ...]]:
    """Draw when each symbol trades: some list late, some are suspended now and then."""
    traded = np.ones((len(days), len(symbols)), dtype=bool)
    rows: list[Row] = []
    years = len(days) / 243
    for n, symbol in enumerate(symbols):
        if rng.random() < 0.2:
            traded[: int(rng.integers(0, len(days) // 2)), n] = False
        listed = int(np.flatnonzero(traded[:, n])[0])
        for _ in range(rng.poisson(pauses * years)):
            length = int(rng.integers(1, 6) if rng.random() < 0.8 else rng.integers(6, 45))
            begin = int(rng.integers(40, max(41, len(days) - 50)))
            if begin <= listed + 10 or not traded[begin - 10 : begin + length + 10, n].all():
                continue
            traded[begin : begin + length, n] = False
            until = days[begin + length].item()  # the day it trades again
            rows.append(
                {"symbol": symbol, "from": days[begin].item(), "until": until, "reason": ""}
            )
    return traded, tuple(sorted(rows, key=lambda row: (row["from"], row["symbol"])))


def _drawn_actions(rng: np.random.Generator, days: Days, symbols: Sequence[str]) -> Iterator[Row]:
    """Draw dividends each year, bonus shares now and then; what cash pays is a share of a price."""
    for symbol in symbols:
        for year in range(int(str(days[0])[:4]), int(str(days[-1])[:4]) + 1):
            inside = days[
                (days >= np.datetime64(f"{year}-05-01")) & (days < np.datetime64(f"{year}-08-01"))
            ]
            if not len(inside):
                continue
            day = inside[int(rng.integers(len(inside)))].item()
            kind = rng.choice(
                ["dividend", "bonus", "special_dividend", "split", "rights"],
                p=[0.75, 0.12, 0.03, 0.05, 0.05],
            )
            yield {"symbol": symbol, "ex_date": day, "kind": str(kind)} | _terms(rng, str(kind))


def _terms(rng: np.random.Generator, kind: str) -> Row:
    if kind == "bonus":
        return {"ratio": float(rng.integers(1, 10)) / 10}
    if kind == "split":
        return {"ratio": 2.0}
    if kind == "rights":
        return {"ratio": 0.3, "price": 1.5}
    return {"cash": float(rng.integers(1, 8)) / 100}


def _closes(
    rng: np.random.Generator,
    traded: Flags,
    days: Days,
    symbols: Sequence[str],
    actions: Sequence[Row],
) -> Grid:
    """Walk: each close is the one before, restated for actions, moved by less than any limit."""
    shape = traded.shape
    common = rng.normal(0.0002, COMMON, (shape[0], 1))
    moves = np.clip(common + rng.normal(0.0, OWN, shape), -STEADY, STEADY)
    before = np.round(rng.uniform(8.0, 80.0, shape[1]), 2)
    close = np.full(shape, np.nan)
    at = {symbol: n for n, symbol in enumerate(symbols)}
    by_day: dict[int, list[Row]] = {}
    for row in actions:
        by_day.setdefault(int(np.searchsorted(days, np.datetime64(row["ex_date"]))), []).append(row)
    for t in range(shape[0]):
        for row in by_day.get(t, ()):
            before[at[row["symbol"]]] = _restated(before[at[row["symbol"]]], row)
        pull = 0.002 * np.log(25.0 / before)  # keeps prices where a tick is small
        after = np.round(before * (1.0 + np.clip(moves[t] + pull, -STEADY, STEADY)), 2)
        before = np.where(traded[t], after, before)
        close[t] = np.where(traded[t], after, np.nan)
    return close


def _restated(price: float, row: Row) -> float:
    kind = row["kind"]
    if kind == "split":
        return price / float(row["ratio"])
    if kind == "rights":
        ratio, paid = float(row["ratio"]), float(row["price"])
        return (price + ratio * paid) / (1 + ratio) if paid < price else price
    if kind == "bonus":
        return price / (1 + float(row["ratio"]))
    return price - float(row["cash"])


def _framed(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Give a table all its columns, as reading it would."""
    schema = TABLES[name].empty().schema
    known = frame.select(
        pl.col(c).cast(schema[c]) if c in schema else pl.col(c) for c in frame.columns
    )
    return pl.concat([TABLES[name].empty(), known], how="diagonal")
