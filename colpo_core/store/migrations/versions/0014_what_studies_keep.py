"""What a reader has set before the answer, what was found at a study's closing, and reading as an exposure."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of an older store nothing waits for an answer, and nobody wrote down by which methods a study was judged."""
    _make_drafts()
    _make_closings()
    _widen_exposures()
    op.create_index("ix_presentations_reader_id_case_id", "presentations", ["reader_id", "case_id"])
    op.create_index("ix_readings_reader_id_case_id", "readings", ["reader_id", "case_id"])


def _words(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def _make_drafts() -> None:
    op.create_table(
        "reading_drafts",
        sa.Column("token", sa.String(length=60), nullable=False),
        sa.Column("phase", sa.Integer(), nullable=False),
        sa.Column("points", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("set_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["token"], ["presentations.token"], name=op.f("fk_reading_drafts_token_presentations"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token", "phase", name=op.f("pk_reading_drafts")),
    )


def _make_closings() -> None:
    op.create_table(
        "study_closings",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("code_version", sa.String(length=80), nullable=False),
        sa.Column("methods_version", sa.Integer(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_study_closings_study_id_studies")),
        sa.PrimaryKeyConstraint("study_id", name=op.f("pk_study_closings")),
    )
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER study_closings_refuses_{action.lower()} BEFORE {action} ON study_closings "
            "BEGIN SELECT RAISE(ABORT, 'study_closings is append-only'); END"
        )


def _widen_exposures() -> None:
    """A check constraint can only be widened by building the table anew; each row is copied."""
    op.create_table(
        "exposures_new",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            _words(op.f("ck_exposures_kind"), "label", "histology", "prediction", "mask", "annotated", "read"),
            nullable=False,
        ),
        sa.Column("within_study", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(), nullable=False),
        sa.Column("last_at", sa.DateTime(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_exposures_person_id_people"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_exposures_case_id_cases"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", "case_id", "kind", "within_study", name=op.f("pk_exposures")),
    )
    op.execute(
        "INSERT INTO exposures_new SELECT person_id, case_id, kind, within_study, first_at, last_at, times "
        "FROM exposures"
    )
    op.drop_table("exposures")
    op.rename_table("exposures_new", "exposures")
    op.create_index("ix_exposures_case_id", "exposures", ["case_id"], unique=False)
