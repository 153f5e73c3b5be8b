"""The pages Train, Models and Review, run as the shell runs them."""

import shutil
from collections.abc import Callable
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from colpo_core.records.people import Actor
from colpo_core.records.snapshots import snapshots as snapshots_snapshots
from colpo_core.records.training.settings import TrainingSettings, preset
from colpo_core.services.annotations import own_masks
from colpo_core.services.jobs import control as jobs
from colpo_core.services.jobs.leases import claim_job
from colpo_core.services.models import registry as models_registry
from colpo_core.services.overview import figures_cache
from colpo_core.services.review import desk as review
from colpo_core.services.snapshots import external_sets as snapshots_external_sets
from colpo_core.services.snapshots import freezing
from colpo_core.services.training import starting
from colpo_core.store import Store
from colpo_core.store.tables import AnnotationVersion, Job, JobEvent, Prediction, WhatIf
from colpo_core.terms import (
    Change,
    Finding,
    JobKind,
    JobState,
    MaskPolicy,
    ReviewReason,
    Split,
    Stage,
    Start,
    Verdict,
)
from tests.support.app_pages import press, words_of
from tests.support.clinic import Clinic, PredictedClinic, do_something
from tests.support.handed_out import hand_out, paint_and_submit
from tests.support.several_processes import square, submit
from tests.support.snapshots import manifest_of

Open = Callable[..., Any]


@pytest.fixture
def clinic(store: Store) -> Clinic:
    clinic = Clinic(store)
    clinic.add_cohort(12, simulated=True)
    return clinic


def write(app: Any, label: str, text: str) -> Any:
    return next(field for field in app.text_input if field.label == label).set_value(text)


def test_train_says_what_is_missing_in_an_empty_clinic(annotator: Actor, open_page: Open) -> None:
    app = open_page(annotator, "train")
    assert not app.exception
    assert "Nothing can be frozen yet" in app.error[0].value
    assert "Freeze a snapshot first" in words_of(app)


def test_train_freezes_and_starts_with_two_clicks(
    store: Store, annotator: Actor, clinic: Clinic, open_page: Open, placed: list[int]
) -> None:
    clinic.add_case(shows_cervix=False)
    app = open_page(annotator, "train")
    assert not app.exception
    assert any("Left out, and why (1)" in one.label for one in app.expander)
    press(app, "Freeze snapshot")
    (snapshot,) = freezing.list_snapshots(store, actor=annotator)
    assert f"“{snapshot.name}” is frozen" in words_of(app)
    press(app, "Start training")
    (job,) = jobs.list_jobs(store, actor=annotator)
    assert (job.snapshot_id, job.state, placed) == (snapshot.id, JobState.QUEUED, [job.id])
    assert TrainingSettings.from_dict(job.settings) == preset("quick")
    assert f"Training {job.id}" in words_of(app)
    press(app, "Start training")
    assert "already under way" in words_of(app)
    press(app, "Cancel")
    assert jobs.get_job(store, actor=annotator, job_id=job.id).state is JobState.CANCELLED
    assert not app.exception


def test_train_takes_every_setting_by_its_kind(
    store: Store, annotator: Actor, clinic: Clinic, open_page: Open, placed: list[int]
) -> None:
    freezing.freeze_snapshot(store, actor=annotator, query=snapshots_snapshots.SnapshotQuery("first"))
    app = open_page(annotator, "train")
    app.selectbox(key="quick_classifier").set_value("resnet50")
    app.toggle(key="quick_flips").set_value(False).run()
    assert "switch Flips on too" in app.error[0].value
    app.toggle(key="quick_average_flips").set_value(False)
    app.number_input(key="quick_folds").set_value(4)
    app.number_input(key="quick_blur_px").set_value(1.5)
    app.text_input(key="quick_pretrained").set_value("imagenet")
    app.selectbox(key="quick_threshold_rule").set_value("sensitivity_90").run()
    assert "its figures leak" not in words_of(app)
    app.selectbox(key="quick_protocol").set_value("paper").run()
    assert "its figures leak and flatter the model" in words_of(app)
    press(app, "Start training")
    assert not app.exception
    (job,) = jobs.list_jobs(store, actor=annotator)
    assert TrainingSettings.from_dict(job.settings) == TrainingSettings(
        classifier="resnet50", flips=False, folds=4, blur_px=1.5, pretrained="imagenet",
        threshold_rule="sensitivity_90", protocol="paper",
    )  # fmt: skip


