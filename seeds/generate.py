"""Writes the sample market: invented prices for every symbol the bundled baskets name.

Run as ``python -m seeds.generate``. A factor model draws returns, ``parameters.yaml`` says how
large they are and where they trend, and the exchanges' rules (sessions, price limits, ex-dates,
suspensions, new listings) turn them into closes. The same parameters give the same tables.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl
from numpy.random import PCG64, Generator

from indexer.arrays import Days, Grid, Mask, Rows, Vector
from indexer.definitions.symbols import exchange_of
from indexer.market.calendar import read_calendar
from seeds.parameters import Clustering, Loads, Parameters, Range, read_parameters

HERE = Path(__file__).parent
EXCHANGES = ("XSHG", "XHKG", "XNYS")
CURRENCY = {"SH": "CNY", "SZ": "CNY", "HK": "HKD", "US": "USD"}
COUNTRY = {"SH": "CN", "SZ": "CN", "HK": "HK", "US": "US"}
TICKS = 100  # per unit of currency
WIDE_BOARDS = ("300", "301", "688", "689")  # ChiNext and STAR: 20 % a day, elsewhere 10 %
FREE_SESSIONS = 5  # a new listing has no price limit on its first five sessions
SERIES_START = 1000.0


@dataclass(frozen=True, slots=True)
class Axes:
    """The labels of every array: days on which any exchange is open, and symbols.

    Attributes
    ----------
    days, symbols : T days, ascending, and N symbols
    is_session : whether the symbol's exchange is open, (T, N)
    first : row of the first session of each symbol, (N,)
    """

    days: Days
    symbols: tuple[str, ...]
    is_session: Mask
    first: Rows

    def row(self, day: date) -> int:
        """Return the first row on or after a date."""
        return int(np.searchsorted(self.days, np.datetime64(day)))

    @property
    def is_listed(self) -> Mask:
        """Sessions of each symbol from its listing on, (T, N)."""
        return self.is_session & (np.arange(len(self.days))[:, None] >= self.first)


def read_securities(path: Path) -> pl.DataFrame:
    """Return the securities of the sample market and their groups in the factor model."""
    return pl.read_csv(path, schema_overrides={"list_date": pl.Date})


def generate(parameters: Parameters, securities: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the tables of the sample market by name."""
    # A stream for each part: what one part draws does not shift the others.
    rngs = iter(Generator(PCG64(parameters.seed)).spawn(8))
    axes = _axes(parameters, securities)
    factors = _factors(next(rngs), parameters, axes.days)
    returns = _returns(next(rngs), parameters, securities, factors)
    start = _start(next(rngs), parameters.first_close, len(axes.symbols))
    actions = _actions(next(rngs), parameters, axes, start)
    cash, ratio = _per_share(actions, axes)
    close = _trade(axes, _traded(parameters, axes), returns, start, (cash, ratio))
    outstanding = _shares(next(rngs), axes) * np.cumprod(ratio, axis=0)[:, :, None]
    return {
        "prices": _prices(next(rngs), axes, close, outstanding[:, :, 1]),
        "securities": _securities(securities),
        "shares": _share_rows(axes, ratio, outstanding),
        "actions": actions,
        "suspensions": _suspensions(parameters),
        "fx": _fx(next(rngs), parameters, axes.days),
        "series": _series(next(rngs), parameters, axes.days, factors),
    }


def _start(rng: Generator, bounds: Range, count: int) -> Vector:
    """Return what each name is worth before the first day, log-uniform between bounds."""
    low, high = float(np.log(bounds.low)), float(np.log(bounds.high))
    return cast("Vector", np.round(np.exp(rng.uniform(low, high, count)), 2))


def _sessions(parameters: Parameters, exchange: str) -> Days:
    return read_calendar(exchange).between(parameters.first, parameters.last)


def _axes(parameters: Parameters, securities: pl.DataFrame) -> Axes:
    symbols = tuple(securities["symbol"])
    sessions = {exchange: _sessions(parameters, exchange) for exchange in EXCHANGES}
    days = cast("Days", np.unique(np.concatenate(list(sessions.values()))))
    is_session = np.stack([np.isin(days, sessions[exchange_of(s)]) for s in symbols], axis=1)
    list_date = securities["list_date"].fill_null(parameters.first).to_numpy()
    since = is_session & (days[:, None] >= list_date.astype("datetime64[D]"))
    return Axes(days, symbols, is_session, np.argmax(since, axis=0))


