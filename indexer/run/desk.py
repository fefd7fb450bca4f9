"""The desk of a run: where publications go, when and on which terms, and what came of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from indexer.digest import digest_json
from indexer.errors import IndexerError, LedgerError, Refusal
from indexer.ledger.database import NoLedgerError, open_ledger
from indexer.ledger.entry import Entry

State = Literal[
    "published",
    "restated",
    "unchanged",
    "no session",
    "would publish",
    "refused",
    "delayed",
    "failed",
]


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a publication is made.

    Attributes
    ----------
    override : rules whose refusals are recorded instead of obeyed
    by, note : who overrides or approves, and why
    estimated : whether sessions that are estimated, not announced, may be published
    correct : whether differences are dealt with by the correction policy instead of refused
    dry_run : whether to stop before anything is written
    """

    override: tuple[str, ...] = ()
    by: str = ""
    note: str = ""
    estimated: bool = False
    correct: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Desk:
    """Where publications of one run go, and when and on which terms they are made.

    Attributes
    ----------
    instant : at which the run began: what is final, and how old it is, goes by it
    clock : what the time is when an entry is appended; that of the beginning where there is none
    """

    engine: sa.Engine
    out: Path
    instant: datetime
    run: str
    terms: Terms = field(default_factory=Terms)
    clock: Callable[[], datetime] | None = None

    @property
    def stamp(self) -> datetime:
        """The instant of what is appended now: before it nothing was known, however old the run."""
        return self.instant if self.clock is None else self.clock()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one index or study.

    Attributes
    ----------
    sessions : that were asked for, or restated; none where it failed before that was known
    entries : that were appended; in a dry run those that would be
    synthetic : whether the market it was made from says so
    last : session of it that is published by now; None where there is none, or none is known
    """

    subject: str
    state: State
    sessions: tuple[date, ...] = ()
    entries: tuple[Entry, ...] = ()
    error: IndexerError | None = None
    synthetic: bool = False
    last: date | None = None

    @property
    def published(self) -> tuple[Entry, ...]:
        """The entries that are publications, without what was only recorded beside them."""
        return tuple(entry for entry in self.entries if entry.status != "recorded")


def desk_at(
    ledger: str,
    out: Path,
    clock: Callable[[], datetime],
    names: Sequence[str],
    terms: Terms,
    *,
    create: bool = True,
) -> Desk:
    """Return the desk of a run; its ledger is made where there is none, unless told otherwise.

    A dry run makes nothing: where there is no ledger it has an empty one in memory. One of an
    older schema it refuses, for what is published there would not be seen.

    Raises
    ------
    UsageError, MissingInputError, LedgerError, OutputError, TryAgainError
        As opening the ledger does, and if it would be gone with the run.
    """
    now = clock()
    asked = digest_json([list(names), now.isoformat(), str(out)])
    run = f"{now:%Y%m%dT%H%M%SZ}-{asked[:8]}"
    try:
        engine = open_ledger(ledger, create=create and not terms.dry_run)
    except NoLedgerError:
        if not terms.dry_run:
            raise
        engine = open_ledger("sqlite://", create=True)
    if not terms.dry_run and engine.url.database in {None, "", ":memory:"}:
        message = "is kept in memory and gone with the run: name a file, as sqlite:///indexer.db"
        raise LedgerError([Refusal("ledger", "", "", f"{ledger!r}: {message}")])
    return Desk(engine, out, now, run, terms, clock)
