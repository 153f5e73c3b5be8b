"""Supervising: what a serving process does from time to time, for as long as it runs.

Jobs are taken up that were left lying, and trainings begun whose time has come. Any number of processes may do so side
by side: each step asks the store first.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from colpo_core.services import engine
from colpo_core.services.retraining import train_if_due
from colpo_core.store import Store

log = logging.getLogger(__name__)


@contextmanager
def supervising(store: Store) -> Iterator[None]:
    """Look now and from time to time in a thread, until the block ends."""
    quiet = threading.Event()

    def watch() -> None:
        while True:
            _try(lambda: engine.reconcile(store), "the job table could not be reconciled; trying again")
            _try(lambda: train_if_due(store), "whether it is time to train could not be looked at; trying again")
            if quiet.wait(store.settings.supervise_seconds):
                return

    thread = threading.Thread(target=watch, name="supervising", daemon=True)
    thread.start()
    try:
        yield
    finally:
        quiet.set()
        thread.join()


def _try(deed: Callable[[], object], complaint: str) -> None:
    try:
        deed()
    except Exception:
        log.exception(complaint)
