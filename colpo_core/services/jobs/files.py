"""Where a job's files lie: its log and its unfinished work."""

from pathlib import Path

from colpo_core.store import Store

LOG_TAIL_BYTES = 20_000


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
