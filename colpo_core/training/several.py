"""One fit on several GPUs of one machine: a process for each, started and ended by the process that holds the job.

The processes share every batch out among them and keep their weights in step (distributed data parallel). The process
that started them waits: it hands on what they tell, passes a wish to stop on, and takes the weights from a file. They
meet through a file too, and talk over the loopback alone, so that no port of the machine is open to others.

Loss and gradients are those of one process with the same batch, but for rounding. What is not the same: on a CPU each
process normalises by the statistics of its own share, and the running ones that are kept are the first's; on GPUs
the statistics are those of the whole batch. Dropout draws differ. Networks are not compiled.

Source: Li et al. 2020, PyTorch Distributed (averaged gradients); Ioffe and Szegedy 2015 with statistics over all
processes (`SyncBatchNorm`).
"""

import json
import multiprocessing
import os
import socket
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import ModuleType
from typing import Any

import safetensors.torch
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import Tensor, distributed, nn

from colpo_core.errors import ColpoError, JobFailed
from colpo_core.training.hardware import FABRIC_WORDS, Hardware
from colpo_core.training.loop import Fitted, Keeper, Lesson, Plan, fit, reproducible
from colpo_core.training.readiness import explaining_memory
from colpo_core.training.watch import Watch

ASK_EVERY_SECONDS = 0.25
"""How often the waiting process asks whether to stop, while nothing is told."""
_END_WITHIN_SECONDS = 5.0
_SAID_WHY = 3  # exit code of a process that has left a note of what stopped it
GROUP_TIMEOUT = timedelta(hours=2)
"""A process that died is seen at once; this only has to outlast a validation."""
_ERRAND, _WEIGHTS, _RECORD, _MEETING = "errand.pt", "weights.safetensors", "fitted.json", "meeting"


@dataclass(frozen=True)
class Errand:
    """What crosses to each process; frames and channels cross as the paths of their files.

    Attributes:
        network: What learns.
        lesson: What it learns.
        plan: How long and how fast.
        precision: As `Hardware` has it.
        threads: How many a process may use on the CPU.
    """

    network: nn.Module
    lesson: Lesson
    plan: Plan
    precision: str
    threads: int


@dataclass(frozen=True)
class Seat:
    """Where a process sits among the others.

    Attributes:
        rank: From 0; the first judges, tells and keeps.
        count: How many there are.
        device: What it computes on.
    """

    rank: int
    count: int
    device: torch.device


def across_processes() -> Callable[[Tensor], Tensor] | None:
    """Adds a tensor up over all processes of a fit, with its gradient; None in a fit of one process.

    A loss made of such sums is the loss of the whole batch in every process. Every process must add up the same
    tensors in the same order, so it is for learning alone: only the first process judges.
    """
    if not (distributed.is_available() and distributed.is_initialized()):
        return None
    return _added_up


