"""The shapes of answers, for the API's own description: what is in them the ledger decides."""

from typing import Any

from pydantic import BaseModel, create_model

from indexer.ledger.history import STUDY_COLUMNS
from indexer.ledger.pages import (
    CONSTITUENT_COLUMNS,
    LEVEL_COLUMNS,
    PUBLICATION_COLUMNS,
    STATE_COLUMNS,
)
from indexer.web.answers import INDEX_COLUMNS, RECORD, STUDY_LIST_COLUMNS
from indexer.web.state import STATUS_COLUMNS

_WHOLE = {"number", "revision", "sessions", "corrected", "carried"}
_FLAGS = {"synthetic", "backtested"}
_FLOATS = {"level_exact", "value", "shares", "weight"}
_FLOATS_OR_NONE = {"divisor", "close", "rate", "contribution", "move_leader", "move_follower"}
_TEXT_OR_NONE = {"due", "refused_at", "peak_on", "known_at"}


def _row(name: str, columns: tuple[str, ...], **other: Any) -> type[BaseModel]:
    """Return the shape of a row: what a column holds, its name says wherever it stands."""
    fields = {column: (other.get(column, _type(column)), ...) for column in columns}
    return create_model(name, **fields)  # type: ignore[call-overload,no-any-return]


def _type(column: str) -> Any:
    if column in _WHOLE:
        return int
    if column in _FLAGS:
        return bool
    if column in _FLOATS:
        return float
    if column in _FLOATS_OR_NONE:
        return float | None
    return str | None if column in _TEXT_OR_NONE else str


Record = _row("Record", (*RECORD, "known_at"))
LevelRow = _row("LevelRow", LEVEL_COLUMNS)
SignalRow = _row("SignalRow", STUDY_COLUMNS, window=int | None)
ConstituentRow = _row("ConstituentRow", CONSTITUENT_COLUMNS, carried=bool)
StateRow = _row("StateRow", STATE_COLUMNS, kind=str | None)
Publication = _row("Publication", PUBLICATION_COLUMNS)
StudyRow = _row("StudyRow", STUDY_LIST_COLUMNS)
IndexRow = _row("IndexRow", INDEX_COLUMNS, level=str | None, level_exact=float | None)
StatusRow = _row(
    "StatusRow",
    STATUS_COLUMNS,
    **dict.fromkeys(("kind", "session", "published_at"), str | None),
    revision=int | None,
)


def _table(name: str, row: type[BaseModel], **more: Any) -> type[BaseModel]:
    fields = {"rows": (list[row], ...), "next": (str | None, ...), **more}  # type: ignore[valid-type]
    return create_model(name, **fields)


_OF_ONE: dict[str, Any] = {"record": (Record | None, ...)}
Indices = _table("Indices", IndexRow)
Studies = _table("Studies", StudyRow)
Levels = _table("Levels", LevelRow, **_OF_ONE)
Signals = _table("Signals", SignalRow, **_OF_ONE)
Constituents = _table("Constituents", ConstituentRow, **_OF_ONE)
Status = _table("Status", StatusRow)
_OBJECT: dict[str, Any] = {**_OF_ONE, "definition": (dict[str, Any] | None, ...)}


def _described(name: str, summary: Any, **lists: Any) -> type[BaseModel]:
    many: dict[str, Any] = {each: (list.__class_getitem__(row), ...) for each, row in lists.items()}
    fields: dict[str, Any] = {"summary": (summary | None, ...), **_OBJECT, **many}
    made: type[BaseModel] = create_model(name, **fields)
    return made


Index = _described("Index", IndexRow, publications=Publication, levels=LevelRow)
Study = _described("Study", StudyRow, publications=Publication, states=StateRow)
