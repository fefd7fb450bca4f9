"""The ledger: entries, what they publish, and the guards that keep it as it was."""

import sqlalchemy as sa
from alembic import op

from indexer.ledger.tables import postgresql_triggers, sqlite_triggers

revision = "0001"
down_revision = None

GUARDED = (
    "entries",
    "definitions",
    "levels",
    "constituents",
    "changes",
    "signals",
    "states",
    "aligned",
    "members",
    "findings",
)


def upgrade() -> None:
    """Create every table, then its triggers."""
    op.create_table(
        "definitions",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "entries",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("published_at", sa.Text(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("correction", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("methodology", sa.Text(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("backtested", sa.Boolean(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("basis", sa.Integer(), nullable=True),
        sa.Column("inputs", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["definition"],
            ["definitions.digest"],
        ),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("kind", "subject", "session", "revision"),
    )
    op.create_table(
        "aligned",
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("index", sa.Text(), nullable=False),
        sa.Column("level", sa.Double(), nullable=False),
        sa.Column("fresh", sa.Boolean(), nullable=False),
        sa.Column("backtested", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry"], ["entries.number"], initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("entry", "position"),
    )
    op.create_table(
        "changes",
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("shares_before", sa.Double(), nullable=False),
        sa.Column("shares_after", sa.Double(), nullable=False),
        sa.Column("divisor_before", sa.Double(), nullable=False),
        sa.Column("divisor_after", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry"], ["entries.number"], initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("entry", "position"),
    )
    op.create_table(
        "constituents",
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("shares", sa.Double(), nullable=False),
        sa.Column("close", sa.Double(), nullable=True),
        sa.Column("dated", sa.Text(), nullable=False),
        sa.Column("rate", sa.Double(), nullable=True),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("contribution", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["entry"], ["entries.number"], initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("entry", "position"),
    )
    op.create_table(
        "findings",
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry"], ["entries.number"], initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("entry", "position"),
    )
    op.create_table(
        "levels",
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("level_exact", sa.Double(), nullable=False),
        sa.Column("divisor", sa.Double(), nullable=True),
        sa.Column("market_value", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["entry"], ["entries.number"], initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("entry", "position"),
    )
    op.create_table(
        "members",
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("shares", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry"], ["entries.number"], initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("entry", "position"),
    )
    op.create_table(
        "signals",
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("leader", sa.Text(), nullable=False),
        sa.Column("follower", sa.Text(), nullable=False),
        sa.Column("other", sa.Text(), nullable=False),
        sa.Column("window", sa.Integer(), nullable=True),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("backtested", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry"], ["entries.number"], initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("entry", "position"),
    )
    op.create_table(
        "states",
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("leader", sa.Text(), nullable=False),
        sa.Column("follower", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("peak_on", sa.Text(), nullable=True),
        sa.Column("move_leader", sa.Double(), nullable=True),
        sa.Column("move_follower", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["entry"], ["entries.number"], initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("entry", "position"),
    )
    postgresql = op.get_bind().dialect.name == "postgresql"
    for _, text in (postgresql_triggers if postgresql else sqlite_triggers)(GUARDED):
        op.execute(text)
