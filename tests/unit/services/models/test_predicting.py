from dataclasses import replace

import pytest

from colpo_core.errors import CheckpointMismatch, InputRejected, NotFound
from colpo_core.records.jobs.settings import write_settings
from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs import control as jobs
from colpo_core.services.models import predicting
from colpo_core.services.snapshots import freezing
from colpo_core.services.snapshots.freezing import SnapshotQuery
from colpo_core.store import Store
from colpo_core.store.tables import Job, JobEvent, Mask, Prediction
from colpo_core.terms import JobState, Stage
from tests.support.clinic import Clinic
from tests.support.learned import add_checkpoint
from tests.support.refusals import refused
from tests.support.store_rows import add, rows


@pytest.fixture
def snapshot_id(clinic: Clinic, annotator: Caller) -> int:
    clinic.add_cohort(8)
    return freezing.freeze_snapshot(annotator, query=SnapshotQuery("first")).id


def add_prediction(store: Store, image_id: int, checkpoint_id: int) -> int:
    values = dict.fromkeys(("prob_hsil_3ch", "prob_hsil_4ch", "threshold_3ch", "threshold_4ch"), 0.5)
    shares = {"acetowhite_fraction": 0.0, "mask_id": rows(store, Mask.id)[0], "maps_sha256": "b" * 64}
    return add(store, Prediction(image_id=image_id, checkpoint_id=checkpoint_id, **values, **shares))


def test_a_prediction_covers_what_is_not_predicted_yet(
    store: Store, clinic: Clinic, annotator: Caller, snapshot_id: int, placed: list[int]
) -> None:
    clinic.add_case(stage=Stage.LUGOL)
    clinic.add_case(shows_cervix=False)
    checkpoint_id = add_checkpoint(store, snapshot_id, promoted_by=annotator.person_id)
    add_prediction(store, 1, checkpoint_id)
    job = predicting.start_prediction(annotator)
    assert write_settings(job.settings) == {
        "checkpoint_id": checkpoint_id, "image_ids": None, "n_images": 7, "after_image_id": 1, "up_to_image_id": 8,
    }  # fmt: skip
    assert placed == [job.id]
    assert predicting.start_prediction(annotator) is None
    jobs.cancel_job(annotator, job_id=job.id)
    assert predicting.start_prediction(annotator, image_ids=[1, 2]).settings.image_ids == (2,)


def test_a_prediction_names_what_is_wrong(
    store: Store, clinic: Clinic, annotator: Caller, snapshot_id: int, placed: list[int]
) -> None:
    refused(CheckpointMismatch, lambda: predicting.start_prediction(annotator), match="promoted")
    checkpoint_id = add_checkpoint(store, snapshot_id)
    lugol = clinic.add_case(stage=Stage.LUGOL).image_id
    hidden = clinic.add_case(shows_cervix=False).image_id
    for image_ids, error, words in (
        ([999], NotFound, "no image 999"),
        ([lugol], InputRejected, "acetic acid"),
        ([hidden], InputRejected, "not showing"),
        ([], InputRejected, "at least one"),
    ):
        with pytest.raises(error, match=words):
            predicting.start_prediction(annotator, image_ids=image_ids, checkpoint_id=checkpoint_id)
    refused(NotFound, lambda: predicting.start_prediction(annotator, checkpoint_id=77))
    assert placed == []


def test_a_large_prediction_is_shared_out_where_several_jobs_run_at_once(
    store: Store, annotator: Caller, administrator: Caller, snapshot_id: int, placed: list[int]
) -> None:
    checkpoint_id = add_checkpoint(store, snapshot_id, promoted_by=administrator.person_id)
    several = Store(replace(store.settings, gpus=("GPU-a", "GPU-b"), shard_images=3), store._reader)
    first = predicting.start_prediction(Caller(several, annotator.actor))
    (progress,) = predicting.predictions_under_way(Caller(several, annotator.actor))
    assert (progress.job_id, progress.n_jobs, progress.n_images, progress.n_done) == (first.id, 3, 8, 0)
    assert progress.checkpoint_id == checkpoint_id
    assert placed == list(progress.job_ids)
    assert predicting.start_prediction(Caller(several, annotator.actor)) is None, "every image is somebody's"
    with store.writing() as session:
        done, runs, waits = (session.get_one(Job, job_id) for job_id in progress.job_ids)
        done.state, runs.state, runs.epoch = JobState.DONE, JobState.RUNNING, 1
        done.result = {"predicted": 2, "failed": [{"image_id": 1, "reason": "damaged"}]}
        for speed in (1.0, 4.0):
            session.add(JobEvent(job_id=runs.id, stage="prediction", epoch=1, figures={"images_per_second": speed}))
        session.add(JobEvent(job_id=runs.id, stage="prediction", epoch=1, message="Image 5 was not predicted."))
    (progress,) = predicting.predictions_under_way(annotator)
    assert (progress.n_done, progress.n_running, progress.images_per_second) == (4, 1, 4.0)
    assert (progress.share, progress.seconds_left) == (0.5, 1.0)
    with store.writing() as session:
        for job_id, state in ((runs.id, JobState.DONE), (waits.id, JobState.FAILED)):
            session.get_one(Job, job_id).state = state
    assert predicting.predictions_under_way(annotator) == ()
    assert [job.state.value for job in predicting.last_prediction(annotator)] == [
        "done",
        "done",
        "failed",
    ]


def test_one_machine_without_several_gpus_predicts_in_one_job(
    store: Store, annotator: Caller, administrator: Caller, snapshot_id: int, placed: list[int]
) -> None:
    assert predicting.last_prediction(annotator) == ()
    add_checkpoint(store, snapshot_id, promoted_by=administrator.person_id)
    alone = Store(replace(store.settings, gpus=("GPU-a",), shard_images=3), store._reader)
    job = predicting.start_prediction(Caller(alone, annotator.actor))
    assert placed == [job.id]
    assert [one.id for one in predicting.last_prediction(annotator)] == [job.id]
    (progress,) = predicting.predictions_under_way(annotator)
    assert (progress.n_jobs, progress.n_images, progress.seconds_left) == (1, 8, None)
