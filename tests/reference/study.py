"""Slow, obvious oracle of a study: alignment, relative strength, correlation.

Plain loops over plain lists, written from the methodology page (Sections 2 and 3) alone; nothing
of the engine is read or imported. ``None`` is null. Columns have one value per row.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

Column = list[float | None]
Level = tuple[date, datetime, float]  # level date, instant from which it is known, level
Fixing = tuple[date, datetime | None, float]  # date, instant of the fixing, rate
Exchange = tuple[Mapping[date, datetime], time, str]  # closes by session, ordinary close, zone

# Rounding leaves about 1e-31 of a sum of squares where exact arithmetic leaves nothing.
ZERO = 1e-24


class Contribution(NamedTuple):
    """The level that one index contributes on one study session."""

    dated: date
    level: float
    fresh: bool


Aligned = dict[date, dict[str, Contribution]]


def known_at(day: date, exchanges: Sequence[Exchange]) -> datetime:
    """Instant from which a level dated `day` is known.

    The latest close on `day` among the exchanges open on it; where none is, the latest of their
    ordinary closing times.
    """
    closes = [sessions[day] for sessions, _, _ in exchanges if day in sessions]
    if closes:
        return max(closes)
    return max(datetime.combine(day, at, ZoneInfo(zone)) for _, at, zone in exchanges)


def cutoff_instant(day: date, cutoff: str) -> datetime:
    """Instant of a cut-off such as ``18:00 Asia/Shanghai`` on one date."""
    clock, zone = cutoff.split()
    return datetime.combine(day, time.fromisoformat(clock), ZoneInfo(zone))


def last_fixing(fixings: Iterable[Fixing], session: date, instant: datetime) -> float:
    """Rate of the last fixing known at a cut-off; one without an instant counts from the next date.

    Raises
    ------
    LookupError
        If no fixing is known by then.
    """
    last: Fixing | None = None
    for fixing in fixings:
        dated, fixed_at, _ = fixing
        known = dated < session if fixed_at is None else fixed_at <= instant
        if known and (last is None or dated > last[0]):
            last = fixing
    if last is None:
        raise LookupError(f"no fixing is known on {session}")
    return last[2]


def align(
    sessions: Iterable[date],
    cutoff: str,
    indices: Mapping[str, Sequence[Level]],
    start: date,
    until: date | None = None,
    fx: Mapping[str, Sequence[Fixing]] | None = None,
    *,
    paired: Collection[str] | None = None,
) -> Aligned:
    """Level contributed by every index on every study session.

    Parameters
    ----------
    sessions
        Sessions of the study's calendar.
    cutoff
        Such as ``18:00 Asia/Shanghai``.
    indices
        Levels of each index.
    start, until
        First and last date of the study, inclusive; `until` absent: the latest level of any of
        the `paired` indices.
    fx
        Fixings (units of the study's currency) of each index that is converted.
    paired
        Indices that are in pairs; absent: all.

    Returns
    -------
    Aligned
        By session, then by index; an index without a level yet is absent on that session.
    """
    if until is None:
        ids = indices if paired is None else paired
        until = max(dated for name in ids for dated, _, _ in indices[name])
    aligned: Aligned = {}
    before: dict[str, Contribution] = {}
    for session in sorted(sessions):
        if not start <= session <= until:
            continue
        instant = cutoff_instant(session, cutoff)
        here: dict[str, Contribution] = {}
        for name, levels in indices.items():
            known = [level for level in levels if level[1] <= instant]
            if not known:
                continue
            dated, _, level = max(known)
            if fx is not None and name in fx:
                level *= last_fixing(fx[name], session, instant)
            fresh = name not in before or before[name].dated != dated
            here[name] = Contribution(dated, level, fresh)
        aligned[session] = here
        before = here
    return aligned


def rows(aligned: Aligned, names: Collection[str], start: date) -> list[date]:
    """Study sessions that are rows of a pair or triple, the first of them fresh or not."""
    found: list[date] = []
    for session, here in aligned.items():
        if session < start or any(name not in here for name in names):
            continue
        if not found or all(here[name].fresh for name in names):
            found.append(session)
    return found


def row_levels(aligned: Aligned, sessions: Iterable[date], name: str) -> Column:
    """Contributed level of one index on each row, null before its first."""
    return [
        aligned[session][name].level if name in aligned[session] else None for session in sessions
    ]


def backtested(
    aligned: Aligned,
    sessions: Sequence[date],
    selected_on: Mapping[str, date],
    window: int | None,
) -> list[bool]:
    """Whether any level of the window that ends on each row is dated before its `selected_on`.

    `window` counts rows of levels, so a statistic of w returns has w + 1; absent: all rows so far.
    """
    marks = []
    for t in range(len(sessions)):
        first = 0 if window is None else max(0, t + 1 - window)
        mark = False
        for session in sessions[first : t + 1]:
            for name, selected in selected_on.items():
                if name in aligned[session] and aligned[session][name].dated < selected:
                    mark = True
        marks.append(mark)
    return marks


def log_levels(levels: Sequence[float | None]) -> Column:
    """Natural logarithms, null where the level is."""
    return [None if level is None else math.log(level) for level in levels]


def log_returns(levels: Sequence[float | None]) -> Column:
    """Differences of log levels between consecutive rows, null on the first."""
    logs = log_levels(levels)
    found: Column = []
    for t, now in enumerate(logs):
        then = logs[t - 1] if t > 0 else None
        found.append(None if now is None or then is None else now - then)
    return found


def rolling(
    statistic: Callable[..., float | None], window: int, *columns: Sequence[float | None]
) -> Column:
    """Statistic of the last `window` rows of the columns, null where any of them is null."""
    found: Column = []
    for t in range(len(columns[0])):
        parts = [list(column[t + 1 - window : t + 1]) for column in columns if t + 1 >= window]
        null = not parts or any(value is None for part in parts for value in part)
        found.append(None if null else statistic(*parts))
    return found


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean."""
    return math.fsum(values) / len(values)


def product(x: Sequence[float], y: Sequence[float]) -> float:
    """Sum of products of deviations from the means."""
    x_mean, y_mean = mean(x), mean(y)
    return math.fsum((p - x_mean) * (q - y_mean) for p, q in zip(x, y, strict=True))


def deviation(values: Sequence[float], ddof: int) -> float | None:
    """Square root of the variance, null where the values are constant or too few."""
    if len(values) <= ddof or min(values) == max(values):
        return None
    return math.sqrt(product(values, values) / (len(values) - ddof))


def relative_strength(leader: Sequence[float], follower: Sequence[float]) -> list[float]:
    """Relative strength, 100 on the first row."""
    return [
        100 * (a / leader[0]) / (b / follower[0]) for a, b in zip(leader, follower, strict=True)
    ]


def momentum(log_rs: Sequence[float], n: int) -> Column:
    """Change of ln RS over n rows."""
    return [now - log_rs[t - n] if t >= n else None for t, now in enumerate(log_rs)]


def percentile(log_rs: Sequence[float], window: int = 250) -> Column:
    """Share of the last values, today's included, at or below today's."""
    return rolling(lambda v: sum(x <= v[-1] for x in v) / len(v), window, log_rs)


def last_score(values: Sequence[float]) -> float | None:
    """Deviations (ddof 1) of the last value from the mean of all of them, itself included."""
    sd = deviation(values, 1)
    return None if sd is None else (values[-1] - mean(values)) / sd


def zscore(log_rs: Sequence[float], window: int) -> Column:
    """Deviations of today's value from the mean of the window that ends today (ddof 1)."""
    return rolling(last_score, window, log_rs)


def pearson(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Pearson correlation, null where a side is constant."""
    if len(x) < 2 or min(x) == max(x) or min(y) == max(y):
        return None
    value = product(x, y) / math.sqrt(product(x, x)) / math.sqrt(product(y, y))
    return max(-1.0, min(1.0, value))


def average_ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1, ties at the mean of the ranks they take up."""
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2
        for value in values
    ]


def spearman(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Pearson correlation of average ranks."""
    return pearson(average_ranks(x), average_ranks(y))


def level_correlation(a: Sequence[float | None], b: Sequence[float | None], window: int) -> Column:
    """Pearson correlation of the logarithms of two lines over the last `window` rows."""
    return rolling(pearson, window, log_levels(a), log_levels(b))


def residuals(y: Sequence[float], controls: Sequence[Sequence[float]]) -> list[float] | None:
    """OLS residuals with intercept, null where the controls are collinear.

    Each control is stripped of the mean and of the controls before it, then `y` of all of them.
    """
    if any(min(control) == max(control) for control in controls):
        return None
    bases: list[list[float]] = []
    for values in [*controls, y]:
        centre = mean(values)
        left = [value - centre for value in values]
        total = math.fsum(v * v for v in left)
        for base in bases:
            slope = math.fsum(p * q for p, q in zip(left, base, strict=True)) / math.fsum(
                q * q for q in base
            )
            left = [p - slope * q for p, q in zip(left, base, strict=True)]
        if math.fsum(v * v for v in left) <= ZERO * total:
            if len(bases) < len(controls):
                return None
            return [0.0] * len(y)
        bases.append(left)
    return bases[-1]


def partial_correlation(*columns: Sequence[float]) -> float | None:
    """Correlation of the first two columns given all the others, null without any variance left."""
    e = residuals(columns[0], columns[2:])
    f = residuals(columns[1], columns[2:])
    return None if e is None or f is None else pearson(e, f)


def residual_statistic(*columns: Sequence[float]) -> float | None:
    """Statistic of the p-value of the partial correlation of the first two columns."""
    e = residuals(columns[0], columns[2:])
    f = residuals(columns[1], columns[2:])
    if e is None or f is None:
        return None
    u = [p * q for p, q in zip(e, f, strict=True)]
    return None if min(u) == max(u) else math.fsum(u) / math.sqrt(product(u, u))


def _ratio(a: Sequence[float], b: Sequence[float], c: Sequence[float], cov_bc: float) -> float:
    to_b = product(a, a) + product(b, b) - 2 * product(a, b)
    to_c = product(a, a) + product(c, c) - 2 * product(a, c)
    top = product(a, a) - product(a, c) - product(a, b) + cov_bc
    return top / math.sqrt(to_b * to_c)


def ratio_correlation(a: list[float], b: list[float], c: list[float]) -> float | None:
    """Correlation of a - b with a - c, null where either is constant."""
    for other in (b, c):
        spread = [p - q for p, q in zip(a, other, strict=True)]
        scale = product(a, a) + product(other, other)
        if min(spread) == max(spread) or product(spread, spread) <= ZERO * scale:
            return None
    return max(-1.0, min(1.0, _ratio(a, b, c, product(b, c))))


def ratio_null(a: list[float], b: list[float], c: list[float]) -> float | None:
    """Shared-leg null: the same expression, b and c tied by nothing but a."""
    if min(a) == max(a) or ratio_correlation(a, b, c) is None:
        return None
    return _ratio(a, b, c, product(a, b) * product(a, c) / product(a, a))


def ratio_excess(a: list[float], b: list[float], c: list[float]) -> float | None:
    """Ratio correlation beyond its shared-leg null."""
    rho, null = ratio_correlation(a, b, c), ratio_null(a, b, c)
    return None if rho is None or null is None else rho - null
