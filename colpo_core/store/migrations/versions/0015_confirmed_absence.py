"""Versions say whether their annotator has confirmed that the finding is not there."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of versions of an older store it is not known: their annotators were not asked."""
    op.add_column("annotation_versions", sa.Column("absence_confirmed", sa.Boolean(), nullable=True))
