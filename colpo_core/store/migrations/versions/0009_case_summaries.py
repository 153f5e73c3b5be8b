"""Summaries of cases, by which lists are filtered and sorted, and the views that people keep.

The program fills the summaries itself when it opens a store that lacks them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0006"
branch_labels = None
depends_on = None

_GRADES = (
    "normal", "chronic_cervicitis", "cin1", "cin2", "cin3", "adenocarcinoma_in_situ", "invasive_carcinoma",
)  # fmt: skip
_OUTCOMES = ("true_positive", "false_positive", "true_negative", "false_negative")
_REVIEW_STATES = ("waiting", "agreed", "unsure", "overruled")
_EQUAL = (
    "grade", "label", "flagged", "device", "simulated", "outcome", "networks_differ", "review_state",
    "awaits_annotation", "has_draft", "has_to_confirm", "has_submitted", "has_rejected",
)  # fmt: skip
_ORDERED = ("examined_on", "patient_key", "prob_hsil_4ch", "margin")


def upgrade() -> None:
    """New tables alone."""
    _make_summaries()
    op.create_table(
        "case_reviewers",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("reviewer_id", sa.Integer(), nullable=False),
        sa.Column("verdict", _words("verdict", "agree", "overrule", "unsure"), nullable=False),
        _of_case("case_reviewers"),
        sa.ForeignKeyConstraint(["reviewer_id"], ["people.id"], name=op.f("fk_case_reviewers_reviewer_id_people")),
        sa.PrimaryKeyConstraint("case_id", "reviewer_id", name=op.f("pk_case_reviewers")),
    )
    op.create_index("ix_case_reviewers_reviewer_id_case_id", "case_reviewers", ["reviewer_id", "case_id"])
    op.create_table(
        "case_agreements",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("lowest_dice", sa.Double(), nullable=True),
        _of_case("case_agreements"),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_case_agreements")),
    )
    op.create_index("ix_case_agreements_lowest_dice_case_id", "case_agreements", ["lowest_dice", "case_id"])
    op.create_table(
        "saved_views",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("query", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_saved_views_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint("person_id", "name", name=op.f("uq_saved_views_person_id_name")),
    )


def _words(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def _of_case(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_case_id_cases")
    return sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=name, ondelete="CASCADE")


def _make_summaries() -> None:
    op.create_table(
        "case_summaries",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("examined_on", sa.Date(), nullable=False),
        sa.Column("patient_key", sa.String(length=60), nullable=False),
        sa.Column("device", sa.String(length=80), nullable=True),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("grade", _words("grade", *_GRADES), nullable=True),
        sa.Column("label", _words("label", "normal", "hsil"), nullable=True),
        sa.Column("flagged", sa.Boolean(), nullable=False),
        sa.Column("n_images", sa.Integer(), nullable=False),
        sa.Column("n_unannotated", sa.Integer(), nullable=False),
        sa.Column("thumbnail_image_id", sa.Integer(), nullable=True),
        sa.Column("awaits_annotation", sa.Boolean(), nullable=False),
        *(sa.Column(f"has_{state}", sa.Boolean(), nullable=False)
          for state in ("draft", "to_confirm", "submitted", "rejected")),
        sa.Column("n_annotators", sa.Integer(), nullable=False),
        sa.Column("prob_hsil_3ch", sa.Double(), nullable=True),
        sa.Column("prob_hsil_4ch", sa.Double(), nullable=True),
        sa.Column("margin", sa.Double(), nullable=True),
        sa.Column("networks_differ", sa.Boolean(), nullable=True),
        sa.Column("outcome", _words("outcome", *_OUTCOMES), nullable=True),
        sa.Column("review_state", _words("review_state", *_REVIEW_STATES), nullable=True),
        _of_case("case_summaries"),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_case_summaries")),
    )  # fmt: skip
    op.create_index("ix_case_summaries_created_at_case_id", "case_summaries", ["created_at", "case_id"])
    for name in _EQUAL:
        op.create_index(f"ix_case_summaries_{name}", "case_summaries", [name, "created_at", "case_id"])
    for name in _ORDERED:
        op.create_index(f"ix_case_summaries_{name}", "case_summaries", [name, "case_id"])
    op.create_index("ix_case_summaries_n_annotators", "case_summaries", ["n_annotators"])
