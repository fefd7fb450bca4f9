"""The hierarchy of sources: whose figure counts, how far two may differ, and what then."""

from datetime import date
from functools import lru_cache
from typing import NamedTuple

from indexer.market.conventions.dated import rows_of


class Precedence(NamedTuple):
    """What holds for one field of a table.

    Attributes
    ----------
    sources : the order in which sources are asked and believed
    tolerance : by how much two sources agree, in ``unit``
    unit : ``tick`` of the symbol, ``relative`` to the figure or ``absolute``
    otherwise : where no two agree, ``refuse`` the row, or take the field of the ``first`` source
    """

    sources: tuple[str, ...]
    tolerance: float
    unit: str
    otherwise: str


def precedence(table: str, field: str, suffix: str, day: date) -> Precedence | None:
    """Return the precedence of a field, of a market before that of all; None where none is written.

    A date before the first entry has that entry.

    Examples
    --------
    >>> precedence("prices", "close", "SZ", date(2026, 11, 20)).sources
    ('eastmoney', 'tencent', 'sina')
    """
    found = [r for r in _rows() if r[:2] == (table, field) and r[2] in ("", suffix)]
    dated = [row for row in found if row[3] <= day] or sorted(found, key=lambda row: row[3])[:1]
    return max(dated, key=lambda row: (row[2] != "", row[3]))[4] if dated else None


@lru_cache
def _rows() -> tuple[tuple[str, str, str, date, Precedence], ...]:
    return tuple(
        (
            r["table"],
            r["field"],
            r["suffix"],
            date.fromisoformat(r["from"]),
            Precedence(
                tuple(r["sources"].split()), float(r["tolerance"]), r["unit"], r["otherwise"]
            ),
        )
        for r in rows_of("hierarchy")
    )
