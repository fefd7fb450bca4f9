"""Slow, obvious oracle of what is said of episodes and of a sweep's variants together.

One episode, its forward returns and one deflated Sharpe ratio are in `catchup`. Written from the
methodology page (Section 3) alone; ``None`` is null.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from tests.reference.catchup import Episode, deflated_sharpe
from tests.reference.study import Column, deviation, mean

LEAST = 10


class Hits(NamedTuple):
    """Forward returns above zero among those there are, and whether anything may be inferred."""

    hits: int
    cases: int
    inferred: bool


class Best(NamedTuple):
    """The best of a sweep's variants."""

    name: str
    sharpe: float  # per row
    deflated: float | None


def apart(
    episodes: Sequence[Episode], dates: Sequence[date], selected_on: date
) -> tuple[list[Episode], list[Episode]]:
    """Episodes that began before the selection, and the others.

    The page: episodes before and after `selected_on` apart. Reading: an episode belongs to the
    study session of its onset; the session of `selected_on` itself is after. (Its `backtested`
    mark looks further back, over the window of the onset: see `signal_marks`.)
    """
    before = [episode for episode in episodes if dates[episode.stretched] < selected_on]
    return before, [episode for episode in episodes if episode not in before]


def hits(episodes: Sequence[Episode], horizon: int) -> Hits:
    """Episodes whose forward relative return ln(B/A) is positive; `horizon` 0, 1, 2: 5, 20, 60.

    The page: under 10 episodes the cases are listed and nothing is inferred. Reading: counted are
    the episodes with a turn and enough rows after it, and it is these that must be 10.
    """
    there = [value for episode in episodes if (value := episode.forward[horizon]) is not None]
    return Hits(sum(value > 0 for value in there), len(there), len(there) >= LEAST)


def sharpe(returns: Sequence[float]) -> float | None:
    """Mean over deviation (ddof 1) of row returns, not annualised; null without variance."""
    sd = deviation(returns, 1)
    return None if sd is None else mean(returns) / sd


def standardised_moment(returns: Sequence[float], power: int) -> float:
    """Mean of a power of the deviations over that power of their ddof-0 root mean square."""
    centre = mean(returns)
    sd = math.sqrt(mean([(value - centre) ** 2 for value in returns]))
    return mean([((value - centre) / sd) ** power for value in returns])


def best_variant(variants: Mapping[str, Column]) -> Best | None:
    """Variant with the best Sharpe ratio, deflated for the number tried.

    The page: every variant counted, V the variance across variants. Readings: the row without a
    return (the first) is no observation; a variant that never trades has no Sharpe ratio, counts
    among the trials and not in V; V has ddof 1, skew and kurtosis are plain moments (3 for a
    normal); ties go to the first; one variant has no V and nothing to deflate by.
    """
    lines = {
        name: [value for value in column if value is not None] for name, column in variants.items()
    }
    ratios = {name: ratio for name, line in lines.items() if (ratio := sharpe(line)) is not None}
    if not ratios:
        return None
    name = max(ratios, key=lambda key: ratios[key])
    if len(ratios) < 2:
        return Best(name, ratios[name], None)
    values = list(ratios.values())
    variance = sum((value - mean(values)) ** 2 for value in values) / (len(values) - 1)
    line = lines[name]
    moments = (standardised_moment(line, 3), standardised_moment(line, 4))
    found = deflated_sharpe(ratios[name], len(line), *moments, variance, len(variants))
    return Best(name, ratios[name], found)
