"""Runner processes of this machine: start one for a job, tell it something, see whether it lives, end it.

A runner belongs to nobody: it is started through a process that ends at once, in a session of its own, so it outlives
the browser and the web server, and leaves no zombie whose id would look alive.
"""

import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from colpo_core.services.jobs.files import job_dir, log_path
from colpo_core.settings import PROGRAM_DIR
from colpo_core.store import Store

log = logging.getLogger(__name__)
_NICENESS = 10
"""Where the program lies."""
_START_DETACHED = """
import json, os, subprocess, sys
order = json.loads(sys.argv[1])
os.nice(order["niceness"])
with open(order["log"], "ab") as log:
    subprocess.Popen(order["command"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
os._exit(0)
"""


def runner_command(job_id: int) -> list[str]:
    """What runs a job in a process of its own."""
    return [sys.executable, "-m", "colpo_core", "run-job", str(job_id)]


def runner_environment(store: Store) -> dict[str, str]:
    """The environment of a runner: this process's, and the store's settings."""
    return os.environ | store.settings.to_environment() | {"PYTHONUNBUFFERED": "1"}


def start_detached(store: Store, job_id: int) -> None:
    """Start a runner that outlives this process; what it prints goes into the job's log."""
    if os.name == "nt":
        names = ("DETACHED_PROCESS", "CREATE_NEW_PROCESS_GROUP", "BELOW_NORMAL_PRIORITY_CLASS")
        _spawn(store, job_id, creationflags=sum(int(getattr(subprocess, name, 0)) for name in names), close_fds=True)
        return
    job_dir(store, job_id).mkdir(parents=True, exist_ok=True)
    order = {"command": runner_command(job_id), "log": str(log_path(store, job_id)), "niceness": _NICENESS}
    starter = [sys.executable, "-I", "-S", "-c", _START_DETACHED, json.dumps(order)]
    environment = runner_environment(store)
    subprocess.run(starter, cwd=PROGRAM_DIR, env=environment, check=True, timeout=60)  # noqa: S603 - our own command


def start_attached(store: Store, job_id: int) -> "subprocess.Popen[bytes]":
    """Start a runner that the caller waits for. It goes on all the same where the caller dies."""
    return _spawn(store, job_id, start_new_session=True)


def is_runner(pid: int, job_id: int) -> bool:
    """Whether a process of this machine is the job's runner; where the system does not tell, its lease has to do."""
    command_line = Path(f"/proc/{pid}/cmdline")
    if not command_line.parent.parent.joinpath("self").exists():
        return True
    try:
        words = command_line.read_bytes().split(b"\0")
    except OSError:
        return False
    return b"run-job" in words and str(job_id).encode() in words


def ask_to_look(pid: int, job_id: int) -> bool:
    """Tell a job's runner at once to look at its row; returns whether it could be told."""
    if os.name == "nt" or not is_runner(pid, job_id):
        return False
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return False
    return True


def kill(pid: int, job_id: int) -> bool:
    """Kill a job's runner with all that it started; returns whether there was one to kill."""
    if os.name == "nt" or not is_runner(pid, job_id):
        return False
    log.warning("job %d: process %d is past its time; it is killed", job_id, pid)
    try:
        if os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)  # started by an engine within a group of its own
    except ProcessLookupError:
        log.info("job %d: process %d had ended meanwhile", job_id, pid)
    return True


def _spawn(store: Store, job_id: int, **how: Any) -> "subprocess.Popen[bytes]":  # noqa: ANN401 - as Popen takes them
    job_dir(store, job_id).mkdir(parents=True, exist_ok=True)
    with log_path(store, job_id).open("ab") as out:
        return subprocess.Popen(  # noqa: S603 - our own command
            runner_command(job_id),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=PROGRAM_DIR,
            env=runner_environment(store),
            **how,
        )
