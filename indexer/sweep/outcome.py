"""What a sweep found, as one table and a summary: every variant in it, also those that failed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from indexer.arrays import or_none
from indexer.definitions.sweep import Sweep
from indexer.signals.evaluate import deflated_sharpe
from indexer.sweep.plan import Variant

PART = 32  # indices whose levels are put in one table at a time

_MOMENTS = ("returns", "skew", "kurtosis")  # told of the best alone
_PAIR = ("leader", "follower", *_MOMENTS)  # keys of a pair's result that are no columns
_UNKNOWN = ("sharpe", "volatility")  # figures that no variant may have: numbers all the same


@dataclass(frozen=True, slots=True)
class Outcome:
    """A variant and what came of it: its result, or under ``error`` how it failed."""

    variant: Variant
    result: Mapping[str, Any]

    @property
    def failure(self) -> Mapping[str, str] | None:
        """Its kind and message; None where it did not fail."""
        return self.result.get("error")


def outcomes(
    variants: Sequence[Variant], found: Sequence[Mapping[str, Any] | None]
) -> list[Outcome]:
    """Return what came of each variant; one that is wrong has no result."""
    return [
        Outcome(variant, {"error": variant.failure} if result is None else result)
        for variant, result in zip(variants, found, strict=True)
    ]


def results_table(found: Sequence[Outcome]) -> pl.DataFrame:
    """Return one row per variant, as the table ``results``; null where one failed.

    Of a study each pair has columns of its own, named ``leader/follower.figure``.
    """
    rows = [_row(n, outcome) for n, outcome in enumerate(found, 1)]
    names = dict.fromkeys(name for row in rows for name in row)
    names = {name: None for name in names if name != "error"} | {"error": None}
    schema = {name: _type(name, [row.get(name) for row in rows]) for name in names}
    return pl.DataFrame({n: [row.get(n) for row in rows] for n in names}, schema=schema)


def _row(number: int, outcome: Outcome) -> dict[str, Any]:
    variant = outcome.variant
    row: dict[str, Any] = {"number": number}
    if variant.index:
        row["index"] = variant.index
    row |= variant.values
    for pair in outcome.result.get("pairs", ()):
        where = f"{pair['leader']}/{pair['follower']}"
        row |= {f"{where}.{key}": value for key, value in pair.items() if key not in _PAIR}
    if outcome.failure is not None:
        return row | {"error": "; ".join(outcome.failure["message"].splitlines())}
    unlisted = {"pairs", "levels", "warnings"}
    return row | {k: v for k, v in outcome.result.items() if k not in unlisted} | {"error": None}


def _type(name: str, cells: Sequence[Any]) -> Any:
    """Return the type of a column, which is text where nothing is known of it."""
    known = next((cell for cell in cells if cell is not None), None)
    if isinstance(known, int | float):
        return pl.Int64 if all(isinstance(c, int | None) for c in cells) else pl.Float64
    figure = name.rpartition(".")[2]
    return pl.Float64 if figure in _UNKNOWN and known is None else pl.String


def levels_table(found: Sequence[Outcome]) -> pl.LazyFrame:
    """Return the levels of every index: number in the results, index, date, variant, level.

    Each part of the table is made when it is written, so there is never room taken for all of it.
    """
    if not found:
        return pl.LazyFrame(schema=_LEVELS)
    parts = [(at, found[at : at + PART]) for at in range(0, len(found), PART)]
    made = (pl.defer(partial(_levels, at, part), schema=_LEVELS) for at, part in parts)
    return pl.concat(list(made))


def _levels(before: int, found: Sequence[Outcome]) -> pl.DataFrame:
    """Return the levels of indices that stand after so many others in the results."""
    told = [(n, outcome.result.get("levels", {})) for n, outcome in enumerate(found)]
    rows = sum(max(0, len(levels) - 1) * len(levels.get("days", ())) for _, levels in told)
    number, date = np.empty(rows, np.int32), np.empty(rows, np.int32)
    variant, level = np.empty(rows, np.uint32), np.empty(rows)
    names: dict[str, int] = {}  # of the variants, in the order in which they are met
    at = 0
    for n, levels in told:
        own = [name for name in levels if name != "days"]
        shape = (len(levels.get("days", ())), len(own))
        part = slice(at, at := at + shape[0] * shape[1])
        number[part] = n
        for k, name in enumerate(own):
            date[part].reshape(shape)[:, k] = levels["days"].astype(np.int32)
            variant[part].reshape(shape)[:, k] = names.setdefault(name, len(names))
            level[part].reshape(shape)[:, k] = levels[name]
    ids = pl.Series([outcome.variant.index for outcome in found], dtype=pl.String)
    columns = {
        "number": number + np.int32(before + 1),
        "index": ids.gather(number),
        "date": pl.Series(date).cast(pl.Date),
        "variant": pl.Series(list(names), dtype=pl.String).gather(variant),
        "level": level,
    }
    return pl.DataFrame(columns, schema=_LEVELS)


_LEVELS = {
    "number": pl.Int32,
    "index": pl.String,
    "date": pl.Date,
    "variant": pl.String,
    "level": pl.Float64,
}


def summary(sweep: Sweep, found: Sequence[Outcome], made_of: dict[str, Any]) -> dict[str, Any]:
    """Return what ``summary.json`` says of a sweep.

    Parameters
    ----------
    made_of : digests of market and code, and whether the market is synthetic

    Notes
    -----
    A trial is one pair of one variant: choosing among pairs is choosing too. Every trial counts,
    also of a variant that failed or never traded; their ratios have no part in the variance.
    """
    failed = [(n, o) for n, o in enumerate(found, 1) if o.failure is not None]
    told = {
        "id": sweep.id,
        "study": sweep.study,
        "baskets": sweep.baskets,
        "definition_digest": sweep.digest,
        **made_of,
        "tried": len(found),
        "failed": len(failed),
        "backtested": _backtested(found),
        "warnings": list(
            dict.fromkeys(text for o in found for text in o.result.get("warnings", ()))
        ),
        "failures": [
            {"number": n, "index": o.variant.index or None, "values": o.variant.values}
            | dict(o.failure or {})
            for n, o in failed
        ],
    }
    told = {key: value for key, value in told.items() if value is not None}
    return told if sweep.study is None else told | best(sweep, found)


def _backtested(found: Sequence[Outcome]) -> dict[str, int]:
    """Return how many episodes of pairs, or indices, rest on levels before their selection."""
    results = [outcome.result for outcome in found if outcome.failure is None]
    pairs = [pair for result in results for pair in result.get("pairs", ())]
    indices = [bool(result["backtested"]) for result in results if "backtested" in result]
    return {
        "count": sum(pair["backtested"] for pair in pairs) + sum(indices),
        "of": sum(pair["episodes"] for pair in pairs) + len(indices),
    }


def best(sweep: Sweep, found: Sequence[Outcome]) -> dict[str, Any]:
    """Return the best trial and how much of it is more than the best of so many by chance."""
    trials = sum(len(outcome.variant.pairs) for outcome in found)
    ratios = [
        (n, pair)
        for n, outcome in enumerate(found, 1)
        for pair in outcome.result.get("pairs", ())
        if pair["sharpe"] is not None
    ]
    told: dict[str, Any] = {"cost_bps": sweep.evaluate.cost_bps, "trials": trials}
    told |= {"with_sharpe": len(ratios), "sharpe_variance": None, "best": None}
    if not ratios:
        return told
    number, pair = max(ratios, key=lambda trial: float(trial[1]["sharpe"]))
    values = [float(trial["sharpe"]) for _, trial in ratios]
    variance = float(np.var(values, ddof=1)) if len(values) > 1 else None
    deflated = None
    if variance is not None or trials == 1:
        ratio, length = float(pair["sharpe"]), int(pair["returns"])
        skew, kurtosis = float(pair["skew"]), float(pair["kurtosis"])
        found_p = deflated_sharpe(ratio, length, skew, kurtosis, variance or 0.0, trials)
        deflated = or_none(found_p)
    chosen = {key: pair[key] for key in ("leader", "follower", "sharpe", *_MOMENTS)}
    values_of = {"number": number, "values": found[number - 1].variant.values}
    return told | {
        "sharpe_variance": variance,
        "best": values_of | chosen | {"deflated_sharpe": deflated},
    }
