import pytest
from sqlalchemy import select

from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import designing, refusals
from colpo_core.services.studies.reader_names import reader_names
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, Person, Study
from colpo_core.terms import Label
from tests.conftest import AddCase
from tests.support import store_rows
from tests.support.conducted import make_study


@pytest.fixture
def study_id(administrator: Caller, reader: Caller, add_case: AddCase) -> int:
    add_case(Label.NORMAL), add_case(Label.HSIL)
    return make_study(administrator, [reader])


def noted(store: Store) -> list[tuple[str, str]]:
    rows = store_rows.rows(store, AuditEntry, AuditEntry.action == refusals.ACTION)
    return [(row.subject, row.detail["what"]) for row in rows]


def test_a_readers_refusals_are_counted_for_each_open_study(
    store: Store, administrator: Caller, annotator: Caller, reader: Caller, second_reader: Caller, study_id: int
) -> None:
    other = make_study(administrator, [reader, second_reader], name="Other")
    for _ in range(2):
        refusals.note_refusal(reader, what="page models")
    refusals.note_refusal(second_reader, what="GET /colpo/images/1")
    refusals.note_refusal(annotator, what="page studies")
    with store.reading() as session:
        first, second = (
            refusals.list_refusals(session, one, reader_names(session, session.get_one(Study, one)))
            for one in (study_id, other)
        )
    assert [(one.display_name, one.what, one.times) for one in first] == [("Rita", "page models", 2)]
    assert [(one.display_name, one.times) for one in second] == [("Rita", 2), ("Ruth", 1)]


def test_without_an_open_study_it_stands_in_the_log_alone(administrator: Caller, reader: Caller, study_id: int) -> None:
    designing.close_study(administrator, study_id=study_id, reason="enough")
    refusals.note_refusal(reader, what="x" * 500)
    assert noted(administrator.store) == [(f"person {reader.person_id}", "x" * 200)]


def test_a_locked_store_does_not_break_the_refusal(
    store: Store, reader: Caller, study_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "_PATIENCE_MS", 1)
    with store.writing() as busy:
        busy.execute(select(Person))
        refusals.note_refusal(reader, what="page models")
    assert noted(store) == []
