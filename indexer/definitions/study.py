"""Study definitions: which indices are compared, over which windows, known at which hour."""

import re
from datetime import time
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from indexer.definitions.basket import Variant
from indexer.definitions.model import (
    CalendarCode,
    Definition,
    Id,
    IsoDate,
    Model,
    Prose,
    SeriesSymbol,
    Text,
)


def _cutoff(value: str) -> str:
    hour, _, zone = value.partition(" ")
    try:
        ZoneInfo(zone)
    except (ValueError, ZoneInfoNotFoundError, OSError):
        zone = ""
    if not zone or not re.fullmatch(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", hour):
        raise ValueError(
            f"{value!r} is not an hour and a zone that is known: '18:00 Asia/Shanghai'"
        )
    return value


LONGEST = 100_000  # rows: more than any history has
HEADLINE = 60  # rows of the window of correlation that is shown first, where a study has it
Window = Annotated[int, Field(ge=2, le=LONGEST)]
Windows = Annotated[tuple[Window, ...], Field(min_length=1)]
Positive = Annotated[float, Field(gt=0)]


class Pair(Model):
    """Two indices compared: relative strength is leader over follower."""

    leader: Id
    follower: Id


class WindowLengths(Model):
    """Lengths of rolling windows, in rows."""

    correlation: Windows = (20, 60, 120)
    momentum: Annotated[
        tuple[Annotated[int, Field(ge=1, le=LONGEST)], ...], Field(min_length=1)
    ] = (20, 40)
    zscore: Window = 250
    beta: Annotated[int, Field(ge=3, le=LONGEST)] = 120
    gap: Annotated[int, Field(ge=1, le=LONGEST)] = 60

    @property
    def headline(self) -> int:
        """The window of correlation that is shown first: 60 rows, else the middle one."""
        middle = sorted(self.correlation)[len(self.correlation) // 2]
        return HEADLINE if HEADLINE in self.correlation else middle


class CatchUp(Model):
    """Thresholds of the catch-up states: z-score, standard deviations, share closed."""

    enter: Positive = 1.0
    turn: Positive = 1.0
    close: Annotated[float, Field(gt=0, le=1)] = 0.5


class Bootstrap(Model):
    """How many resamples inference draws, and from which seed."""

    replications: Annotated[int, Field(ge=99, le=100_000)] = 999
    seed: Annotated[int, Field(ge=0, lt=1 << 63)] = 20260507


class Event(Model):
    """A dated event and the indices whose abnormal returns are looked at."""

    date: IsoDate
    name: Prose
    indices: Annotated[tuple[Id, ...], Field(min_length=1)]


class Overlay(Model):
    """A dated series laid over an index by announcement date."""

    symbol: SeriesSymbol
    name: Text


class Study(Definition):
    """One comparison of indices over time."""

    calendar: CalendarCode = "XSHG"
    cutoff: Annotated[Text, AfterValidator(_cutoff)] = "18:00 Asia/Shanghai"
    start: IsoDate
    currency: Annotated[
        str, Field(pattern=r"^(?:local|[A-Z]{3})$", description="local, or ISO 4217, as in CNY")
    ] = "local"
    variant: Variant = "price"
    benchmark: Id = "csi-all-share"
    pairs: Annotated[tuple[Pair, ...], Field(min_length=1)]
    windows: WindowLengths = WindowLengths()
    catch_up: CatchUp = CatchUp()
    bootstrap: Bootstrap = Bootstrap()
    events: tuple[Event, ...] = ()
    overlays: tuple[Overlay, ...] = ()

    @property
    def indices(self) -> tuple[str, ...]:
        """Ids of the indices of the pairs, leaders before their followers, each once."""
        return tuple(dict.fromkeys(id for p in self.pairs for id in (p.leader, p.follower)))

    @property
    def cutoff_time(self) -> tuple[time, ZoneInfo]:
        """The hour of the day at which levels and fixings must be known, and its time zone."""
        hour, _, zone = self.cutoff.partition(" ")
        return time.fromisoformat(hour), ZoneInfo(zone)
