"""Which entry of a ledger something shows: what page, workbook and tables say of themselves."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    """The published entry that a page, a workbook or a table was made from.

    Attributes
    ----------
    number : of the entry in the chain of its ledger
    session : ISO date of the session
    revision : from one; a higher one replaces a lower one
    published_at : instant, UTC
    known_at : instant, UTC, as of which it was asked for; None for what is in force now
    digest : of the entry's content
    differing : ISO dates of the earlier sessions that its inputs would make others: levels and
        signals of them are shown as published, everything else as calculated
    """

    number: int
    session: str
    revision: int
    published_at: str
    known_at: str | None
    digest: str
    differing: tuple[str, ...] = ()
