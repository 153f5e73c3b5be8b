"""Which patients and images each checkpoint has learned from.

`store upgrade` fills the tables afterwards from the manifests of snapshots, which lie in files.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of the checkpoints that are there, nothing is known yet."""
    op.add_column(
        "checkpoints", sa.Column("learning_recorded", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    for table, column, other in (
        ("checkpoint_patients", "patient_id", "patients"),
        ("checkpoint_images", "image_id", "images"),
    ):
        op.create_table(
            table,
            sa.Column("checkpoint_id", sa.Integer(), nullable=False),
            sa.Column(column, sa.Integer(), nullable=False),
            *(
                sa.ForeignKeyConstraint(
                    [name], [f"{target}.id"], name=op.f(f"fk_{table}_{name}_{target}"), ondelete="CASCADE"
                )
                for name, target in (("checkpoint_id", "checkpoints"), (column, other))
            ),
            sa.PrimaryKeyConstraint("checkpoint_id", column, name=op.f(f"pk_{table}")),
        )
