"""The history of an index: what was calculated, as arrays and as tables."""

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from indexer.arrays import Days, Flags, Grid, Rows, Vector, log, row_sums
from indexer.definitions.basket import Index, Variant
from indexer.definitions.symbols import exchange_of
from indexer.index.holding import Rebalanced, market_weights
from indexer.market.calendar import read_calendar
from indexer.market.conventions.gates import gate_limits
from indexer.market.inputs import Inputs
from indexer.market.panel import Panel
from indexer.words import Text

if TYPE_CHECKING:
    from indexer.report.drawing import Drawing

ROUNDING = 1e-14  # of a weight by which that at the open may be off


@dataclass(frozen=True, slots=True)
class Change:
    """One change of shares or divisor."""

    date: np.datetime64
    symbol: str
    kind: str
    shares_before: float
    shares_after: float
    divisor_before: float
    divisor_after: float


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class History:
    """An index from its base date on; T sessions, N constituents.

    Attributes
    ----------
    definition : what it was calculated from
    synthetic : whether the market says of itself that it is
    days : (T,) sessions
    variants : variant name to levels (T,), index points
    divisor, market_value : (T,) after everything of the session; NaN for a ready-made series
    carried : (T,) constituents held at a carried price
    panel : prices and actions of its constituents, ending on the last session; None for a series
    shares : (T, N) index shares held during the session; on the base date the first basket
    contribution : (T, N) share of the price return; NaN where nothing is held, and on the base date
    income : (T, 2) ordinary dividends of the session in index points, gross and net
    rebalances : the first basket, then every rebalance, in order
    changes : every change of shares or divisor, in order
    missing : constituents without any close
    off_calendar : closes used from days closed by their exchange's calendar
    inputs : what of the market the levels rest on, and ``market_digest`` of it up to the end
    warnings : what a reader must know of the data before trusting a figure
    """

    definition: Index
    synthetic: bool
    days: Days
    variants: dict[Variant, Vector]
    divisor: Vector
    market_value: Vector
    carried: Rows
    panel: Panel | None = None
    shares: Grid = field(default_factory=lambda: np.empty((0, 0)))
    contribution: Grid = field(default_factory=lambda: np.empty((0, 0)))
    income: Grid = field(default_factory=lambda: np.empty((0, 0)))
    rebalances: tuple[Rebalanced, ...] = ()
    changes: tuple[Change, ...] = ()
    missing: tuple[str, ...] = ()
    off_calendar: int = 0
    inputs: Inputs = field(default_factory=lambda: Inputs("raw", {}, {}))
    market_digest: str = ""
    warnings: tuple[Text, ...] = ()

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols of the constituents and of what came to be held in their stead, (N,)."""
        return () if self.panel is None else self.panel.symbols

    @property
    def names(self) -> tuple[str | None, ...]:
        """The names of the same, as listed; they go on under another symbol, (N,)."""
        if self.panel is None:
            return ()
        names = {c.symbol: c.name for c in getattr(self.definition, "constituents", ())}
        return tuple(names.get(self.panel.entry_symbol(j)) for j in range(len(self.symbols)))

    def offered(self, wanted: Variant) -> Variant:
        """Return a variant if the index has it, else the first one it has."""
        return wanted if wanted in self.variants else next(iter(self.variants))

    @property
    def constituents(self) -> int:
        """How many constituents are held during the last session; none by a ready-made series."""
        return int((self.shares[-1:] > 0).sum())

    @property
    def too_stale(self) -> Flags:
        """Whether more of the index is at stale prices than gate R14 lets pass, (T,).

        A price carried while its exchange is closed is not stale, nor is that of a line on the
        session it leaves.
        """
        if self.panel is None:
            return np.zeros(len(self.days), dtype=bool)
        sessions = slice(len(self.panel.sessions) - len(self.days), None)
        worth = np.nan_to_num(self.panel.worth[sessions]) * np.maximum(self.shares, 0.0)
        codes = [exchange_of(line.symbol) for line in self.panel.lines]
        is_open = {code: read_calendar(code).open_on(self.days) for code in codes}
        stale = np.column_stack([is_open[code] for code in codes]) & ~self.panel.traded(sessions)
        for leaving in self.panel.departures:
            if leaving.row >= sessions.start:
                stale[leaving.row - sessions.start, leaving.column] = False
        limit = gate_limits(self.days[-1].item()).stale_weight + 1e-12  # as the gate has it
        return row_sums(np.where(stale, worth, 0.0)) > limit * row_sums(worth)

    @property
    def levels(self) -> pl.DataFrame:
        """One row per session and variant, as the table ``levels``."""
        count, names = len(self.days), list(self.variants)
        grid = np.column_stack([self.variants[name] for name in names])
        price = [name == "price" for name in names]
        rows = np.repeat(np.arange(count), len(names))
        only_price = np.tile(price, count)
        return pl.DataFrame(
            {
                "date": self.days[rows],
                "variant": names * count,
                "level": grid.ravel(),
                "divisor": _or_null(self.divisor[rows], only_price),
                "market_value": _or_null(self.market_value[rows], only_price),
                "carried": self.carried[rows],
                "backtested": self.backtested[rows],
            }
        )

    @property
    def backtested(self) -> Flags:
        """Whether a session lies before the day on which the constituents were selected, (T,)."""
        return backtested(self.days, self.definition.selected_on)

    @property
    def weights(self) -> pl.DataFrame:
        """One row per rebalance and member, as the table ``weights``."""
        return _table(
            _WEIGHTS,
            [
                (
                    r.effective,
                    r.reference,
                    r.first_session,
                    self.symbols[j],
                    r.after.shares[j],
                    r.capping_factor[n],
                    r.target[n],
                    r.drifted[n],
                    bool(r.tradable[n]),
                )
                for r in self.rebalances
                for n, j in enumerate(r.columns)
            ],
        )

    @property
    def events(self) -> pl.DataFrame:
        """Every change of shares or divisor, as the table ``events``."""
        return _table(
            _EVENTS,
            [(c.date.item(), c.symbol, c.kind, *_change_numbers(c)) for c in self.changes],
        )

    @property
    def contributions(self) -> pl.DataFrame:
        """Contribution of each constituent to each session's price return; held ones only."""
        row, column = np.nonzero(~np.isnan(self.contribution))
        return pl.DataFrame(
            {
                "date": self.days[row],
                "symbol": pl.Series(self.symbols, dtype=pl.String)[column],
                "contribution": self.contribution[row, column],
            },
            schema={"date": pl.Date, "symbol": pl.String, "contribution": pl.Float64},
        )

    @property
    def excluded(self) -> pl.DataFrame:
        """Constituents left out of each rebalance, and why."""
        never = tuple((symbol, "no close in the folder") for symbol in self.missing)
        return _table(
            {"effective": pl.Date, "symbol": pl.String, "reason": pl.String},
            [(r.effective, *left) for r in self.rebalances for left in (*r.excluded, *never)],
        )

    @property
    def summary(self) -> dict[str, Any]:
        """What happened in a few figures, as in ``summary.json``."""
        name, level = next(iter(self.variants.items()))
        return {
            "id": self.definition.id,
            "name": self.definition.name.model_dump(exclude_none=True),
            "synthetic": self.synthetic,
            "backtested_before": str(self.definition.selected_on)
            if self.backtested.any()
            else None,
            "definition_digest": self.definition.digest,
            "market_digest": self.market_digest,
            "variant": name,
            "first": {"date": str(self.days[0]), "level": float(level[0])},
            "last": {"date": str(self.days[-1]), "level": float(level[-1])},
            "return": float(level[-1] / level[0] - 1),
            "volatility": volatility(level),
            "maximum_drawdown": maximum_drawdown(level),
            "turnover": {str(r.effective): r.turnover for r in self.rebalances[1:]},
            "effective_number": self._effective_number(),
            "constituents": self.constituents,
            "carried_last": int(self.carried[-1]),
            "closes_off_calendar": self.off_calendar,
            "missing": list(self.missing),
            "warnings": [warning.en for warning in self.warnings],
        }

    @property
    def opening_weights(self) -> Grid:
        """Weight of each constituent at the open of each session, after its events, (T, N).

        Zero where nothing is held; NaN on the base date, and for a ready-made series no column.
        """
        weights = np.full(self.shares.shape, np.nan)
        if self.panel is not None:
            held = np.where(self.shares > 0, self.shares, 0.0)
            value = held * np.nan_to_num(self.panel.worth[-len(self.days) :])
            part = value / row_sums(value)[:, None]
            gained = np.nan_to_num(self.contribution)
            growth = 1.0 + row_sums(gained)[:, None]
            opening = part * growth - gained
            # What had no worth at the open is the difference of two equals: its rounding is none.
            none = opening <= ROUNDING * part * np.maximum(growth, 1.0)
            weights[1:] = np.where(none, 0.0, opening)[1:]
        return weights

    def plot(self) -> "Drawing":
        """Return its lines, one for each variant, as a notebook shows them."""
        from indexer.report.notebook import history_drawing  # noqa: PLC0415

        return history_drawing(self)

    def __repr__(self) -> str:
        mark = " SYNTHETIC DATA" if self.synthetic else ""
        return f"<History of {self.definition.id}, {self.days[0]} to {self.days[-1]}{mark}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows of it."""
        from indexer.report.notebook import history_html  # noqa: PLC0415

        return history_html(self)

    def _effective_number(self) -> float | None:
        """Return one over the sum of squared weights at the last close."""
        if self.panel is None:
            return None
        weights = market_weights(self.panel, len(self.panel.sessions) - 1, self.shares[-1])
        return float(1 / (weights**2).sum())


