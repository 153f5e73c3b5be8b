from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from colpo_core.store import Store
from colpo_core.store.dialects import among, month_of, seconds_now
from colpo_core.store.tables import Base, Case, Patient


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.sets(st.integers(-5, 40)))
def test_among_is_what_it_says(numbers: set[int]) -> None:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(Patient(id=number, code=f"p{number}") for number in range(1, 31))
        session.flush()
        found = set(session.scalars(select(Patient.id).where(among(Patient.id, numbers))))
        rest = set(session.scalars(select(Patient.id).where(~among(Patient.id, numbers))))
    assert found == numbers & set(range(1, 31))
    assert rest == set(range(1, 31)) - numbers
    engine.dispose()


def test_the_clock_and_the_month(store: Store) -> None:
    with store.writing() as session:
        session.add(Case(patient=Patient(code="p"), case_date=date(2026, 3, 9)))
        session.flush()
        assert session.scalars(select(month_of(Case.case_date))).one() == "2026-03"
        first, second = session.scalars(select(seconds_now())).one(), session.scalars(select(seconds_now())).one()
    assert 1.7e9 < first <= second < first + 60


def test_postgresql_is_told_in_its_own_words() -> None:
    words = str(
        select(among(Case.id, [1, 2]), seconds_now(), month_of(Case.case_date)).compile(dialect=postgresql.dialect())
    )
    assert "jsonb_array_elements_text" in words
    assert "clock_timestamp()" in words
    assert "to_char" in words
