"""Questions about images: what each looks like, and what a person has answered.

The hash by which near copies are found says more than before: the old ones are forgotten, and made anew when needed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None

_QUESTIONS = (
    "looks_like_iodine", "looks_like_green_filter", "does_not_look_like_iodine", "does_not_look_like_green_filter",
    "stage_was_guessed", "grey", "dark", "bright", "blurred", "mask_or_drawing", "not_the_colours_of_tissue", "small",
)  # fmt: skip
_FIGURES = (
    "green_minus_blue", "green_minus_red", "colourfulness", "redness", "brightest", "palest", "sharpness", "flatness",
)  # fmt: skip


def upgrade() -> None:
    """Images of an older store are looked at when a snapshot is previewed; nothing about them was answered yet."""
    op.add_column("images", sa.Column("stage_guessed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("images", sa.Column("fingerprint", sa.String(length=400), nullable=True))
    op.drop_column("images", "perceptual_hash")
    op.create_table(
        "image_looks",
        sa.Column("image_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=False) for name in _FIGURES),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_image_looks_image_id_images")),
        sa.PrimaryKeyConstraint("image_id", name=op.f("pk_image_looks")),
    )
    question = sa.Enum(
        *_QUESTIONS, name=op.f("ck_image_answers_question"), native_enum=False, create_constraint=True, length=40
    )
    op.create_table(
        "image_answers",
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("question", question, nullable=False),
        sa.Column("answered_by", sa.Integer(), nullable=False),
        sa.Column("answered_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["answered_by"], ["people.id"], name=op.f("fk_image_answers_answered_by_people")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_image_answers_image_id_images")),
        sa.PrimaryKeyConstraint("image_id", "question", name=op.f("pk_image_answers")),
    )
