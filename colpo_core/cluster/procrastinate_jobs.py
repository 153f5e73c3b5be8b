"""Procrastinate as the engine: a queue in the store's own PostgreSQL places jobs with any number of workers.

A message says no more than that a job waits; the job table stays the truth. A message that is lost is sent again by
whoever reconciles, one that comes twice finds nothing to do.

Source: https://procrastinate.readthedocs.io (queueing locks, priorities).
"""

import asyncio
import logging
import signal
import subprocess
import threading
from contextlib import suppress

import procrastinate
import psycopg
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

from colpo_core.errors import StoreMismatch
from colpo_core.services.jobs import runner_processes
from colpo_core.services.jobs.engine import ClusterJobs
from colpo_core.store import Store
from colpo_core.store.tables import Job

log = logging.getLogger(__name__)
TASK = "colpodesk.run_job"
QUEUE = "colpodesk"
_HAS_SCHEMA = "SELECT to_regclass('procrastinate_jobs') IS NOT NULL AS found"
_STOP_SECONDS = 60.0
_RETRY_SECONDS = 2.0
_LOOK_SECONDS = 0.2


class ProcrastinateJobs(ClusterJobs):
    """Jobs are placed as messages of a queue, which workers take."""

    def place(self, store: Store, job: Job) -> None:
        """Send the message that a job waits, unless it waits in the queue already; the highest priority comes first.

        Args:
            store: The open store, on PostgreSQL.
            job: The job.
        """
        app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=_conninfo(store)))
        lock = f"job {job.id}, priority {job.priority}"
        with app.open(), suppress(AlreadyEnqueued):
            if not app.connector.get_sync_connector().execute_query_one(_HAS_SCHEMA)["found"]:
                app.schema_manager.apply_schema()
            app.configure_task(TASK, queue=QUEUE, priority=job.priority, queueing_lock=lock).defer(job_id=job.id)

    def work(self, store: Store, *, end_requested: threading.Event) -> None:
        """Take messages and run their jobs, one after the other, until told to end.

        A job that runs then is put back into the table, where it waits for another worker. While the database does not
        answer, the worker waits for it.

        Args:
            store: The open store, on PostgreSQL.
            end_requested: Set from a signal's handler.
        """
        while not end_requested.is_set():
            try:
                asyncio.run(_work(store, end_requested))
            except (ConnectorException, psycopg.OperationalError) as error:
                log.warning("the queue does not answer (%s); trying again", error)
                end_requested.wait(_RETRY_SECONDS)


async def _work(store: Store, end_requested: threading.Event) -> None:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=_conninfo(store)))

    def run_job(job_id: int) -> None:
        run_attached(store, job_id, end_requested=end_requested)

    app.task(run_job, name=TASK, queue=QUEUE)
    async with app.open_async():
        if not (await app.connector.execute_query_one_async(_HAS_SCHEMA))["found"]:
            await app.schema_manager.apply_schema_async()
        worker = asyncio.create_task(
            app.run_worker_async(queues=[QUEUE], concurrency=1, install_signal_handlers=False, delete_jobs="always")
        )
        while not end_requested.is_set() and not worker.done():
            await asyncio.sleep(_LOOK_SECONDS)
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker


def run_attached(store: Store, job_id: int, *, end_requested: threading.Event) -> int:
    """Run a job in a process of its own and wait for it; told to end, it is asked to put the job back.

    Returns:
        The runner's exit code.
    """
    process = runner_processes.start_attached(store, job_id)
    while True:
        try:
            return process.wait(timeout=_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            if end_requested.is_set():
                process.send_signal(signal.SIGTERM)
                return process.wait(timeout=_STOP_SECONDS)


def _conninfo(store: Store) -> str:
    url = store.settings.database_url
    if url is None:
        raise StoreMismatch("Procrastinate needs the store on PostgreSQL. Set COLPO_DATABASE_URL.")
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
