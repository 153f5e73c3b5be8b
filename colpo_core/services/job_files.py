"""Where a job's files lie: its log and its unfinished work."""

from pathlib import Path

from colpo_core.store import Store


def job_dir(store: Store, job_id: int) -> Path:
    """The folder of a job's log and unfinished work."""
    return store.settings.jobs_dir / str(job_id)


def work_dir(store: Store, job_id: int) -> Path:
    """The folder of a job's unfinished work, by which it goes on after a crash."""
    return job_dir(store, job_id) / "work"


def log_path(store: Store, job_id: int) -> Path:
    """The file that takes all a runner prints."""
    return job_dir(store, job_id) / "log.txt"
