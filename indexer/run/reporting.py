"""What a scheduler keeps of a run: one line of JSON, and a file of figures."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from pathlib import Path

from indexer.digest import canonical_json
from indexer.ledger.publish import instant_text
from indexer.report.files import write_folders
from indexer.report.metrics import Figure, metrics_text
from indexer.run.desk import Desk, Outcome


def log_line(event: str, desk: Desk, outcomes: Sequence[Outcome], code: int) -> str:
    """Return what a run did as one line of JSON."""
    told = [
        {
            "subject": outcome.subject,
            "state": outcome.state,
            "sessions": [day.isoformat() for day in outcome.sessions[:1] + outcome.sessions[-1:]],
            "entries": [entry.number for entry in outcome.entries[:1] + outcome.entries[-1:]],
            "error": None if outcome.error is None else str(outcome.error),
        }
        for outcome in outcomes
    ]
    return canonical_json(
        {
            "event": event,
            "at": instant_text(desk.instant),
            "run": desk.run,
            "exit": code,
            "outcomes": told,
        }
    )


def write_metrics(path: Path, desk: Desk, outcomes: Sequence[Outcome], code: int) -> None:
    """Write the figures of a run, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    figures = [
        Figure(
            outcome.subject,
            outcome.state,
            len(outcome.entries),
            datetime.combine(outcome.sessions[-1], time(), UTC).timestamp()
            if outcome.sessions and outcome.error is None
            else None,
        )
        for outcome in outcomes
    ]
    text = metrics_text(figures, desk.instant.timestamp(), code)
    write_folders(path.parent, {".": {path.name: text}}, "csv")
