"""Faults in dated figures: payouts, share counts and rates, as far as a kind can befall them."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from benchmarks.standin.wire import Row

_Change = Callable[[list[Row], int], list[Row]]  # rows: date, figures; and the row it falls on


def spoiled(kind: str, rows: list[Row], at: int) -> list[Row]:
    """Return rows of a date and its figures as a fault leaves them.

    Parameters
    ----------
    at : the row, from the start
    """
    change = _CHANGES.get(kind)
    return change([list(row) for row in rows], at) if change and rows else rows


def reshaped(kind: str, records: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Return records with a column more, or without one of theirs, all of them or the last."""
    if kind == "extra_col":
        return [record | {"EXTRA": 7} for record in records]
    if kind in {"missing_col", "ragged"}:
        at = 0 if kind == "missing_col" else len(records) - 1
        shorn = [{k: v for k, v in r.items() if k != key} for r in records[at:]]
        return [*records[:at], *shorn]
    return records


def _times(factor: float) -> Callable[[Any], Any]:
    return lambda figure: round(figure * factor, 9) if isinstance(figure, int | float) else figure


def _as(text: Any) -> Callable[[Any], Any]:
    return lambda figure: None if figure is None else text


def _all(change: Callable[[Any], Any]) -> _Change:
    return lambda rows, at: [[row[0], *map(change, row[1:])] for row in rows]


def _one(change: Callable[[Any], Any]) -> _Change:
    return lambda rows, at: [
        *rows[:at],
        [rows[at][0], *map(change, rows[at][1:])],
        *rows[at + 1 :],
    ]


def _moved(days: int) -> Callable[[Row], Row]:
    return lambda row: [str(date.fromisoformat(row[0]) + timedelta(days)), *row[1:]]


def _phantom(rows: list[Row], at: int) -> list[Row]:
    day = date.fromisoformat(rows[at][0])
    saturday = day + timedelta((5 - day.weekday()) % 7)
    return [*rows[: at + 1], [str(saturday), *rows[at][1:]], *rows[at + 1 :]]


def _later(rows: list[Row], at: int) -> list[Row]:
    del at
    return [*rows, [f"2031{rows[-1][0][4:]}", *rows[-1][1:]]]


_conflicting = _one(_times(1.01))

_CHANGES: dict[str, _Change] = {
    "dup_rows": lambda rows, at: [*rows[: at + 1], *rows[at:]],
    "conflicting_dup": lambda rows, at: [
        *rows[: at + 1],
        _conflicting(rows, at)[at],
        *rows[at + 1 :],
    ],
    "unsorted": lambda rows, at: rows[::-1],
    "dash_values": _one(_as("-")),
    "nan_inf": _one(_as("inf")),
    "huge_int": _one(_as("1e400")),
    "neg_price": _one(_times(-1)),
    "zero_price": _one(_times(0)),
    "flat_zero_volume": _one(_times(0)),
    "bad_date": lambda rows, at: [
        *rows[:at],
        [f"{rows[at][0][:4]}-13-45", *rows[at][1:]],
        *rows[at + 1 :],
    ],
    "swapped_cols": lambda rows, at: [[row[0], *row[:0:-1]] for row in rows],
    "column_swap": lambda rows, at: [[row[0], *row[:0:-1]] for row in rows],
    "klines_empty": lambda rows, at: [],
    "future_row": _later,
    "one_row_missing_today": lambda rows, at: rows[:-1],
    "truncated_page": lambda rows, at: rows[-2:],
    "rebased_history": lambda rows, at: [*_all(_times(0.9))(rows[:at], 0), *rows[at:]],
    "affine_history": _all(_times(0.87)),
    "adjusted_as_raw": _all(_times(1.4142)),
    "scaled_up": _one(_times(10)),
    "scaled_down": _one(_times(0.1)),
    "decimals_lost": _all(_times(100)),
    "decimals_lost_once": _one(_times(100)),
    "row_dropped": lambda rows, at: [*rows[:at], *rows[at + 1 :]],
    "head_cut": lambda rows, at: rows[len(rows) // 2 :],
    "end_cut": lambda rows, at: rows[: max(0, len(rows) - 4)],
    "shifted_forward": lambda rows, at: [_moved(1)(row) for row in rows],
    "shifted_back": lambda rows, at: [_moved(-1)(row) for row in rows],
    "phantom": _phantom,
    "repeated_close": lambda rows, at: [
        *rows[:at],
        [rows[at][0], *rows[max(0, at - 1)][1:]],
        *rows[at + 1 :],
    ],
}
