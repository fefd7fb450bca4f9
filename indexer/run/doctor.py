"""What is wrong or late: definitions, market, calendars and ledger looked at one by one."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from indexer.definitions.basket import Basket, Index
from indexer.definitions.study import Study
from indexer.definitions.symbols import exchange_of
from indexer.errors import (
    Flaw,
    IndexerError,
    LedgerError,
    MarketDataError,
    MissingInputError,
    Refusal,
    counted,
    explained,
)
from indexer.index.caveats import HORIZON_NOTICE
from indexer.index.schedule import calendar_of
from indexer.ledger.database import NoLedgerError, name_of, open_ledger, reading
from indexer.ledger.heads import last_heads, last_number, subjects
from indexer.ledger.verify import check_database
from indexer.market.calendar import read_calendar
from indexer.market.tables import read_market
from indexer.report.published import MANIFEST
from indexer.run.due import missed, published_definition, retired
from indexer.run.find import definition_named, indices_of
from indexer.run.sessions import last_final
from indexer.run.supply import Check, supplied


def examine(
    names: Sequence[str],
    market: Path | None,
    ledger: str,
    now: datetime,
    *,
    named: bool = False,
    out: Path | None = None,
) -> list[Check]:
    """Look at everything a publication needs; what is wrong stops nothing.

    Parameters
    ----------
    names : definitions; without any, those the ledger publishes
    named : somebody has said which ledger it is: then there must be one
    out : folder of published files; where it has some, there must be a ledger

    Raises
    ------
    OSError
        If that folder's name is none that the system takes.
    """
    checks: list[Check] = []
    definitions: dict[str, Index | Study] = {}
    for name in names:
        try:
            found = definition_named(name)
            definitions[found.id] = found
            if isinstance(found, Study):
                definitions |= indices_of(found)
            checks.append(Check(name, "ok", "the definition is valid"))
        except IndexerError as error:
            checks.append(Check(name, "wrong", str(error), error))
    closes = None
    if market is not None:
        found_there, closes = _market(market, now)
        checks += found_there
    folders = [] if out is None else sorted(file.parent for file in out.glob(f"*/{MANIFEST}"))
    checks += _ledger(ledger, definitions, now, closes, folders, named=named)
    return checks + [_calendar(code, now.date()) for code in _calendars(definitions.values())]


def _market(folder: Path, now: datetime) -> tuple[list[Check], date | None]:
    """Return what is found of a market, and of those who supply it where it is fetched into.

    With it the date of its last close, of a share or a series; None where it has none.
    """
    try:
        tables = read_market(folder)
    except IndexerError as error:
        return [Check(str(folder), "wrong", str(error), error)], None
    last: date | None = tables.prices.select("date").max().item()
    if last is None:
        there = Check(str(folder), "note", "holds no prices")
    else:
        count = tables.prices["symbol"].n_unique()
        there = Check(str(folder), "ok", f"closes of {count} symbols, the last of {last}")
    ends = [day for day in (last, tables.series.select("date").max().item()) if day is not None]
    found = [there]
    try:
        found += supplied(folder, tables.prices, now)
    except (IndexerError, OSError) as error:  # what has been found before it is kept
        found.append(Check(str(folder), "wrong", str(error), explained(str(folder), error)))
    for name, rows in (("prices", tables.prices), ("series", tables.series)):
        found += _to_come(folder, name, rows, now)
    return found, max(ends, default=None)


def _to_come(folder: Path, name: str, rows: pl.DataFrame, now: datetime) -> Iterator[Check]:
    """Yield that a table has a close of a day which has come in no zone yet."""
    later = rows.filter(pl.col("date") > now.date() + timedelta(days=1)).sort("date", "symbol")
    for symbol, day in later.select("symbol", "date").head(1).iter_rows():
        message = f"{symbol} has a close of {day}, which is still to come: take it out of {name}"
        flaw = Flaw(name, None, symbol, message)
        yield Check(str(folder), "wrong", message, MarketDataError([flaw]))


def _calendars(definitions: Iterable[Index | Study]) -> list[str]:
    """Return the calendars on which something is published, and those of all constituents."""
    codes: dict[str, None] = {}
    for definition in definitions:
        codes[definition.calendar] = None
        if isinstance(definition, Basket):
            codes |= dict.fromkeys(map(exchange_of, definition.symbols))
    return list(codes)


def _calendar(code: str, today: date) -> Check:
    try:
        calendar = read_calendar(code)
    except ValueError as error:  # of a definition that another version published
        return Check(f"calendar {code}", "wrong", str(error))
    except IndexerError as error:
        return Check(f"calendar {code}", "wrong", str(error), error)
    left = (calendar.verified_until - today).days
    if left < 0:
        return Check(f"calendar {code}", "wrong", f"is estimated after {calendar.verified_until}")
    if left <= HORIZON_NOTICE:
        message = f"is announced only until {calendar.verified_until}: update exchange_calendars"
        return Check(f"calendar {code}", "note", message)
    return Check(f"calendar {code}", "ok", f"is announced until {calendar.verified_until}")


def _ledger(
    url: str,
    definitions: dict[str, Index | Study],
    now: datetime,
    closes: date | None,
    folders: Sequence[Path],
    *,
    named: bool,
) -> Iterator[Check]:
    """Yield what is found of the ledger, and add what it publishes to the definitions.

    That there is none is well only where nobody has begun one; so is an empty one, which a run may
    have made after the ledger was lost, and a folder of files that it does not know.
    """
    try:
        engine = open_ledger(url)
        with reading(engine) as connection:
            check_database(connection)
            found = subjects(connection)
            empty = last_number(connection) == 0
        if empty:
            yield _gone(url) if folders else Check(name_of(engine), "note", "holds nothing yet")
            return
        yield Check(name_of(engine), "ok", f"{counted(len(found), 'definition')} published")
        for folder in folders:
            if folder.name not in found:
                message = (
                    f"{folder} has files that this ledger did not publish: restore the one that "
                    f"did, or move the folder away"
                )
                lost = LedgerError([Refusal(folder.name, "", "R37", message)])
                yield Check(folder.name, "wrong", message, lost)
        for id, kind in found.items():
            yield _punctual(engine, id, kind, definitions, now, closes)
    except NoLedgerError as error:
        if not named and not folders:
            yield Check(_place(url), "note", str(error))
            return
        yield _gone(url)
    except IndexerError as error:
        yield Check(_place(url), "wrong", str(error), error)


def _gone(url: str) -> Check:
    """Return that a ledger is lost: the next publication would make another, a second chain."""
    message = (
        "holds no ledger, or nothing in it: put its copy back, or publish first if there never was "
        "one"
    )
    return Check(
        _place(url), "wrong", message, MissingInputError([Flaw(_place(url), None, "", message)])
    )


def _place(url: str) -> str:
    """Return a ledger's URL, which may be none, without anything secret in it."""
    return url.partition("?")[0].rpartition("@")[2]


