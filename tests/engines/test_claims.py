"""Of many processes that want the same jobs, or the same GPU, one gets each."""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from uuid import uuid4

import pytest

from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs import control as jobs
from colpo_core.store import Store
from colpo_core.store.tables import HeldGpu, Job
from colpo_core.terms import JobKind, JobState
from tests.engines.clusters import Cluster, row
from tests.integration.test_failing_trainings import TINY
from tests.support.processes import ROOT, wait_for
from tests.support.snapshots import freeze_cohort


@pytest.mark.parametrize(
    ("n_jobs", "n_processes"), [(100, 5), pytest.param(1000, 20, marks=pytest.mark.engines)], ids=["100", "1000"]
)
def test_each_job_is_claimed_exactly_once(
    cluster: Cluster, store: Store, annotator: Caller, n_jobs: int, n_processes: int
) -> None:
    if cluster.settings.engine == "ray":
        pytest.skip("Ray claims through the same table as Procrastinate")
    with store.writing() as session:
        session.add_all(Job(kind=JobKind.PREDICT, settings={}, created_by=annotator.person_id) for _ in range(n_jobs))
    racers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.engines.racer", str(seed)],
            cwd=ROOT,
            env=os.environ | cluster.settings.to_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(n_processes)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    got = [int(racer.communicate(timeout=300)[0]) for racer in racers]
    assert sum(got) == n_jobs
    assert sum(count > 0 for count in got) > 1, "one process alone is no race"
    with store.reading() as session:
        ended = session.query(Job).all()
    assert {(job.state, job.attempt) for job in ended} == {(JobState.DONE, 1)}


def test_four_supervisors_never_put_two_jobs_on_one_gpu(cluster: Cluster, store: Store, annotator: Caller) -> None:
    """The GPU is one that no driver knows, as one that has vanished: each job says so, and the next has its turn."""
    if cluster.settings.engine != "local":
        pytest.skip("the lock is of the machine, whatever the engine")
    gpu = f"GPU-{uuid4()}"
    cluster.settings = replace(cluster.settings, gpus=(gpu,), lease_seconds=60.0)
    snapshot_id = freeze_cohort(annotator)
    with store.writing() as session:
        made = [
            Job(
                kind=JobKind.TRAIN,
                settings=TINY.to_dict() | {"seed": seed},
                created_by=annotator.person_id,
                snapshot_id=snapshot_id,
            )
            for seed in range(4)
        ]
        session.add_all(made)
        session.flush()
        job_ids = [job.id for job in made]
    for _ in range(4):
        cluster.start_app()
    wait_for(lambda: all(row(store, job_id).state.is_over for job_id in job_ids), "all four jobs")
    ended = sorted((row(store, job_id) for job_id in job_ids), key=lambda job: job.started_at)
    for job in ended:
        assert job.state is JobState.FAILED
        assert "nvidia-smi" in (job.error or ""), jobs.job_log(annotator, job_id=job.id)
        assert job.attempt == 1
    for before, after in pairwise(ended):
        assert before.finished_at <= after.started_at, "two jobs held the GPU at once"
    with store.reading() as session:
        assert session.query(HeldGpu).count() == 0
