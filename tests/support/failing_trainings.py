"""A worker process that runs trainings one after the other, some of them on a machine that lets them down.

    python -m tests.support.failing_trainings TRAININGS

TRAININGS is a JSON list of `[snapshot_id, settings, fault]`. The data folder is that of the environment. It prints the
rows of the jobs as a JSON list.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from unittest import mock

import torch

from colpo_core.services.common.actors import program_actor
from colpo_core.services.common.store_access import open_store
from colpo_core.store import Store
from colpo_core.store.tables import Job
from colpo_core.terms import JobKind
from colpo_core.workers import runner


@contextmanager
def let_down(fault: str) -> Iterator[None]:
    """The fault that a training meets: `memory`, `disk`, or none."""
    if fault == "memory":
        # Torch's own error, at the place where the networks are made.
        with mock.patch("colpo_core.training.trainer.build_segmenter", lambda *_, **__: torch.empty(2**60)):
            yield
    elif fault == "disk":
        full = SimpleNamespace(free=0, total=1, used=1)
        with mock.patch.object(shutil, "disk_usage", lambda _: full):
            yield
    else:
        yield


def run(store: Store, person_id: int, snapshot_id: int, settings: dict[str, object]) -> int:
    """Run one training in this process; returns its job."""
    with store.writing() as session:
        job = Job(kind=JobKind.TRAIN, settings=settings, created_by=person_id, snapshot_id=snapshot_id)
        session.add(job)
        session.flush()
        job_id = job.id
    runner.run_job(store, job_id)
    return job_id


def main() -> None:
    store = open_store()
    person_id = program_actor(store, "operator").person_id
    done = []
    for snapshot_id, settings, fault in json.loads(sys.argv[1]):
        with let_down(fault):
            done.append(run(store, person_id, snapshot_id, settings))
    sys.stdout.write(json.dumps(done))


if __name__ == "__main__":
    main()