def _clustered(rng: Generator, shape: tuple[int, int], clustering: Clustering) -> Grid:
    """Return noise of mean zero and unit variance, (T, N), whose volatility comes in clusters.

    The mean is zero over the sample, not only in expectation: luck that adds up over three years
    would outweigh every trend asked for.
    """
    keep, deviation = clustering.persistence, clustering.deviation
    fresh = np.sqrt(1 - keep**2)
    log_volatility = rng.normal(0.0, deviation, shape)
    for t in range(1, shape[0]):
        log_volatility[t] = keep * log_volatility[t - 1] + fresh * log_volatility[t]
    # E exp(2x) = exp(2 deviation²), which the subtraction takes out again.
    noise = np.exp(log_volatility - deviation**2) * rng.normal(size=shape)
    return cast("Grid", noise - noise.mean(axis=0))


def _factors(rng: Generator, parameters: Parameters, days: Days) -> Grid:
    """Return the factors, days by names, whose sums over the phases are those asked for."""
    names = parameters.factors
    factors = _clustered(rng, (len(days), len(names)), parameters.clustering["factors"])
    begin = 0
    for phase in parameters.phases:
        end = int(np.searchsorted(days, np.datetime64(phase.until), "right"))
        total = np.array([phase.factors.get(name, 0.0) for name in names])
        factors[begin:end] += total / (end - begin) - factors[begin:end].mean(axis=0)
        begin = end
    row = np.searchsorted(days, np.datetime64(parameters.shock.date))
    for name, value in parameters.shock.factors.items():
        factors[row, names.index(name)] = value
    return factors


def _loadings(of: Sequence[Loads], names: Sequence[str]) -> Grid:
    """Return daily deviations as fractions, names by columns."""
    return np.array([[loads.get(name, 0.0) for loads in of] for name in names]) / 100


def _returns(
    rng: Generator, parameters: Parameters, securities: pl.DataFrame, factors: Grid
) -> Grid:
    """Return daily log returns of what each symbol is worth, days by symbols."""
    of, days = [parameters.groups[group] for group in securities["group"]], len(factors)
    american = np.array([exchange_of(symbol) == "XNYS" for symbol in securities["symbol"]])
    loadings = _loadings(of, parameters.factors)
    ahead = np.roll(factors, -1, axis=0)  # New York closes on what Asia opens with the next day
    common = np.where(american, ahead @ loadings, factors @ loadings)
    names = securities["segment"].unique(maintain_order=True).to_list()
    segments = _clustered(rng, (days, len(names)), parameters.clustering["factors"])
    segment = segments[:, [names.index(name) for name in securities["segment"]]]
    own = _clustered(rng, (days, len(of)), parameters.clustering["names"])
    returns = common + segment * _loadings(of, ["segment"]) + own * _loadings(of, ["own"])
    return returns * (1 + parameters.spread * rng.uniform(-1, 1, len(of)))


def _actions(rng: Generator, parameters: Parameters, axes: Axes, start: Vector) -> pl.DataFrame:
    """Return dividends and bonus issues of every year, and the special dividends."""
    chosen = {(s.symbol, s.ex_date.year): s.ex_date for s in parameters.suspensions if s.ex_date}
    rows: list[tuple[str, date, str, float | None, float | None]] = []
    pays = rng.random(len(axes.symbols)) < parameters.payers
    low, high = parameters.dividend.low, parameters.dividend.high
    for year, bonus in parameters.bonus.items():
        begin = axes.row(date.fromisoformat(f"{year}-{parameters.ex_dates.begin}"))
        end = axes.row(date.fromisoformat(f"{year}-{parameters.ex_dates.until}"))
        paid = np.round(start * rng.uniform(low, high, len(start)), 2)
        for i, symbol in enumerate(axes.symbols):
            drawn = rng.choice(begin + np.flatnonzero(axes.is_session[begin:end, i]))
            ex_date = chosen.get((symbol, year), axes.days[drawn].item())
            if axes.row(ex_date) <= axes.first[i]:
                continue
            if (pays[i] or (symbol, year) in chosen) and paid[i] > 0:
                rows.append((symbol, ex_date, "dividend", float(paid[i]), None))
            if symbol in bonus:
                rows.append((symbol, ex_date, "bonus", None, bonus[symbol]))
    for special in parameters.special_dividends:
        cash = round(float(start[axes.symbols.index(special.symbol)]) * special.fraction, 2)
        rows.append((special.symbol, special.ex_date, "special_dividend", cash, None))
    columns = ["symbol", "ex_date", "kind", "cash", "ratio"]
    return pl.DataFrame(rows, schema=columns, orient="row").sort("symbol", "ex_date", "kind")


