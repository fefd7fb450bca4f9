"""What a scheduler keeps of a run: one line of JSON an attempt, and a file of figures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from pathlib import Path

from polars.exceptions import PanicException

from indexer.digest import canonical_json
from indexer.errors import IndexerError, TryAgainError
from indexer.folders import read_file
from indexer.ledger.publish import instant_text
from indexer.report.files import write_folders
from indexer.report.metrics import LAST_SESSION, REFUSED, Figures, metrics_text, parse_metrics
from indexer.run.desk import Outcome

BUGS = (Exception, PanicException)  # that of polars is no Exception


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt came to.

    Attributes
    ----------
    instant : at which it began
    run : as its entries name it; None where there was no ledger to be had
    outcomes : what became of each index and study; none where it failed as a whole
    error : why it failed as a whole
    """

    instant: datetime
    run: str | None
    outcomes: Sequence[Outcome] = ()
    error: IndexerError | None = None

    @property
    def errors(self) -> list[IndexerError]:
        """Everything that went wrong."""
        found = [self.error, *(outcome.error for outcome in self.outcomes)]
        return [error for error in found if error is not None]

    @property
    def early(self) -> bool:
        """Whether the same may succeed later."""
        return any(isinstance(error, TryAgainError) for error in self.errors)


def so_far(before: Sequence[Outcome], made: Attempt) -> list[Outcome]:
    """Return what has become of each subject: what was published before an attempt stays so.

    Parameters
    ----------
    before : what had become of them by then
    """
    if not made.outcomes:
        return list(before)
    kept = {one.subject: one for one in before if one.entries and one.state != "would publish"}
    now = {one.subject: _after(kept.get(one.subject), one) for one in made.outcomes}
    return list((kept | now).values())


def log_line(event: str, attempt: Attempt, code: int) -> str:
    """Return what an attempt did as one line of JSON."""
    told = [
        {
            "subject": outcome.subject,
            "state": outcome.state,
            "sessions": [day.isoformat() for day in outcome.sessions[:1] + outcome.sessions[-1:]],
            "entries": [entry.number for entry in outcome.entries[:1] + outcome.entries[-1:]],
            "error": None if outcome.error is None else str(outcome.error),
        }
        for outcome in attempt.outcomes
    ]
    line = {
        "event": event,
        "at": instant_text(attempt.instant),
        "run": attempt.run,
        "exit": code,
        "outcomes": told,
    }
    why = {} if attempt.error is None else {"error": str(attempt.error)}
    return canonical_json(line | why)


def write_metrics(path: Path, at: datetime, outcomes: Sequence[Outcome], code: int) -> None:
    """Write the figures of a run, whole or not at all.

    What the file says of subjects that this run did not deal with stays: when they were refused,
    and their last session. An alarm on its age does not end because another index was published.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    figures = [
        Figures(outcome.subject, outcome.state, len(outcome.entries)) for outcome in outcomes
    ]
    now = {one.subject: one.state for one in outcomes}
    refused = {id: when for id, when in _told(path, REFUSED).items() if id not in now}
    refused |= {id: at.timestamp() for id, state in now.items() if state == "refused"}
    last = _told(path, LAST_SESSION) | {
        one.subject: datetime.combine(one.last, time(), UTC).timestamp()
        for one in outcomes
        if one.last
    }
    text = metrics_text(figures, at.timestamp(), code, refused, last)
    write_folders(path.parent, {".": {path.name: text}}, "csv")


def _told(path: Path, name: str) -> dict[str, float]:
    """Return what a file of figures says by index; nothing where there is none."""
    try:
        return parse_metrics(read_file(path).decode(), name)
    except (OSError, ValueError):
        return {}


def _after(before: Outcome | None, now: Outcome) -> Outcome:
    """Return an outcome with what was published before it."""
    if before is None:
        return now
    return replace(
        now,
        state="published" if before.published and now.error is None else now.state,
        sessions=tuple(sorted({*before.sessions, *now.sessions})),
        entries=before.entries + now.entries,
    )
