"""What became of the last session of each index and study: published, delayed, refused, retired.

The ledger knows what is published. What is due, the calendar knows; what was refused, the files of
figures that runs left. Both are handed in.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa

from indexer.ledger.entry import Row
from indexer.ledger.heads import last_heads, subjects
from indexer.ledger.publish import instant_text
from indexer.report.metrics import parse_metrics

STATUS_COLUMNS = ("id", "kind", "state", "session", "due", "published_at", "revision", "refused_at")


def refused_at(text: str) -> dict[str, str]:
    """Return when each subject was refused, by id, as a file of figures tells it.

    Raises
    ------
    ValueError
        If it is none.
    """
    found = parse_metrics(text).items()
    try:
        return {id: instant_text(datetime.fromtimestamp(when, UTC)) for id, when in found}
    except OverflowError as error:
        raise ValueError(str(error)) from error


class Standing(NamedTuple):
    """What the ledger says of an index or a study.

    Attributes
    ----------
    session : the last one, of which are ``published_at`` and ``revision``
    newest : when anything of it was published last, such as a correction of an earlier session
    """

    kind: str
    session: str
    published_at: str
    revision: int
    newest: str
    retired: bool


def standings(connection: sa.Connection) -> dict[str, Standing]:
    """Return by id where everything published stands."""
    found = {}
    for id, kind in subjects(connection).items():
        heads = last_heads(connection, id, kind)
        last = max(heads, key=lambda head: head.session)
        newest = max(head.published_at for head in heads)
        retired = any(head.status == "retired" for head in heads)
        found[id] = Standing(kind, last.session, last.published_at, last.revision, newest, retired)
    return found


def status_rows(
    published: Mapping[str, Standing],
    due: Mapping[str, str],
    refusals: Iterable[Mapping[str, str]],
) -> list[Row]:
    """Return a row of `STATUS_COLUMNS` for everything published, and everything ever refused.

    Parameters
    ----------
    due : by id, ISO date of the last session whose closes are final
    refusals : when each was refused, as each file says; a refusal stands until a later publication
        of its subject
    """
    refused: dict[str, str] = {}
    for told in refusals:
        for id, at in told.items():
            refused[id] = max(at, refused.get(id, ""))
    rows = [_row(id, one, due.get(id), refused.get(id, "")) for id, one in published.items()]
    never = [
        (id, None, "refused", None, due.get(id), None, None, at)
        for id, at in refused.items()
        if id not in published
    ]
    return sorted([*rows, *never], key=lambda row: str(row[0]))


def _row(id: str, one: Standing, due: str | None, refused: str) -> Row:
    state, at = "delayed", None
    if one.retired:
        state = "retired"
    elif refused > one.newest:
        state, at = "refused", refused
    elif due is None or one.session >= due:
        state = "published"
    return (id, one.kind, state, one.session, due, one.published_at, one.revision, at)
