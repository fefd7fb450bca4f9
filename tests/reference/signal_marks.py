"""Slow, obvious oracle of which signals rest on levels from before a basket was chosen.

The mark of a window of levels is in `study.backtested`; here is which rows each signal looks at.
Written from Sections 2 and 3 of the methodology page and Section 6 of the contract alone.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from tests.reference.diffusion import weekly

# Levels that a signal of window w looks at, the last one its own row's.
RETURNS = (
    "correlation",
    "spearman",
    "ratio_correlation",
    "ratio_null",
    "ratio_excess",
    "partial_correlation",
    "partial_correlation_benchmark",
    "momentum",
)
LEVELS = ("zscore", "percentile", "level_correlation")
# Sessions of one index, its own one the last.
MEMBERS = {
    "breadth_20": 20,
    "breadth_60": 60,
    "breadth_outperform": 21,
    "diffusion": 2,
    "mean_pair_correlation": 61,
    "dispersion": 2,
    "crowding": 20,
}


def rows_used(signal: str, t: int, window: int = 0, h: int = 0) -> list[int] | None:
    """Rows whose levels the value of one row rests on, null where it has no value yet.

    `window` is the signal's own (for gap and gap_z that of beta, with `h`, as for beta). The
    page: a statistic of returns over w needs w returns (so w + 1 levels), one of levels w.
    Readings: relative strength looks at its first row and today's, so that it is marked for ever
    where the study begins before the selection; the other signals of ln RS do not, as the
    first row cancels; momentum over n looks at n + 1 levels, also those between its ends; beta
    ends h rows before today, gap and gap_z look at beta's rows and at those since.
    """
    if signal == "relative_strength":
        return [0, t]
    if signal in RETURNS:
        first, last = t - window, t
    elif signal in LEVELS:
        first, last = t + 1 - window, t
    elif signal in MEMBERS:
        first, last = t + 1 - MEMBERS[signal], t
    elif signal == "beta":
        first, last = t - h - window, t - h
    elif signal in ("gap", "gap_z"):
        first, last = t - h - window, t
    else:
        raise ValueError(f"no such signal: {signal}")
    return None if first < 0 else list(range(first, last + 1))


def weekly_rows_used(
    dates: Sequence[date], t: int, signal: str, window: int = 14
) -> list[int] | None:
    """Rows that rotation looks at on row t: the closes of 14 weeks, of 28 for momentum.

    Readings: only the weeks' closes, row t for its own week; 14 changes of a ratio need 15
    ratios, hence 28 weeks.
    """
    places = [float(k) for k in range(t + 1)]
    closes = [int(place) for _, place in weekly(dates[: t + 1], places)]
    needed = window if signal == "rs_ratio" else 2 * window
    return closes[-needed:] if len(closes) >= needed else None


def episode_rows(stretched: int, last: int, window: int) -> list[int]:
    """Rows that an episode rests on: from the first of its onset's window to its last.

    Reading: the forward returns come later and so add nothing that was known before.
    """
    return list(range(max(0, stretched + 1 - window), last + 1))


def marked(
    rows: Sequence[int], dated: Mapping[str, Sequence[date]], selected_on: Mapping[str, date]
) -> bool:
    """Whether any level on these rows is dated before the selection of its basket.

    `dated` has the level's own date on each row, by index (all those that the value uses, the
    benchmark too where it is a basket). The page: "dated before `selected_on` of any basket it
    uses". Reading, as in `study.backtested`: each basket's levels are held against that basket's
    own date, and a series without a selection marks nothing.
    """
    return any(
        dated[name][row] < selected
        for name, selected in selected_on.items()
        if name in dated
        for row in rows
    )
