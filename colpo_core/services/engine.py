"""The engine: it places jobs on this machine, one detached process a job, and takes up again what was left lying.

The job table is the truth. Placing is a mere hint: a runner that has nothing to claim ends at once, so placing twice
does no harm. A runner belongs to nobody: it is started through a process that ends at once, in a session of its own,
so it outlives the browser and the web server, and leaves no zombie whose id would look alive.
"""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import select

from colpo_core.services import leases
from colpo_core.store import Store
from colpo_core.store.tables import Job
from colpo_core.terms import JobKind, JobState

log = logging.getLogger(__name__)
RECONCILE_SECONDS = 15.0
_NICENESS = 10
_PROGRAM_DIR = Path(__file__).resolve().parents[2]
_START_DETACHED = """
import json, os, subprocess, sys
order = json.loads(sys.argv[1])
os.nice(order["niceness"])
with open(order["log"], "ab") as log:
    subprocess.Popen(order["command"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
os._exit(0)
"""


def job_dir(store: Store, job_id: int) -> Path:
    """The folder of a job's log and unfinished work."""
    return store.settings.jobs_dir / str(job_id)


def work_dir(store: Store, job_id: int) -> Path:
    """The folder of a job's unfinished work, by which it goes on after a crash."""
    return job_dir(store, job_id) / "work"


def log_path(store: Store, job_id: int) -> Path:
    """The file that takes all a runner prints."""
    return job_dir(store, job_id) / "log.txt"


def place(store: Store, job_id: int) -> bool:
    """Start a runner for a job, where it may run now; harmless where one has it already.

    Returns:
        Whether a process was started.
    """
    with store.reading() as session:
        job = session.get(Job, job_id)
        now = leases.database_now(session)
        if job is None or job.state.is_over or job.paused:
            return False
        if leases.is_held(job, now) or leases.is_blocked(session, job, now):
            return False
    folder = job_dir(store, job_id)
    folder.mkdir(parents=True, exist_ok=True)
    _marker(store, job_id).touch()
    command = [sys.executable, "-m", "colpo_core", "run-job", str(job_id)]
    environment = os.environ | {
        "COLPO_DATA": str(store.settings.data_dir),
        "COLPO_LEASE_SECONDS": str(store.settings.lease_seconds),
        "PYTHONUNBUFFERED": "1",
    }
    if os.name == "nt":
        _start_on_windows(command, environment, log_path(store, job_id))
    else:
        order = {"command": command, "log": str(log_path(store, job_id)), "niceness": _NICENESS}
        starter = [sys.executable, "-I", "-S", "-c", _START_DETACHED, json.dumps(order)]
        subprocess.run(starter, cwd=_PROGRAM_DIR, env=environment, check=True, timeout=60)  # noqa: S603 - our own command
    return True


def nudge(store: Store, job_id: int) -> bool:
    """Tell a job's runner at once to look at its row; without it the next heartbeat does.

    Returns:
        Whether a signal was sent: only to a process of this machine that was heard within its lease.
    """
    with store.reading() as session:
        job = session.get(Job, job_id)
        if job is None or not leases.is_held(job, leases.database_now(session)):
            return False
        pid, host = job.pid, job.host
    if os.name == "nt" or pid is None or host != socket.gethostname() or not _is_runner(pid, job_id):
        return False
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return False
    return True


def reconcile(store: Store, *, patience_seconds: float | None = None) -> list[int]:
    """Take up what was left lying: jobs whose runner died, and the next of those that wait.

    A runner of this machine that fell silent, or does not stop though its job was cancelled a while ago, is killed.

    Args:
        store: The open store.
        patience_seconds: A job placed less than this ago is given time to start; a lease's length when None.

    Returns:
        The jobs for which a runner was started.
    """
    _kill_stuck(store)
    patience = store.settings.lease_seconds if patience_seconds is None else patience_seconds
    return [
        job_id for job_id in _waiting(store) if _placed_seconds_ago(store, job_id) >= patience and place(store, job_id)
    ]


