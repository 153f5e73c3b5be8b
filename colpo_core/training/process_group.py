"""What each process of a fit that several share does: take its share of every batch, in step with the others.

Loss and gradients are those of one process with the same batch, but for rounding. What is not the same: on a CPU each
process normalises by the statistics of its own share, and the running ones that are kept are the first's; on GPUs
the statistics are those of the whole batch. Dropout draws differ. Networks are not compiled.

Source: Li et al. 2020, PyTorch Distributed (averaged gradients); Ioffe and Szegedy 2015 with statistics over all
processes (`SyncBatchNorm`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import Tensor, nn

from colpo_core.training.contract import FitRequest, FitResult, FitStateStore, Hyperparameters, Objective
from colpo_core.training.hardware import FABRIC_WORDS, Hardware
from colpo_core.training.loop import fit_in_this_process, reproducible
from colpo_core.training.progress import ProgressReporter

GROUP_TIMEOUT = timedelta(hours=2)
"""A process that died is seen at once; this only has to outlast a validation."""
Message = tuple[Any, ...]
"""What the first process reports: the share of the stage that is done, or an epoch and its figures."""


@dataclass(frozen=True)
class FitTask:
    """What crosses to each process; frames and channels cross as the paths of their files.

    Attributes:
        network: What learns.
        objective: What it learns.
        hyperparameters: How long and how fast.
        precision: As `Hardware` has it.
        threads: How many a process may use on the CPU.
    """

    network: nn.Module
    objective: Objective
    hyperparameters: Hyperparameters
    precision: str
    threads: int

    @classmethod
    def of(cls, request: FitRequest, *, threads: int) -> "FitTask":
        """What of a fit crosses to each process."""
        precision = request.hardware.precision
        return cls(request.network, request.objective, request.hyperparameters, precision, threads)


@dataclass(frozen=True)
class Rank:
    """One process among those that share a fit.

    Attributes:
        number: From 0; the first judges, reports and saves.
        world_size: How many there are.
        device: What it computes on.
    """

    number: int
    world_size: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether it judges, reports and saves for all."""
        return self.number == 0


def fit_in_group(
    task: FitTask, rank: Rank, *, progress: ProgressReporter, state_store: FitStateStore | None
) -> tuple[FitResult, dict[str, Tensor]]:
    """Learn with the other processes of a group that is made already.

    Args:
        task: The same for all of them.
        rank: This one's own.
        progress: Told of every step of this process.
        state_store: Gives all of them the same unfinished fit.

    Returns:
        How the fit went, and the network's state on the CPU: the same in all of them.

    Raises:
        JobCancelled: A person wants to stop.
        JobFailed: The loss is not a number any more.
    """
    with reproducible(seed=task.hyperparameters.seed, threads=task.threads):
        network = task.network.train()
        if rank.device.type == "cuda":
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        network.to(rank.device)
        hardware = Hardware(_fabric(rank, task.precision), task.precision)
        request = FitRequest(network, task.objective, task.hyperparameters, hardware, progress, state_store)
        result = fit_in_this_process(request)
    return result, {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}


def forward_progress(message: Message, progress: ProgressReporter, done: float) -> float:
    """Hand what a `ProgressRelay` has sent on to the reporter.

    Args:
        message: What was sent.
        progress: Of the process that started the others.
        done: Share of the stage that was done before, 0 to 1.

    Returns:
        Share of the stage that is done now.
    """
    if len(message) == 1:
        progress.beat(message[0])
        return float(message[0])
    progress.epoch_done(*message)
    return done


def load_fitted_weights(request: FitRequest, weights: dict[str, Tensor]) -> None:
    """Give the network of a fit the weights that the processes have learned, as `fitting.fit` leaves it."""
    request.network.load_state_dict(weights)
    request.network.to(request.hardware.device).eval()


def _fabric(rank: Rank, precision: str) -> Fabric:
    """Fabric in a process that was started already, with its group made: to it each is a machine with one device."""
    fabric = Fabric(
        accelerator=rank.device.type,
        devices=[rank.device.index or 0] if rank.device.type == "cuda" else 1,
        num_nodes=rank.world_size,
        # Running statistics are the same in all processes, or only the first's are ever used.
        strategy=DDPStrategy(forward_sync_buffers=False),
        plugins=[_RankEnvironment(rank)],
        precision=FABRIC_WORDS[precision],
    )
    fabric.launch()
    return fabric


class _RankEnvironment(LightningEnvironment):
    """Tells Fabric which process this is; nothing in the machine's environment says so."""

    def __init__(self, rank: Rank) -> None:
        super().__init__()
        self._rank = rank

    @property
    def creates_processes_externally(self) -> bool:
        return True

    def world_size(self) -> int:
        return self._rank.world_size

    def set_world_size(self, size: int) -> None:
        """It is settled."""

    def global_rank(self) -> int:
        return self._rank.number

    def set_global_rank(self, rank: int) -> None:
        """It is settled."""

    def local_rank(self) -> int:
        return 0

    def node_rank(self) -> int:
        return self._rank.number


class ProgressRelay(ProgressReporter):
    """Reports to the waiting process, which alone knows whether to stop.

    Args:
        send: Takes what `forward_progress` understands; None for a process that reports to nobody.
    """

    def __init__(self, send: Callable[[Message], None] | None) -> None:
        super().__init__(lambda event: None, lambda: False)
        self._send = send

    def beat(self, done: float) -> None:
        """One step; see `ProgressReporter`."""
        if self._send:
            self._send((done,))

    def epoch_done(self, epoch: int, figures: dict[str, float]) -> None:
        """An epoch is over; see `ProgressReporter`."""
        if self._send:
            self._send((epoch, figures))


class ReadOnlyStore:
    """Takes an unfinished fit up, and leaves saving it to the first process.

    Args:
        state_store: The fit's own.
    """

    def __init__(self, state_store: FitStateStore) -> None:
        self._state_store = state_store

    def load(self) -> dict[str, Any] | None:
        """The state that was saved last, or None."""
        return self._state_store.load()

    def due(self) -> bool:
        """Never."""
        return False

    def save(self, state: dict[str, Any]) -> None:
        """Nothing is saved here."""
