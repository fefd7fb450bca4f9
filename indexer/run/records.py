"""Reading the ledger: its history, its verification, its files."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from indexer.errors import Flaw, MissingInputError
from indexer.ledger.database import open_ledger, reading
from indexer.ledger.heads import heads, kind_of
from indexer.ledger.history import COLUMNS, history_rows
from indexer.ledger.publish import instant_text
from indexer.report.published import csv_text
from indexer.run import derived
from indexer.run.find import meant
from indexer.run.results import Progress
from indexer.run.verify import Verified, verify


class PublishedHistory(NamedTuple):
    """What is in force of an index.

    Attributes
    ----------
    synthetic : whether any of it rests on invented prices
    backtested : the last session of it that is back-tested, None where none is
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    synthetic: bool
    backtested: str | None


def published_history(
    ledger: str, index: str, variant: str | None, known_at: datetime | None
) -> PublishedHistory:
    """Return what is published of an index: in force now, or at an instant.

    Raises
    ------
    UsageError
        If the URL is none of a ledger.
    MissingInputError
        If there is no ledger, or the index was never published, or not in that variant, or it is
        a study.
    LedgerError, TryAgainError
        If the ledger is damaged or cannot be read now.
    """
    with reading(open_ledger(ledger)) as connection:
        kind = kind_of(connection, index)
        if kind != "index":
            never = f"is no index or study that was ever published{meant(index)}"
            message = f"is a study: indexer report {index} writes its signals" if kind else never
            raise MissingInputError([Flaw(index, None, "", message)])
        known = None if known_at is None else instant_text(known_at)
        rows = history_rows(connection, index, variant=variant, known_at=known)
        if variant is not None and not rows:
            every = history_rows(connection, index, variant=None, known_at=known)
            names = list(dict.fromkeys(row[COLUMNS.index("variant")] for row in every))
            if names:
                message = f"has no variant {variant}: it is published as {', '.join(names)}"
                raise MissingInputError([Flaw(index, None, "", message)])
        found = heads(connection, index, known_at=known) if rows else []
        return PublishedHistory(
            COLUMNS,
            rows,
            synthetic=any(head.synthetic for head in found),
            backtested=max((head.session for head in found if head.backtested), default=None),
        )


def history_text(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return columns and rows of a history as CSV, as published files have them."""
    return csv_text(columns, rows)


def verified(
    ledger: str,
    *,
    market: Path | None,
    out: Path | None,
    inputs: bool,
    progress: Progress = lambda _: None,
) -> Verified:
    """Open a ledger and verify it; raises as both do."""
    return verify(open_ledger(ledger), market=market, out=out, inputs=inputs, progress=progress)


def exported(ledger: str, out: Path) -> list[Path]:
    """Open a ledger and write its files; raises as both do."""
    return derived.export(open_ledger(ledger), out)
