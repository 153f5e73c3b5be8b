"""What a reader may say beside the call: biopsy sites as points, and findings."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns alone, empty in what was read before; the triggers that keep readings stay."""
    op.add_column("readings", sa.Column("points", sa.JSON(), nullable=True))
    op.add_column("readings", sa.Column("findings", sa.JSON(), nullable=True))
