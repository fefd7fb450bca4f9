"""An index by which the entry of a subject that was appended last is found at once.

Without it every publication reads all that was ever published of its subject.
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the index."""
    op.create_index("entries_of_subject", "entries", ["kind", "subject", "number"])
