"""Reviews: a reviewer may be unsure, and says in one word why she does not agree."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_REASONS = ("mask_misses", "mask_covers", "call", "image_quality", "other_finding", "not_decidable")


def upgrade() -> None:
    """The table is built anew, since it takes another word; each row is copied. Nothing refers to it."""
    op.create_table(
        "reviews_new",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("prediction_id", sa.Integer(), nullable=False),
        sa.Column("reviewer_id", sa.Integer(), nullable=False),
        sa.Column("verdict", _words(op.f("ck_reviews_verdict"), "agree", "overrule", "unsure"), nullable=False),
        sa.Column("because", _words(op.f("ck_reviews_because"), *_REASONS), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["prediction_id"], ["predictions.id"], name=op.f("fk_reviews_prediction_id_predictions")
        ),
        sa.ForeignKeyConstraint(["reviewer_id"], ["people.id"], name=op.f("fk_reviews_reviewer_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
    )
    op.execute(
        """
        INSERT INTO reviews_new (id, prediction_id, reviewer_id, verdict, because, reason, at)
        SELECT id, prediction_id, reviewer_id, verdict, NULL, reason, at FROM reviews
        """
    )
    op.drop_table("reviews")
    op.rename_table("reviews_new", "reviews")
    op.create_index("ix_reviews_prediction_id_id", "reviews", ["prediction_id", "id"])


def _words(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)
