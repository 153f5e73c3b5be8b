"""Whether the summaries of cases say what the other tables say, whatever is done to a case."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from colpo_core.services.common.callers import Caller
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.case_summaries import sum_up
from colpo_core.store.tables import (
    Annotation,
    Case,
    CaseAgreement,
    CaseLabel,
    CaseReviewer,
    CaseSummary,
    Image,
    Patient,
    Prediction,
    Promotion,
    Review,
)
from colpo_core.terms import AnnotationState, Grade, Label, Outcome, ReviewState, Stage, Verdict
from tests.conftest import add_person
from tests.support.clinic import PredictedClinic, draw


def rows(store: Store) -> list[tuple[Any, ...]]:
    tables = [list(table.__table__.columns) for table in (CaseSummary, CaseReviewer)]
    with store.reading() as session:
        return [tuple(row) for columns in tables for row in session.execute(select(*columns).order_by(*columns[:2]))]


def of(store: Store, case_id: int) -> CaseSummary:
    with store.reading() as session:
        return session.get_one(CaseSummary, case_id)


def test_a_summary_says_what_stands_in_ten_tables(store: Store, desk: PredictedClinic) -> None:
    normal, severe, invasive = (of(store, case.case_id) for case in desk.cases)
    assert (normal.prob_hsil_3ch, normal.prob_hsil_4ch, normal.margin) == (0.4, 0.6, 0.0)
    assert normal.networks_differ
    assert [one.outcome for one in (normal, severe, invasive)] == [Outcome.FALSE_POSITIVE, Outcome.TRUE_POSITIVE, None]
    assert [one.flagged for one in (normal, severe, invasive)] == [False, False, True]
    assert {one.review_state for one in (normal, severe, invasive)} == {ReviewState.WAITING}
    assert (normal.n_images, normal.n_unannotated, normal.n_annotators, normal.has_submitted) == (1, 0, 1, True)
    assert normal.examined_on == normal.created_at.date()
    assert normal.patient_key == "p1"


def test_the_gravest_verdict_of_a_case_counts_and_of_each_reviewer_the_newest(
    store: Store, desk: PredictedClinic
) -> None:
    first, second = add_person(store, "first"), add_person(store, "second")
    given_ = [(first, Verdict.OVERRULE), (second, Verdict.AGREE), (first, Verdict.AGREE)]
    expected = [ReviewState.OVERRULED, ReviewState.OVERRULED, ReviewState.AGREED]
    for (person, verdict), state in zip(given_, expected, strict=True):
        with store.writing() as session:
            session.add(Review(prediction_id=desk.predictions[0], reviewer_id=person.person_id, verdict=verdict))
        assert of(store, desk.cases[0].case_id).review_state is state
    with store.reading() as session:
        kept = session.execute(select(CaseReviewer.reviewer_id, CaseReviewer.verdict)).all()
    assert {tuple(row) for row in kept} == {
        (first.person_id, Verdict.AGREE),
        (second.person_id, Verdict.AGREE),
    }


def test_another_current_model_changes_all_that_rests_on_the_model(
    store: Store, administrator: Caller, desk: PredictedClinic
) -> None:
    case_id = desk.cases[0].case_id
    other = desk.add_checkpoint("model-2", administrator)
    summary = of(store, case_id)
    assert (summary.prob_hsil_4ch, summary.outcome, summary.review_state) == (None, None, None)
    desk.predict(desk.cases[0].image_id, other)
    assert of(store, case_id).outcome is Outcome.FALSE_POSITIVE


def test_a_painted_stroke_alone_sums_up_nothing(store: Store, desk: PredictedClinic) -> None:
    """Strokes come many times a second; only how far an annotation is stands in the summary."""
    case = desk.cases[0]
    with store.writing() as session:
        session.execute(delete(CaseSummary).where(CaseSummary.case_id == case.case_id))
    with store.writing() as session:
        session.get_one(Annotation, case.annotation_id).draft_seq += 1
    with store.reading() as session:
        assert session.get(CaseSummary, case.case_id) is None
    with store.writing() as session:
        session.get_one(Annotation, case.annotation_id).state = AnnotationState.REJECTED
    summary = of(store, case.case_id)
    assert (summary.has_rejected, summary.awaits_annotation, summary.n_annotators) == (True, True, 0)


def test_what_was_kept_of_the_annotators_agreement_goes_with_a_new_mask(store: Store, desk: PredictedClinic) -> None:
    first, second = desk.cases[:2]
    with store.writing() as session:
        session.add_all(CaseAgreement(case_id=case.case_id, lowest_dice=0.5) for case in (first, second))
    _rgb, mask = draw(1, lesion=True)
    desk.clinic.add_version(first.annotation_id or 0, mask)
    with store.reading() as session:
        assert session.scalars(select(CaseAgreement.case_id)).all() == [second.case_id]


@pytest.mark.usefixtures("desk")
def test_a_store_without_summaries_gets_them_when_it_is_opened(store: Store) -> None:
    before = rows(store)
    with store.writing() as session:
        session.execute(delete(CaseSummary))
    again = Store.open(store.settings)
    assert rows(again) == before
    again.close()


def change(store: Store, table: type, row_id: int, **values: object) -> None:
    with store.writing() as session:
        row = session.get_one(table, row_id)
        for name, value in values.items():
            setattr(row, name, value)


def relabel(store: Store, case_id: int, label: Label | None, grade: Grade) -> None:
    with store.writing() as session:
        for row in session.scalars(select(CaseLabel).where(CaseLabel.case_id == case_id)):
            row.label, row.grade, row.flagged = label, grade, label is None


def judge(store: Store, prediction_id: int, person_id: int, verdict: Verdict) -> None:
    with store.writing() as session:
        session.add(Review(prediction_id=prediction_id, reviewer_id=person_id, verdict=verdict))


def promote(store: Store, checkpoint_id: int, person_id: int) -> None:
    with store.writing() as session:
        session.add(Promotion(checkpoint_id=checkpoint_id, promoted_by=person_id, reason="r"))


DEEDS: tuple[Callable[[Store, PredictedClinic, int, int], object], ...] = (
    lambda s, c, n, _k: relabel(s, c.cases[n].case_id, Label.HSIL, Grade.CIN2),
    lambda s, c, n, _k: relabel(s, c.cases[n].case_id, None, Grade.INVASIVE_CARCINOMA),
    lambda s, c, n, k: judge(s, c.predictions[n], c.clinic.painter_id, list(Verdict)[k % len(Verdict)]),
    lambda s, c, n, _k: judge(s, c.predictions[n], 1, Verdict.AGREE),
    lambda s, c, n, k: change(s, Annotation, c.cases[n].annotation_id or 0, state=list(AnnotationState)[k]),
    lambda s, c, n, k: change(s, Image, c.cases[n].image_id, stage=list(Stage)[k]),
    lambda s, c, n, k: change(s, Image, c.cases[n].image_id, shows_cervix=bool(k % 2)),
    lambda s, c, n, k: change(s, Case, c.cases[n].case_id, device=f"device {k}", case_date=date(2020, 1, 1 + k)),
    lambda s, c, n, k: change(s, Patient, c.cases[n].patient_id, code=f"Other-{n}-{k}"),
    lambda s, c, n, k: change(s, Prediction, c.predictions[n], prob_hsil_4ch=k / 4),
    lambda s, c, _n, k: promote(s, 1 + k % 2, 1),
    lambda s, c, _n, _k: c.clinic.add_case(),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, len(DEEDS) - 1), st.integers(0, 2), st.integers(0, 3)), max_size=8))
def test_whatever_is_done_the_summaries_are_those_of_the_tables(deeds: list[tuple[int, int, int]]) -> None:
    with TemporaryDirectory() as folder:
        store = Store.open(Settings(data_dir=Path(folder)))
        clinic = PredictedClinic(add_person(store, "ada"))
        clinic.add_checkpoint("model-2", None)
        for deed, case, kind in deeds:
            DEEDS[deed](store, clinic, case, kind)
        kept = rows(store)
        with store.writing() as session:
            sum_up(session, None)
        assert rows(store) == kept
        store.close()
