"""The oldest schema that can be upgraded; it makes nothing.

A new store gets the tables as the models are now, at once and on both databases: see `colpo_core.store.schema`. A
store that stands at this revision was written by an earlier version, and the migrations after this one bring it on;
the one in `tests/support/old_store` holds this schema with something in every table.
"""

revision = "0017"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing lies before this schema."""
