"""A run's figures in Prometheus' text format, for a node exporter's textfile folder."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

REFUSED = "indexer_refused_timestamp_seconds"
LAST_SESSION = "indexer_last_session_timestamp_seconds"


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run did about one index."""

    subject: str
    state: str
    entries: int


def metrics_text(
    figures: Sequence[Figures],
    at: float,
    exit_code: int,
    refused: Mapping[str, float],
    last_session: Mapping[str, float],
) -> str:
    """Return the figures of a run; label values are escaped as the format wants it.

    Parameters
    ----------
    at, refused, last_session : seconds since 1970, UTC; by index also of those that earlier runs
        told of and this one did not: when it was refused of which no run has said anything else
        since, and the last session that is published
    """
    states = sorted({figure.state for figure in figures})
    lines = [
        *_metric("indexer_run_timestamp_seconds", "When the run was made.", [("", at)]),
        *_metric("indexer_run_exit_code", "Its exit code.", [("", exit_code)]),
        *_metric(
            "indexer_outcome",
            "1 for what became of an index.",
            (
                (f'{{subject="{_escaped(f.subject)}",state="{state}"}}', int(f.state == state))
                for f in figures
                for state in states
            ),
        ),
        *_metric(
            "indexer_entries_appended",
            "Entries the run appended to the ledger.",
            ((f'{{subject="{_escaped(f.subject)}"}}', f.entries) for f in figures),
        ),
        *_metric(
            LAST_SESSION,
            "Midnight UTC of the last session that is published.",
            ((f'{{subject="{_escaped(id)}"}}', when) for id, when in last_session.items()),
        ),
        *_metric(
            REFUSED,
            "When an index was refused of which no run has said anything else since.",
            ((f'{{subject="{_escaped(id)}"}}', when) for id, when in refused.items()),
        ),
    ]
    return "\n".join(lines) + "\n"


def parse_metrics(text: str, name: str = REFUSED) -> dict[str, float]:
    """Return the figures of a name by index: of `metrics_text` its last two.

    Raises
    ------
    ValueError
        If it is no file of figures.
    """
    if not re.search(r"^indexer_run_timestamp_seconds \S+$", text, re.MULTILINE):
        raise ValueError("has no indexer_run_timestamp_seconds")
    found = re.findall(rf'^{name}{{subject="(.*)"}} (\S+)$', text, re.MULTILINE)
    return {_plain(subject): float(when) for subject, when in found}


def _metric(name: str, meaning: str, values: Iterable[tuple[str, float]]) -> list[str]:
    samples = [f"{name}{labels} {value!r}" for labels, value in values]
    return [f"# HELP {name} {meaning}", f"# TYPE {name} gauge", *samples] if samples else []


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _plain(escaped: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], escaped)
