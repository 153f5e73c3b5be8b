import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from colpo_core.errors import Conflict, InputRejected, PermissionDenied, StudyLocked
from colpo_core.records.studies.results import ReadingTable
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import amendments as study_amendments
from colpo_core.services.studies import designing, presenting
from colpo_core.services.studies import results as study_results
from colpo_core.services.studies.conduct import study_conduct
from colpo_core.services.studies.exports import export_readings
from colpo_core.services.studies.readers import study_orders
from colpo_core.services.studies.rows import get_study
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, Person, Study, StudyCase
from colpo_core.terms import AmendmentKind, Label, Role
from tests.conftest import AddCase, add_person
from tests.support.conducted import make_study, read_on
from tests.support.refusals import refused
from tests.support.store_rows import change_all, get, row, rows, sealed

WHY = "  the first  reader fell ill "


@pytest.fixture
def late(store: Store) -> Caller:
    return add_person(store, "late", Role.READER)


@pytest.fixture
def study_id(administrator: Caller, reader: Caller, second_reader: Caller, add_case: AddCase) -> int:
    for label in (Label.NORMAL, Label.HSIL, Label.NORMAL):
        add_case(label)
    return make_study(administrator, [reader, second_reader])


def seal_holds(store: Store, study_id: int) -> bool:
    return sealed(store, study_id).sha256 == get(store, Study, study_id).seal_sha256


def test_a_reader_who_is_added_reads_all_and_changes_nobodys_order(
    store: Store, administrator: Caller, late: Caller, study_id: int
) -> None:
    with store.reading() as session:
        before = study_orders(session, session.get_one(Study, study_id))
    made = study_amendments.add_reader(administrator, study_id=study_id, reader_id=late.person_id, reason=WHY)
    assert (made.kind, made.reason, made.by) == (AmendmentKind.READER_ADDED, "the first reader fell ill", "Ada")
    with store.reading() as session:
        after = study_orders(session, session.get_one(Study, study_id))
    assert {key: after[key] for key in before} == before
    assert after[late.person_id, 1] not in before.values()
    assert read_on(late, study_id) == 3
    assert seal_holds(store, study_id)
    designing.close_study(administrator, study_id=study_id, reason="enough")
    results = study_results.study_results(administrator, study_id=study_id)
    assert {line.name: line.n_called for line in results.readers} == {"Rita": 0, "Ruth": 0, "Late": 3}
    assert b"Late" in export_readings(administrator, study_id=study_id, table=ReadingTable.CALLS)


def test_a_reader_who_is_taken_off_reads_no_more_and_stays_in_the_results(
    store: Store, administrator: Caller, reader: Caller, second_reader: Caller, study_id: int
) -> None:
    read_on(reader, study_id, at_most=1)
    study_amendments.remove_reader(administrator, study_id=study_id, reader_id=reader.person_id, reason=WHY)
    with pytest.raises(StudyLocked, match="do not read in this study any more"):
        presenting.next_case(reader, study_id=study_id)
    assert presenting.assigned_studies(reader) == ()
    detail = get_study(administrator, study_id=study_id)
    assert {one.display_name: (one.answered, one.total, one.removed) for one in detail.readers} == {
        "Rita": (1, 1, True),
        "Ruth": (0, 3, False),
    }
    read_on(second_reader, study_id)
    designing.close_study(administrator, study_id=study_id)
    results = study_results.study_results(administrator, study_id=study_id)
    assert {line.name: line.n_called for line in results.readers} == {"Rita": 1, "Ruth": 3}
    (amendment,) = study_conduct(administrator, study_id=study_id).amendments
    assert amendment.text == "Rita was taken off the readers; what was read stays"
    assert seal_holds(store, study_id)


def test_a_corrected_question_keeps_the_seal_of_the_first_wording(administrator: Caller, study_id: int) -> None:
    for wording in ("The second wording", "The third wording"):
        study_amendments.correct_question(
            administrator, study_id=study_id, question=wording, reason="a slip of the pen"
        )
    assert seal_holds(administrator.store, study_id)
    assert get_study(administrator, study_id=study_id).study.question == "The third wording"
    texts = [one.text for one in study_conduct(administrator, study_id=study_id).amendments]
    assert texts == [
        "the question was “The first wording” and is “The second wording”",
        "the question was “The second wording” and is “The third wording”",
    ]
    with pytest.raises(InputRejected, match="present wording"):
        study_amendments.correct_question(
            administrator, study_id=study_id, question="The third wording", reason="again"
        )


