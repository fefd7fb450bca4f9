"""The nightly publication of many indices: each built again, judged and recorded by itself.

What an index costs does not depend on how many there are: a few are published, and the evening of a
thousand is said from that. The closes are random walks that keep no price limit, so the gates are
asked, and what they say is overridden.
"""

import resource
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from benchmarks.sweeps import FIRST, Sizes, write_baskets, write_market
from indexer.ledger.database import reading
from indexer.ledger.tables import entries
from indexer.market.calendar import read_calendar
from indexer.run.desk import Terms, desk_at
from indexer.run.publish import publish
from indexer.run.sessions import Period

SIZES, QUICK = Sizes(20, 300, 600, 2500), Sizes(3, 20, 60, 400)
EVENINGS = 3  # the first one records all that came before, the others what they bring
TERMS = Terms(("R14", "R15", "R16", "R17", "R18", "R19"), "Benchmark", "random walks", correct=True)


@dataclass(frozen=True, slots=True)
class Nightly:
    """What evenings took.

    Attributes
    ----------
    cpu_seconds : of each evening, its reading of the market included
    entries : in the ledger at the end
    ledger_mib : its size
    peak_mib : of the process
    """

    sizes: Sizes
    cpu_seconds: tuple[float, ...]
    entries: int
    ledger_mib: float
    peak_mib: float

    @property
    def each(self) -> float:
        """CPU seconds of an index on an ordinary evening, the least seen."""
        return min(self.cpu_seconds[1:]) / self.sizes.indices


def nightly(folder: Path, sizes: Sizes = SIZES) -> Nightly:
    """Publish the last evenings of a market written below an empty folder."""
    symbols = write_market(folder / "market", sizes)
    write_baskets(folder / "baskets", symbols, sizes)
    names = [str(file) for file in sorted((folder / "baskets").glob("*.yaml"))]
    days = read_calendar("XSHG").sessions
    days = days[days >= np.datetime64(FIRST)][: sizes.sessions]
    ledger = folder / "indexer.db"
    spent = []
    for day in days[-EVENINGS:].tolist():
        start = time.process_time()
        _publish(folder, names, day)
        spent.append(time.process_time() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Nightly(sizes, tuple(spent), _entries(folder), ledger.stat().st_size / 2**20, peak)


def _publish(folder: Path, names: list[str], day: date) -> None:
    now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)  # 20:00 in Shanghai
    desk = desk_at(f"sqlite:///{folder / 'indexer.db'}", folder / "out", lambda: now, names, TERMS)
    outcomes = publish(names, folder / "market", desk, Period(day, day))
    desk.engine.dispose()
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error


def _entries(folder: Path) -> int:
    engine = sa.create_engine(f"sqlite:///{folder / 'indexer.db'}")
    with reading(engine) as connection:
        count = connection.scalar(sa.select(sa.func.count()).select_from(entries))
    engine.dispose()
    return count or 0


def told(found: Nightly) -> str:
    """Return what was measured as lines of text."""
    s = found.sizes
    evenings = ", ".join(f"{seconds:.1f}" for seconds in found.cpu_seconds)
    return "\n".join(
        [
            f"{s.indices} indices of {s.members} constituents, {s.sessions:,} sessions",
            f"CPU seconds of each evening: {evenings}",
            f"an index on an ordinary evening: {found.each:.2f} s; a thousand: "
            f"{found.each * 1000 / 60:.0f} minutes of one processor",
            f"ledger {found.ledger_mib:.1f} MiB, peak {found.peak_mib:.0f} MiB",
        ]
    )
