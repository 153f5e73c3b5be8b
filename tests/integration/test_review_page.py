"""The page Review, run as the shell runs it."""

from typing import Any

import pytest

from colpo_core.services.annotations import own_masks
from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs import control as jobs
from colpo_core.services.overview import figures_cache
from colpo_core.services.review import desk as review
from colpo_core.store import Store
from colpo_core.store.tables import AnnotationVersion, Job, Prediction, WhatIf
from colpo_core.terms import Change, Finding, JobKind, JobState, ReviewReason, Stage, Start, Verdict
from tests.support.app_pages import OpenPage, labels, press, words_of, write
from tests.support.clinic import PredictedClinic, do_something
from tests.support.handed_out import hand_out, paint_and_submit


def test_review_takes_verdicts_one_after_the_other(
    desk: PredictedClinic, annotator: Caller, open_page: OpenPage
) -> None:
    app = open_page(annotator, "review")
    assert "3 waiting" in words_of(app)
    assert "No positive evidence" in words_of(app)
    assert list(app.dataframe[0].value[""]) == ["In the model's mask"]
    press(app, "Overrule")
    assert "Say why you overrule" in words_of(app)
    press(app, "Agree")
    assert "You agreed" in words_of(app)
    assert "2 waiting" in words_of(app)
    press(app, "Next")
    assert list(app.dataframe[0].value[""]) == ["In the model's mask"], "before my verdict"
    write(app, "In your own words", "the mask covers a reflection")
    press(app, "Overrule")
    assert "You overruled" in words_of(app)
    shown = app.dataframe[0].value
    assert list(shown[""]) == ["In the model's mask", "In the mask of Painter"]
    opened = review.open_review(annotator, prediction_id=desk.predictions[1])
    assert (opened.reviews[0].verdict, opened.reviews[0].reason) == (Verdict.OVERRULE, "the mask covers a reflection")
    press(app, "Next")
    press(app, "Agree")
    app = open_page(annotator, "review")
    assert "You have reviewed every prediction" in words_of(app)


def test_a_reviewer_who_is_unsure_chooses_why(desk: PredictedClinic, annotator: Caller, open_page: OpenPage) -> None:
    app = open_page(annotator, "review")
    press(app, "Unsure")
    assert "Say why you are unsure" in words_of(app)
    app.selectbox(key=f"because_{desk.predictions[0]}").set_value(ReviewReason.IMAGE_QUALITY).run()
    press(app, "Unsure")
    assert "**You were unsure.** The image does not show enough" in words_of(app)
    opened = review.open_review(annotator, prediction_id=desk.predictions[0])
    assert opened.reviews[0].because is ReviewReason.IMAGE_QUALITY
    assert "unsure 1" in words_of(open_page(annotator, "dashboard", tab="model"))


