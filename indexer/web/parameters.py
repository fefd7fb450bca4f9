"""What may be asked: every parameter has one form, and what has none is refused.

Nothing is read leniently: pydantic alone would take a date as a count of seconds, and a number
with spaces or underscores in it.
"""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from fastapi import Path
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from indexer.ledger.heads import AFTER_ALL
from indexer.ledger.pages import Place, Span
from indexer.ledger.publish import instant_text

MAX_ROWS = 5000
_INSTANT = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})$"
)


def _date(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError("is no date of the calendar") from None
    return text


def _instant(text: str) -> str:
    """Return an instant as the ledger holds it."""
    try:
        return instant_text(datetime.fromisoformat(text))
    except ValueError:
        raise ValueError("is no instant: write it like 2026-05-07T18:00:00+08:00") from None


def _plus(text: Any) -> Any:
    """Tell what became of a plus sign that was not encoded."""
    if isinstance(text, str) and re.search(r" [0-9]{2}:[0-9]{2}$", text):
        raise ValueError("has a space for a plus sign: write %2B")
    return text


def _digits(text: Any) -> Any:
    if isinstance(text, str) and not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError("is no whole number")
    return text


_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
Day = Annotated[
    str,
    Field(pattern=_DAY, json_schema_extra={"format": "date"}, examples=["2026-05-07"]),
    AfterValidator(_date),
]
# What describes a parameter stands first: a validator before it would hide it from the API's text.
Instant = Annotated[
    str,
    Field(
        pattern=_INSTANT,
        json_schema_extra={"format": "date-time"},
        description="What was in force at this instant; default now.",
        examples=["2026-05-07T10:00:00Z"],
    ),
    BeforeValidator(_plus),
    AfterValidator(_instant),
]
Limit = Annotated[
    int, Field(ge=1, le=MAX_ROWS, description="Rows of a page."), BeforeValidator(_digits)
]
After = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\.[0-9]{1,9}$",
        description="Where the page before ended; `next` of an answer has it.",
    ),
]
_ID = r"^[a-z0-9-]{1,64}$"
IdText = Annotated[str, Field(pattern=_ID)]
Id = Annotated[str, Path(pattern=_ID, description="Id of an index or a study.")]


class Form(BaseModel):
    """In which form an answer is wanted."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)

    format: Literal["json", "csv"] = "json"


class Known(Form):
    """As of which instant."""

    as_known_at: Instant | None = None

    @property
    def known_at(self) -> str:
        """Return the instant as the ledger holds it; after everything where there is none."""
        return AFTER_ALL if self.as_known_at is None else self.as_known_at


class Listing(Form):
    """A page of a list."""

    limit: Limit = 1000
    after: IdText | None = None


class Dated(Known):
    """One session."""

    date: Day | None = None

    def span(self, subject: str) -> Span:
        """Return the session asked for, or all up to now."""
        first, last = (self.date or "", self.date or AFTER_ALL)
        return Span(subject, first, last, known_at=self.known_at)


class Ranged(Known):
    """A range of sessions, both ends inclusive."""

    from_: Day | None = Field(None, alias="from")
    to: Day | None = None
    limit: Limit = 1000
    after: After | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ and self.to and self.from_ > self.to:
            raise ValueError(f"from {self.from_} is later than to {self.to}")
        return self

    def span(self, subject: str) -> Span:
        """Return the range asked for."""
        place = Place()
        if self.after:
            session, _, position = self.after.partition(".")
            place = Place(session, int(position))
        last = self.to or AFTER_ALL
        return Span(subject, self.from_ or "", last, place, self.known_at, self.limit)


class Levels(Ranged):
    """Levels of an index."""

    variant: Literal["price", "gross", "net"] | None = None


class Signals(Ranged):
    """Signals of a study."""

    signal: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")] | None = None
    leader: IdText | None = None
    follower: IdText | None = None
