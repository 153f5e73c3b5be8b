"""One fit on several GPUs of one machine: a process for each, started and ended by the process that holds the job.

The processes share every batch out among them and keep their weights in step (distributed data parallel); what each
does is in `process_group`. The process that started them waits: it hands on what they report, passes a wish to stop
on, and takes the weights from a file. They meet through a file too, and talk over the loopback alone, so that no port
of the machine is open to others.
"""

import json
import multiprocessing
import os
import socket
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import ModuleType

import safetensors.torch
import torch
from torch import distributed

from colpo_core.errors import ColpoError, JobFailed
from colpo_core.training.contract import FitRequest, FitResult
from colpo_core.training.process_group import (
    GROUP_TIMEOUT,
    FitTask,
    ProgressRelay,
    Rank,
    ReadOnlyStore,
    fit_in_group,
    forward_progress,
    load_fitted_weights,
)
from colpo_core.training.progress import ProgressReporter
from colpo_core.training.readiness import explaining_memory

POLL_SECONDS = 0.25
"""How often the waiting process asks whether to stop, while nothing is reported."""
_END_WITHIN_SECONDS = 5.0
_EXIT_EXPLAINED = 3  # exit code of a process that has left a note of what stopped it
_TASK, _WEIGHTS, _RESULT, _RENDEZVOUS = "task.pt", "weights.safetensors", "result.json", "rendezvous"