def test_closing_early_needs_a_reason_and_closing_in_full_needs_none(
    administrator: Caller, reader: Caller, second_reader: Caller, study_id: int
) -> None:
    read_on(reader, study_id)
    with pytest.raises(InputRejected, match="3 of 6 readings are missing"):
        designing.close_study(administrator, study_id=study_id)
    read_on(second_reader, study_id, at_most=1)
    designing.close_study(administrator, study_id=study_id, reason="no more time")
    (amendment,) = study_conduct(administrator, study_id=study_id).amendments
    assert (amendment.text, amendment.reason) == ("closed early, with 2 readings missing", "no more time")
    other = make_study(administrator, [reader], name="Other")
    read_on(reader, other)
    designing.close_study(administrator, study_id=other)
    assert study_conduct(administrator, study_id=other).amendments == ()


def test_amendments_say_why_they_cannot_be_made(
    store: Store,
    administrator: Caller,
    annotator: Caller,
    reader: Caller,
    second_reader: Caller,
    late: Caller,
    study_id: int,
) -> None:
    def add(reader_id: int, reason: str = "why", who: Caller = administrator) -> object:
        return study_amendments.add_reader(who, study_id=study_id, reader_id=reader_id, reason=reason)

    def remove(reader_id: int) -> object:
        return study_amendments.remove_reader(administrator, study_id=study_id, reader_id=reader_id, reason="why")

    refused(PermissionDenied, lambda: add(late.person_id, who=annotator))
    refused(InputRejected, lambda: add(late.person_id, reason="   "), match="Give the reason")
    refused(InputRejected, lambda: add(late.person_id, reason="x" * 2001), match="longer than")
    refused(InputRejected, lambda: add(annotator.person_id), match="role is reader")
    refused(Conflict, lambda: add(reader.person_id), match="already")
    refused(Conflict, lambda: remove(late.person_id), match="does not read")
    remove(reader.person_id)
    refused(Conflict, lambda: remove(reader.person_id), match="taken off it already")
    refused(Conflict, lambda: add(reader.person_id), match="already")
    refused(Conflict, lambda: remove(second_reader.person_id), match="only reader left")
    assert row(store, Person.active, Person.id == late.person_id)
    designing.close_study(administrator, study_id=study_id, reason="enough")
    refused(StudyLocked, lambda: add(late.person_id), match="closed study does not change")


def test_a_draft_and_a_study_that_was_tampered_with_take_none(
    store: Store, administrator: Caller, reader: Caller, late: Caller, study_id: int
) -> None:
    draft = designing.create_study(administrator, name="Draft", reader_ids=[reader.person_id])
    with pytest.raises(StudyLocked, match="draft needs no amendment"):
        study_amendments.add_reader(administrator, study_id=draft.id, reader_id=late.person_id, reason="why")
    change_all(store, StudyCase, StudyCase.study_id == study_id, truth=Label.HSIL)
    with pytest.raises(StudyLocked, match="no longer is what was sealed"):
        study_amendments.add_reader(administrator, study_id=study_id, reader_id=late.person_id, reason="why")


def test_an_amendment_is_for_good_and_in_the_log(administrator: Caller, late: Caller, study_id: int) -> None:
    study_amendments.add_reader(administrator, study_id=study_id, reader_id=late.person_id, reason=WHY)
    with pytest.raises(IntegrityError, match="append-only"), administrator.store.writing() as session:
        session.execute(text("UPDATE study_amendments SET reason = ''"))
    (entry,) = rows(administrator, AuditEntry, AuditEntry.action == "amend study")
    assert (entry.subject, entry.detail) == (f"study {study_id}", {"kind": "reader_added"})


@pytest.mark.parametrize("nothing", ["", "   ", "\n\t", "\u200b", "…"])
def test_a_question_cannot_be_amended_away(administrator: Caller, study_id: int, nothing: str) -> None:
    with pytest.raises(InputRejected, match="cannot be taken away"):
        study_amendments.correct_question(administrator, study_id=study_id, question=nothing, reason="nobody needs it")
    assert get_study(administrator, study_id=study_id).study.question == "The first wording"
    with pytest.raises(InputRejected, match="reason"):
        study_amendments.correct_question(administrator, study_id=study_id, question="A second wording", reason=nothing)
