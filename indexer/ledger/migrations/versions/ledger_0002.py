"""Where the market data of an entry are from, and an index to the entry appended last.

Without the index every publication reads all that was ever published of its subject.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column, empty for what is there, and create the index."""
    column = sa.Column("source", sa.Text(), nullable=False, server_default="")
    op.add_column("entries", column)
    op.create_index("entries_of_subject", "entries", ["kind", "subject", "number"])
