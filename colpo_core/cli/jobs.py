"""Commands of background jobs and of predictions."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from colpo_core.cli.models import find_checkpoint
from colpo_core.cli.option_types import EXISTING_FOLDER, NEW_FOLDER
from colpo_core.cli.output import (
    Answer,
    action,
    answer,
    as_operator,
    listing,
    note,
    print_lines,
    print_marks,
    print_table,
    query,
)
from colpo_core.cli.progress import figures_text, wait_for
from colpo_core.records.jobs.jobs import JobEventRecord, JobRecord, seconds_left
from colpo_core.records.jobs.results import PredictionResult
from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs import control as service
from colpo_core.services.jobs import engine
from colpo_core.services.jobs import worker as job_worker
from colpo_core.services.models import predicting
from colpo_core.services.training import starting
from colpo_core.services.training.retraining import train_if_due
from colpo_core.terms import JobKind
from colpo_core.workers import foreground

if TYPE_CHECKING:
    from colpo_core.inference.folder import FolderReport


@click.command("run-job", hidden=True)
@click.argument("job_id", type=int)
def run_job(job_id: int) -> None:
    """Run one queued job in this process: what the program starts in the background."""
    from colpo_core.workers import runner

    with as_operator() as caller:
        code = runner.run_job(caller.store, job_id)
    # All is written. Tearing down a process that holds networks takes a second, in which its GPU is not free yet.
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


@action()
def worker(caller: Caller) -> None:
    """Run the store's jobs in the background, without a screen, until it is told to end."""
    end_requested = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: end_requested.set())
    note(f"working on the store in {caller.store.settings.data_dir}")
    job_worker.work(caller.store, [train_if_due], end_requested=end_requested)


@click.group()
def jobs() -> None:
    """Background jobs: trainings and predictions."""


@query("list", jobs)
def list_jobs(caller: Caller) -> Answer:
    """Show the newest jobs; a job whose process died is started again."""
    engine.reconcile(caller.store)
    return listing(
        service.list_jobs(caller),
        ("job", "kind", "state", "done", "stage", "started by", "error"),
        lambda j: (j.id, j.kind.value, j.word, f"{j.progress:.0%}", j.stage, j.created_by, j.error or ""),
    )


@query("show", jobs, "job_id")
def show_job(caller: Caller, job_id: int) -> Answer:
    """Show one job with its losses and metrics, epoch by epoch."""
    job = service.get_job(caller, job_id=job_id)
    events = service.job_events(caller, job_id=job_id)
    return Answer({"job": job, "events": events}, lambda: _print_job(job, events))


def _print_job(job: JobRecord, events: Sequence[JobEventRecord]) -> None:
    click.echo(f"job {job.id}: {job.kind.value}, {job.state.value}, {job.progress:.0%}. {job.error or ''}")
    left = seconds_left(job, events) if job.kind is JobKind.PREDICT else None
    if left is not None:
        click.echo(f"{job.epoch} of {job.epochs_total} images, about {left / 60:.0f} min left")
    print_table(("stage", "epoch", "figures", ""), [(e.stage, e.epoch, figures_text(e), e.message) for e in events])


@action("cancel", jobs, "job_id")
def cancel_job(caller: Caller, job_id: int) -> None:
    """Stop a job; what it had not published is dropped."""
    job = service.cancel_job(caller, job_id=job_id)
    click.echo(f"job {job.id}: {job.state.value if job.state.is_over else 'will stop in a moment'}")


@action("pause", jobs, "job_id")
def pause_job(caller: Caller, job_id: int) -> None:
    """Let a job wait until it is resumed; one that runs stops after its present batch."""
    service.pause_job(caller, job_id=job_id)
    click.echo(f"job {job_id} is paused")


@action("resume", jobs, "job_id")
def resume_job(caller: Caller, job_id: int) -> None:
    """Let a paused job go on from its last checkpoint."""
    service.resume_job(caller, job_id=job_id)
    click.echo(f"job {job_id} goes on")


@action("first", jobs, "job_id")
def move_to_front(caller: Caller, job_id: int) -> None:
    """Let a job that waits come before all others that wait."""
    service.move_to_front(caller, job_id=job_id)
    click.echo(f"job {job_id} is the next")


@action("again", jobs, "job_id")
def run_again(caller: Caller, job_id: int) -> None:
    """Let a failed or cancelled job go on, or train anew with the settings of a finished training."""
    job = starting.run_again(caller, job_id=job_id)
    click.echo(f"job {job.id} started")


@query()
@click.option("--images", "images_dir", type=EXISTING_FOLDER, help="Folder of images that need not be in the store.")
@click.option("--out", "out_dir", type=NEW_FOLDER, help="Where masks (PNG, 0 and 255) and predictions.csv go.")
@click.option("--store", "whole_store", is_flag=True, help="All acetic-acid images of the store, in the background.")
@click.option("--checkpoint", help="Number or name; the current model if not given.")
@click.option("--wait", is_flag=True, help="With --store: stay until it is done.")
def predict(
    caller: Caller, images_dir: Path | None, out_dir: Path | None, whole_store: bool, checkpoint: str | None, wait: bool
) -> Answer:
    """Predict images: a folder with --images and --out, or with --store what the checkpoint has not yet predicted."""
    if whole_store == (images_dir is not None) or (images_dir is None) != (out_dir is None):
        raise click.UsageError("Give either --store, or --images and --out together.")
    checkpoint_id = find_checkpoint(caller, checkpoint).id
    if images_dir is not None and out_dir is not None:
        report = foreground.predict_files(
            caller,
            checkpoint_id=checkpoint_id,
            images_dir=images_dir,
            out_dir=out_dir,
            on_file=lambda _file, number, total: note(f"{number} of {total}") if number % 10 == 0 else None,
        )
        return answer(report, _print_files)
    predicting.start_prediction(caller, checkpoint_id=checkpoint_id)
    # A promotion has started one by itself, so there may be work under way that this call did not add.
    under_way = _predictions_under_way(caller, checkpoint_id)
    return answer([wait_for(caller, job.id) for job in under_way] if wait else under_way, _print_under_way)


def _print_files(report: "FolderReport") -> None:
    print_lines(f"refused: {refused.file}: {refused.reason}" for refused in report.refused)
    click.echo(f"{len(report.predicted)} predicted, {len(report.refused)} refused; table in {report.csv_path}")
    print_marks(report.marks)


def _print_under_way(jobs: Sequence[JobRecord]) -> None:
    if not jobs:
        click.echo("Nothing to do: this checkpoint has predicted every acetic-acid image of the store.")
    for job in jobs:
        made = job.result if isinstance(job.result, PredictionResult) else None
        click.echo(f"job {job.id}: {job.state.value}{f', {made.predicted} predicted' if made else ''}")
        print_lines(f"image {failure.image_id}: {failure.reason}" for failure in (made.failed if made else ()))


def _predictions_under_way(caller: Caller, checkpoint_id: int) -> list[JobRecord]:
    """The jobs of the checkpoint's predictions that are under way, oldest first."""
    under_way = predicting.predictions_under_way(caller)
    return [
        service.get_job(caller, job_id=job_id)
        for prediction in under_way
        if prediction.checkpoint_id == checkpoint_id
        for job_id in prediction.job_ids
    ]
