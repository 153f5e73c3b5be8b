"""The page on which readers read, as they walk through it."""

from collections.abc import Callable
from typing import Any

import pytest

from colpo_core.errors import InputRejected
from colpo_core.records.studies.reading_plans import ReadingPlan
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import designing, presenting, readings
from colpo_core.terms import Finding, Label
from tests.support.app_pages import said
from tests.support.conducted import make_study, read_on

OpenPage = Callable[..., Any]


def test_the_reading_page_tells_when_the_next_session_opens(
    administrator: Caller, reader: Caller, cases: list[int], open_page: OpenPage
) -> None:
    study = designing.create_study(
        administrator, name="Two", reader_ids=[reader.person_id], plan=ReadingPlan(n_sessions=2)
    )
    designing.open_study(administrator, study_id=study.id)
    for _case in cases:
        shown = presenting.next_case(reader, study_id=study.id)
        assert shown is not None
        readings.record_reading(reader, study_id=study.id, token=shown.token, call=Label.HSIL, confidence=90)
    app = open_page(reader, "read", study=study.id)
    assert not app.exception
    assert not app.error
    assert "Session 2 of 2 opens for you on" in said(app)


def test_whoever_may_know_the_answers_does_not_read(administrator: Caller, study_id: int, open_page: OpenPage) -> None:
    app = open_page(administrator, "read", study=study_id)
    assert not app.exception
    assert "Only readers read" in said(app)


def test_a_reader_without_a_study_is_told_so(reader: Caller, open_page: OpenPage) -> None:
    assert "Nothing waits to be read" in said(open_page(reader, "read"))


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
    study = designing.create_study(
        administrator, name="Asking", reader_ids=[reader.person_id],
        plan=ReadingPlan(asks_points=True, asks_findings=True))  # fmt: skip
    designing.open_study(administrator, study_id=study.id)
    app = open_page(reader, "read", study=study.id)
    assert not app.exception
    (findings,) = app.get("button_group")
    findings.set_value([Finding.MOSAIC]).run()
    assert not app.exception
    again = open_page(reader, "read", study=study.id)
    assert again.get("button_group")[0].value == [Finding.MOSAIC]
    shown = presenting.next_case(reader, study_id=study.id)
    assert shown is not None
    readings.save_reading_draft(
        reader, study_id=study.id, token=shown.token, points=[(3.0, 4.0)], findings=[Finding.MOSAIC]
    )
    labels = [one.label for one in open_page(reader, "read", study=study.id).button]
    assert "Set biopsy sites (1 of 6)" in labels


def test_a_reader_who_has_seen_every_case_elsewhere_is_told_that_nothing_is_left(
    administrator: Caller, reader: Caller, cases: list[int], open_page: OpenPage
) -> None:
    first, _second = (make_study(administrator, [reader], name=name) for name in ("First", "Second"))
    assert read_on(reader, first) == len(cases)
    app = open_page(reader, "read")
    assert not app.exception
    assert "Nothing to read" in said(app)
