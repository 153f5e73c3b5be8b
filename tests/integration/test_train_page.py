"""The page Train, run as the shell runs it."""

import shutil
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from colpo_core.records.snapshots.snapshots import SnapshotQuery
from colpo_core.records.training.settings import TrainingSettings, preset
from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs import control as jobs
from colpo_core.services.jobs.leases import claim_job
from colpo_core.services.snapshots import external_sets as snapshots_external_sets
from colpo_core.services.snapshots import freezing
from colpo_core.services.training import starting
from colpo_core.store import Store
from colpo_core.store.tables import Job, JobEvent
from colpo_core.terms import JobKind, JobState, MaskPolicy, Split
from tests.support.app_pages import OpenPage, button, labels, press, words_of
from tests.support.clinic import Clinic, PredictedClinic
from tests.support.several_annotators import square, submit
from tests.support.snapshots import manifest_of


@pytest.fixture
def clinic(store: Store) -> Clinic:
    clinic = Clinic(store)
    clinic.add_cohort(12, simulated=True)
    return clinic


@pytest.fixture
def snapshot_id(clinic: Clinic, annotator: Caller) -> int:
    """A snapshot of the twelve cases."""
    return freezing.freeze_snapshot(annotator, query=SnapshotQuery("first")).id


def test_train_freezes_and_starts_with_two_clicks(
    annotator: Caller, clinic: Clinic, open_page: OpenPage, placed: list[int]
) -> None:
    clinic.add_case(shows_cervix=False)
    app = open_page(annotator, "train")
    assert any("Left out, and why (1)" in one.label for one in app.expander)
    press(app, "Freeze snapshot")
    (snapshot,) = freezing.list_snapshots(annotator)
    assert f"“{snapshot.name}” is frozen" in words_of(app)
    press(app, "Start training")
    (job,) = jobs.list_jobs(annotator)
    assert (job.snapshot_id, job.state, placed) == (snapshot.id, JobState.QUEUED, [job.id])
    assert job.settings == preset("quick")
    assert f"Training {job.id}" in words_of(app)
    press(app, "Start training")
    assert "already under way" in words_of(app)
    press(app, "Cancel")
    assert jobs.get_job(annotator, job_id=job.id).state is JobState.CANCELLED


def test_train_takes_every_setting_by_its_kind(
    annotator: Caller, snapshot_id: int, open_page: OpenPage, placed: list[int]
) -> None:
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
    (job,) = jobs.list_jobs(annotator)
    assert job.settings == TrainingSettings(
        classifier="resnet50", flips=False, folds=4, blur_px=1.5, pretrained="imagenet",
        threshold_rule="sensitivity_90", protocol="paper",
    )  # fmt: skip


