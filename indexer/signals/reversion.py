"""How soon a line returns to its mean, if it does at all."""

import math

import numpy as np

from indexer.arrays import Vector, dot
from indexer.signals.inference import FEWEST_ROWS
from indexer.signals.regression import SINGULAR, gram_schmidt


def half_life(values: Vector) -> float:
    """Return in how many rows half of a deviation from the mean is gone; NaN if that is never.

    NaN too of fewer than 60 values, of which no test would tell.

    Parameters
    ----------
    values : (n,) a window of log relative strength

    Notes
    -----
    ``-ln 2 / ln phi`` of a first-order autoregression with intercept, told only where
    `unit_root_rejected`: a random walk has a finite one nearly always.
    """
    if len(values) < FEWEST_ROWS:
        return math.nan
    before, after = values[:-1] - values[:-1].mean(), values[1:] - values[1:].mean()
    if not dot(before, before) > SINGULAR * dot(values, values):
        return math.nan
    phi = float(dot(before, after) / dot(before, before))
    if not 0.0 < phi < 1.0 or not unit_root_rejected(values):
        return math.nan
    return -math.log(2.0) / math.log(phi)


def unit_root_rejected(values: Vector) -> bool:
    """Return whether the augmented Dickey-Fuller test with a constant rejects at 5 %.

    Not where the levels and earlier moves are collinear or leave nothing to judge by.

    Parameters
    ----------
    values : (n,), at least 60

    Notes
    -----
    Lags by Akaike's criterion up to ``12 (n / 100)**(1/4)`` (Schwert 1989), as statsmodels has
    it; the critical value is the response surface of MacKinnon (2010), "Critical values for
    cointegration tests".
    """
    moves, n = np.diff(values), len(values)
    most = min(math.ceil(12 * (n / 100) ** 0.25), n // 2 - 2)
    count = len(moves) - most
    criteria = [count * math.log(_lagged_fit(values, moves, k, count)[1]) + 2 * k
                for k in range(most + 1)]  # fmt: skip
    lags = int(np.argmin(criteria))
    count = len(moves) - lags
    ratio, _ = _lagged_fit(values, moves, lags, count)
    return ratio < -2.86154 - 2.8903 / count - 4.234 / count**2 - 40.04 / count**3


def _lagged_fit(values: Vector, moves: Vector, lags: int, count: int) -> tuple[float, float]:
    """Regress the last moves on the level before and earlier moves: t ratio of the level, SSR.

    NaN where what they are regressed on is collinear, and where nothing but rounding is left.
    """
    end = len(moves)
    earlier = [moves[end - count - k : end - k] for k in range(1, lags + 1)]
    swept = gram_schmidt(
        np.array([np.ones(count), *earlier, values[-count - 1 : -1], moves[-count:]])
    )
    if not swept.sound.all():
        return math.nan, math.nan
    level, left = swept.parts[-2:, -1].tolist()  # of the moves: along the level alone, and beyond
    return level / (left / math.sqrt(count - lags - 2)), left * left
