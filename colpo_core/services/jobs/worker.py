"""A worker: a process without a screen that runs the store's jobs, on this machine or on one of several."""

import threading
from collections.abc import Sequence

from colpo_core.services.jobs.engine import cluster_jobs
from colpo_core.services.jobs.supervising import Chore, supervising
from colpo_core.store import Store


def work(store: Store, chores: Sequence[Chore], *, end_requested: threading.Event) -> None:
    """Take part in the work until told to end.

    By itself, and with Ray, a worker sees to it that jobs are taken up that wait or were left lying. With Procrastinate
    it takes them too, one after the other.

    Args:
        store: The open store.
        chores: See `supervising`.
        end_requested: Set from a signal's handler.
    """
    with supervising(store, chores):
        jobs = cluster_jobs(store.settings.engine)
        if jobs is None:
            end_requested.wait()
        else:
            jobs.work(store, end_requested=end_requested)
