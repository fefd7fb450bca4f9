"""One task, in whatever process it lands: the market is opened once, then part follows part.

The same function runs here, in local processes and on a cluster.
"""

import threading
from dataclasses import dataclass, field

from polars.exceptions import PanicException

from indexer.digest import digest_json
from indexer.errors import IndexerError, TryAgainError, explained
from indexer.market.excerpt import MappedMarket, map_market, market_digest
from indexer.market.spread import Laid, Part, Spread, spread_market, spread_part
from indexer.run.provenance import code_digest
from indexer.sweep.plan import failed
from indexer.sweep.tasks import Histories, index_results, packed, study_result


@dataclass(frozen=True, slots=True)
class Task:
    """Parts that are done together, each with a result of its own.

    Attributes
    ----------
    keys : under which each result is kept
    texts : a study with its indices, or an index, each as canonical text
    cost_bps : of the states' return series; None where the parts are indices
    spreads : calendars and currencies over which the parts need the market spread out
    """

    keys: tuple[str, ...]
    texts: tuple[str, ...]
    cost_bps: float | None
    spreads: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the market lies, and the digests of what it holds and of the code for results."""

    folder: str
    market: str
    code: str

    @property
    def digest(self) -> str:
        """Of both."""
        return digest_json([self.market, self.code])


@dataclass(slots=True)
class _Opened:
    """The market of this process, and what was made of it."""

    digest: str
    market: MappedMarket
    histories: Histories = field(default_factory=dict)
    spreads: dict[tuple[str, str], Spread] = field(default_factory=dict)

    def spread(self, calendar: str, currency: str) -> Spread:
        """Return the market spread out over a calendar, in a currency."""
        key = (calendar, currency)
        if key not in self.spreads:
            self.spreads[key] = spread_market(self.market, self.digest, calendar, currency)
        return self.spreads[key]


def results_code() -> str:
    """Return the digest of the code that results come from: what computes, and their figures."""
    return code_digest("sweep/tasks.py")


_OPENED: list[_Opened] = []  # at most one
_TURN = threading.Lock()  # a worker may have several threads


def sees(place: Place) -> bool:
    """Return whether the market can be mapped here, as it is there."""
    try:
        return market_digest(place.folder) == place.market
    except IndexerError:
        return False


def mapped(place: Place) -> MappedMarket:
    """Return the market that lies at a place, mapped.

    Raises
    ------
    MissingInputError, MarketDataError
        If it cannot be read.
    TryAgainError
        If it is no longer what it was when its digest was taken.
    """
    found = map_market(place.folder)
    if market_digest(place.folder) != place.market:  # looked at when all of it has been read
        raise TryAgainError(place.folder, "the market has changed since the sweep began")
    return found


def perform(place: Place, task: Task, market: MappedMarket | None = None) -> list[bytes]:
    """Return the results of a task's parts, in their order; what fails says so in its result.

    Parameters
    ----------
    market : where its folder cannot be seen from here; else it is mapped from there

    Raises
    ------
    MissingInputError, MarketDataError
        If the market cannot be read.
    TryAgainError
        If this process runs other code than the one that asks, or the market has changed.
    """
    with _TURN:
        return _performed(_opened(place, market), task)


def fill(place: Place, laid: Laid, columns: range) -> Part:
    """Fill some columns of a market that is laid out; raises as `perform` does."""
    with _TURN:
        return spread_part(_opened(place, None).market, laid, columns)


def _performed(opened: _Opened, task: Task) -> list[bytes]:
    if task.cost_bps is None:
        try:
            return list(map(packed, index_results(task.texts, opened.market, opened.spread)))
        except (Exception, PanicException):  # noqa: BLE001 (each alone says which one it is)
            return [_alone(task, n, opened) for n in range(len(task.texts))]
    return [_alone(task, n, opened) for n in range(len(task.texts))]


def _alone(task: Task, n: int, opened: _Opened) -> bytes:
    """Return the result of one part; a bug in it loses none of the others."""
    text = task.texts[n]
    try:
        if task.cost_bps is None:
            return packed(next(iter(index_results([text], opened.market, opened.spread))))
        return packed(study_result(text, task.cost_bps, opened.market, opened.histories))
    except (Exception, PanicException) as error:  # noqa: BLE001 (told where the sweep ends)
        return packed({"error": failed(explained("sweep", error))})


def _opened(place: Place, market: MappedMarket | None) -> _Opened:
    if results_code() != place.code:
        raise TryAgainError(place.folder, "a worker runs other code: install the same everywhere")
    if not _OPENED or _OPENED[0].digest != place.digest:
        found = mapped(place) if market is None else market
        _OPENED[:] = [_Opened(place.digest, found)]
    return _OPENED[0]
