"""Basket definitions: what an index holds, how it is weighted and when it is rebalanced."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from indexer.definitions.model import (
    CalendarCode,
    Currency,
    Definition,
    Fraction,
    IsoDate,
    Model,
    SeriesSymbol,
    Symbol,
    Text,
    refuse_underscores,
)

Variant = Literal["price", "gross", "net"]
Scheme = Literal[
    "equal",
    "market_cap",
    "free_float",
    "price",
    "fixed",
    "rank",
    "inverse_volatility",
    "score",
]
Frequency = Literal["never", "monthly", "quarterly", "semiannual", "annual"]
Day = Annotated[
    str,
    Field(
        pattern=r"^(?:(?:first|second|third|fourth|last) "
        r"(?:monday|tuesday|wednesday|thursday|friday)"
        r"|(?:first|last) session|[1-9]|[12][0-9]|3[01])$",
        description="'third friday', 'first session', 'last session', or a day of the month 1..31",
        json_schema_extra={"minimum": 1, "maximum": 31},
    ),
]


DEFAULT_MONTHS: dict[str, tuple[int, ...]] = {
    "never": (),
    "monthly": tuple(range(1, 13)),
    "quarterly": (3, 6, 9, 12),
    "semiannual": (6, 12),
    "annual": (12,),
}


SelectedOn = Annotated[
    IsoDate | None,
    Field(
        description="day on which the list was chosen: values that rest on earlier levels are "
        "marked back-tested; without it, none is"
    ),
]


COUNTRY = "^[A-Z]{2}$"  # ISO 3166-1 alpha-2


class Base(Model):
    """The session and the level an index starts from."""

    date: IsoDate
    level: Annotated[float, Field(ge=1e-6, le=1e12)]


class Withholding(Model):
    """Tax withheld from ordinary dividends in the net variant, by country of the constituent.

    A bare number in the file is the rate of every country.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[
        Annotated[str, Field(pattern=COUNTRY)], Annotated[float, Field(ge=0, le=1)]
    ]

    view: Text | None = Field(default=None, description="whose tax position, as in non-resident")
    every_country: Annotated[float, Field(ge=0, le=1)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_rate(cls, value: Any) -> Any:
        if isinstance(value, dict):
            for country, rate in value.items():  # those that are no field
                if isinstance(rate, str) and country not in cls.model_fields:
                    refuse_underscores(rate)
        return {"every_country": value} if isinstance(value, str | float | int) else value

    def rate(self, country: str) -> float | None:
        """Return the fraction withheld in a country; None where the table does not name it."""
        return self.__pydantic_extra__.get(country, self.every_country)


class Caps(Model):
    """The largest weight of one constituent and of one segment, fractions of one."""

    constituent: Fraction | None = None
    segment: Fraction | None = None


class Weighting(Model):
    """How target weights are set at a reference date."""

    scheme: Scheme
    caps: Caps = Caps()
    normalise: bool = Field(default=False, description="fixed: scale the weights to sum to one")
    weights: tuple[Annotated[float, Field(ge=0, le=1)], ...] | None = Field(
        default=None, min_length=1, description="rank: weights in rank order"
    )
    lookback: Annotated[int, Field(ge=2)] = Field(
        default=60, description="inverse_volatility: sessions of returns"
    )
    column: Text | None = Field(default=None, description="score: column of the securities table")
    ladder: Literal["csi-2010"] = Field(default="csi-2010", description="free_float: band ladder")


class Rebalance(Model):
    """When a basket is rebalanced, and which prices set its shares."""

    frequency: Frequency = "never"
    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] | None = Field(
        default=None, description="those of the frequency where none are given"
    )
    day: Day = "last session"
    reference_lag: Annotated[int, Field(ge=0, le=250)] = Field(
        default=0,
        description="sessions between the data that set weights and the effective date; none on "
        "the base date where no close in the folder is that old",
    )
    price_date: Literal["reference", "effective"] = Field(
        default="reference", description="whose closes make shares of the weights"
    )
    untradable: Literal["ignore", "freeze"] = Field(
        default="ignore", description="freeze: what is halted or at its limit keeps its shares"
    )

    @field_validator("months")
    @classmethod
    def _stated_default(
        cls, months: tuple[int, ...] | None, others: ValidationInfo
    ) -> tuple[int, ...] | None:
        default = DEFAULT_MONTHS.get(others.data.get("frequency", ""))
        return None if months and tuple(sorted(months)) == default else months


class Eligibility(Model):
    """What a constituent must have behind it before it may be held."""

    seasoning: Annotated[int, Field(ge=0)] = Field(default=0, description="sessions since listing")


class Selection(Model):
    """How many of a universe are held, by rank, with an optional buffer."""

    rank_by: Text = Field(
        description="market_cap, free_float_cap, price, amount_20 for a mean of 20 sessions, or a "
        "column of the securities table"
    )
    top: Annotated[int, Field(ge=1)] = Field(description="how many are held")
    enter: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="a newcomer joins from this rank up"
    )
    keep: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="who is held stays down to this rank"
    )


class Publish(Model):
    """How levels are printed when they are published."""

    decimals: Annotated[int, Field(ge=0, le=10)] = Field(default=4, description="of a level")


class Constituent(Model):
    """One security, and the rebalances it may take part in: ``from <= effective < until``."""

    symbol: Symbol
    name: Text | None = None
    segment: Text | None = None
    from_: IsoDate | None = Field(default=None, alias="from")
    until: IsoDate | None = None
    weight: Annotated[float, Field(ge=0)] | None = None

    def overlaps(self, other: "Constituent") -> bool:
        """Return whether this one and another may take part in one rebalance."""
        begin = max(one.from_ or date.min for one in (self, other))
        return begin < min(one.until or date.max for one in (self, other))


class Series(Definition):
    """A ready-made series used as an index."""

    kind: Literal["series"]
    currency: Currency
    calendar: CalendarCode
    symbol: SeriesSymbol
    base: Base | None = None
    selected_on: SelectedOn = None
    publish: Publish = Publish()


class Basket(Definition):
    """One index definition. Two equal baskets on one market always produce the same index."""

    kind: Literal["index"] = "index"
    selected_on: SelectedOn = None
    currency: Currency
    calendar: CalendarCode
    base: Base
    variants: Annotated[tuple[Variant, ...], Field(min_length=1)] = ("price",)
    withholding: Withholding | None = None
    weighting: Weighting
    rebalance: Rebalance = Rebalance()
    eligibility: Eligibility = Eligibility()
    selection: Selection | None = None
    max_stale: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="sessions after which a carried close is an error"
    )
    publish: Publish = Publish()
    constituents: Annotated[tuple[Constituent, ...], Field(min_length=1)]

    @property
    def symbols(self) -> tuple[str, ...]:
        """The constituents' symbols, in the order of the definition."""
        return tuple(constituent.symbol for constituent in self.constituents)


Index = Basket | Series