class LocalProcesses:
    """Shares a fit out among processes of this machine; see `FitBackend`."""

    def fit(self, request: FitRequest, *, processes: int) -> FitResult:
        """Train a network in so many processes; see `FitBackend.fit`."""
        with tempfile.TemporaryDirectory(prefix="colpo-fit-") as name:
            folder = Path(name)
            threads = max(1, torch.get_num_threads() // processes)
            torch.save((FitTask.of(request, threads=threads), request.state_store), folder / _TASK)
            on_gpu = request.hardware.device.type == "cuda"
            devices = [torch.device("cuda", number) if on_gpu else torch.device("cpu") for number in range(processes)]
            ranks = [Rank(number, processes, device) for number, device in enumerate(devices)]
            with _started(ranks, folder) as (workers, receiver):
                failed = _attend(workers, receiver, request.progress)
            if failed is not None:
                raise JobFailed(_why(folder, failed, processes))
            weights = safetensors.torch.load_file(folder / _WEIGHTS)
            result = FitResult(**json.loads((folder / _RESULT).read_text(encoding="utf-8")))
        load_fitted_weights(request, weights)
        return result


@contextmanager
def _started(ranks: list[Rank], folder: Path) -> Iterator[tuple[list[SpawnProcess], Connection]]:
    """The processes, and what the first one reports; afterwards none is left, whatever happened."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    workers: list[SpawnProcess] = []
    try:
        for rank in ranks:
            arguments = (rank, folder, sender if rank.is_first else None)
            workers.append(context.Process(target=_run_rank, args=arguments, name=f"fit-{rank.number}", daemon=True))
            with _nameless_main():
                workers[-1].start()
        sender.close()  # the first process has its own end now, and the pipe ends with it
        yield workers, receiver
    finally:
        _end([process for process in workers if process.pid is not None])
        sender.close()
        receiver.close()


def _end(workers: list[SpawnProcess]) -> None:
    for process in workers:
        process.terminate()
    for process in workers:
        process.join(_END_WITHIN_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()


def _attend(workers: list[SpawnProcess], receiver: Connection, progress: ProgressReporter) -> SpawnProcess | None:
    """Hand on what is reported until all processes have ended; the first that failed, or None.

    One that did not end by itself comes before those that could not go on without it and have said so.
    """
    running, listening, done = {process.sentinel: process for process in workers}, True, 0.0
    while running or listening:
        ready = connection.wait([*running, receiver] if listening else [*running], POLL_SECONDS)
        if listening and receiver in ready:
            try:
                done = forward_progress(receiver.recv(), progress, done)
            except (EOFError, OSError):  # the first process has ended; its exit code says how
                listening = False
        else:
            progress.beat(done)
        for sentinel in ready:
            ended = running.pop(sentinel, None) if isinstance(sentinel, int) else None
            if ended is not None:
                ended.join()
                if ended.exitcode:
                    unexplained = (other for other in workers if other.exitcode not in {None, 0, _EXIT_EXPLAINED})
                    return next(unexplained, ended)
    return None


def _why(folder: Path, failed: SpawnProcess, processes: int) -> str:
    """A sentence of our own where a process left one; else what the first that failed was stopped by."""
    oldest_first = sorted(folder.glob("failed-*.json"), key=lambda path: path.stat().st_mtime_ns)
    notes = [json.loads(path.read_text(encoding="utf-8")) for path in oldest_first]
    for note in notes:
        if note["sentence"]:
            return str(note["sentence"])
    code = failed.exitcode or 0
    reason = f"signal {-code}" if code < 0 else f"exit code {code}"
    if notes and code == _EXIT_EXPLAINED:
        reason = notes[0]["kind"]
    return (
        f"One of the {processes} processes of the training ended too early ({reason}). Run the training again; "
        "if that does not help, train with a smaller batch or on one device, and look into the training's log."
    )


def _run_rank(rank: Rank, folder: Path, sender: Connection | None) -> None:
    """What each process does."""
    _end_with_parent()
    try:
        with explaining_memory():
            _learn(rank, folder, sender)
    except Exception as error:
        # Written before the others notice that this process is gone, so that theirs never looks like the first.
        _leave_note(rank, folder, error)
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(_EXIT_EXPLAINED)  # at once: an orderly end would wait for the others, who may wait for this one


def _leave_note(rank: Rank, folder: Path, error: Exception) -> None:
    sentence = str(error) if isinstance(error, ColpoError) else ""
    partial = folder / f"failed-{rank.number}.part"
    partial.write_text(json.dumps({"kind": type(error).__name__, "sentence": sentence}), encoding="utf-8")
    partial.replace(partial.with_suffix(".json"))


@contextmanager
def _nameless_main() -> Iterator[None]:
    """A spawned process first runs its parent's main script again, which may be a page or a command; not here."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _end_with_parent() -> None:
    """Nobody ends the processes of a process that was killed, and a GPU would stay taken."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, name="end-with-parent", daemon=True).start()


def _learn(rank: Rank, folder: Path, sender: Connection | None) -> None:
    with _group(rank, folder):
        task: FitTask
        # Our own file, in a folder that nobody else can write to.
        task, state_store = torch.load(folder / _TASK, map_location="cpu", weights_only=False)
        state_store = state_store if sender or state_store is None else ReadOnlyStore(state_store)
        progress = ProgressRelay(sender.send if sender else None)
        result, weights = fit_in_group(task, rank, progress=progress, state_store=state_store)
        if sender:
            safetensors.torch.save_file(weights, folder / _WEIGHTS)
            (folder / _RESULT).write_text(json.dumps(asdict(result)), encoding="utf-8")


@contextmanager
def _group(rank: Rank, folder: Path) -> Iterator[None]:
    """The processes know each other: by nccl on GPUs, by gloo on a CPU; over the loopback alone."""
    loopback = next((name for _, name in socket.if_nameindex() if name.startswith("lo")), None)
    if loopback is not None:
        os.environ["GLOO_SOCKET_IFNAME"] = os.environ["NCCL_SOCKET_IFNAME"] = loopback
    os.environ["NCCL_RAS_ENABLE"] = "0"  # it would listen for a monitor
    on_gpu = rank.device.type == "cuda"
    if on_gpu:
        torch.cuda.set_device(rank.device)
    distributed.init_process_group(
        "nccl" if on_gpu else "gloo",
        # A store of TCP would listen on every interface of the machine.
        init_method=(folder / _RENDEZVOUS).as_uri(),
        rank=rank.number,
        world_size=rank.world_size,
        timeout=GROUP_TIMEOUT,
        device_id=rank.device if on_gpu else None,
    )
    yield
    distributed.destroy_process_group()
