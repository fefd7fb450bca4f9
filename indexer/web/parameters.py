"""What may be asked: every parameter has one form, and what has none is refused.

Nothing is read leniently: pydantic alone would take a date as a count of seconds, and a number
with spaces or underscores in it.
"""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from indexer.ledger.heads import AFTER_ALL
from indexer.ledger.pages import Place, Span
from indexer.ledger.publish import instant_text

MAX_ROWS = 5000
PAGE = 1000  # rows of one, unless told
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_INSTANT = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})$"
)
_AFTER = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\.[0-9]{1,9}$"
_ID = r"^[a-z0-9-]{1,64}$"
_SIGNAL = r"^[a-z0-9_]{1,64}$"
EXAMPLES = {  # what is told instead of a pattern
    _DAY: "2026-05-07",
    _INSTANT: "2026-05-07T10:00:00Z",
    _AFTER: "2026-05-07.2",
    _ID: "compute-diffusion",
    _SIGNAL: "relative_strength",
}


def _date(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"is no date of the calendar: write it like {EXAMPLES[_DAY]}") from None
    return text


def _instant(text: str) -> str:
    """Return an instant as the ledger holds it."""
    try:
        return instant_text(datetime.fromisoformat(text))
    except ValueError:
        raise ValueError(f"is no instant: write it like {EXAMPLES[_INSTANT]}") from None


def _plus(text: Any) -> Any:
    """Tell what became of a plus sign that was not encoded."""
    if isinstance(text, str) and re.search(r" [0-9]{2}:[0-9]{2}$", text):
        raise ValueError("has a space for a plus sign: write %2B")
    return text


def _digits(text: Any) -> Any:
    if isinstance(text, str) and not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError("is no whole number: write it like 1000")
    return text


Day = Annotated[
    str,
    Field(pattern=_DAY, json_schema_extra={"format": "date"}, examples=[EXAMPLES[_DAY]]),
    AfterValidator(_date),
]
# What describes a parameter stands first: a validator before it would hide it from the API's text.
Instant = Annotated[
    str,
    Field(
        pattern=_INSTANT,
        json_schema_extra={"format": "date-time"},
        description="What was in force at this instant; default now.",
        examples=[EXAMPLES[_INSTANT]],
    ),
    BeforeValidator(_plus),
    AfterValidator(_instant),
]
Limit = Annotated[
    int,
    Field(
        ge=1,
        le=MAX_ROWS,
        description=f"Rows of a page, {PAGE} unless told. A CSV without it is whole, or refused.",
    ),
    BeforeValidator(_digits),
]
After = Annotated[
    str,
    Field(
        pattern=_AFTER,
        description="Where the page before ended; `next` of an answer has it.",
    ),
]
IdText = Annotated[str, Field(pattern=_ID)]
Id = Annotated[str, Path(pattern=_ID, description="Id of an index or a study.")]


class Form(BaseModel):
    """In which form an answer is wanted."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["json", "csv"] = "json"


class Known(Form):
    """As of which instant."""

    as_known_at: Instant | None = None

    @property
    def known_at(self) -> str:
        """Return the instant as the ledger holds it; after everything where there is none."""
        return AFTER_ALL if self.as_known_at is None else self.as_known_at


class Paged(Form):
    """How much of a table at once."""

    limit: Limit | None = None
    after: str | None = None

    @property
    def rows(self) -> int:
        """Return how many rows an answer may have."""
        return self.limit or (MAX_ROWS if self.whole else PAGE)

    @property
    def whole(self) -> bool:
        """Return whether all rows are wanted: nobody who reads a CSV sees that it is a page."""
        return self.format == "csv" and self.limit is None and self.after is None


class Listing(Paged, Known):
    """A page of a list."""

    after: IdText | None = None


class Dated(Known):
    """One session."""

    date: Day | None = None

    def span(self, subject: str) -> Span:
        """Return the session asked for, or all up to now."""
        first, last = (self.date or "", self.date or AFTER_ALL)
        return Span(subject, first, last, known_at=self.known_at)


class Ranged(Paged, Known):
    """A range of sessions, both ends inclusive."""

    from_: Day | None = Field(None, alias="from")
    to: Day | None = None
    after: After | None = None

    @field_validator("to")
    @classmethod
    def _in_order(cls, to: str | None, there: ValidationInfo) -> str | None:
        first = there.data.get("from_")
        if to and first and to < first:
            raise ValueError(f"is before from, {first}: give that date or a later one")
        return to

    def span(self, subject: str) -> Span:
        """Return the range asked for."""
        place = Place()
        if self.after:
            session, _, position = self.after.partition(".")
            place = Place(session, int(position))
        last = self.to or AFTER_ALL
        return Span(subject, self.from_ or "", last, place, self.known_at, self.rows)


class Levels(Ranged):
    """Levels of an index."""

    variant: Literal["price", "gross", "net"] | None = None


class Signals(Ranged):
    """Signals of a study."""

    signal: Annotated[str, Field(pattern=_SIGNAL)] | None = None
    leader: IdText | None = None
    follower: IdText | None = None