@pytest.mark.usefixtures("desk")
def test_figures_that_stand_say_since_when(
    administrator: Caller, annotator: Caller, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = ("", "dashboard")
    assert all("its figures stand" not in words_of(open_page(annotator, page)) for page in pages)
    monkeypatch.setattr(figures_cache, "SLOW_SECONDS", 0.0)
    monkeypatch.setattr(figures_cache, "STANDING_FACTOR", 1e9)  # they stand ten minutes, however fast they are counted
    do_something(administrator)
    assert all("its figures stand" in words_of(open_page(annotator, page)) for page in pages)


def test_a_damaged_file_is_said_and_the_page_goes_on(
    desk: PredictedClinic, store: Store, annotator: Caller, open_page: OpenPage
) -> None:
    with store.reading() as session:
        store.blobs.path(session.get_one(Prediction, desk.predictions[0]).maps_sha256).unlink()
    app = open_page(annotator, "review", prediction=desk.predictions[0])
    assert "The Grad-CAM maps cannot be shown" in words_of(app)
    assert "No positive evidence" not in words_of(app)
    press(app, "Agree")
    assert "You agreed" in words_of(app)


def test_the_models_mask_is_opened_for_correction(
    desk: PredictedClinic, annotator: Caller, open_page: OpenPage
) -> None:
    app = open_page(annotator, "review")
    press(app, "Correct the mask")
    assert "correct it, then submit" in words_of(app)
    mine = own_masks.open_annotation(annotator, image_id=desk.cases[0].image_id)
    assert mine.start is Start.PROPOSAL


def test_review_opens_by_image_and_offers_to_predict_what_is_missing(
    desk: PredictedClinic, annotator: Caller, open_page: OpenPage, placed: list[int]
) -> None:
    missing = desk.clinic.add_case(patient_id=1, simulated=True).image_id
    assert "image 2" in words_of(open_page(annotator, "review", image=2))
    app = open_page(annotator, "review", image=missing)
    assert f"Image {missing} has no prediction yet" in words_of(app)
    press(app, "Predict it now")
    (job,) = jobs.list_jobs(annotator)
    assert job.settings.image_ids == (missing,)
    assert "There is no prediction 99" in words_of(open_page(annotator, "review", prediction=99))


@pytest.mark.parametrize("kind", [{"stage": Stage.LUGOL}, {"shows_cervix": False}])
def test_an_image_that_no_model_reads_says_so(
    desk: PredictedClinic, annotator: Caller, open_page: OpenPage, kind: dict[str, Any]
) -> None:
    case = desk.clinic.add_case(**kind)
    app = open_page(annotator, "review", image=case.image_id)
    assert f"Image {case.image_id} gets no prediction" in words_of(app)
    assert "Predict it now" not in labels(app)


def test_what_changes_with_the_mask_is_asked_for_and_others_masks_open_with_the_verdict(
    desk: PredictedClinic, store: Store, annotator: Caller, open_page: OpenPage, placed: list[int]
) -> None:
    app = open_page(annotator, "review", prediction=desk.predictions[0])
    assert "older than the comparison of cases" in words_of(app)
    press(app, "Work it out")
    (job,) = jobs.list_jobs(annotator, kind=JobKind.EXPLAIN)
    assert placed == [job.id]
    assert job.settings.prediction_id == desk.predictions[0]
    with store.writing() as session:
        row = session.get_one(Job, job.id)
        row.state = JobState.DONE
        version = session.query(AnnotationVersion).filter_by(annotation_id=desk.cases[0].annotation_id).one()
        for change, finding, version_id, prob in (
            (Change.MASK_EMPTIED, None, None, 0.31),
            (Change.MASK_OF_EXPERT, Finding.ACETOWHITE, version.id, 0.87),
        ):
            session.add(
                WhatIf(
                    prediction_id=desk.predictions[0], change=change, finding=finding, version_id=version_id,
                    prob_hsil_3ch=0.4, prob_hsil_4ch=prob,
                )
            )  # fmt: skip
    app = open_page(annotator, "review", prediction=desk.predictions[0])
    table = next(one.value for one in app.dataframe if "HSIL, 4 channels" in one.value.columns)
    assert list(table[""]) == ["As predicted", "Fourth channel emptied"]
    assert list(table["HSIL, 4 channels"]) == ["60%", "31%"]
    assert list(table["Change"]) == ["+0", "-29"]
    assert list(table["Calls"]) == ["hsil", "normal"]
    assert "What others' masks change opens with your verdict" in words_of(app)
    press(app, "Agree")
    table = next(one.value for one in app.dataframe if "HSIL, 4 channels" in one.value.columns)
    assert list(table[""])[-1] == "Fourth channel by Painter"


def test_review_says_why_it_keeps_the_models_output_back(
    desk: PredictedClinic, administrator: Caller, annotator: Caller, open_page: OpenPage
) -> None:
    hand_out(administrator, (annotator.person_id,), proposals=False)
    image_id = desk.cases[0].image_id
    for address in ({"prediction": desk.predictions[0]}, {"image": image_id}):
        app = open_page(annotator, "review", **address)
        (told,) = app.info
        assert told.value == "Your task keeps the model's output back until you have submitted or skipped this image."
        assert not app.metric
        assert [button.label for button in app.button if button.label in ("Agree", "Overrule", "Predict it now")] == []
    app = open_page(annotator, "review")
    assert "Of 3 images your task keeps the model's output back until you have submitted or skipped them" in words_of(
        app
    )
    assert not app.metric
    paint_and_submit(annotator, image_id)
    app = open_page(annotator, "review")
    assert "1 waiting" in words_of(app)
    assert [metric.label for metric in app.metric] == ["HSIL, 4 channels", "HSIL, 3 channels"]
    assert len(open_page(administrator, "review", image=desk.cases[1].image_id).metric) == 2
