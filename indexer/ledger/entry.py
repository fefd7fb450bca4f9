"""One entry of the ledger: what is published of one session, and the digests it came from."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from indexer.digest import digest_json
from indexer.ledger.tables import CONTENT, findings

Row = tuple[Any, ...]  # cells in the order of the table's columns, without entry and position
FIRST = "0" * 64  # what the first entry names as the one before it

_WIDE = Context(prec=400)  # every digit of the largest double


@dataclass(frozen=True, slots=True)
class Entry:
    """What was published of one subject and session; immutable once it has a hash.

    Attributes
    ----------
    subject : id of the index or study
    kind : ``index`` or ``study``; ``approval`` of a rebalance to come; ``immaterial``, the numbers
        that a later input would give and that were not worth a revision
    session : ISO date
    status : ``final``, ``corrected``, ``retired``; ``recorded`` where nothing is published
    reason, note, by, correction : why it is not the first revision, in words, who decided, and the
        name that all revisions of one correction share; empty for a first one
    definition, market, code, methodology : digests of what it was made from
    synthetic, backtested : marks
    source : where the market data are from, as their folder says; empty where it does not
    rows : by table of `indexer.ledger.tables`, its rows; a table without rows may be absent
    basis : number of the entry whose inputs ``inputs`` adds to; None where it holds all of them
    inputs : the rows of the market it rests on, as they are stored
    run : the publication it was part of
    number, revision, published_at, content, previous, hash : given when it is appended; UTC
    """

    subject: str
    kind: str
    session: str
    status: str
    definition: str
    market: str
    code: str
    methodology: str
    rows: Mapping[str, Sequence[Row]]
    reason: str = ""
    note: str = ""
    by: str = ""
    correction: str = ""
    synthetic: bool = False
    backtested: bool = False
    source: str = ""
    basis: int | None = None
    inputs: bytes = b""
    run: str = ""
    number: int = 0
    revision: int = 0
    published_at: str = ""
    content: str = ""
    previous: str = ""
    hash: str = field(default="", repr=False)


def content_digest(rows: Mapping[str, Sequence[Row]]) -> str:
    """Return the SHA-256 of what is published: the same for the same numbers to the last bit."""
    return digest_json(_exact(rows, [table.name for table in CONTENT]))


def sealed(entry: Entry, **given: Any) -> Entry:
    """Return an entry with its place in the chain, and the hash over everything in it."""
    entry = replace(entry, content=content_digest(entry.rows), **given)
    return replace(entry, hash=hash_of(entry))


def hash_of(entry: Entry) -> str:
    """Return the SHA-256 of an entry's cells and rows, which include the hash before it."""
    head = {f.name: getattr(entry, f.name) for f in fields(entry) if f.name not in _NO_HEAD}
    if not entry.source:  # as entries were before it was kept
        del head["source"]
    head["inputs"] = hashlib.sha256(entry.inputs).hexdigest()
    head["findings"] = _exact(entry.rows, [findings.name])  # the others are in the content
    return digest_json(head)


_NO_HEAD = ("rows", "hash", "inputs")


def decimal_text(value: float, decimals: int) -> str:
    """Return a level as it is printed: rounded half to even from the exact value of the double.

    Raises
    ------
    ValueError
        If the value is not finite.

    Examples
    --------
    >>> decimal_text(1000.125, 2), decimal_text(2.675, 2), decimal_text(1000.0, 4)
    ('1000.12', '2.67', '1000.0000')
    """
    exact = Decimal(value)
    if not exact.is_finite():
        raise ValueError(f"{value} cannot be published: it is no finite number")
    unit = Decimal(1).scaleb(-decimals)
    return format(exact.quantize(unit, rounding=ROUND_HALF_EVEN, context=_WIDE), "f")


def _exact(
    rows: Mapping[str, Sequence[Row]], tables: Sequence[str]
) -> dict[str, list[list[object]]]:
    """Return rows in a JSON form that tells every double from every other.

    But for zero, whose sign SQLite does not keep.
    """
    return {
        name: [
            [(cell + 0.0).hex() if isinstance(cell, float) else cell for cell in row]
            for row in rows[name]
        ]
        for name in tables
        if rows.get(name)
    }
