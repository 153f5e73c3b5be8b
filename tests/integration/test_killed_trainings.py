"""A training that is killed at a random step and taken up by another worker ends with the very same weights."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from colpo_core.records.people import Actor
from colpo_core.services import checkpoints, engine, jobs, snapshots
from colpo_core.services.snapshots import SnapshotQuery
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.tables import Job
from colpo_core.terms import JobKind, JobState
from tests.clinic import Clinic
from tests.integration.test_failing_trainings import TINY

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 240
SETTINGS = replace(TINY, segmentation_epochs=3, classification_epochs=2)
STAGES = ("segmentation", "segmentation-without-fold-2-of-2", "classification-4-channels")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", lease_seconds=3.0)


def wait_for(condition: Callable[[], object], what: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.005)


def begin(store: Store, actor: Actor, snapshot_id: int) -> tuple[int, subprocess.Popen[bytes]]:
    """Begin a training in a worker that keeps every step."""
    with store.writing() as session:
        job = Job(kind=JobKind.TRAIN, settings=SETTINGS.to_dict(), created_by=actor.person_id, snapshot_id=snapshot_id)
        session.add(job)
        session.flush()
        job_id = job.id
    environment = os.environ | {
        "COLPO_DATA": str(store.settings.data_dir),
        "COLPO_LEASE_SECONDS": str(store.settings.lease_seconds),
    }
    return job_id, subprocess.Popen([sys.executable, "-m", "tests.keeping", str(job_id)], cwd=ROOT, env=environment)


def weights_of(store: Store, actor: Actor, job_id: int) -> str:
    (found,) = [one for one in checkpoints.list_checkpoints(store, actor=actor) if one.job_id == job_id]
    sha256: str = found.card["weights_sha256"]
    return sha256


def test_killed_at_a_random_step_it_ends_with_the_same_weights(store: Store, annotator: Actor) -> None:
    Clinic(store).add_cohort(12)
    snapshot_id = snapshots.freeze_snapshot(store, actor=annotator, query=SnapshotQuery("all")).id
    whole, worker = begin(store, annotator, snapshot_id)
    assert worker.wait(PATIENCE_SECONDS) == 0

    chance = np.random.default_rng(os.getpid())  # another step each time; whichever it is, the weights are the same
    stage = chance.choice(STAGES)
    torn, worker = begin(store, annotator, snapshot_id)
    stages = engine.work_dir(store, torn) / "stages"
    wait_for((stages / f"{stage}.unfinished").exists, f"the stage {stage}")
    time.sleep(chance.uniform(0, 0.2))
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    assert not (engine.work_dir(store, torn) / "checkpoint").exists()

    wait_for(lambda: jobs.get_job(store, actor=annotator, job_id=torn).silent, "the lease to run out")
    assert engine.reconcile(store, patience_seconds=0) == [torn]
    wait_for(lambda: jobs.get_job(store, actor=annotator, job_id=torn).state.is_over, "the end")
    job = jobs.get_job(store, actor=annotator, job_id=torn)
    assert (job.state, job.attempt, job.error) == (JobState.DONE, 2, None)
    assert weights_of(store, annotator, torn) == weights_of(store, annotator, whole), f"killed in {stage}"
