"""External test sets and near copies: what an image looks like, what a set is kept for, and each look at it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE images ADD COLUMN perceptual_hash VARCHAR(64)")
    op.execute("ALTER TABLE snapshots ADD COLUMN external BOOLEAN NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE promotions ADD COLUMN overruled JSON NOT NULL DEFAULT '[]'")
    _make_evaluations()
    _rebuild_jobs()


def _words(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def _make_evaluations() -> None:
    op.create_table(
        "evaluations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("checkpoint_id", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["checkpoint_id"], ["checkpoints.id"], name=op.f("fk_evaluations_checkpoint_id_checkpoints")
        ),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshots.id"], name=op.f("fk_evaluations_snapshot_id_snapshots")),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_evaluations_created_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluations")),
    )
    op.create_index("ix_evaluations_checkpoint_id_id", "evaluations", ["checkpoint_id", "id"], unique=False)
    op.create_index("ix_evaluations_snapshot_id_id", "evaluations", ["snapshot_id", "id"], unique=False)


def _rebuild_jobs() -> None:
    """A check constraint can only be widened by building the table anew; each row is copied."""
    op.create_table(
        "jobs_new",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", _words(op.f("ck_jobs_kind"), "train", "predict", "evaluate"), nullable=False),
        sa.Column(
            "state",
            _words(op.f("ck_jobs_state"), "queued", "running", "done", "failed", "cancelled"),
            nullable=False,
        ),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("snapshot_id", sa.Integer(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.String(length=40), nullable=True),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("host", sa.String(length=120), nullable=True),
        sa.Column("pid", sa.Integer(), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("stage", sa.String(length=80), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("epochs_total", sa.Integer(), nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=True),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_jobs_created_by_people")),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshots.id"], name=op.f("fk_jobs_snapshot_id_snapshots")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.execute(
        """
        INSERT INTO jobs_new
        SELECT id, kind, state, settings, snapshot_id, attempt, max_attempts, lease_token, lease_until, host, pid,
               cancel_requested, stage, epoch, epochs_total, progress, error, result, created_by, created_at,
               started_at, finished_at
        FROM jobs
        """
    )
    op.drop_table("jobs")
    op.rename_table("jobs_new", "jobs")
    op.create_index("ix_jobs_state_id", "jobs", ["state", "id"], unique=False)
