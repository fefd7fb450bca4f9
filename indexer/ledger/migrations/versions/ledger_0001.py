"""The ledger: entries, what they publish, and the guards that keep it as it was."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_Column = sa.Column[object]


def upgrade() -> None:
    """Create every table, then its triggers."""
    _create_entries()
    _create_rows()
    postgresql = op.get_bind().dialect.name == "postgresql"
    for table in ("entries", "definitions", *_rows()):
        for text in (_postgresql_guards if postgresql else _sqlite_guards)(table):
            op.execute(text)


def _sqlite_guards(table: str) -> Iterator[str]:
    guards = [("UPDATE", "no_update", ""), ("DELETE", "no_delete", "")]
    for act, what, when in (*guards, ("INSERT", "sealed", f"WHEN {_sealed(table)} ")):
        yield (
            f"CREATE TRIGGER {table}_{what} BEFORE {act} ON {table} {when}"
            "BEGIN SELECT RAISE(ABORT, 'what was published is never changed'); END"
        )


def _postgresql_guards(table: str) -> Iterator[str]:
    guards = [
        ("UPDATE OR DELETE", "no_update", "TRUE", "ROW"),
        ("TRUNCATE", "no_truncate", "TRUE", "STATEMENT"),
        ("INSERT", "sealed", _sealed(table), "ROW"),
    ]
    for act, what, when, each in guards:
        name = f"{table}_{what}"
        yield (
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF {when} THEN RAISE EXCEPTION 'what was published is never changed'; END IF; "
            f"RETURN NEW; END $$; "
            f"CREATE TRIGGER {name} BEFORE {act} ON {table} "
            f"FOR EACH {each} EXECUTE FUNCTION {name}()"
        )


def _sealed(table: str) -> str:
    if table == "entries":
        return (
            "NEW.number <> (SELECT COALESCE(MAX(number), 0) + 1 FROM entries) OR EXISTS ("
            "SELECT 1 FROM entries WHERE kind = NEW.kind AND subject = NEW.subject "
            "AND session = NEW.session AND revision = NEW.revision)"
        )
    if table == "definitions":
        return "EXISTS (SELECT 1 FROM definitions WHERE digest = NEW.digest)"
    return "EXISTS (SELECT 1 FROM entries WHERE number = NEW.entry)"


def _create_entries() -> None:
    op.create_table("definitions", *_texts("digest", "content"), sa.PrimaryKeyConstraint("digest"))
    op.create_table(
        "entries",
        _number("number"),
        *_texts("subject", "kind", "session"),
        _number("revision", autoincrement=True),
        *_texts("status", "published_at", "run", "reason", "note", "by", "correction"),
        *_texts("definition", "market", "code", "methodology"),
        *_flags("synthetic", "backtested"),
        *_texts("content"),
        sa.Column("basis", sa.Integer()),
        sa.Column("inputs", sa.LargeBinary(), nullable=False),
        *_texts("previous", "hash"),
        sa.ForeignKeyConstraint(["definition"], ["definitions.digest"]),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("kind", "subject", "session", "revision"),
    )


def _create_rows() -> None:
    for name, columns in _rows().items():
        op.create_table(
            name,
            _number("entry"),
            _number("position"),
            *columns,
            sa.ForeignKeyConstraint(
                ["entry"], ["entries.number"], deferrable=True, initially="DEFERRED"
            ),
            sa.PrimaryKeyConstraint("entry", "position"),
        )


def _number(name: str, *, autoincrement: bool = False) -> _Column:
    return sa.Column(name, sa.Integer(), autoincrement=autoincrement, nullable=False)


def _texts(*names: str) -> list[_Column]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _doubles(*names: str, nullable: bool = False) -> list[_Column]:
    return [sa.Column(name, sa.Double(), nullable=nullable) for name in names]


def _flags(*names: str) -> list[_Column]:
    return [sa.Column(name, sa.Boolean(), nullable=False) for name in names]


def _rows() -> dict[str, list[_Column]]:
    return {
        "levels": [
            *_texts("variant", "level"),
            *_doubles("level_exact"),
            *_doubles("divisor", "market_value", nullable=True),
        ],
        "constituents": [
            *_texts("symbol"),
            *_doubles("shares"),
            *_doubles("close", nullable=True),
            *_texts("dated"),
            *_doubles("rate", nullable=True),
            *_doubles("weight"),
            *_doubles("contribution", nullable=True),
        ],
        "changes": [
            *_texts("symbol", "kind"),
            *_doubles("shares_before", "shares_after", "divisor_before", "divisor_after"),
        ],
        "signals": [
            *_texts("signal", "leader", "follower", "other"),
            sa.Column("window", sa.Integer()),
            *_doubles("value"),
            *_flags("backtested"),
        ],
        "states": [
            *_texts("leader", "follower", "state"),
            sa.Column("kind", sa.Text()),
            *_texts("since"),
            sa.Column("peak_on", sa.Text()),
            *_doubles("move_leader", "move_follower", nullable=True),
        ],
        "aligned": [*_texts("index"), *_doubles("level"), *_flags("fresh", "backtested")],
        "members": [*_texts("symbol"), *_doubles("weight", "shares")],
        "findings": _texts("rule", "message", "by", "note"),
    }