class _AllSum(torch.autograd.Function):
    """The sum over all processes. Each has the same loss of it, and the gradients are averaged afterwards."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:  # noqa: ANN401 - torch's own, without a type
        total = value.detach().clone().contiguous()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ANN401
        return _AllSum.forward(ctx, gradients[0])


def _added_up(value: Tensor) -> Tensor:
    total: Tensor = _AllSum.apply(value)
    return total


def fit_on_several(
    network: nn.Module,
    lesson: Lesson,
    *,
    plan: Plan,
    hardware: Hardware,
    watch: Watch,
    keeper: Keeper | None,
    processes: int,
) -> Fitted:
    """Train a network in so many processes of this machine; else as `fit`, which calls this where there are several.

    Args:
        network: What learns; it is moved to the hardware's device.
        lesson: What it learns; its loss must add up by `across_processes`. It is pickled.
        plan: How long and how fast.
        hardware: What it computes on.
        watch: Told of every step of the first process; stops all of them.
        keeper: Where the first process keeps an unfinished fit and all take it up again. It is pickled.
        processes: At most as many as a batch has images.

    Raises:
        JobCancelled: A person wants to stop.
        JobFailed: The loss is not a number any more, or a process failed or died. None is left.
    """
    with tempfile.TemporaryDirectory(prefix="colpo-fit-") as name:
        folder = Path(name)
        threads = max(1, torch.get_num_threads() // processes)
        torch.save((Errand(network, lesson, plan, hardware.precision, threads), keeper), folder / _ERRAND)
        on_gpu = hardware.device.type == "cuda"
        devices = [torch.device("cuda", rank) if on_gpu else torch.device("cpu") for rank in range(processes)]
        seats = [Seat(rank, processes, device) for rank, device in enumerate(devices)]
        with _started(seats, folder) as (crew, heard):
            failed = _attend(crew, heard, watch)
        if failed is not None:
            raise JobFailed(_why(folder, failed, processes))
        weights = safetensors.torch.load_file(folder / _WEIGHTS)
        fitted = Fitted(**json.loads((folder / _RECORD).read_text(encoding="utf-8")))
    take_over(network, weights, hardware=hardware)
    return fitted


@contextmanager
def _started(seats: list[Seat], folder: Path) -> Iterator[tuple[list[SpawnProcess], Connection]]:
    """The processes, and what the first one tells; afterwards none is left, whatever happened."""
    context = multiprocessing.get_context("spawn")
    heard, tells = context.Pipe(duplex=False)
    crew: list[SpawnProcess] = []
    try:
        for seat in seats:
            given = (seat, folder, tells if seat.rank == 0 else None)
            crew.append(context.Process(target=_take_part, args=given, name=f"fit-{seat.rank}", daemon=True))
            with _nameless_main():
                crew[-1].start()
        tells.close()  # the first process has its own end now, and the pipe ends with it
        yield crew, heard
    finally:
        _end([process for process in crew if process.pid is not None])
        tells.close()
        heard.close()


def _end(crew: list[SpawnProcess]) -> None:
    for process in crew:
        process.terminate()
    for process in crew:
        process.join(_END_WITHIN_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()


def _attend(crew: list[SpawnProcess], heard: Connection, watch: Watch) -> SpawnProcess | None:
    """Hand on what is told until all processes have ended; the first that failed, or None.

    One that did not end by itself comes before those that could not go on without it and have said so.
    """
    running, listening, done = {process.sentinel: process for process in crew}, True, 0.0
    while running or listening:
        ready = connection.wait([*running, heard] if listening else [*running], ASK_EVERY_SECONDS)
        if listening and heard in ready:
            try:
                done = hand_on(heard.recv(), watch, done)
            except (EOFError, OSError):  # the first process has ended; its exit code says how
                listening = False
        else:
            watch.beat(done)
        for sentinel in ready:
            ended = running.pop(sentinel, None) if isinstance(sentinel, int) else None
            if ended is not None:
                ended.join()
                if ended.exitcode:
                    return next((one for one in crew if one.exitcode not in {None, 0, _SAID_WHY}), ended)
    return None


def hand_on(told: tuple[Any, ...], watch: Watch, done: float) -> float:
    """Hand on to the watch what a `Relay` has told; how much is done then, of what was before."""
    if len(told) == 1:
        watch.beat(told[0])
        return float(told[0])
    watch.epoch_done(*told)
    return done


def take_over(network: nn.Module, weights: dict[str, Tensor], *, hardware: Hardware) -> None:
    """Give a network the weights that the processes of a fit have learned, as `fit` leaves it."""
    network.load_state_dict(weights)
    network.to(hardware.device).eval()


def _why(folder: Path, failed: SpawnProcess, processes: int) -> str:
    """A sentence of our own where a process left one; else what the first that failed was stopped by."""
    left = sorted(folder.glob("failed-*.json"), key=lambda place: place.stat().st_mtime_ns)
    notes = [json.loads(place.read_text(encoding="utf-8")) for place in left]
    for note in notes:
        if note["sentence"]:
            return str(note["sentence"])
    code = failed.exitcode or 0
    reason = f"signal {-code}" if code < 0 else f"exit code {code}"
    if notes and code == _SAID_WHY:
        reason = notes[0]["kind"]
    return (
        f"One of the {processes} processes of the training ended too early ({reason}). Run the training again; "
        "if that does not help, train with a smaller batch or on one device, and look into the training's log."
    )


def _take_part(seat: Seat, folder: Path, tells: Connection | None) -> None:
    """What each process does."""
    _end_with_parent()
    try:
        with explaining_memory():
            _learn(seat, folder, tells)
    except Exception as error:
        # Written before the others notice that this process is gone, so that theirs never looks like the first.
        _leave_note(seat, folder, error)
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(_SAID_WHY)  # at once: an orderly end would wait for the others, who may wait for this one


def _leave_note(seat: Seat, folder: Path, error: Exception) -> None:
    sentence = str(error) if isinstance(error, ColpoError) else ""
    torn = folder / f"failed-{seat.rank}.part"
    torn.write_text(json.dumps({"kind": type(error).__name__, "sentence": sentence}), encoding="utf-8")
    torn.replace(torn.with_suffix(".json"))


@contextmanager
def _nameless_main() -> Iterator[None]:
    """A spawned process first runs its parent's main script again, which may be a page or a command; not here."""
    kept = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = kept


