"""Jobs: a priority in the queue, pausing, and when somebody asked to cancel."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns alone; jobs of an older store wait in the order in which they came."""
    op.add_column("jobs", sa.Column("cancel_requested_at", sa.Double(), nullable=True))
    op.add_column("jobs", sa.Column("paused", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("jobs", sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
