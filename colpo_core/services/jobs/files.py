"""Where a job's files lie: its log and its unfinished work, on this machine and where machines share them.

Where a store's folder holds all files nothing is shared: whoever takes a job up sees the same folder.
"""

import shutil
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from threading import Event
from typing import Protocol

from colpo_core.cluster_parts import ClusterPart, load_part
from colpo_core.store import Store
from colpo_core.store.shared_files import SharedFiles

LOG_TAIL_BYTES = 20_000


class SharedJobFiles(Protocol):
    """A job's files among those that machines share."""

    def sharing(
        self, store: Store, files: SharedFiles, job_id: int, *, attempt: int, lost: Event
    ) -> AbstractContextManager[None]:
        """Begin with the work that an earlier attempt has shared, and share this one's as it is saved.

        Raises:
            FilesUnreachable: The shared files do not answer at the beginning. Later they may be away for a while.
        """

    def delete(self, files: SharedFiles, job_id: int) -> None:
        """Delete what is shared of a job's unfinished work; where the files do not answer it stays."""

    def read_log(self, files: SharedFiles, job_id: int) -> str:
        """The end of what a job's processes printed; where the files do not answer, a sentence that says so."""


def job_dir(store: Store, job_id: int) -> Path:
    """The folder of a job's log and unfinished work."""
    return store.settings.jobs_dir / str(job_id)


def work_dir(store: Store, job_id: int) -> Path:
    """The folder of a job's unfinished work, by which it goes on after a crash."""
    return job_dir(store, job_id) / "work"


def log_path(store: Store, job_id: int) -> Path:
    """The file that takes all a runner prints."""
    return job_dir(store, job_id) / "log.txt"


def log_tail(store: Store, job_id: int) -> bytes:
    """The end of what a job's processes printed on this machine."""
    try:
        with log_path(store, job_id).open("rb") as file:
            file.seek(max(0, log_path(store, job_id).stat().st_size - LOG_TAIL_BYTES))
            return file.read()
    except FileNotFoundError:
        return b""


def read_log(store: Store, job_id: int) -> str:
    """The end of what a job's processes printed, on whatever machine."""
    if store.files is None:
        return log_tail(store, job_id).decode("utf-8", "replace")
    return _shared_job_files().read_log(store.files, job_id)


def sharing_work(store: Store, job_id: int, *, attempt: int, lost: Event) -> AbstractContextManager[None]:
    """Begin with the work that an earlier attempt has shared, and share this one's as it is saved.

    Args:
        store: The open store.
        job_id: Row of the job.
        attempt: Which attempt this is.
        lost: Set when another runner has the job; nothing is sent any more.

    Raises:
        FilesUnreachable: The shared files do not answer at the beginning. Later they may be away for a while.
    """
    if store.files is None:
        return nullcontext()
    return _shared_job_files().sharing(store, store.files, job_id, attempt=attempt, lost=lost)


def delete_work(store: Store, job_id: int) -> None:
    """Delete a job's unfinished work, here and where it is shared: it is done."""
    shutil.rmtree(work_dir(store, job_id), ignore_errors=True)
    if store.files is not None:
        _shared_job_files().delete(store.files, job_id)


def _shared_job_files() -> SharedJobFiles:
    shared: SharedJobFiles = load_part(ClusterPart.SHARED_WORK)()
    return shared