def backtested(days: Days, selected_on: date | None) -> Flags:
    """Return which days lie before the one on which constituents were selected; NaT does not."""
    if selected_on is None:
        return np.zeros(len(days), dtype=bool)
    return np.asarray(days < np.datetime64(selected_on))


def return_over(level: Vector, count: int) -> float | None:
    """Return the simple return of a level over its last sessions; None where it has fewer."""
    return float(level[-1] / level[-1 - count] - 1) if count < len(level) else None


def sessions_of_year(days: Days) -> int:
    """Return how many of some ascending days are of the last one's year.

    Examples
    --------
    >>> sessions_of_year(np.array(["2025-12-31", "2026-01-02", "2026-01-05"], "M8[D]"))
    2
    """
    return int((days.astype("datetime64[Y]") == days[-1].astype("datetime64[Y]")).sum())


def volatility(level: Vector) -> float | None:
    """Return the sample deviation of the log returns of a level, a year of 250 sessions'.

    None for fewer than two returns.
    """
    returns = np.diff(log(level))
    return float(returns.std(ddof=1) * np.sqrt(250)) if len(returns) > 1 else None


def maximum_drawdown(level: Vector) -> float:
    """Return the deepest fall of a level from the highest one before; 0 where it never fell."""
    return float((level / np.maximum.accumulate(level) - 1).min())


_WEIGHTS = {
    "effective": pl.Date,
    "reference": pl.Date,
    "first_session": pl.Date,
    "symbol": pl.String,
    "shares": pl.Float64,
    "capping_factor": pl.Float64,
    "reference_weight": pl.Float64,
    "effective_weight": pl.Float64,
    "tradable": pl.Boolean,
}
_EVENTS = {
    "date": pl.Date,
    "symbol": pl.String,
    "kind": pl.String,
    "shares_before": pl.Float64,
    "shares_after": pl.Float64,
    "divisor_before": pl.Float64,
    "divisor_after": pl.Float64,
}


def _table(schema: dict[str, Any], rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")


def _or_null(values: Vector, given: Any) -> pl.Series:
    return pl.Series(np.where(given, values, np.nan)).fill_nan(None)


def _change_numbers(change: Change) -> tuple[float, float, float, float]:
    return change.shares_before, change.shares_after, change.divisor_before, change.divisor_after
