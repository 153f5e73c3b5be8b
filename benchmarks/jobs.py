"""How soon a cancelled training is gone, and how soon a killed one goes on, by default settings and in real processes.

    python -m benchmarks.jobs --rounds 5

A training of simulated cases runs under a worker of its own. One Markdown row is printed for each thing that is done to
it: median, lowest and highest seconds.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select

from benchmarks.shared import print_heading, print_row
from colpo_core.records.snapshots import snapshots as snapshots_snapshots
from colpo_core.records.training.settings import preset
from colpo_core.services.common.actors import program_actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.store_access import open_store
from colpo_core.services.imports import demonstration
from colpo_core.services.jobs import control as jobs
from colpo_core.services.jobs.runner_processes import is_runner
from colpo_core.services.snapshots import freezing
from colpo_core.services.training import starting
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.tables import Job, JobEvent

LONG = replace(preset("quick"), height_px=64, width_px=64, segmentation_epochs=100_000, precision="fp32", threads=1)
PATIENCE_SECONDS = 300


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder) / "data")
        store = open_store(settings, make=True)
        demonstration.fill_demonstration(store, 20, height_px=120, width_px=160)
        print_heading("what is done", "seconds: median", "lowest", "highest")
        for what, measure in (
            ("cancel: until the process is gone", _cancel),
            ("SIGKILL of the runner: until another one learns", _kill_runner),
            ("SIGKILL of runner and app: from the app's restart until another one learns", _kill_both),
        ):
            seconds = [measure(store) for _ in range(rounds)]
            print_row(what, *(f"{of(seconds):.1f}" for of in (statistics.median, min, max)))


def _cancel(store: Store) -> float:
    with _app(store), _training(store) as job_id:
        pid = _learning(store, job_id)
        began = time.perf_counter()
        jobs.cancel_job(Caller(store, program_actor(store, "operator")), job_id=job_id)
        _wait(lambda: not is_runner(pid, job_id))
        return time.perf_counter() - began


def _kill_runner(store: Store) -> float:
    with _app(store), _training(store) as job_id:
        pid = _learning(store, job_id)
        os.kill(pid, signal.SIGKILL)
        began = time.perf_counter()
        _learning(store, job_id, attempt=2)
        return time.perf_counter() - began


def _kill_both(store: Store) -> float:
    with _training(store) as job_id:
        with _app(store) as app:
            pid = _learning(store, job_id)
            app.kill()
            os.kill(pid, signal.SIGKILL)
            app.wait()
        began = time.perf_counter()
        with _app(store):
            _learning(store, job_id, attempt=2)
            return time.perf_counter() - began


@contextmanager
def _app(store: Store) -> "Iterator[subprocess.Popen[bytes]]":
    command = [sys.executable, "-m", "colpo_core", "worker"]
    environment = os.environ | store.settings.to_environment()
    app = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        yield app
    finally:
        app.kill()
        app.wait()


@contextmanager
def _training(store: Store) -> Iterator[int]:
    actor = program_actor(store, "operator")
    known = freezing.list_snapshots(Caller(store, actor))
    frozen = known[0] if known else freezing.freeze_snapshot(
        Caller(store, actor), query=snapshots_snapshots.SnapshotQuery("all")
    )  # fmt: skip
    job = starting.start_training(Caller(store, actor), snapshot_id=frozen.id, settings=LONG)
    try:
        yield job.id
    finally:
        if not _row(store, job.id).state.is_over:
            pid = _row(store, job.id).pid
            jobs.cancel_job(Caller(store, actor), job_id=job.id)
            _wait(lambda: pid is None or not is_runner(pid, job.id))


def _learning(store: Store, job_id: int, *, attempt: int = 1) -> int:
    """The process of the job, once it has learned an epoch in this attempt."""
    seen = _newest_event(store, job_id)
    _wait(lambda: _row(store, job_id).attempt >= attempt and _newest_event(store, job_id) > seen)
    pid = _row(store, job_id).pid
    if pid is None:
        raise RuntimeError("the job ended meanwhile")
    return pid


def _newest_event(store: Store, job_id: int) -> int:
    """The newest line of the live record that tells figures, which an epoch does."""
    query = select(JobEvent).where(JobEvent.job_id == job_id).order_by(JobEvent.id.desc()).limit(20)
    with store.reading() as session:
        return next((event.id for event in session.scalars(query) if event.figures), 0)


def _row(store: Store, job_id: int) -> Job:
    with store.reading() as session:
        return session.get_one(Job, job_id)


def _wait(condition: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("waited in vain")
        time.sleep(0.02)


if __name__ == "__main__":
    main()
