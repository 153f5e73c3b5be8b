from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, StatementError

from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, Case, Patient, Person, SignInSession
from colpo_core.terms import Colposcopy, Role
from tests.support.threads import errors_of_all


def test_the_settings_that_lose_nothing_are_on(store: Store) -> None:
    with store.reading() as session:
        pragmas = {
            name: session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_failed_deed_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.writing() as session:
        session.add(Patient(code="P1"))
        session.flush()
        raise RuntimeError
    with store.reading() as session:
        assert session.scalars(select(Patient)).all() == []


def test_read_then_write_is_never_refused_by_another_writer(store: Store) -> None:
    """A deferred transaction that reads and then writes fails when somebody wrote in between; ours waits its turn."""
    with store.writing() as session:
        session.add(Patient(code="0"))

    def count_up() -> None:
        for _ in range(10):
            with store.writing() as session:
                patient = session.scalars(select(Patient)).one()
                patient.code = str(int(patient.code) + 1)

    assert errors_of_all(count_up) == []
    with store.reading() as session:
        assert session.scalars(select(Patient.code)).one() == "60"


def test_times_are_utc_on_both_ways(store: Store) -> None:
    seoul = timezone(timedelta(hours=9))
    with store.writing() as session:
        person = Person(username="p", display_name="P", role=Role.READER)
        session.add(person)
        session.flush()
        session.add(
            SignInSession(token_sha256="0" * 64, person_id=person.id, expires_at=datetime(2026, 5, 1, 9, tzinfo=seoul))
        )
    with store.reading() as session:
        assert session.scalars(select(SignInSession.expires_at)).one() == datetime(2026, 5, 1, 0, tzinfo=UTC)
    with pytest.raises(StatementError, match="without a zone"), store.writing() as session:
        session.add(SignInSession(token_sha256="1" * 64, person_id=1, expires_at=datetime(2026, 5, 1)))  # noqa: DTZ001


def test_the_log_and_what_hangs_on_it_cannot_be_rewritten(store: Store) -> None:
    with store.writing() as session:
        session.add(AuditEntry(action="sign in", subject="person 1"))
    for statement in ("UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log"):
        with pytest.raises(IntegrityError, match="append-only"), store.writing() as session:
            session.execute(text(statement))


def test_rules_stand_in_the_schema(store: Store) -> None:
    with store.writing() as session:
        patient = Patient(code="P1")
        session.add(patient)
        session.flush()
    wrong = [
        Case(patient_id=patient.id, age_years=200),
        Case(patient_id=patient.id, swede_total=11),
        Case(patient_id=999),
    ]
    for case in wrong:
        with pytest.raises(IntegrityError), store.writing() as session:
            session.add(case)
    with pytest.raises(IntegrityError), store.writing() as session:
        session.execute(text("INSERT INTO patients (code, simulated, created_at) VALUES ('P1', 0, '2026-01-01')"))


def test_two_edits_of_one_case_do_not_overwrite_each_other(store: Store) -> None:
    from sqlalchemy.orm.exc import StaleDataError

    with store.writing() as session:
        patient = Patient(code="P1", cases=[Case(colposcopy=Colposcopy.NOT_RECORDED)])
        session.add(patient)
    case = patient.cases[0]
    with store.writing() as session:
        session.get_one(Case, case.id).device = "first"
    case.device = "second"
    with pytest.raises(StaleDataError), store.writing() as session:
        session.add(case)


def test_what_was_read_can_still_be_looked_at_afterwards(store: Store) -> None:
    with store.writing() as session:
        session.add(Patient(code="P1"))
    with store.reading() as session:
        patient = session.scalars(select(Patient)).one()
    assert patient.code == "P1"
