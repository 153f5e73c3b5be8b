"""What images show beside the cervix, what labels can be told from, and what no check of a promotion could look at."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Images of an older store are measured when they are needed; its snapshots are looked at when a promotion asks."""
    op.create_table(
        "image_surroundings",
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("figures", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_image_surroundings_image_id_images")),
        sa.PrimaryKeyConstraint("image_id", name=op.f("pk_image_surroundings")),
    )
    op.add_column("snapshots", sa.Column("shortcuts", sa.JSON(), nullable=True))
    op.add_column("promotions", sa.Column("unchecked", sa.JSON(), nullable=False, server_default="[]"))
