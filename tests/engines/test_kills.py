"""Trainings whose processes are killed, frozen and robbed of their database end once, with the very same weights.

Each disturbance is done to a real training in real processes, under each engine: with all of them in turn on this
machine alone, and one by one under every engine (`make test-engines`).
"""

import os
import signal
from collections.abc import Callable
from dataclasses import replace

import pytest

from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs import control as jobs
from colpo_core.services.models import registry as checkpoints
from colpo_core.services.training import starting
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.tables import Checkpoint, Job
from colpo_core.terms import JobState
from tests.conftest import add_person
from tests.engines.clusters import Cluster, row, runners_of
from tests.integration.test_failing_trainings import TINY
from tests.support.processes import wait_for
from tests.support.snapshots import freeze_cohort

SETTINGS = replace(TINY, segmentation_epochs=10, classification_epochs=5)
Disturbance = Callable[[Cluster, Store, int], None]


def running(store: Store, job_id: int) -> int:
    """The process of the job, once it runs and has something to lose."""
    wait_for(lambda: row(store, job_id).pid and row(store, job_id).stage, f"job {job_id} to run")
    pid = row(store, job_id).pid
    assert pid is not None
    return pid


def kill_runner(cluster: Cluster, store: Store, job_id: int) -> None:
    os.kill(running(store, job_id), signal.SIGKILL)


def kill_app(cluster: Cluster, store: Store, job_id: int) -> None:
    running(store, job_id)
    cluster.kill_apps()
    cluster.start_app()


def kill_both(cluster: Cluster, store: Store, job_id: int) -> None:
    pid = running(store, job_id)
    cluster.kill_apps()
    os.kill(pid, signal.SIGKILL)
    cluster.start_app()


def kill_in_a_checkpoint(cluster: Cluster, store: Store, job_id: int) -> None:
    pid = running(store, job_id)
    being_written = "a checkpoint that is being written"
    wait_for(lambda: cluster.unfinished(job_id, "stages/*.part"), being_written, every_seconds=0.0005)
    os.kill(pid, signal.SIGKILL)


def freeze_and_wake(cluster: Cluster, store: Store, job_id: int) -> None:
    pid = running(store, job_id)
    attempt = row(store, job_id).attempt
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: row(store, job_id).attempt > attempt, "another runner to take the frozen one's job")
    if pid in runners_of(job_id, cluster.settings):
        os.kill(pid, signal.SIGCONT)


def restart_the_database(cluster: Cluster, store: Store, job_id: int) -> None:
    running(store, job_id)
    cluster.server.restart_at_once()


DISTURBANCES: list[Disturbance] = [kill_runner, kill_app, kill_both, kill_in_a_checkpoint, freeze_and_wake]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Weights of a training that nothing happened to."""
    store = Store.open(Settings(data_dir=tmp_path_factory.mktemp("undisturbed")))
    caller = add_person(store, "anna", "annotator")  # type: ignore[arg-type]
    job_id = begin(caller)
    wait_for(lambda: row(store, job_id).state.is_over, "the undisturbed training")
    found = weights_of(caller, job_id)
    store.close()
    return found


def begin(caller: Caller) -> int:
    """Ask for the training; in every store it is the same one."""
    snapshot_id = freeze_cohort(caller)
    job = starting.start_training(caller, snapshot_id=snapshot_id, settings=SETTINGS)
    with caller.store.writing() as session:
        session.get_one(Job, job.id).max_attempts = 20
    return job.id


def weights_of(caller: Caller, job_id: int) -> str:
    (found,) = [one for one in checkpoints.list_checkpoints(caller) if one.job_id == job_id]
    return str(found.card["weights_sha256"])


def ends_once_with_the_same_weights(
    cluster: Cluster, store: Store, caller: Caller, job_id: int, undisturbed: str, *, n_checkpoints: int | None = 1
) -> None:
    wait_for(lambda: row(store, job_id).state.is_over, f"the end of job {job_id}")
    job = row(store, job_id)
    said = jobs.job_log(caller, job_id=job_id) + cluster.told_by_apps()
    assert (job.state, job.error) == (JobState.DONE, None), said
    assert weights_of(caller, job_id) == undisturbed
    if n_checkpoints is not None:
        with store.reading() as session:
            assert session.query(Checkpoint).count() == n_checkpoints
    wait_for(lambda: not runners_of(job_id, cluster.settings), "all runners to end")


def test_all_in_turn(cluster: Cluster, store: Store, annotator: Caller, undisturbed: str) -> None:
    if cluster.settings.engine != "local":
        pytest.skip("one by one under this engine")
    cluster.start_app()
    job_id = begin(annotator)
    for disturb in DISTURBANCES:
        before = row(store, job_id).attempt
        disturb(cluster, store, job_id)
        if disturb is not kill_app:
            wait_for(
                lambda before=before: row(store, job_id).attempt > before, f"a new runner after {disturb.__name__}"
            )
    ends_once_with_the_same_weights(cluster, store, annotator, job_id, undisturbed)


@pytest.mark.engines
def test_rays_head_is_killed_with_a_job_running_and_one_waiting(
    cluster: Cluster, store: Store, annotator: Caller, undisturbed: str
) -> None:
    if cluster.ray is None:
        pytest.skip("of Ray alone")
    cluster.start_app()
    job_id = begin(annotator)
    running(store, job_id)
    waiting = starting.start_training(
        annotator, snapshot_id=row(store, job_id).snapshot_id or 0, settings=replace(TINY, seed=5)
    )
    cluster.ray.kill()
    cluster.ray.start()
    ends_once_with_the_same_weights(cluster, store, annotator, job_id, undisturbed, n_checkpoints=None)
    wait_for(lambda: row(store, waiting.id).state is JobState.DONE, "the job that waited")
    with store.reading() as session:
        assert session.query(Checkpoint).count() == 2


@pytest.mark.engines
@pytest.mark.parametrize("disturb", [*DISTURBANCES, restart_the_database], ids=lambda one: one.__name__)
def test_one_by_one(cluster: Cluster, store: Store, annotator: Caller, undisturbed: str, disturb: Disturbance) -> None:
    if disturb is restart_the_database and cluster.server is None:
        pytest.skip("SQLite has no server")
    cluster.start_app()
    job_id = begin(annotator)
    disturb(cluster, store, job_id)
    ends_once_with_the_same_weights(cluster, store, annotator, job_id, undisturbed)