def _per_share(actions: pl.DataFrame, axes: Axes) -> tuple[Grid, Grid]:
    """Return cash paid and shares held after each day per share held before it, (T, N)."""
    cash, ratio = np.zeros(axes.is_session.shape), np.ones(axes.is_session.shape)
    for row in actions.iter_rows(named=True):
        at = axes.row(row["ex_date"]), axes.symbols.index(row["symbol"])
        cash[at] += row["cash"] or 0.0
        ratio[at] += row["ratio"] or 0.0
    return cash, ratio


def _traded(parameters: Parameters, axes: Axes) -> Mask:
    """Return whether each symbol trades on each day, (T, N)."""
    traded = axes.is_listed
    for s in parameters.suspensions:
        traded[axes.row(s.begin) : axes.row(s.until), axes.symbols.index(s.symbol)] = False
    return traded


def _limits(axes: Axes, traded: Mask) -> Grid:
    """Return the largest move of each day as a fraction, infinite where there is none, (T, N)."""
    board = np.array([0.2 if symbol.startswith(WIDE_BOARDS) else 0.1 for symbol in axes.symbols])
    board[[exchange_of(symbol) != "XSHG" for symbol in axes.symbols]] = np.inf
    is_new = (np.cumsum(traded, axis=0) <= FREE_SESSIONS) & (axes.first > 0)
    return cast("Grid", np.where(is_new, np.inf, board))


def _half_up(ticks: Vector) -> Vector:
    return cast("Vector", np.floor(ticks + 0.5 + 1e-9))  # 1e-9: half a tick is rarely exact


def _trade(
    axes: Axes, traded: Mask, returns: Grid, start: Vector, per_share: tuple[Grid, Grid]
) -> Grid:
    """Return closes, days by symbols, NaN where a symbol does not trade.

    A close follows what the symbol is worth as far as the day's limits let it; what is left over
    moves the next closes. Worth goes on changing while trading is suspended.
    """
    close, limits, is_listed = np.full(traded.shape, np.nan), _limits(axes, traded), axes.is_listed
    last = worth = start * TICKS
    for t, (cash, ratio) in enumerate(zip(*per_share, strict=True)):
        reference = (last - cash * TICKS) / ratio  # ex-reference price, not rounded
        worth = worth * (reference / last) * np.exp(np.where(is_listed[t], returns[t], 0.0))
        low, high = (_half_up(reference * (1 + sign * limits[t])) for sign in (-1, 1))
        last = np.where(traded[t], np.clip(_half_up(worth), low, high), reference)
        close[t, traded[t]] = last[traded[t]] / TICKS
    return close


def _shares(rng: Generator, axes: Axes) -> Grid:
    """Return total and free-float shares at the start, symbols by two."""
    total = np.round(rng.lognormal(np.log(8e8), 0.7, len(axes.symbols)), -4)
    free_float = np.round(total * rng.uniform(0.06, 0.98, total.shape), -4)
    return np.stack([total, free_float], axis=1)