def _end_with_parent() -> None:
    """Nobody ends the processes of a process that was killed, and a GPU would stay taken."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, name="end-with-parent", daemon=True).start()


def _learn(seat: Seat, folder: Path, tells: Connection | None) -> None:
    with _group(seat, folder):
        errand: Errand
        # Our own file, in a folder that nobody else can write to.
        errand, keeper = torch.load(folder / _ERRAND, map_location="cpu", weights_only=False)
        keeper = keeper if tells or keeper is None else _Onlooker(keeper)
        fitted, weights = learn_in_a_group(errand, seat, watch=Relay(tells.send if tells else None), keeper=keeper)
        if tells:
            safetensors.torch.save_file(weights, folder / _WEIGHTS)
            (folder / _RECORD).write_text(json.dumps(asdict(fitted)), encoding="utf-8")


def learn_in_a_group(
    errand: Errand, seat: Seat, *, watch: Watch, keeper: Keeper | None
) -> tuple[Fitted, dict[str, Tensor]]:
    """Learn with the other processes of a group that is made already.

    Args:
        errand: The same for all of them.
        seat: This one's own.
        watch: Told of every step of this process.
        keeper: Gives all of them the same unfinished fit.

    Returns:
        How the fit went, and the network's state on the CPU: the same in all of them.

    Raises:
        JobCancelled: A person wants to stop.
        JobFailed: The loss is not a number any more.
    """
    with reproducible(seed=errand.plan.seed, threads=errand.threads):
        network = errand.network.train()
        if seat.device.type == "cuda":
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        network.to(seat.device)
        hardware = Hardware(_fabric(seat, errand.precision), errand.precision)
        fitted = fit(network, errand.lesson, plan=errand.plan, hardware=hardware, watch=watch, keeper=keeper)
    return fitted, {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}


@contextmanager
def _group(seat: Seat, folder: Path) -> Iterator[None]:
    """The processes know each other: by nccl on GPUs, by gloo on a CPU; over the loopback alone."""
    loopback = next((name for _, name in socket.if_nameindex() if name.startswith("lo")), None)
    if loopback is not None:
        os.environ["GLOO_SOCKET_IFNAME"] = os.environ["NCCL_SOCKET_IFNAME"] = loopback
    os.environ["NCCL_RAS_ENABLE"] = "0"  # it would listen for a monitor
    on_gpu = seat.device.type == "cuda"
    if on_gpu:
        torch.cuda.set_device(seat.device)
    distributed.init_process_group(
        "nccl" if on_gpu else "gloo",
        # A store of TCP would listen on every interface of the machine.
        init_method=(folder / _MEETING).as_uri(),
        rank=seat.rank,
        world_size=seat.count,
        timeout=GROUP_TIMEOUT,
        device_id=seat.device if on_gpu else None,
    )
    yield
    distributed.destroy_process_group()


def _fabric(seat: Seat, precision: str) -> Fabric:
    """Fabric in a process that was started already, with its group made: to it each is a machine with one device."""
    fabric = Fabric(
        accelerator=seat.device.type,
        devices=[seat.device.index or 0] if seat.device.type == "cuda" else 1,
        num_nodes=seat.count,
        # Running statistics are the same in all processes, or only the first's are ever used.
        strategy=DDPStrategy(forward_sync_buffers=False),
        plugins=[_Seated(seat)],
        precision=FABRIC_WORDS[precision],
    )
    fabric.launch()
    return fabric


class _Seated(LightningEnvironment):
    """Tells Fabric where the process sits; nothing in the machine's environment says so."""

    def __init__(self, seat: Seat) -> None:
        super().__init__()
        self._seat = seat

    @property
    def creates_processes_externally(self) -> bool:
        return True

    def world_size(self) -> int:
        return self._seat.count

    def set_world_size(self, size: int) -> None:
        """It is settled."""

    def global_rank(self) -> int:
        return self._seat.rank

    def set_global_rank(self, rank: int) -> None:
        """It is settled."""

    def local_rank(self) -> int:
        return 0

    def node_rank(self) -> int:
        return self._seat.rank


class Relay(Watch):
    """Tells the waiting process, which alone knows whether to stop.

    Args:
        tell: Takes what `hand_on` understands; None for a process that tells nobody.
    """

    def __init__(self, tell: Callable[[tuple[Any, ...]], None] | None) -> None:
        super().__init__(lambda event: None, lambda: False)
        self._tell_waiting = tell

    def beat(self, done: float) -> None:
        """One step; see `Watch`."""
        if self._tell_waiting:
            self._tell_waiting((done,))

    def epoch_done(self, epoch: int, figures: dict[str, float]) -> None:
        """An epoch is over; see `Watch`."""
        if self._tell_waiting:
            self._tell_waiting((epoch, figures))


class _Onlooker:
    """Takes an unfinished fit up, and leaves keeping it to the first process."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    def load(self) -> dict[str, Any] | None:
        return self._keeper.load()

    def due(self) -> bool:
        return False

    def keep(self, state: dict[str, Any]) -> None:
        """Nothing is kept here."""
