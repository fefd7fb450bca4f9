"""Slow, obvious oracle of the lead-lag band and of the lead that closing times alone would make.

Whitening and the correlations themselves are in `diffusion`. Written from the methodology page
(Section 3) alone; ``None`` is null.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from tests.reference.diffusion import whiten
from tests.reference.signal_inference import Quantile, linear_quantile
from tests.reference.study import pearson


def lagged(e: Sequence[float], f: Sequence[float], k: int) -> float | None:
    """Correlation of e of k rows before with f, over the rows on which both are.

    Reading: means and variances are those of the overlapping rows, not of the whole series.
    """
    pairs = [(e[t - k], f[t]) for t in range(len(f)) if 0 <= t - k < len(e)]
    if len(pairs) < 2:
        return None
    return pearson([p for p, _ in pairs], [q for _, q in pairs])


def largest(e: Sequence[float], f: Sequence[float], lags: int = 10) -> float | None:
    """Largest correlation either way over the lags 1 to `lags` of both directions, not 0."""
    found = [lagged(e, f, k) for k in range(-lags, lags + 1) if k != 0]
    there = [abs(value) for value in found if value is not None]
    return max(there) if there else None


def band(
    a: Sequence[float],
    b: Sequence[float],
    resamples: Iterable[tuple[Sequence[int], Sequence[int]]],
    lags: int = 10,
    quantile: Quantile = linear_quantile,
) -> float | None:
    """Height that the largest of the lagged correlations reaches by chance, 95 %.

    The page: from the maximum over k under independent block resampling of both; k = 0 stands
    outside. Readings: whitened residuals are resampled (rows counted from 0, one fewer than
    returns), not whitened again; the maximum is of the absolute value, so the band is symmetric;
    95 %, by the linear quantile; one band for all lags.
    """
    e, f = whiten(a), whiten(b)
    if e is None or f is None:
        return None
    heights = []
    for first, second in resamples:
        height = largest([e[row] for row in first], [f[row] for row in second], lags)
        if height is not None:
            heights.append(height)
    return quantile(heights, 0.95) if heights else None


def made_by_closes(known_a: Sequence[datetime], known_b: Sequence[datetime]) -> str | None:
    """Which index the closing times alone would make a leader, null where they agree.

    `known_a` and `known_b` are the instants of the levels that each row holds. The page asks for
    the direction only. Reading: on a row, the index whose level is known later has already seen
    what the other shows a row later, so it seems to lead (A: k > 0). Half days reverse that on
    a few rows: what holds on most of them counts.
    """
    later = sum((a > b) - (a < b) for a, b in zip(known_a, known_b, strict=True))
    if later == 0:
        return None
    return "leader" if later > 0 else "follower"
