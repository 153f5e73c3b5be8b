"""Commands of background jobs."""

import click

from colpo_core.cli.output import Opened


@click.command("run-job", hidden=True)
@click.argument("job_id", type=int)
def run_job(job_id: int) -> None:
    """Run one queued job in this process: what the program starts in the background."""
    from colpo_core.services import runner  # noqa: PLC0415 - only the worker may load torch

    with Opened() as here:
        code = runner.run_job(here.store, job_id)
    raise SystemExit(code)
