"""Supervising: what a serving process does from time to time, for as long as it runs.

Jobs are taken up that were left lying, and what it is handed besides is done. Any number of processes may do so side by
side: each step asks the store first.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from colpo_core.services.jobs import engine
from colpo_core.store import Store

Chore = Callable[[Store], object]
log = logging.getLogger(__name__)


@contextmanager
def supervising(store: Store, chores: Sequence[Chore]) -> Iterator[None]:
    """Look now and from time to time in a thread, until the block ends.

    Args:
        store: The open store.
        chores: What is done each time after the jobs; one that fails is tried again the next time.
    """
    quiet = threading.Event()

    def watch() -> None:
        while True:
            for chore in (engine.reconcile, *chores):
                _try(chore, store)
            if quiet.wait(store.settings.supervise_seconds):
                return

    thread = threading.Thread(target=watch, name="supervising", daemon=True)
    thread.start()
    try:
        yield
    finally:
        quiet.set()
        thread.join()


def _try(chore: Chore, store: Store) -> None:
    try:
        chore(store)
    except Exception:
        log.exception("%s failed; trying again", chore.__name__)