def test_train_refuses_what_cannot_be_trained(
    store: Store, annotator: Actor, clinic: Clinic, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    freezing.freeze_snapshot(store, actor=annotator, query=snapshots_snapshots.SnapshotQuery("first"))
    monkeypatch.setattr("pages._ui.training.settings_form.available", lambda entry: entry.needs is None)
    app = open_page(annotator, "train")
    assert "Not installed here: U-Net on ResNet-34" in words_of(app)
    assert "U-Net on ResNet-34 (not installed)" in app.selectbox(key="quick_segmenter").options
    app.selectbox(key="quick_segmenter").set_value("unet_resnet34").run()
    assert "U-Net on ResNet-34 needs the optional packages" in app.error[0].value
    assert "Start training" not in [button.label for button in app.button]
    app.selectbox(key="quick_segmenter").set_value("segnet_vgg19")
    app.number_input(key="quick_height_px").set_value(100).run()
    assert "multiple of 32" in app.error[0].value


def test_train_warns_of_labels_by_impression(store: Store, annotator: Actor, clinic: Clinic, open_page: Open) -> None:
    for score in (2, 8) * 3:
        clinic.add_case(grades=(), swede_score=score)
    app = open_page(annotator, "train")
    app.segmented_control(key="label_source").set_value("impression").run()
    assert "not histology" in words_of(app)
    press(app, "Freeze snapshot")
    (snapshot,) = freezing.list_snapshots(store, actor=annotator)
    assert snapshot.label_source.value == "impression"


def test_train_lets_one_choose_which_masks_count(
    store: Store, annotator: Actor, clinic: Clinic, open_page: Open
) -> None:
    several = clinic.add_case(simulated=True)
    submit(store, annotator, several.image_id, square(10, 10))
    app = open_page(annotator, "train")
    assert "Masks: the newest mask of each image (13 painted)" in words_of(app).replace("\\", "")
    app.selectbox(key="mask_policy").set_value(MaskPolicy.STAPLE).run()
    assert "STAPLE of the annotators' masks (12 painted, 1 staple)" in words_of(app).replace("\\", "")
    app.selectbox(key="mask_policy").set_value(MaskPolicy.ADJUDICATED).run()
    assert "adjudicated masks (12 painted)" in words_of(app).replace("\\", "")
    app.selectbox(key="mask_policy").set_value(MaskPolicy.ANNOTATOR).run()
    assert not app.exception
    app.selectbox(key="mask_annotator").set_value(annotator.person_id).run()
    assert "the masks of Anna (1 painted)" in words_of(app).replace("\\", "")
    press(app, "Freeze snapshot")
    (snapshot,) = freezing.list_snapshots(store, actor=annotator)
    assert (snapshot.mask_policy, snapshot.mask_annotator) == (MaskPolicy.ANNOTATOR, "Anna")
    assert "the masks of Anna" in app.selectbox(key="train_snapshot").options[0]
    assert not app.exception


def test_train_keeps_patients_as_an_external_test_set(
    store: Store, annotator: Actor, clinic: Clinic, open_page: Open, placed: list[int]
) -> None:
    dated = [clinic.add_case(case_date=date(2026, 5, day), simulated=True) for day in (1, 2)]
    app = open_page(annotator, "train")
    app.date_input(key="snapshot_from").set_value(date(2026, 5, 1)).run()
    assert "Left out, and why (12)" in [one.label for one in app.expander]
    app.text_input(key="snapshot_patients").set_value("p13; P14").run()
    app.checkbox(key="keep_external").check().run()
    assert "No training may touch these patients" in words_of(app)
    assert not app.slider, "an external test set has no sides to share out"
    press(app, "Freeze external test set")
    assert not app.exception
    (kept,) = snapshots_external_sets.external_sets(store, actor=annotator)
    assert (kept.external, kept.count("patients"), kept.count("images", Split.TEST)) == (True, 2, 2)
    words = words_of(app)
    assert f"“{kept.name}” is frozen: 2 images, kept from every training." in words
    assert "Freeze a snapshot first" in words, "nothing can be trained on it"
    assert app.checkbox(key="keep_external").value is False
    assert app.date_input(key="snapshot_from").value is None
    listed = next(table.value for table in app.dataframe if "Kept as" in table.value.columns)
    assert listed["Kept as"].tolist() == ["external test set"]
    press(app, "Freeze snapshot")
    assert not app.exception
    assert [kept.name in line for line in app.selectbox(key="train_snapshot").options] == [False]
    ordinary, _ = freezing.list_snapshots(store, actor=annotator)
    items = manifest_of(store, ordinary.id).items
    assert not {item.patient_id for item in items} & {case.patient_id for case in dated}
    app.date_input(key="snapshot_from").set_value(date(2026, 5, 1)).run()
    assert "every image of the chosen patients and days with a label or a mask is kept" in words_of(app)


def test_train_shows_a_running_training(
    store: Store, annotator: Actor, clinic: Clinic, open_page: Open, placed: list[int]
) -> None:
    query = snapshots_snapshots.SnapshotQuery("first")
    snapshot = freezing.freeze_snapshot(store, actor=annotator, query=query)
    job = starting.start_training(store, actor=annotator, snapshot_id=snapshot.id, settings=TrainingSettings())
    lease = claim_job(store, job.id, host="elsewhere", pid=1)
    assert lease is not None
    with lease.writing() as (session, row):
        row.stage, row.epoch, row.epochs_total, row.progress = "segmentation", 2, 12, 0.25
        for epoch in (1, 2):
            figures = {"train_loss": 1.0 / epoch, "validation_iou_acetowhite": 0.3 * epoch, "images_per_second": 57.2}
            session.add(JobEvent(job_id=job.id, stage="segmentation", epoch=epoch, figures=figures))
        session.add(JobEvent(job_id=job.id, stage="segmentation", epoch=0, message="Loading 12 images"))
    app = open_page(annotator, "train")
    assert not app.exception
    assert "Loading 12 images" in words_of(app)
    assert "Fourth channel: 0 of 2 trainings done · Comparison: 0 of 8 trainings done · 57 images a second" in words_of(
        app
    )
    assert app.get("plotly_chart")
    lease.abandon(JobState.FAILED, "The training diverged.")
    app = open_page(annotator, "train", job=job.id)
    assert "The training diverged." in words_of(app)
    press(app, "Run again")
    assert jobs.get_job(store, actor=annotator, job_id=job.id).state is JobState.QUEUED


def test_models_says_what_to_do_without_one(annotator: Actor, open_page: Open) -> None:
    app = open_page(annotator, "models")
    assert not app.exception
    assert "No model has been trained yet" in words_of(app)


def test_models_names_the_label_source_beside_every_figure_and_promotes(
    store: Store, administrator: Actor, open_page: Open, monkeypatch: pytest.MonkeyPatch, placed: list[int]
) -> None:
    monkeypatch.setattr("colpo_core.services.models.files.verify_files", lambda _store, _checkpoint: None)
    desk = PredictedClinic(store, administrator)
    newer = desk.add_checkpoint("model-2", None)
    app = open_page(administrator, "models", checkpoint=newer)
    assert not app.exception
    words = words_of(app)
    assert "Labels by impression (Swede score ≥ 5), not histology" in words
    assert "BY IMPRESSION, NOT HISTOLOGY" in words
    assert "For research. It is not a medical device." in words
    press(app, "Promote")
    assert "Say why" in words_of(app)
    write(app, "Reason", "higher sensitivity")
    press(app, "Promote")
    assert "Its labels are colposcopic impressions, not histology" in words_of(app)
    overrule = next(field for field in app.text_area if field.label == "Overrule in writing")
    overrule.set_value("histology is on its way")
    press(app, "Promote")
    current = models_registry.current_checkpoint(store)
    assert current is not None
    assert current.id == newer
    assert "model-2 is the current model" in words_of(app)
    assert len(placed) == 1


def test_models_lets_nobody_but_an_administrator_promote(
    store: Store, administrator: Actor, annotator: Actor, open_page: Open
) -> None:
    newer = PredictedClinic(store, administrator).add_checkpoint("model-2", None)
    app = open_page(annotator, "models", checkpoint=newer)
    assert not app.exception
    assert "An administrator can make this" in words_of(app)
    assert "Promote" not in [button.label for button in app.button]


def test_review_says_what_to_do_without_a_model(annotator: Actor, open_page: Open) -> None:
    app = open_page(annotator, "review")
    assert not app.exception
    assert "No model is promoted yet" in words_of(app)


def test_review_takes_verdicts_one_after_the_other(
    store: Store, administrator: Actor, annotator: Actor, open_page: Open
) -> None:
    desk = PredictedClinic(store, administrator)
    app = open_page(annotator, "review")
    assert not app.exception
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
    assert not app.exception
    shown = app.dataframe[0].value
    assert list(shown[""]) == ["In the model's mask", "In the mask of Painter"]
    opened = review.open_review(store, actor=annotator, prediction_id=desk.predictions[1])
    assert (opened.reviews[0].verdict, opened.reviews[0].reason) == (Verdict.OVERRULE, "the mask covers a reflection")
    press(app, "Next")
    press(app, "Agree")
    app = open_page(annotator, "review")
    assert "You have reviewed every prediction" in words_of(app)


def test_a_reviewer_who_is_unsure_chooses_why(
    store: Store, administrator: Actor, annotator: Actor, open_page: Open
) -> None:
    desk = PredictedClinic(store, administrator)
    app = open_page(annotator, "review")
    press(app, "Unsure")
    assert "Say why you are unsure" in words_of(app)
    app.selectbox(key=f"because_{desk.predictions[0]}").set_value(ReviewReason.IMAGE_QUALITY).run()
    press(app, "Unsure")
    assert "**You were unsure.** The image does not show enough" in words_of(app)
    opened = review.open_review(store, actor=annotator, prediction_id=desk.predictions[0])
    assert opened.reviews[0].because is ReviewReason.IMAGE_QUALITY
    assert "unsure 1" in words_of(open_page(annotator, "dashboard", tab="model"))


def test_figures_that_stand_say_since_when(
    store: Store, administrator: Actor, annotator: Actor, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    PredictedClinic(store, administrator)
    pages = ("", "dashboard")
    assert all("its figures stand" not in words_of(open_page(annotator, page)) for page in pages)
    monkeypatch.setattr(figures_cache, "SLOW_SECONDS", 0.0)
    do_something(store, administrator)
    assert all("its figures stand" in words_of(open_page(annotator, page)) for page in pages)


def test_a_damaged_file_is_said_and_the_page_goes_on(
    store: Store, administrator: Actor, annotator: Actor, open_page: Open
) -> None:
    desk = PredictedClinic(store, administrator)
    with store.reading() as session:
        store.blobs.path(session.get_one(Prediction, desk.predictions[0]).maps_sha256).unlink()
    app = open_page(annotator, "review", prediction=desk.predictions[0])
    assert not app.exception
    assert "The Grad-CAM maps cannot be shown" in words_of(app)
    assert "No positive evidence" not in words_of(app)
    press(app, "Agree")
    assert "You agreed" in words_of(app)


def test_the_models_mask_is_opened_for_correction(
    store: Store, administrator: Actor, annotator: Actor, open_page: Open
) -> None:
    desk = PredictedClinic(store, administrator)
    app = open_page(annotator, "review")
    press(app, "Correct the mask")
    assert not app.exception
    assert "correct it, then submit" in words_of(app)
    mine = own_masks.open_annotation(store, actor=annotator, image_id=desk.cases[0].image_id)
    assert mine.start is Start.PROPOSAL


def test_review_opens_by_image_and_offers_to_predict_what_is_missing(
    store: Store, administrator: Actor, annotator: Actor, open_page: Open, placed: list[int]
) -> None:
    desk = PredictedClinic(store, administrator)
    missing = desk.clinic.add_case(patient_id=1, simulated=True).image_id
    assert "image 2" in words_of(open_page(annotator, "review", image=2))
    app = open_page(annotator, "review", image=missing)
    assert f"Image {missing} has no prediction yet" in words_of(app)
    press(app, "Predict it now")
    (job,) = jobs.list_jobs(store, actor=annotator)
    assert job.settings["image_ids"] == [missing]
    assert not app.exception
    assert "There is no prediction 99" in words_of(open_page(annotator, "review", prediction=99))


@pytest.mark.parametrize("kind", [{"stage": Stage.LUGOL}, {"shows_cervix": False}])
def test_an_image_that_no_model_reads_says_so(
    store: Store, administrator: Actor, annotator: Actor, open_page: Open, kind: dict[str, Any]
) -> None:
    desk = PredictedClinic(store, administrator)
    case = desk.clinic.add_case(**kind)
    app = open_page(annotator, "review", image=case.image_id)
    assert not app.exception
    assert f"Image {case.image_id} gets no prediction" in words_of(app)
    assert "Predict it now" not in [button.label for button in app.button]


def test_what_changes_with_the_mask_is_asked_for_and_others_masks_open_with_the_verdict(
    store: Store, administrator: Actor, annotator: Actor, open_page: Open, placed: list[int]
) -> None:
    desk = PredictedClinic(store, administrator)
    app = open_page(annotator, "review", prediction=desk.predictions[0])
    assert "older than the comparison of cases" in words_of(app)
    press(app, "Work it out")
    (job,) = jobs.list_jobs(store, actor=annotator, kind=JobKind.EXPLAIN)
    assert placed == [job.id]
    assert job.settings["prediction_id"] == desk.predictions[0]
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
    store: Store, administrator: Actor, annotator: Actor, open_page: Open
) -> None:
    desk = PredictedClinic(store, administrator)
    hand_out(store, administrator, (annotator.person_id,), proposals=False)
    image_id = desk.cases[0].image_id
    for address in ({"prediction": desk.predictions[0]}, {"image": image_id}):
        app = open_page(annotator, "review", **address)
        assert not app.exception
        (told,) = app.info
        assert told.value == "Your task keeps the model's output back until you have submitted or skipped this image."
        assert not app.metric
        assert [button.label for button in app.button if button.label in ("Agree", "Overrule", "Predict it now")] == []
    app = open_page(annotator, "review")
    assert "Of 3 images your task keeps the model's output back until you have submitted or skipped them" in words_of(
        app
    )
    assert not app.metric
    paint_and_submit(store, annotator, image_id)
    app = open_page(annotator, "review")
    assert not app.exception
    assert "1 waiting" in words_of(app)
    assert [metric.label for metric in app.metric] == ["HSIL, 4 channels", "HSIL, 3 channels"]
    assert len(open_page(administrator, "review", image=desk.cases[1].image_id).metric) == 2


@pytest.mark.parametrize("page", ["train", "models", "review"])
def test_a_reader_is_told_that_the_page_is_not_hers(
    store: Store, administrator: Actor, reader: Actor, open_page: Open, page: str
) -> None:
    PredictedClinic(store, administrator)
    app = open_page(reader, page)
    assert not app.exception
    assert app.title[0].value == "Not for your role"


def test_train_looks_ahead_and_says_how_long(
    store: Store, annotator: Actor, clinic: Clinic, open_page: Open, placed: list[int]
) -> None:
    freezing.freeze_snapshot(store, actor=annotator, query=snapshots_snapshots.SnapshotQuery("first"))
    app = press(open_page(annotator, "train"), "Look ahead")
    assert not app.exception
    (probe,) = jobs.list_jobs(store, actor=annotator, kind=JobKind.PROBE)
    assert placed == [probe.id]
    assert "Look ahead" not in [button.label for button in app.button]
    with store.writing() as session:
        row = session.get_one(Job, probe.id)
        row.state = JobState.DONE
        row.result = {
            "seconds": 725.0,
            "stage_seconds": {"segmentation": 600.0, "classification 3 channels": 125.0},
            "memory_bytes": 1_000_000,
            "gpu_bytes": 8 * 10**9,
            "gpu_total_bytes": 80 * 10**9,
            "weights_bytes": 0,
            "device": "cuda",
            "precision": "bf16",
        }
    said = words_of(open_page(annotator, "train"))
    assert "About 12 min" in said
    assert "on the GPU in bf16" in said
    assert "8.0 GB of the GPU's 80.0 GB" in said
    assert "Segmenter: 10 min · Classifier, 3 channels: 2 min" in said


def test_train_does_not_begin_on_a_full_disk(
    store: Store,
    annotator: Actor,
    clinic: Clinic,
    open_page: Open,
    placed: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    freezing.freeze_snapshot(store, actor=annotator, query=snapshots_snapshots.SnapshotQuery("first"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**6, total=1, used=1))
    app = open_page(annotator, "train")
    assert "The disk is too full" in words_of(app)
    assert next(button for button in app.button if button.label == "Start training").disabled


def test_an_administrator_lets_the_program_train_by_itself(
    store: Store, administrator: Actor, annotator: Actor, clinic: Clinic, open_page: Open, placed: list[int]
) -> None:
    freezing.freeze_snapshot(store, actor=annotator, query=snapshots_snapshots.SnapshotQuery("first"))
    app = open_page(annotator, "train")
    assert "Train by itself: off" in [one.label for one in app.expander]
    assert "An administrator can change this" in words_of(app)
    app = press(open_page(administrator, "train"), "Set")
    assert "Say after how many days" in words_of(app)
    next(field for field in app.number_input if field.label == "After days").set_value(30).run()
    app = press(app, "Set")
    assert not app.exception
    assert "Train by itself: every 30 days" in [one.label for one in app.expander]
    assert "set by Ada" in words_of(app)
    app = press(app, "Off")
    assert "Train by itself: off" in [one.label for one in app.expander]
