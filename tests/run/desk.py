"""A small market in a folder, an index on it, and a desk at an instant of our choosing.

The index is equal weighted over three shares of the Shanghai main board, from Monday 2 March 2026
on; closes move by less than the limit of the board and never stand still.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from indexer.definitions.read import read_basket
from indexer.index.build import build
from indexer.ledger.database import open_ledger, reading
from indexer.ledger.entry import Entry
from indexer.ledger.history import history_rows, read_entries
from indexer.market.calendar import read_calendar
from indexer.market.tables import read_market
from indexer.run.desk import Desk, Outcome, Terms, desk_at
from indexer.run.entries import Candidate, index_candidate
from indexer.run.publish import publish
from indexer.run.restate import Ground, Restatement, restate
from indexer.run.sessions import Period

Row = dict[str, Any]

SYMBOLS = ("600001.SH", "600002.SH", "600003.SH")
DAYS: list[date] = read_calendar("XSHG").between(date(2026, 3, 2), date(2026, 3, 31)).tolist()
NOON = datetime(2026, 4, 10, 4, tzinfo=UTC)  # long after all of them are final
BASKET = {
    "version": "1",
    "id": "trio",
    "name": {"en": "Trio"},
    "currency": "CNY",
    "calendar": "XSHG",
    "base": {"date": DAYS[0].isoformat(), "level": 1000},
    "weighting": {"scheme": "equal"},
    "constituents": [{"symbol": symbol} for symbol in SYMBOLS],
}


def close(symbol: str, n: int) -> float:
    """Return the close of a symbol on the n-th session: none is that of the session before."""
    k = SYMBOLS.index(symbol) if symbol in SYMBOLS else 0
    return round(20.0 + 10 * k + 0.37 * ((n * (k + 2) + k) % 5) + 0.01 * n, 2)


def prices(
    days: Sequence[date] = DAYS, symbols: Iterable[str] = SYMBOLS, **changed: float
) -> list[Row]:
    """Return rows of closes; ``s600001_20260305=9.5`` replaces that of 600001 on 5 March."""
    rows = []
    for symbol in symbols:
        for day in days:
            key = f"s{symbol[:6]}_{day:%Y%m%d}"
            value = changed.get(key, close(symbol, DAYS.index(day) if day in DAYS else 0))
            rows.append({"symbol": symbol, "date": day, "close": value})
    return rows


def folder(path: Path, rows: Sequence[Row] | None = None, **tables: Sequence[Row]) -> Path:
    """Write a market folder and return it; without rows, all closes there are."""
    path.mkdir(exist_ok=True)
    tables = {"prices": prices() if rows is None else rows, **tables}
    for name, found in tables.items():
        pl.DataFrame(found, infer_schema_length=None).write_csv(path / f"{name}.csv")
    return path


def moved(symbol: str, day: date, bp: float) -> dict[str, float]:
    """Return the change of one close that moves the level of its day by some basis points.

    Equal weights drift: what a close adds to the level is its shares, fixed on the base date.
    """
    n = DAYS.index(day)
    start = {s: close(s, 0) for s in SYMBOLS}
    level = sum(close(s, n) / start[s] for s in SYMBOLS) / len(SYMBOLS)
    more = bp * 1e-4 * level * len(SYMBOLS) * start[symbol]
    return {f"s{symbol[:6]}_{day:%Y%m%d}": close(symbol, n) + more}


def basket(path: Path, **keys: Any) -> str:
    """Write the definition of the index, with some keys replaced, and return its file's name."""
    definition = {k: v for k, v in (BASKET | keys).items() if v is not None}
    file = path / f"{definition['id']}.yaml"
    path.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(_text(definition)), encoding="utf-8")
    return str(file)


def _text(value: Any) -> Any:
    """Return a definition with its numbers as they are and everything else as text."""
    if isinstance(value, Mapping):
        return {key: _text(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_text(item) for item in value]
    return value if isinstance(value, int | float | str) else str(value)


def ledger_url(path: Path) -> str:
    return f"sqlite:///{path / 'ledger.db'}"


def desk(path: Path, now: datetime = NOON, ledger: str | None = None, **terms: Any) -> Desk:
    """Return a desk with its ledger and its published files in a folder."""
    return desk_at(ledger or ledger_url(path), path / "out", lambda: now, ["trio"], Terms(**terms))


def candidate(path: Path) -> Candidate:
    """Return what could be published of the index in a folder, from the market in it."""
    return index_candidate(
        build(read_basket(str(path / "trio.yaml")), read_market(path / "market"))
    )


def published(
    path: Path,
    *days: date,
    market: Path | None = None,
    names: Sequence[str] = (),
    now: datetime = NOON,
    **terms: Any,
) -> Outcome:
    """Publish the index, or others, on one session or from one to another; return what became."""
    names = names or [basket(path)]
    market = market or folder(path / "market")
    period = Period(days[0], days[-1]) if days else Period()
    return publish(names, market, desk(path, now, **terms), period)[-1]


def corrected(
    path: Path,
    market: Path,
    *days: date,
    now: datetime = NOON,
    reason: str = "bad-price",
    basket: str | None = None,
    subject: str = "trio",
) -> Restatement:
    """Restate the index, everything there is or from one session to another."""
    period = Period(days[0], days[-1]) if days else Period()
    ground = Ground(reason, "a note", "Ada", basket)
    return restate(subject, market, desk(path, now), period, ground)


def told(path: Path, subject: str = "trio", known_at: str | None = None) -> list[tuple[Any, ...]]:
    """Return the history of an index: date, level, revision and status of its first variant."""
    with reading(open_ledger(ledger_url(path))) as connection:
        rows = history_rows(connection, subject, known_at=known_at)
    first = rows[0][1] if rows else ""
    return [(row[0], row[2], row[5], row[6]) for row in rows if row[1] == first]


def entries(path: Path) -> list[Entry]:
    """Return every entry of the ledger in a folder."""
    with reading(desk(path).engine) as connection:
        return list(read_entries(connection))


def files(path: Path) -> dict[str, bytes]:
    """Return every file below a folder, and its bytes."""
    return {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()}


def evening(day: date, hour: int = 8) -> datetime:
    """Return an instant of a date by its hour in UTC: by default 16:00 in Shanghai."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
