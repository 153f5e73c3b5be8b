"""Whoever looks at something of a case is exposed to that case, and to what was shown of it alone."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from colpo_core.records.annotations import StartSource
from colpo_core.records.people import Actor
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.services.agreement import adjudication
from colpo_core.services.agreement import overview as agreement
from colpo_core.services.annotations import biopsy_points, confirmation, own_masks, workbench
from colpo_core.services.annotations import starts as starting
from colpo_core.services.annotations import versions as annotation_versions
from colpo_core.services.cases import case as cases
from colpo_core.services.cases import histology
from colpo_core.services.cases import lists as case_lists
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.mask_rows import store_pixels
from colpo_core.services.exports import case_pdf
from colpo_core.services.models import human_ceiling as models_human_ceiling
from colpo_core.services.models import promotion_checks
from colpo_core.services.models import registry as checkpoints
from colpo_core.services.review import desk as review
from colpo_core.services.review import overlays, verdicts
from colpo_core.services.training import retraining
from colpo_core.store import Store
from colpo_core.store.tables import Checkpoint, Person
from colpo_core.terms import (
    AnnotationState,
    Combination,
    ExposureKind,
    Grade,
    MaskOrigin,
    Role,
    SpecimenKind,
    Start,
    Verdict,
)
from tests.conftest import AddCase, add_person
from tests.support.clinic import PredictedClinic
from tests.support.exposures import seen_by
from tests.support.store_rows import get

L, H, P, M, A = (
    ExposureKind.LABEL,
    ExposureKind.HISTOLOGY,
    ExposureKind.PREDICTION,
    ExposureKind.MASK,
    ExposureKind.ANNOTATED,
)


@pytest.fixture
def painter(store: Store, desk: PredictedClinic) -> Caller:
    """Whose masks lie in the clinic."""
    person = get(store, Person, desk.clinic.painter_id)
    return Caller(store, Actor(person.id, person.username, person.display_name, person.role))


def versions_of(store: Store, desk: PredictedClinic) -> tuple[int, int]:
    """Two versions of somebody's mask on the second case's image."""
    annotation_id = desk.cases[1].annotation_id
    assert annotation_id is not None
    desk.clinic.add_version(annotation_id, np.ones((64, 64), bool))
    newest, first = annotation_versions.list_versions(add_person(store, "nobody"), annotation_id=annotation_id)
    return first.version_id, newest.version_id


LOOKS: dict[str, tuple[Callable[[Caller, PredictedClinic], object], set[ExposureKind]]] = {
    "a case": (lambda a, c: cases.get_case(a, case_id=c.cases[1].case_id), {L, P}),
    "a mask": (
        lambda a, c: own_masks.version_mask_overlay(a, version_id=versions_of(a.store, c)[1]),
        {M},
    ),
    "masks": (lambda a, c: own_masks.submitted_masks(a, image_id=c.cases[1].image_id), {M}),
    "the desk": (lambda a, c: workbench.annotation_desk(a, image_id=c.cases[1].image_id), {M}),
    "versions": (
        lambda a, c: annotation_versions.list_versions(a, annotation_id=c.cases[1].annotation_id or 0),
        {M},
    ),
    "two versions": (
        lambda a, c: annotation_versions.compare_versions(
            a, **dict(zip(("first_id", "second_id"), versions_of(a.store, c), strict=True))
        ),
        {M},
    ),
    "an overlay of two": (
        lambda a, c: annotation_versions.comparison_overlay(
            a, **dict(zip(("first_id", "second_id"), versions_of(a.store, c), strict=True))
        ),
        {M},
    ),
    "agreement on an image": (
        lambda a, c: agreement.image_agreement(a, image_id=c.cases[1].image_id),
        {M},
    ),
    "starts": (lambda a, c: starting.start_options(a, image_id=c.cases[1].image_id), {M, P}),
    "a start from the model": (
        lambda a, c: starting.start_from(
            a,
            document_id=own_masks.open_annotation(a, image_id=c.cases[1].image_id).document_id,
            source=StartSource(Start.PROPOSAL, prediction_id=c.predictions[1]),
        ),
        {P, A},
    ),
    "a prediction": (lambda a, c: review.get_prediction(a, prediction_id=c.predictions[1]), {P}),
    "an image's prediction": (lambda a, c: review.find_prediction(a, image_id=c.cases[1].image_id), {P}),
    "the review desk": (lambda a, c: review.open_review(a, prediction_id=c.predictions[1]), {P, L, H}),
    "a predicted mask": (
        lambda a, c: overlays.prediction_mask_png(a, prediction_id=c.predictions[1]),
        {P},
    ),
    "a map": (
        lambda a, c: overlays.prediction_map_png(a, prediction_id=c.predictions[1], name="3ch-hsil"),
        {P},
    ),
    "a verdict": (
        lambda a, c: verdicts.record_review(a, prediction_id=c.predictions[1], verdict=Verdict.AGREE),
        {P},
    ),
    "a specimen": (
        lambda a, c: histology.add_specimen(
            a, case_id=c.cases[1].case_id, kind=SpecimenKind.PUNCH_BIOPSY, grade=Grade.CIN3
        ),
        {H},
    ),
    "biopsy points": (
        lambda a, c: biopsy_points.save_biopsy_points(a, image_id=c.cases[1].image_id, points=[(3, 4)]),
        {A},
    ),
}


@pytest.mark.parametrize("name", LOOKS)
def test_whoever_looks_at_a_case_is_exposed_to_that_case_alone(
    annotator: Caller, desk: PredictedClinic, name: str
) -> None:
    look, kinds = LOOKS[name]
    look(annotator, desk)
    assert seen_by(annotator) == {(desk.cases[1].case_id, kind) for kind in kinds}


def test_a_list_of_cases_shows_the_labels_of_its_page(
    store: Store, annotator: Caller, desk: PredictedClinic, add_case: AddCase
) -> None:
    unlabelled = add_case(None)
    case_lists.list_cases(annotator, limit=3)
    listed = case_lists.list_cases(add_person(store, "other"), limit=3).rows
    labelled = {row.id for row in listed if row.label is not None}
    seen = seen_by(annotator)
    assert {case_id for case_id, kind in seen if kind is L} == labelled != set()
    assert unlabelled in {row.id for row in listed}
    assert unlabelled not in {case_id for case_id, _ in seen}


def test_queues_show_what_they_name(annotator: Caller, desk: PredictedClinic) -> None:
    review.list_for_review(annotator)
    assert seen_by(annotator) == {(one.case_id, P) for one in desk.cases}


def test_masks_that_wait_are_shown_to_whoever_lists_confirms_or_rejects_them(
    store: Store, annotator: Caller, desk: PredictedClinic
) -> None:
    waiting = [
        desk.clinic.add_case(state=AnnotationState.TO_CONFIRM, origin=MaskOrigin.CHORD, masked=True) for _ in range(2)
    ]
    confirmation.list_to_confirm(annotator)
    assert seen_by(annotator) == {(one.case_id, M) for one in waiting}
    judge = add_person(store, "judge")
    confirmation.confirm_annotation(judge, annotation_id=waiting[0].annotation_id or 0)
    confirmation.reject_annotation(judge, annotation_id=waiting[1].annotation_id or 0, reason="wrong")
    assert seen_by(judge) == {(one.case_id, M) for one in waiting}


def test_adjudicators_see_the_masks_that_they_judge(
    store: Store, administrator: Caller, annotator: Caller, desk: PredictedClinic
) -> None:
    case = desk.cases[1]
    opened = own_masks.open_annotation(annotator, image_id=case.image_id)
    with store.writing() as session:
        rle = store_pixels(session, np.tri(64, dtype=bool)).rle
    saved = own_masks.save_draft(annotator, document_id=opened.document_id, base_seq=0, rle=rle)
    own_masks.submit_annotation(annotator, document_id=opened.document_id, seq=saved.seq)
    assert seen_by(annotator) == {(case.case_id, A)}
    masks = agreement.image_agreement(add_person(store, "other"), image_id=case.image_id).versions
    ids = [one.version_id for one in masks]
    adjudication.combination_overlay(
        administrator, image_id=case.image_id, combination=Combination.UNION, version_ids=ids
    )
    assert seen_by(administrator) == {(case.case_id, M)}
    senior = add_person(store, "senior", Role.ADMINISTRATOR)
    adjudication.take_mask(senior, version_id=ids[0])
    assert (case.case_id, M) in seen_by(senior)
    overview = add_person(store, "overview")
    agreement.agreement_overview(overview)
    adjudication.list_adjudications(overview)
    assert seen_by(overview) == {(case.case_id, M)}


def test_ones_own_masks_expose_to_nothing_more(painter: Caller, desk: PredictedClinic) -> None:
    own_masks.submitted_masks(painter, image_id=desk.cases[1].image_id)
    assert seen_by(painter) == set()


def name_cases(store: Store, desk: PredictedClinic) -> tuple[int, int]:
    """Let the card name one case that a network calls both ways, and one by its label and prediction."""
    flipped, judged = desk.cases[0].case_id, desk.cases[1].case_id
    named = {
        "repeatability": {"4ch": {"flips": [{"case_id": flipped}, {"case_id": 987_654}]}},
        "predictions": [{"case_id": judged, "label": "hsil"}],
    }
    with store.writing() as session:
        row = session.get_one(Checkpoint, desk.checkpoint_id)
        row.card = {**row.card, "metrics": {**row.card["metrics"], **named, "validation": named}}
    return flipped, judged


def test_a_card_exposes_to_the_cases_that_it_names(store: Store, annotator: Caller, desk: PredictedClinic) -> None:
    flipped, judged = name_cases(store, desk)
    checkpoints.get_checkpoint(annotator, checkpoint_id=desk.checkpoint_id)
    assert seen_by(annotator) == {(flipped, P)}
    checkpoints.whole_checkpoint(annotator, checkpoint_id=desk.checkpoint_id)
    assert seen_by(annotator) == {(flipped, P), (judged, P), (judged, L)}


def test_whoever_wants_a_models_name_or_figures_is_exposed_to_no_case(
    store: Store, annotator: Caller, administrator: Caller, desk: PredictedClinic
) -> None:
    name_cases(store, desk)
    (listed,) = checkpoints.list_checkpoints(annotator)
    found = checkpoints.find_checkpoint(annotator, name=str(desk.checkpoint_id))
    assert found == listed == checkpoints.find_checkpoint(annotator, name=listed.name)
    assert "case_id" not in json.dumps(listed.card), "what is not noted is not handed out"
    promotion_checks.check_promotion(annotator, checkpoint_id=desk.checkpoint_id)
    models_human_ceiling.human_ceiling(annotator, checkpoint_id=desk.checkpoint_id)
    settings = TrainingSettings()
    retraining.rule_like(annotator, snapshot_id=desk.snapshot_id, settings=settings, every_days=30, at_new_labels=None)
    assert seen_by(annotator) == set()


def test_whoever_opens_the_review_page_is_exposed_to_the_case_that_it_shows(
    administrator: Caller, desk: PredictedClinic, open_page: Callable[..., AppTest]
) -> None:
    assert not open_page(administrator, "review").exception
    assert {case_id for case_id, _ in seen_by(administrator)} == {desk.cases[0].case_id}


def test_the_page_of_a_case_shows_no_annotators_mask_and_the_rings_no_label(
    store: Store, annotator: Caller, desk: PredictedClinic
) -> None:
    overlays.prediction_sites_png(annotator, prediction_id=desk.predictions[1])
    case_id = desk.cases[1].case_id
    assert seen_by(annotator) == {(case_id, P)}
    other = add_person(store, "other")
    case_pdf.case_report_pdf(other, case_id=case_id)
    assert seen_by(other) == {(case_id, P), (case_id, L)}


def test_whoever_fills_in_the_form_beside_the_editor_sees_no_prediction(
    annotator: Caller, desk: PredictedClinic
) -> None:
    case_id = desk.cases[1].case_id
    found = cases.get_case(annotator, case_id=case_id, with_predictions=False)
    assert [(one.prediction_id, one.prob_hsil) for one in found.images] == [(None, None)]
    assert seen_by(annotator) == {(case_id, L)}
