"""What fails says so in a sentence, and the queue goes on: in real processes, one after the other."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import update

from colpo_core.records.models.card_seal import CARD_FILE
from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs import control as jobs
from colpo_core.services.snapshots import freezing
from colpo_core.services.snapshots.freezing import SnapshotQuery
from colpo_core.store import Store
from colpo_core.store.tables import Checkpoint, Job, Prediction, Snapshot
from colpo_core.terms import JobKind, JobState
from tests.engines.clusters import Cluster, row
from tests.integration.test_failing_trainings import TINY
from tests.support.clinic import PredictedClinic
from tests.support.processes import wait_for


def queue(caller: Caller, kind: JobKind, settings: dict[str, object], snapshot_id: int | None) -> int:
    with caller.store.writing() as session:
        job = Job(kind=kind, settings=settings, created_by=caller.person_id, snapshot_id=snapshot_id)
        session.add(job)
        session.flush()
        return job.id


def lay_card(store: Store, name: str, card: dict[str, object]) -> None:
    """Where the checkpoint of that name, whose hash is all zeros, has its card."""
    if store.files is not None:
        store.files.write(f"checkpoints/{'0' * 64}/{CARD_FILE}", json.dumps(card).encode())
        return
    folder = store.settings.checkpoints_dir / name
    folder.mkdir(parents=True)
    (folder / CARD_FILE).write_text(json.dumps(card))


def lose_snapshot(store: Store, snapshot_id: int) -> None:
    with store.reading() as session:
        sha256 = session.get_one(Snapshot, snapshot_id).sha256
    store.blobs.path(sha256).unlink()
    if store.files is not None:
        store.files.delete(f"blobs/{sha256[:2]}/{sha256}")


def test_a_lost_snapshot_and_a_newer_checkpoint_fail_and_the_queue_goes_on(
    cluster: Cluster, store: Store, annotator: Caller, administrator: Caller
) -> None:
    if cluster.settings.engine == "ray":
        pytest.skip("the runner is the same, and Ray starts it slowly")
    # Nobody dies here, and a busy machine must not let a lease run out.
    cluster.settings = replace(cluster.settings, lease_seconds=60.0)
    clinic = PredictedClinic(administrator)
    with store.writing() as session:
        session.query(Prediction).delete()
        name = session.get_one(Checkpoint, clinic.checkpoint_id).name
        session.execute(update(Checkpoint).values(sha256="0" * 64))
    lay_card(store, name, {"format_version": 99})
    clinic.clinic.add_cohort(12)
    first = freezing.freeze_snapshot(annotator, query=SnapshotQuery("lost"))
    other = freezing.freeze_snapshot(annotator, query=SnapshotQuery("kept", seed=1))
    lost = queue(annotator, JobKind.PROBE, TINY.to_dict(), first.id)
    kept = queue(annotator, JobKind.PROBE, TINY.to_dict(), other.id)
    asked = {"checkpoint_id": clinic.checkpoint_id, "image_ids": [1], "n_images": 1}
    newer = queue(annotator, JobKind.PREDICT, asked, None)
    lose_snapshot(store, first.id)
    cluster.start_app()
    wait_for(lambda: all(row(store, job_id).state.is_over for job_id in (lost, kept, newer)), "all of them")
    for job_id, words in ((lost, "back-up"), (newer, "newer version of the program")):
        assert (row(store, job_id).state, row(store, job_id).attempt) == (JobState.FAILED, 1)
        assert words in (row(store, job_id).error or "")
    assert row(store, kept).state is JobState.DONE, jobs.job_log(annotator, job_id=kept)
