"""Which figures of a study rest on back-tested levels, and how a page says so beside them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from indexer.report.markup import paragraph, table
from indexer.report.words import NONE
from indexer.signals.result import Comparison
from indexer.signals.rotation import WEEKS
from indexer.words import Text, joined, same

MARK = "*"
NOTE = Text("* Rests in part on back-tested levels.", "*部分依据回测点位。")

_RESTS_ON = {  # of what is no signal itself
    "p_value_adjusted": "ratio_excess",
    "p_value_benchmark_adjusted": "partial_correlation_benchmark",
    **dict.fromkeys(
        ("level_null", "level_null_low", "level_null_high", "level_p_value"), "level_correlation"
    ),
    "ratio_correlation_low": "ratio_correlation",
    "ratio_correlation_high": "ratio_correlation",
    "partial_correlation_low": "partial_correlation",
    "partial_correlation_high": "partial_correlation",
}


def starred(text: Text, tested: bool) -> Text:
    """Return a figure, with an asterisk where there is one and it rests on back-tested levels."""
    return joined([text, same(MARK)], "", "") if tested and text != NONE else text


def noted_table(heads: Sequence[Text], rows: Sequence[Sequence[Text]], layout: str) -> str:
    """Return a table, and what its asterisks mean where it has any."""
    told = table(heads, rows, layout)
    stars = any(cell.en.endswith(MARK) for _, *figures in rows for cell in figures)
    return told + (paragraph(NOTE, "hint") if stars else "")


def ids_of(told: dict[str, Any]) -> list[str]:
    """Return the indices that a pair, or two ratio lines, of a summary are of."""
    return [told[role] for role in ("leader", "follower", "other") if role in told]


def figure_backtested(comparison: Comparison, told: dict[str, Any], name: str, window: int) -> bool:
    """Return whether a figure of a pair or of ratio lines, told by window, rests on such levels."""
    at = _RESTS_ON.get(name, name)
    return comparison.last_backtested(at, *ids_of(told), window=window)


def pair_backtested(comparison: Comparison, told: dict[str, Any]) -> dict[str, bool]:
    """Return which figures of a pair's summary rest on such levels, by name."""
    ids, windows = (told["leader"], told["follower"]), comparison.study.windows
    moved = False
    if told["peak_on"] is not None:
        peak = np.searchsorted(comparison.aligned.sessions, np.datetime64(told["peak_on"]))
        moved = bool(comparison.aligned.backtested_on(ids, np.array([peak]))[0])
    return {
        "moves": moved,
        "relative_strength": comparison.last_backtested("relative_strength", *ids),
        "zscore": comparison.last_backtested("zscore", *ids, window=windows.zscore),
        "gap": comparison.last_backtested("gap", *ids, window=windows.gap),
        "rotation": comparison.last_backtested("rs_momentum", *ids, window=WEEKS),
    }