def test_train_refuses_what_cannot_be_trained(
    annotator: Caller, snapshot_id: int, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages._ui.training.settings_form.available", lambda entry: entry.needs is None)
    app = open_page(annotator, "train")
    assert "Not installed here: U-Net on ResNet-34" in words_of(app)
    assert "U-Net on ResNet-34 (not installed)" in app.selectbox(key="quick_segmenter").options
    app.selectbox(key="quick_segmenter").set_value("unet_resnet34").run()
    assert "U-Net on ResNet-34 needs the optional packages" in app.error[0].value
    assert "Start training" not in labels(app)
    app.selectbox(key="quick_segmenter").set_value("segnet_vgg19")
    app.number_input(key="quick_height_px").set_value(100).run()
    assert "multiple of 32" in app.error[0].value


def test_train_warns_of_labels_by_impression(annotator: Caller, clinic: Clinic, open_page: OpenPage) -> None:
    for score in (2, 8) * 3:
        clinic.add_case(grades=(), swede_score=score)
    app = open_page(annotator, "train")
    app.segmented_control(key="label_source").set_value("impression").run()
    assert "not histology" in words_of(app)
    press(app, "Freeze snapshot")
    (snapshot,) = freezing.list_snapshots(annotator)
    assert snapshot.label_source.value == "impression"


def unescaped(app: Any) -> str:
    return words_of(app).replace("\\", "")


def test_train_lets_one_choose_which_masks_count(annotator: Caller, clinic: Clinic, open_page: OpenPage) -> None:
    several = clinic.add_case(simulated=True)
    submit(annotator, several.image_id, square(10, 10))
    app = open_page(annotator, "train")
    assert "Masks: the newest mask of each image (13 painted)" in unescaped(app)
    app.selectbox(key="mask_policy").set_value(MaskPolicy.STAPLE).run()
    assert "STAPLE of the annotators' masks (12 painted, 1 staple)" in unescaped(app)
    app.selectbox(key="mask_policy").set_value(MaskPolicy.ADJUDICATED).run()
    assert "adjudicated masks (12 painted)" in unescaped(app)
    app.selectbox(key="mask_policy").set_value(MaskPolicy.ANNOTATOR).run()
    app.selectbox(key="mask_annotator").set_value(annotator.person_id).run()
    assert "the masks of Anna (1 painted)" in unescaped(app)
    press(app, "Freeze snapshot")
    (snapshot,) = freezing.list_snapshots(annotator)
    assert (snapshot.mask_policy, snapshot.mask_annotator) == (MaskPolicy.ANNOTATOR, "Anna")
    assert "the masks of Anna" in app.selectbox(key="train_snapshot").options[0]


def test_train_keeps_patients_as_an_external_test_set(
    store: Store, annotator: Caller, clinic: Clinic, open_page: OpenPage, placed: list[int]
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
    (kept,) = snapshots_external_sets.external_sets(annotator)
    assert (kept.external, kept.count("patients"), kept.count("images", Split.TEST)) == (True, 2, 2)
    words = words_of(app)
    assert f"“{kept.name}” is frozen: 2 images, kept from every training." in words
    assert "Freeze a snapshot first" in words, "nothing can be trained on it"
    assert app.checkbox(key="keep_external").value is False
    assert app.date_input(key="snapshot_from").value is None
    listed = next(table.value for table in app.dataframe if "Kept as" in table.value.columns)
    assert listed["Kept as"].tolist() == ["external test set"]
    press(app, "Freeze snapshot")
    assert [kept.name in line for line in app.selectbox(key="train_snapshot").options] == [False]
    ordinary, _ = freezing.list_snapshots(annotator)
    items = manifest_of(store, ordinary.id).items
    assert not {item.patient_id for item in items} & {case.patient_id for case in dated}
    app.date_input(key="snapshot_from").set_value(date(2026, 5, 1)).run()
    assert "every image of the chosen patients and days with a label or a mask is kept" in words_of(app)


def test_train_shows_a_running_training(
    store: Store, annotator: Caller, snapshot_id: int, open_page: OpenPage, placed: list[int]
) -> None:
    job = starting.start_training(annotator, snapshot_id=snapshot_id, settings=TrainingSettings())
    lease = claim_job(store, job.id, host="elsewhere", pid=1)
    assert lease is not None
    with lease.writing() as (session, row):
        row.stage, row.epoch, row.epochs_total, row.progress = "segmentation", 2, 12, 0.25
        for epoch in (1, 2):
            figures = {"train_loss": 1.0 / epoch, "validation_iou_acetowhite": 0.3 * epoch, "images_per_second": 57.2}
            session.add(JobEvent(job_id=job.id, stage="segmentation", epoch=epoch, figures=figures))
        session.add(JobEvent(job_id=job.id, stage="segmentation", epoch=0, message="Loading 12 images"))
    app = open_page(annotator, "train")
    words = words_of(app)
    assert "Loading 12 images" in words
    assert "Fourth channel: 0 of 2 trainings done · Comparison: 0 of 8 trainings done · 57 images a second" in words
    assert app.get("plotly_chart")
    lease.abandon(JobState.FAILED, "The training diverged.")
    app = open_page(annotator, "train", job=job.id)
    assert "The training diverged." in words_of(app)
    press(app, "Run again")
    assert jobs.get_job(annotator, job_id=job.id).state is JobState.QUEUED


@pytest.mark.parametrize("page", ["train", "models", "review"])
def test_a_reader_is_told_that_the_page_is_not_hers(
    administrator: Caller, reader: Caller, open_page: OpenPage, page: str
) -> None:
    PredictedClinic(administrator)
    app = open_page(reader, page)
    assert app.title[0].value == "Not for your role"


def test_train_looks_ahead_and_says_how_long(
    store: Store, annotator: Caller, snapshot_id: int, open_page: OpenPage, placed: list[int]
) -> None:
    app = press(open_page(annotator, "train"), "Look ahead")
    (probe,) = jobs.list_jobs(annotator, kind=JobKind.PROBE)
    assert placed == [probe.id]
    assert "Look ahead" not in labels(app)
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
    annotator: Caller, snapshot_id: int, open_page: OpenPage, placed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**6, total=1, used=1))
    app = open_page(annotator, "train")
    assert "The disk is too full" in words_of(app)
    assert button(app, "Start training").disabled


def test_an_administrator_lets_the_program_train_by_itself(
    administrator: Caller, annotator: Caller, snapshot_id: int, open_page: OpenPage, placed: list[int]
) -> None:
    app = open_page(annotator, "train")
    assert "Train by itself: off" in [one.label for one in app.expander]
    assert "An administrator can change this" in words_of(app)
    app = press(open_page(administrator, "train"), "Set")
    assert "Say after how many days" in words_of(app)
    next(field for field in app.number_input if field.label == "After days").set_value(30).run()
    app = press(app, "Set")
    assert "Train by itself: every 30 days" in [one.label for one in app.expander]
    assert "set by Ada" in words_of(app)
    app = press(app, "Off")
    assert "Train by itself: off" in [one.label for one in app.expander]
