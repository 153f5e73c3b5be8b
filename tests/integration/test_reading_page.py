"""The page on which readers read, as they walk through it."""

import pytest

from colpo_core.errors import InputRejected
from colpo_core.records.studies.reading_plans import ReadingPlan
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import designing, readings
from colpo_core.terms import Finding, Label
from tests.support.app_pages import OpenPage, said
from tests.support.conducted import make_study, read_on, waiting


def test_the_reading_page_tells_when_the_next_session_opens(
    administrator: Caller, reader: Caller, cases: list[int], open_page: OpenPage
) -> None:
    study_id = make_study(administrator, [reader], ReadingPlan(n_sessions=2))
    assert read_on(reader, study_id, at_most=len(cases)) == len(cases)
    app = open_page(reader, "read", study=study_id)
    assert not app.error
    assert "Session 2 of 2 opens for you on" in said(app)


def test_whoever_may_know_the_answers_does_not_read(administrator: Caller, study_id: int, open_page: OpenPage) -> None:
    app = open_page(administrator, "read", study=study_id)
    assert "Only readers read" in said(app)


def test_a_reader_sees_a_sentence_where_a_study_is_not_open(
    administrator: Caller, reader: Caller, study_id: int, open_page: OpenPage
) -> None:
    assert "You do not read in such a study" in said(open_page(reader, "read", study=study_id))
    designing.open_study(administrator, study_id=study_id)
    assert not open_page(reader, "read", study=study_id).error
    designing.close_study(administrator, study_id=study_id, reason="enough was read")
    assert "This study is closed" in said(open_page(reader, "read", study=study_id))


def test_an_answer_that_did_not_arrive_whole_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from pages._ui.components.answer import answer

    for sent in (None, {}, {"token": "t", "call": "maybe", "confidence": 3}, {"token": "t", "call": "hsil"}):
        monkeypatch.setattr(answer.st, "session_state", {"reading": {"answer": sent}})
        with pytest.raises(InputRejected, match="did not arrive whole"):
            answer.given_answer("reading")
    monkeypatch.setattr(
        answer.st, "session_state", {"reading": {"answer": {"token": "t", "call": "hsil", "confidence": 70}}}
    )
    assert answer.given_answer("reading") == answer.Answer("t", Label.HSIL, 70)
    timed = {"token": "t", "call": "hsil", "confidence": 70, "activeMs": 1500}
    monkeypatch.setattr(answer.st, "session_state", {"reading": {"answer": timed}})
    assert answer.given_answer("reading") == answer.Answer("t", Label.HSIL, 70, 1500)


def test_findings_that_were_chosen_are_there_after_a_reload(
    administrator: Caller, reader: Caller, cases: list[int], open_page: OpenPage
) -> None:
    study_id = make_study(administrator, [reader], ReadingPlan(asks_points=True, asks_findings=True))
    app = open_page(reader, "read", study=study_id)
    (findings,) = app.get("button_group")
    findings.set_value([Finding.MOSAIC]).run()
    again = open_page(reader, "read", study=study_id)
    assert again.get("button_group")[0].value == [Finding.MOSAIC]
    token = waiting(reader, study_id).token
    readings.save_reading_draft(reader, study_id=study_id, token=token, points=[(3.0, 4.0)], findings=[Finding.MOSAIC])
    labels = [one.label for one in open_page(reader, "read", study=study_id).button]
    assert "Set biopsy sites (1 of 6)" in labels


def test_a_reader_who_has_seen_every_case_elsewhere_is_told_that_nothing_is_left(
    administrator: Caller, reader: Caller, cases: list[int], open_page: OpenPage
) -> None:
    first, _second = (make_study(administrator, [reader], name=name) for name in ("First", "Second"))
    assert read_on(reader, first) == len(cases)
    app = open_page(reader, "read")
    assert "Nothing to read" in said(app)
