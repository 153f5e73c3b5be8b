"""Which store this is, when it is backed up by itself, and what checking it found."""

from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The store gets its identity now; copies of it from before have none."""
    identity = op.create_table(
        "store_identity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_store_identity_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store_identity")),
    )
    now = datetime.now(UTC).replace(tzinfo=None)
    op.bulk_insert(identity, [{"id": 1, "uuid": str(uuid4()), "made_at": now}])
    op.create_table(
        "back_up_plans",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.DateTime(), nullable=False),
        sa.Column("last_begun_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["set_by"], ["people.id"], name=op.f("fk_back_up_plans_set_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_back_up_plans")),
    )
    op.create_table(
        "store_checks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("begun_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("n_files", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("faults", sa.JSON(), nullable=False),
        sa.Column("unnamed", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_store_checks_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store_checks")),
    )
