"""The tables of the ledger, and the triggers that keep what was published as it was.

An entry is written after its rows and seals them: from then on the database itself refuses to add,
change or remove any of them.
"""

from collections.abc import Iterator

import sqlalchemy as sa

from indexer.ledger.cells import Cell

metadata = sa.MetaData()

entries = sa.Table(
    "entries",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # index study approval immaterial
    sa.Column("session", sa.Text, nullable=False, info={"dated": True}),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),  # final corrected retired recorded
    sa.Column("published_at", sa.Text, nullable=False),  # UTC, to the microsecond
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("correction", sa.Text, nullable=False),
    sa.Column("definition", sa.Text, sa.ForeignKey("definitions.digest"), nullable=False),
    sa.Column("market", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("methodology", sa.Text, nullable=False),
    sa.Column("synthetic", sa.Boolean, nullable=False),
    sa.Column("backtested", sa.Boolean, nullable=False),
    sa.Column("content", sa.Text, nullable=False),  # digest of the rows of the tables below
    sa.Column("basis", sa.Integer),  # the entry that `inputs` adds to
    sa.Column("inputs", sa.LargeBinary, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False, server_default=""),  # of the market data, as told
    sa.UniqueConstraint("kind", "subject", "session", "revision"),
    sa.Index("entries_of_subject", "kind", "subject", "number"),  # for the one appended last
)

definitions = sa.Table(
    "definitions",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("content", sa.Text, nullable=False),  # JSON
)


def _rows_of_an_entry(name: str, *columns: "sa.Column[object]") -> sa.Table:
    return sa.Table(
        name,
        metadata,
        sa.Column(
            "entry",
            sa.Integer,
            sa.ForeignKey("entries.number", deferrable=True, initially="DEFERRED"),
            primary_key=True,
        ),
        sa.Column("position", sa.Integer, primary_key=True),
        *columns,
    )


levels = _rows_of_an_entry(
    "levels",
    sa.Column("variant", sa.Text, nullable=False),
    sa.Column("level", sa.Text, nullable=False),  # decimal text as published
    sa.Column("level_exact", sa.Double, nullable=False, info={"positive": True}),
    sa.Column("divisor", sa.Double),
    sa.Column("market_value", sa.Double),
)
constituents = _rows_of_an_entry(
    "constituents",
    sa.Column("symbol", sa.Text, nullable=False),
    sa.Column("shares", sa.Double, nullable=False),
    sa.Column("close", sa.Double),  # listing currency; null before it has ever traded
    sa.Column("dated", sa.Text, nullable=False),  # the day of that close; "" before there is any
    sa.Column("rate", sa.Double),
    sa.Column("weight", sa.Double, nullable=False),
    sa.Column("contribution", sa.Double),
)
changes = _rows_of_an_entry(
    "changes",
    sa.Column("symbol", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("shares_before", sa.Double, nullable=False),
    sa.Column("shares_after", sa.Double, nullable=False),
    sa.Column("divisor_before", sa.Double, nullable=False),
    sa.Column("divisor_after", sa.Double, nullable=False),
)
signals = _rows_of_an_entry(
    "signals",
    sa.Column("signal", sa.Text, nullable=False),
    sa.Column("leader", sa.Text, nullable=False),
    sa.Column("follower", sa.Text, nullable=False),
    sa.Column("other", sa.Text, nullable=False),
    sa.Column("window", sa.Integer),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("backtested", sa.Boolean, nullable=False),
)
states = _rows_of_an_entry(
    "states",
    sa.Column("leader", sa.Text, nullable=False),
    sa.Column("follower", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("kind", sa.Text),
    sa.Column("since", sa.Text, nullable=False),
    sa.Column("peak_on", sa.Text),
    sa.Column("move_leader", sa.Double),
    sa.Column("move_follower", sa.Double),
)
aligned = _rows_of_an_entry(
    "aligned",
    sa.Column("index", sa.Text, nullable=False),
    sa.Column("level", sa.Double, nullable=False),
    sa.Column("fresh", sa.Boolean, nullable=False),
    sa.Column("backtested", sa.Boolean, nullable=False),
)
members = _rows_of_an_entry(  # of a rebalance that was approved
    "members",
    sa.Column("symbol", sa.Text, nullable=False),
    sa.Column("weight", sa.Double, nullable=False),
    sa.Column("shares", sa.Double, nullable=False),
)
findings = _rows_of_an_entry(  # what the gates noted, and the refusals somebody overrode
    "findings",
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),  # empty for a note
    sa.Column("note", sa.Text, nullable=False),
)

_NO_MORE = {"positive": False, "dated": False}
for _table in metadata.tables.values():
    for _column in _table.columns:
        _name = f"{_table.name}.{_column.name}"
        _column.type = Cell(_name, _column.type, **(_NO_MORE | _column.info))

CONTENT = (levels, constituents, changes, signals, states, aligned, members)  # what is published
PARTS = (*CONTENT, findings)
TABLES = ("entries", "definitions", *(table.name for table in PARTS))
NEVER = "what was published is never changed"


def sqlite_triggers() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every trigger, in SQLite's language.

    Insertions are guarded too: with REPLACE, SQLite removes the older row without asking the
    triggers on removal.
    """
    for table in TABLES:
        guards = [("UPDATE", "no_update", ""), ("DELETE", "no_delete", "")]
        for act, what, when in (*guards, ("INSERT", "sealed", f"WHEN {_sealed(table)} ")):
            yield (
                f"{table}_{what}",
                f"CREATE TRIGGER {table}_{what} BEFORE {act} ON {table} {when}"
                f"BEGIN SELECT RAISE(ABORT, '{NEVER}'); END",
            )


def postgresql_triggers() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every trigger, in PostgreSQL's language.

    Each is a function and the trigger that calls it.
    """
    for table in TABLES:
        guards = [
            ("UPDATE OR DELETE", "no_update", "TRUE", "ROW"),
            ("TRUNCATE", "no_truncate", "TRUE", "STATEMENT"),
            ("INSERT", "sealed", _sealed(table), "ROW"),
        ]
        for act, what, when, each in guards:
            name = f"{table}_{what}"
            yield (
                name,
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"IF {when} THEN RAISE EXCEPTION '{NEVER}'; END IF; RETURN NEW; END $$; "
                f"CREATE TRIGGER {name} BEFORE {act} ON {table} "
                f"FOR EACH {each} EXECUTE FUNCTION {name}()",
            )


def _sealed(table: str) -> str:
    """Return the condition under which a row may no longer be added to a table."""
    if table == "entries":
        return (
            "NEW.number <> (SELECT COALESCE(MAX(number), 0) + 1 FROM entries) OR EXISTS ("
            "SELECT 1 FROM entries WHERE kind = NEW.kind AND subject = NEW.subject "
            "AND session = NEW.session AND revision = NEW.revision)"
        )
    if table == "definitions":
        return "EXISTS (SELECT 1 FROM definitions WHERE digest = NEW.digest)"
    return "EXISTS (SELECT 1 FROM entries WHERE number = NEW.entry)"
