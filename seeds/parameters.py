"""What the sample market is made from: the typed form of ``parameters.yaml``."""

from datetime import date
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

Loads = dict[str, float]  # factor -> daily standard deviation in per cent


class Model(BaseModel):
    """A part of the parameters: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Range(Model):
    """The bounds of a uniform draw."""

    low: float
    high: float


class Clustering(Model):
    """AR(1) of the logarithm of volatility: its coefficient and its standard deviation."""

    persistence: float
    deviation: float


class Phase(Model):
    """A span of time, up to and including a date, and the sum of each factor over it."""

    until: date
    factors: dict[str, float]


class Shock(Model):
    """One day on which factors (standard deviations) and series (fractions) are given."""

    date: date
    factors: dict[str, float]
    series: dict[str, float]


class ExDates(Model):
    """The part of each year, MM-DD, in which ordinary dividends go ex."""

    begin: str = Field(alias="from")
    until: str


class SpecialDividend(Model):
    """A special dividend, as a fraction of the first close."""

    symbol: str
    ex_date: date
    fraction: float = Field(alias="yield")


class Suspension(Model):
    """Sessions without trading, from one date until before another, and an ex-date among them."""

    symbol: str
    begin: date = Field(alias="from")
    until: date
    ex_date: date | None = None


class Rate(Model):
    """A rate of exchange at the start, and its daily standard deviation in per cent."""

    start: float
    deviation: float


class Parameters(Model):
    """Everything the sample market is made from; the file says what each key means."""

    seed: int
    first: date
    last: date
    groups: dict[str, Loads]
    series: dict[str, Loads]
    spread: float
    clustering: dict[str, Clustering]
    phases: tuple[Phase, ...]
    shock: Shock
    first_close: Range
    payers: float
    dividend: Range
    ex_dates: ExDates
    bonus: dict[int, dict[str, float]]
    special_dividends: tuple[SpecialDividend, ...]
    suspensions: tuple[Suspension, ...]
    fx: dict[str, Rate]

    @property
    def factors(self) -> list[str]:
        """The names of the factors that several names share, sorted."""
        groups = (*self.groups.values(), *self.series.values())
        return sorted({factor for loads in groups for factor in loads} - {"segment", "own"})


def read_parameters(path: Path) -> Parameters:
    """Return the parameters in a YAML file.

    Raises
    ------
    pydantic.ValidationError
        If a key is unknown, missing or of the wrong type.
    """
    return Parameters.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
