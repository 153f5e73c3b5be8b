"""A fit on several machines of a Ray cluster learns what the same fit learns on one, and outlives its processes."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from colpo_core.cluster.ray_backend import RayBackend
from colpo_core.cluster.ray_coordinator import Coordinator, FileCopies
from colpo_core.datasets.mapped_arrays import new_channel
from colpo_core.errors import JobCancelled, JobFailed
from colpo_core.records.training.stages import SHUFFLED
from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs import control as jobs
from colpo_core.services.training import starting
from colpo_core.store import Store
from colpo_core.terms import JobState
from colpo_core.training.contract import FitRequest, FitResult, FitStateStore, Objective
from colpo_core.training.fitting import fit
from colpo_core.training.fourth_channel_controls import FourthChannelControls
from colpo_core.training.hardware import plain_hardware
from colpo_core.training.progress import ProgressReporter
from colpo_core.training.stage_store import StageStore
from tests.engines.clusters import Cluster, RayHead, ray_workers, row, runners_of
from tests.engines.test_kills import kill_runner, running
from tests.integration.test_failing_trainings import TINY
from tests.support.blobs import blobs
from tests.support.processes import ROOT, wait_for
from tests.support.snapshots import freeze_cohort
from tests.support.training_runs import quiet_progress
from tests.unit.training.test_distributed import (
    HYPERPARAMETERS,
    Both,
    Odd,
    assert_same,
    network,
    objective_of,
    until_epoch,
)

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore::DeprecationWarning")]  # of Ray itself


@pytest.fixture
def backend(ray_head: RayHead, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RayBackend]:
    import ray

    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{ray_head.port}")
    yield RayBackend(
        copies_dir=tmp_path / "copies",
        on_gpus=False,
        share=0.9,
        environment={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        holding=nullcontext,
    )
    ray.shutdown()


@pytest.fixture
def both(tmp_path: Path) -> Both:
    frames = blobs((11, 5, 0)).frames(tmp_path / "frames")
    count, height_px, width_px = frames.target.shape
    predicted = new_channel(tmp_path / "channel.u8", count=count, height_px=height_px, width_px=width_px)
    predicted[:] = np.random.default_rng(0).integers(0, 256, predicted.shape)
    return objective_of(frames, FourthChannelControls(frames, predicted, seed=0).of(SHUFFLED))


def learn(
    objective: Objective,
    net: nn.Module,
    backend: RayBackend | None,
    *,
    reporter: ProgressReporter | None = None,
    state_store: FitStateStore | None = None,
) -> FitResult:
    hardware = plain_hardware(devices=2)
    request = FitRequest(net, objective, HYPERPARAMETERS, hardware, reporter or quiet_progress(), state_store)
    return fit(request, backend=backend)


def test_the_cluster_learns_what_one_machine_learns(backend: RayBackend, both: Both) -> None:
    ours, theirs = network(), network()
    told = []
    of_cluster = learn(both, ours, backend, reporter=quiet_progress(told=told))
    of_machine = learn(both, theirs, None)
    assert of_cluster.best_epoch == of_machine.best_epoch
    for one, other in zip(of_cluster.history, of_machine.history, strict=True):
        for name in one.keys() - {"seconds", "images_per_second"}:
            assert one[name] == pytest.approx(other[name], abs=1e-6), name
    assert_same(ours, theirs, within=1e-6)
    assert [event.epoch for event in told if event.figures] == [1, 2, 3]
    wait_for(lambda: not ray_workers(), "the processes of the fit to end")


def test_a_process_that_dies_is_replaced_and_goes_on_from_what_was_kept(
    backend: RayBackend, both: Both, tmp_path: Path
) -> None:
    killed = threading.Event()

    class Killing(ProgressReporter):
        def epoch_done(self, epoch: int, figures: dict[str, float]) -> None:
            super().epoch_done(epoch, figures)
            if not killed.is_set():
                killed.set()
                os.kill(ray_workers()[-1], signal.SIGKILL)

    told = []
    reporter = Killing(told.append, lambda: False)
    reporter.begin("segmentation", epochs_total=HYPERPARAMETERS.epochs, share=(0.0, 1.0), message="")
    ours, theirs = network(), network()
    state_store = StageStore(tmp_path / "stages", "key", save_every_s=0.0).unfinished("segmentation")
    of_cluster = learn(both, ours, backend, reporter=reporter, state_store=state_store)
    of_machine = learn(both, theirs, None)
    assert killed.is_set()
    assert len(of_cluster.history) == len(of_machine.history) == HYPERPARAMETERS.epochs
    assert_same(ours, theirs, within=1e-6)


def test_a_wish_to_stop_ends_all_processes(backend: RayBackend) -> None:
    told = []
    with pytest.raises(JobCancelled):
        learn(Odd(), network_of_one(), backend, reporter=until_epoch(1, told))
    wait_for(lambda: not ray_workers(), "the processes of the fit to end")


def test_what_fails_everywhere_is_not_tried_again(backend: RayBackend) -> None:
    with pytest.raises(JobFailed, match=r"diverged.*lower learning rate"):
        learn(Odd("nan"), network_of_one(), backend)


def test_a_machine_fetches_what_it_has_not_got(backend: RayBackend, tmp_path: Path) -> None:
    import ray

    ray.init(address="auto", log_to_driver=False)
    place = tmp_path / "frames.u8"
    place.write_bytes(bytes(range(256)) * 200_000)  # more than one piece
    changed_ns = place.stat().st_mtime_ns
    coordinator = (
        ray.remote(Coordinator).options(num_cpus=0, runtime_env={"env_vars": backend.environment}).remote(None)
    )
    find = FileCopies(coordinator, tmp_path / "copies")
    assert find(place, place.stat().st_size, changed_ns) == place
    copy = find(place, place.stat().st_size, changed_ns + 1)  # as it was on the other machine
    assert copy.parent == tmp_path / "copies"
    assert copy.read_bytes() == place.read_bytes()
    ray.kill(coordinator)
    assert find(place, place.stat().st_size, changed_ns + 1) == copy
    assert list(copy.parent.iterdir()) == [copy]


def network_of_one() -> nn.Module:
    return nn.Linear(1, 1)


@pytest.mark.parametrize("cluster", ["ray"], indirect=True)
def test_a_training_across_machines_survives_its_runner_and_ends_once(
    cluster: Cluster, store: Store, annotator: Caller
) -> None:
    job_id = begin_across(annotator, cluster)
    kill_runner(cluster, store, job_id)
    wait_for(lambda: row(store, job_id).state.is_over, f"the end of job {job_id}")
    said = jobs.job_log(annotator, job_id=job_id) + cluster.told_by_apps()
    assert (row(store, job_id).state, row(store, job_id).error) == (JobState.DONE, None), said
    events = jobs.job_events(annotator, job_id=job_id)
    assert any("2 processes on several machines" in event.message for event in events)
    wait_for(lambda: not ray_workers() and not runners_of(job_id, cluster.settings), "all processes to end")


@pytest.mark.parametrize("cluster", ["ray"], indirect=True)
def test_a_training_across_machines_is_cancelled(cluster: Cluster, store: Store, annotator: Caller) -> None:
    job_id = begin_across(annotator, cluster)
    running(store, job_id)
    wait_for(ray_workers, "the processes of a fit")
    jobs.cancel_job(annotator, job_id=job_id)
    wait_for(lambda: row(store, job_id).state is JobState.CANCELLED, "the job to be cancelled")
    wait_for(lambda: not ray_workers() and not runners_of(job_id, cluster.settings), "all processes to end")


def begin_across(caller: Caller, cluster: Cluster) -> int:
    cluster.start_app()
    snapshot_id = freeze_cohort(caller)
    settings = replace(TINY, devices=2)
    return starting.start_training(caller, snapshot_id=snapshot_id, settings=settings).id
