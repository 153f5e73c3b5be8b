"""Jobs on GPUs, the look before a training, and trainings by themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Jobs of an older store hold no GPU, and nothing trains by itself."""
    _widen_jobs()
    op.create_table(
        "held_gpus",
        sa.Column("host", sa.String(length=120), nullable=False),
        sa.Column("gpu", sa.String(length=80), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_held_gpus_job_id_jobs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("host", "gpu", name=op.f("pk_held_gpus")),
    )
    op.create_index(op.f("ix_held_gpus_job_id"), "held_gpus", ["job_id"])
    op.create_table(
        "retraining_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("every_days", sa.Integer(), nullable=True),
        sa.Column("at_new_labels", sa.Integer(), nullable=True),
        sa.Column("query", sa.JSON(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("set_by", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.DateTime(), nullable=False),
        sa.Column("last_looked_at", sa.DateTime(), nullable=True),
        sa.Column("last_job_id", sa.Integer(), nullable=True),
        sa.Column("last_note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["last_job_id"], ["jobs.id"], name=op.f("fk_retraining_rules_last_job_id_jobs")),
        sa.ForeignKeyConstraint(["set_by"], ["people.id"], name=op.f("fk_retraining_rules_set_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retraining_rules")),
    )


def _words(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def _widen_jobs() -> None:
    """A check constraint can only be widened by building the table anew; each row is copied."""
    op.create_table(
        "jobs_new",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "kind", _words(op.f("ck_jobs_kind"), "train", "predict", "evaluate", "explain", "probe"), nullable=False
        ),
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
        sa.Column("cancel_requested_at", sa.Double(), nullable=True),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
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
               cancel_requested, cancel_requested_at, paused, priority, stage, epoch, epochs_total, progress, error,
               result, created_by, created_at, started_at, finished_at
        FROM jobs
        """
    )
    op.drop_table("jobs")
    op.rename_table("jobs_new", "jobs")
    op.create_index("ix_jobs_state_id", "jobs", ["state", "id"])