@contextmanager
def watching(store: Store, *, every_seconds: float = RECONCILE_SECONDS) -> Iterator[None]:
    """Reconcile now and from time to time in a thread, for as long as a server runs."""
    quiet = threading.Event()

    def watch() -> None:
        while True:
            try:
                reconcile(store)
            except Exception:
                log.exception("the job table could not be reconciled; trying again")
            if quiet.wait(every_seconds):
                return

    thread = threading.Thread(target=watch, name="reconcile", daemon=True)
    thread.start()
    try:
        yield
    finally:
        quiet.set()
        thread.join()


def _waiting(store: Store) -> list[int]:
    """The next job of each kind that nobody holds, after ending those that must not go on."""
    with store.reading() as session:
        unfinished = list(session.scalars(select(Job.id).where(Job.state.in_((JobState.QUEUED, JobState.RUNNING)))))
    if not unfinished:
        return []
    next_of: dict[JobKind, int] = {}
    with store.writing() as session:
        now = leases.database_now(session)
        ranked = select(Job).where(Job.id.in_(unfinished)).order_by(Job.priority.desc(), Job.id)
        for job in session.scalars(ranked):
            if job.state.is_over or leases.is_held(job, now) or leases.end_hopeless(job) or job.paused:
                continue
            next_of.setdefault(job.kind, job.id)
    return sorted(next_of.values())


def _kill_stuck(store: Store) -> None:
    """Kill runners of this machine that are past their time, with all that they started.

    They are those whose job was cancelled a while ago, and those that fell silent: another one will take their job
    over, and one that froze in the middle of a write would keep everybody else from writing for as long.
    """
    here = (Job.state == JobState.RUNNING, Job.host == socket.gethostname(), Job.pid.is_not(None))
    with store.reading() as session:
        now = leases.database_now(session)
        cancelled = Job.cancel_requested_at < now - store.settings.cancel_grace_seconds
        stuck = session.execute(
            select(Job.id, Job.pid, Job.lease_token, cancelled).where(*here, cancelled | (Job.lease_until < now))
        ).all()
    for job_id, pid, token, is_cancelled in stuck:
        if os.name == "nt" or pid is None or not _is_runner(pid, job_id):
            continue
        log.warning("job %d: process %d is past its time; it is killed", job_id, pid)
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            log.info("job %d: process %d had ended meanwhile", job_id, pid)
        if is_cancelled:
            with store.writing() as session:
                job = session.get_one(Job, job_id)
                if job.lease_token == token:
                    leases.end_job(job, JobState.CANCELLED)


def _marker(store: Store, job_id: int) -> Path:
    return job_dir(store, job_id) / "placed"


def _placed_seconds_ago(store: Store, job_id: int) -> float:
    try:
        return max(0.0, time.time() - _marker(store, job_id).stat().st_mtime)
    except FileNotFoundError:
        return float("inf")


def _is_runner(pid: int, job_id: int) -> bool:
    """Whether a process is the job's runner; where the system does not tell, its live lease has to do."""
    command_line = Path(f"/proc/{pid}/cmdline")
    if not command_line.parent.parent.joinpath("self").exists():
        return True
    try:
        words = command_line.read_bytes().split(b"\0")
    except OSError:
        return False
    return b"run-job" in words and str(job_id).encode() in words


def _start_on_windows(command: list[str], environment: dict[str, str], log_file: Path) -> None:
    flags = 0
    for name in ("DETACHED_PROCESS", "CREATE_NEW_PROCESS_GROUP", "BELOW_NORMAL_PRIORITY_CLASS"):
        flags |= int(getattr(subprocess, name, 0))
    with log_file.open("ab") as out:
        subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=_PROGRAM_DIR,
            env=environment,
            creationflags=flags,
            close_fds=True,
        )
