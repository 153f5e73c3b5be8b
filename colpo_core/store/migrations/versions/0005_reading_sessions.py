"""Reading sessions: which session, arm, repeat and call a reading belongs to, its active time, and practice cases."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What was read before was read once and unaided. Tables are built anew; each row is copied."""
    _rebuild_presentations()
    _rebuild_readings()
    _make_practice()


def _words(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def _keys(table: str, cases: str = "study_cases") -> tuple[sa.ForeignKeyConstraint, sa.ForeignKeyConstraint]:
    return (
        sa.ForeignKeyConstraint(
            ["study_id", "case_id"],
            [f"{cases}.study_id", f"{cases}.case_id"],
            name=op.f(f"fk_{table}_study_id_case_id_{cases}"),
        ),
        sa.ForeignKeyConstraint(
            ["study_id", "reader_id"],
            ["study_readers.study_id", "study_readers.person_id"],
            name=op.f(f"fk_{table}_study_id_reader_id_study_readers"),
        ),
    )


def _rebuild_presentations() -> None:
    op.create_table(
        "presentations_new",
        sa.Column("token", sa.String(length=60), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("reader_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("session", sa.Integer(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("shown_at", sa.DateTime(), nullable=False),
        *_keys("presentations"),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_presentations")),
        sa.UniqueConstraint(
            "study_id",
            "reader_id",
            "case_id",
            "session",
            "occurrence",
            name=op.f("uq_presentations_study_id_reader_id_case_id_session_occurrence"),
        ),
    )
    op.execute(
        """
        INSERT INTO presentations_new (token, study_id, reader_id, case_id, session, occurrence, shown_at)
        SELECT token, study_id, reader_id, case_id, 1, 1, shown_at FROM presentations
        """
    )
    op.drop_table("presentations")
    op.rename_table("presentations_new", "presentations")


def _rebuild_readings() -> None:
    op.create_table(
        "readings_new",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("reader_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("call", _words(op.f("ck_readings_call"), "normal", "hsil"), nullable=False),
        sa.Column("confidence", sa.Integer(), nullable=False),
        sa.Column("shown_at", sa.DateTime(), nullable=False),
        sa.Column("answered_at", sa.DateTime(), nullable=False),
        sa.Column("session", sa.Integer(), nullable=False),
        sa.Column("arm", _words(op.f("ck_readings_arm"), "unaided", "aided"), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("phase", sa.Integer(), nullable=False),
        sa.Column("active_ms", sa.Integer(), nullable=True),
        sa.CheckConstraint("confidence BETWEEN 0 AND 100", name=op.f("ck_readings_confidence")),
        sa.CheckConstraint("active_ms >= 0", name=op.f("ck_readings_active_ms")),
        *_keys("readings"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readings")),
        sa.UniqueConstraint(
            "study_id",
            "reader_id",
            "case_id",
            "session",
            "occurrence",
            "phase",
            name=op.f("uq_readings_study_id_reader_id_case_id_session_occurrence_phase"),
        ),
    )
    op.execute(
        """
        INSERT INTO readings_new
        SELECT id, study_id, reader_id, case_id, call, confidence, shown_at, answered_at, 1, 'unaided', 1, 1, NULL
        FROM readings
        """
    )
    op.drop_table("readings")
    op.rename_table("readings_new", "readings")
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER readings_refuses_{action.lower()} BEFORE {action} ON readings "
            "BEGIN SELECT RAISE(ABORT, 'readings is append-only'); END"
        )


def _make_practice() -> None:
    op.create_table(
        "study_practice_cases",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("truth", _words(op.f("ck_study_practice_cases_truth"), "normal", "hsil"), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"], ["studies.id"], name=op.f("fk_study_practice_cases_study_id_studies"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_study_practice_cases_case_id_cases")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_study_practice_cases_image_id_images")),
        sa.PrimaryKeyConstraint("study_id", "case_id", name=op.f("pk_study_practice_cases")),
    )
    op.create_table(
        "practice_readings",
        sa.Column("token", sa.String(length=60), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("reader_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("shown_at", sa.DateTime(), nullable=False),
        sa.Column("call", _words(op.f("ck_practice_readings_call"), "normal", "hsil"), nullable=True),
        sa.Column("confidence", sa.Integer(), nullable=True),
        sa.Column("answered_at", sa.DateTime(), nullable=True),
        *_keys("practice_readings", "study_practice_cases"),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_practice_readings")),
        sa.UniqueConstraint(
            "study_id", "reader_id", "case_id", name=op.f("uq_practice_readings_study_id_reader_id_case_id")
        ),
    )