def _share_rows(axes: Axes, ratio: Grid, outstanding: np.ndarray) -> pl.DataFrame:
    """Return share counts: a row at the start or the listing, and one for each bonus issue."""
    rows = []
    for i, symbol in enumerate(axes.symbols):
        for t in sorted({int(axes.first[i]), *np.flatnonzero(ratio[:, i] != 1).tolist()}):
            total, free_float = np.round(outstanding[t, i]).astype(np.int64).tolist()
            rows.append((symbol, axes.days[t].item(), total, free_float))
    columns = ["symbol", "date", "total_shares", "free_float_shares"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def _prices(rng: Generator, axes: Axes, close: Grid, free_float: Grid) -> pl.DataFrame:
    """Return closes and amounts traded, by symbol and date."""
    moves = np.abs(np.diff(np.log(close), axis=0, prepend=np.nan))
    turnover = 0.02 * (1 + 15 * np.nan_to_num(moves)) * np.exp(0.4 * rng.normal(size=close.shape))
    amount = free_float * close * turnover
    unit = 10 ** np.floor(np.log10(amount) - 1)  # two digits: more would only be noise to store
    i, t = np.nonzero(~np.isnan(close).T)
    columns = {
        "symbol": np.array(axes.symbols)[i],
        "date": axes.days[t],
        "close": close[t, i],
        "amount": (np.round(amount / unit) * unit)[t, i],
    }
    return pl.DataFrame(columns).sort("symbol", "date")


def _securities(securities: pl.DataFrame) -> pl.DataFrame:
    suffix = pl.col("symbol").str.extract(r"\.([A-Z]+)$")
    return securities.drop("group").with_columns(
        currency=suffix.replace_strict(CURRENCY), country=suffix.replace_strict(COUNTRY)
    )


def _suspensions(parameters: Parameters) -> pl.DataFrame:
    rows = [(s.symbol, s.begin, s.until, "invented") for s in parameters.suspensions]
    return pl.DataFrame(rows, schema=["symbol", "from", "until", "reason"], orient="row")


def _fx(rng: Generator, parameters: Parameters, days: Days) -> pl.DataFrame:
    """Return daily rates: those drawn, and the cross of the two against the yuan."""
    rates = {}
    for pair, rate in parameters.fx.items():
        steps = rng.normal(0.0, rate.deviation / 100, len(days))
        rates[pair] = np.round(rate.start * np.exp(np.cumsum(steps - steps.mean())), 4)
    rates["HKDCNY"] = np.round(rates["USDCNY"] / rates["USDHKD"], 6)
    return pl.concat(
        pl.DataFrame({"date": days}).with_columns(
            base=pl.lit(pair[:3]), quote=pl.lit(pair[3:]), rate=pl.Series(values)
        )
        for pair, values in rates.items()
    )


def _series(rng: Generator, parameters: Parameters, days: Days, factors: Grid) -> pl.DataFrame:
    """Return the ready-made index series, each a process of its own on the same factors."""
    of = list(parameters.series.values())
    own = _clustered(rng, (len(days), len(of)), parameters.clustering["names"])
    returns = factors @ _loadings(of, parameters.factors) + own * _loadings(of, ["own"])
    row = np.searchsorted(days, np.datetime64(parameters.shock.date))
    frames = []
    for j, symbol in enumerate(parameters.series):
        if (move := parameters.shock.series.get(symbol)) is not None:
            returns[row, j] = np.log1p(move)
        sessions = _sessions(parameters, exchange_of(symbol))
        level = SERIES_START * np.exp(np.cumsum(returns[np.isin(days, sessions), j]))
        dated = pl.DataFrame({"date": sessions, "close": np.round(level, 2)})
        frames.append(dated.select(symbol=pl.lit(symbol), date="date", close="close"))
    return pl.concat(frames)


def write(tables: Mapping[str, pl.DataFrame], folder: Path, seed: int) -> None:
    """Write the tables as a market folder, prices as Parquet and the rest as CSV."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        if name == "prices":
            table.write_parquet(folder / "prices.parquet", compression="zstd", compression_level=19)
        else:
            table.write_csv(folder / f"{name}.csv")
    (folder / "manifest.yaml").write_text(
        "price_kind: raw\nsynthetic: true\n"
        f"source: seeds/generate.py with seed {seed}; invented, no real price is in it\n",
        encoding="utf-8",
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Generate the sample market and write it."""
    parser = argparse.ArgumentParser(prog="python -m seeds.generate", description=main.__doc__)
    parser.add_argument("--out", type=Path, default=HERE / "market", help="folder to write")
    out = parser.parse_args(arguments).out
    parameters = read_parameters(HERE / "parameters.yaml")
    securities = read_securities(HERE / "securities.csv")
    write(generate(parameters, securities), out, parameters.seed)


if __name__ == "__main__":
    main()
