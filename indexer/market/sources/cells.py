"""The cells of a reply in the types of a table."""

from collections.abc import Collection, Mapping

import polars as pl

from indexer.market.checks import ROW, Column
from indexer.market.sources.verdict import Sieve


def typed_cells(
    sieve: Sieve, columns: Mapping[str, Column], required: Collection[str]
) -> pl.DataFrame:
    """Return the rows whose cells are what the columns hold, absent columns null.

    NaN counts as an absent number, and an empty text as an absent cell: the row is dropped where
    the column is required.
    """
    given = sieve.given
    typed, faults = {ROW: given[ROW]}, [pl.repeat(None, len(given), dtype=pl.String, eager=True)]
    for name, column in columns.items():
        if name not in given.columns:
            typed[name] = pl.repeat(None, len(given), dtype=column.dtype, eager=True)
            continue
        cells = column.typed(given[name])
        absent = given[name].is_null() | (given[name].cast(pl.String) == "").fill_null(value=False)
        if column.kind == "number":
            absent |= cells.is_nan().fill_null(value=False)
            cells = cells.fill_nan(None)
        wrong = ~absent & ~column.sound(cells).fill_null(value=False)
        wrong |= absent & (name in required)
        faults.append(pl.select(pl.when(wrong).then(pl.lit(name))).to_series())
        typed[name] = cells
    rows = pl.DataFrame(typed).with_columns(fault=pl.coalesce(faults))
    return sieve.drop(
        rows,
        pl.col("fault").is_not_null(),
        "type",
        lambda row: (
            f"{row['fault']}: expected {columns[row['fault']].expected}; ask another source"
        ),
    ).drop("fault")