def _punctual(
    engine: sa.Engine,
    id: str,
    kind: str,
    definitions: dict[str, Index | Study],
    now: datetime,
    closes: date | None,
) -> Check:
    """Return whether every final session of a subject, from its first one on, is published."""
    with reading(engine) as connection:
        last = max(last_heads(connection, id, kind), key=lambda head: head.session)
        if retired(connection, id):
            return Check(id, "ok", f"retired, {last.session} is final")
    try:
        known = published_definition(engine, id)
        if known is None:
            return Check(id, "wrong", "its definition is missing")
        definition, indices = known
        definitions.setdefault(id, definition)
        due = last_final(definition, now, members=indices.values())
        until = max(due, date.fromisoformat(last.session))
        with reading(engine) as connection:
            gone = [one for one in indices if retired(connection, one)]
            missing = missed(connection, id, kind, calendar_of(definition), until)
    except IndexerError as error:
        return Check(id, "wrong", str(error), error)
    if missing and gone:
        message = f"is made of {', '.join(gone)}, retired: retire it, or publish it without"
        return Check(id, "wrong", message)
    if missing:
        told = f"published until {last.session}, {_late(missing, last.session, closes)}"
        return Check(id, "late", told)
    return Check(id, "ok", f"published until {last.session}")


def _late(missing: Sequence[str], last: str, closes: date | None) -> str:
    """Return which sessions are not published, and what to do."""
    first, until = missing[0], missing[-1]
    told = f"{first} is final"
    remedy = "publish it" if first > last else f"publish --date {first}"
    if len(missing) > 1:
        told = f"{len(missing)} sessions from {first} to {until} are final"
        remedy = f"publish --from {first} --to {until}"
    if closes is not None and closes < date.fromisoformat(until):
        remedy = f"the market ends on {closes}: fetch, then {remedy}"
    return f"{told}: {remedy}"
