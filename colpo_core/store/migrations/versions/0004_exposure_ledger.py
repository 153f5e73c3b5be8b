"""The exposure ledger and amendments: who has seen what of which case, and what was changed after a seal."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _make_exposures()
    _make_amendments()


def _words(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def _make_exposures() -> None:
    op.create_table(
        "exposures",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            _words(op.f("ck_exposures_kind"), "label", "histology", "prediction", "mask", "annotated"),
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
    op.create_index("ix_exposures_case_id", "exposures", ["case_id"], unique=False)


def _make_amendments() -> None:
    op.create_table(
        "study_amendments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            _words(
                op.f("ck_study_amendments_kind"), "reader_added", "reader_removed", "closed_early", "question_corrected"
            ),
            nullable=False,
        ),
        sa.Column("change", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_study_amendments_study_id_studies")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_study_amendments_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_amendments")),
    )
    op.create_index("ix_study_amendments_study_id_id", "study_amendments", ["study_id", "id"], unique=False)
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER study_amendments_refuses_{action.lower()} BEFORE {action} ON study_amendments "
            "BEGIN SELECT RAISE(ABORT, 'study_amendments is append-only'); END"
        )
