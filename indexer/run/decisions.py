"""What a person decides beside levels: the next rebalance approved, an index retired."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from indexer.definitions.basket import Basket
from indexer.errors import DefinitionError, LedgerError, Refusal
from indexer.index.proforma import Proforma
from indexer.index.proforma import proforma as next_rebalance
from indexer.ledger.database import publishing, reading
from indexer.ledger.entry import Entry, sealed
from indexer.ledger.heads import kind_of, last_heads
from indexer.ledger.history import read_entry
from indexer.ledger.publish import append
from indexer.market.tables import read_market
from indexer.run import stored
from indexer.run.derived import check_folder, write_derived
from indexer.run.desk import Desk
from indexer.run.due import studies_of
from indexer.run.find import index_named, meant
from indexer.run.provenance import code_digest, methodology
from indexer.run.results import Progress
from indexer.run.revise import check_not_retired


def proforma(
    name: str, market: Path, until: date | None = None, *, progress: Progress = lambda _: None
) -> Proforma:
    """Return the next rebalance of a basket; raises as building it does besides.

    Raises
    ------
    DefinitionError
        If what is named is no basket, or is never rebalanced.
    """
    basket = index_named(name)
    if not isinstance(basket, Basket):
        message = "is a ready-made series: it has no rebalances"
        raise DefinitionError([basket.problem(("kind",), message)])
    progress(f"reading {market}")
    tables = read_market(market)
    progress(f"building {basket.id}")
    return next_rebalance(basket, tables, until)


def approve(found: Proforma, desk: Desk, note: str = "") -> Entry:
    """Record who approves a rebalance to come, with its members, weights and shares.

    The same as the approval recorded last, or as that of the last session approved, by the same
    name and with the same note, records nothing and returns that.

    Raises
    ------
    LedgerError
        If the index is retired.
    TryAgainError
        If the ledger cannot be written now.
    """
    basket = found.basket
    members = [
        (symbol, float(weight), float(shares))
        for symbol, weight, shares in zip(found.symbols, found.target, found.shares, strict=True)
        if shares > 0
    ]
    entry = Entry(
        subject=basket.id,
        kind="approval",
        session=found.effective.isoformat(),
        status="recorded",
        definition=basket.digest,
        market=found.market_digest,
        code=code_digest(),
        methodology=methodology(),
        rows={"members": members},
        reason="rebalance",
        note=note,
        by=desk.terms.by,
        synthetic=found.synthetic,
        run=desk.run,
    )
    with publishing(desk.engine) as connection:
        check_not_retired(basket.id, last_heads(connection, basket.id))
        for head in last_heads(connection, basket.id, "approval"):
            before = read_entry(connection, head.number)
            if _decided(before) == _decided(sealed(entry)):
                return before
        return append(connection, [entry], desk.stamp, {basket.digest: basket.canonical})[0]


def retire(subject: str, reason: str, desk: Desk) -> tuple[Entry, tuple[str, ...]]:
    """Write the final entry of an index or study: its last session once more, marked retired.

    The same again, by the same name, writes what files are missing and returns the entry there is.
    With it the published studies that are made of an index: they can be published no more.

    Raises
    ------
    LedgerError
        If it was never published, is retired already for another reason or by another name, or its
        files are not this ledger's.
    TryAgainError
        If the ledger cannot be written now.
    OutputError
        If the files cannot be written.
    """
    with reading(desk.engine) as connection:
        kind = kind_of(connection, subject)
    if kind is None:
        raise LedgerError([Refusal(subject, "", "", f"was never published{meant(subject)}")])
    check_folder(desk.engine, desk.out, subject, kind)
    with publishing(desk.engine) as connection:
        newest = last_heads(connection, subject, kind)
        last = read_entry(connection, max(newest, key=lambda head: head.session).number)
        again = (last.status, last.note, last.by) == ("retired", reason, desk.terms.by)
        if not again:
            check_not_retired(subject, newest)
            last = _final(connection, last, reason, desk)
    write_derived(desk.engine, desk.out, subject, kind)
    with reading(desk.engine) as connection:
        return last, studies_of(connection, subject)


def _final(connection: sa.Connection, last: Entry, reason: str, desk: Desk) -> Entry:
    """Append the entry that ends a subject."""
    final = replace(
        last,
        status="retired",
        reason="retired",
        note=reason,
        by=desk.terms.by,
        correction="",
        basis=last.number,
        inputs=stored.nothing_more(),
        run=desk.run,
    )
    return append(connection, [final], desk.stamp, {})[0]


def _decided(approval: Entry) -> tuple[str, ...]:
    """Return what makes an approval another one."""
    return (approval.session, approval.content, approval.definition, approval.by, approval.note)
