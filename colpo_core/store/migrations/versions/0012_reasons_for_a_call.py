"""Why a model called so: its probabilities, features and answers to changes; and figures of each image."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_CHANGES = ("mask_emptied", "mask_of_expert", "covered")
_FINDINGS = (
    "acetowhite_epithelium", "mosaic", "punctation", "atypical_vessels", "squamocolumnar_junction", "cervix_outline",
)  # fmt: skip


def upgrade() -> None:
    """Predictions of an older store have no probabilities and no features: they are made when they are made anew."""
    op.add_column("predictions", sa.Column("acetowhite_sha256", sa.String(length=64), nullable=True))
    op.create_table(
        "prediction_features",
        sa.Column("prediction_id", sa.Integer(), nullable=False),
        sa.Column("features", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["prediction_id"], ["predictions.id"], name=op.f("fk_prediction_features_prediction_id_predictions")
        ),
        sa.PrimaryKeyConstraint("prediction_id", name=op.f("pk_prediction_features")),
    )
    op.create_table(
        "what_ifs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("prediction_id", sa.Integer(), nullable=False),
        sa.Column("change", _words(op.f("ck_what_ifs_change"), *_CHANGES), nullable=False),
        sa.Column("finding", _words(op.f("ck_what_ifs_finding"), *_FINDINGS), nullable=True),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("prob_hsil_3ch", sa.Double(), nullable=False),
        sa.Column("prob_hsil_4ch", sa.Double(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["prediction_id"], ["predictions.id"], name=op.f("fk_what_ifs_prediction_id_predictions")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["annotation_versions.id"], name=op.f("fk_what_ifs_version_id_annotation_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_what_ifs")),
    )
    op.create_index("ix_what_ifs_prediction_id_id", "what_ifs", ["prediction_id", "id"])
    op.create_table(
        "image_figures",
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("brightness", sa.Double(), nullable=False),
        sa.Column("contrast", sa.Double(), nullable=False),
        sa.Column("saturation", sa.Double(), nullable=False),
        sa.Column("sharpness", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_image_figures_image_id_images")),
        sa.PrimaryKeyConstraint("image_id", name=op.f("pk_image_figures")),
    )
    _widen_jobs()


def _words(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def _widen_jobs() -> None:
    """A check constraint can only be widened by building the table anew; each row is copied."""
    op.create_table(
        "jobs_new",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", _words(op.f("ck_jobs_kind"), "train", "predict", "evaluate", "explain"), nullable=False),
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
