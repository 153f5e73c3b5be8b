"""What the parts of a fit agree on: what is fitted, how, and who shares it out among several processes."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor, nn

from colpo_core.datasets.tensors import Batch
from colpo_core.training.hardware import Hardware
from colpo_core.training.progress import ProgressReporter


@dataclass(frozen=True)
class Hyperparameters:
    """How long and how fast one network learns.

    Attributes:
        epochs: Epochs.
        batch_size: Images a step, over all devices.
        learning_rate: Peak learning rate.
        weight_decay: AdamW's weight decay; biases and normalisation are spared.
        seed: Seed of order and augmentation.
        max_gradient_norm: Gradients are clipped to this norm.
        early_stopping: Epochs without a better one after which the fit ends; 0 never.
        ema_decay: Decay of a running mean of the weights that is judged and kept in their place; 0 for none.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    seed: int
    max_gradient_norm: float = 1.0
    early_stopping: int = 0
    ema_decay: float = 0.0


@dataclass(frozen=True)
class Validation:
    """How a network does on the validation side after an epoch.

    Attributes:
        figures: Losses and metrics by name.
        score: What the best epoch has the highest of.
    """

    figures: dict[str, float]
    score: float


@dataclass(frozen=True)
class FitResult:
    """How a fit went.

    Attributes:
        best_epoch: The epoch, from 1, whose weights are kept; the last one where there is no validation.
        history: Figures of each epoch.
    """

    best_epoch: int
    history: list[dict[str, float]] = field(default_factory=list)


class Objective(Protocol):
    """What a network is fitted to: training images, a loss and a validation."""

    @property
    def count(self) -> int:
        """Images of the training set."""

    def batch(self, places: list[int], epoch: int) -> Batch:
        """The batch of places of the training set, in an epoch from 0."""

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """The loss of a batch; in several processes that of the whole batch, see `collectives.sum_over_processes`."""

    def validate(self, network: nn.Module) -> Validation | None:
        """Judge a network in eval mode; None where there is nothing to judge by. Of several processes one judges."""


class FitStateStore(Protocol):
    """Stores the state of an unfinished fit, so that after a crash hours are not lost."""

    def load(self) -> dict[str, Any] | None:
        """The state that was saved last, or None."""

    def due(self) -> bool:
        """Whether it is time to save a state; asked after every step."""

    def save(self, state: dict[str, Any]) -> None:
        """Save a state in place of the one before."""


@dataclass(frozen=True)
class FitRequest:
    """One fit: `fitting.fit` trains the network in place and leaves it with the weights of its best epoch.

    Attributes:
        network: What learns; it is moved to the hardware's device.
        objective: What it learns. Where several processes share the fit it is pickled, and its loss must add up by
            `collectives.sum_over_processes`.
        hyperparameters: How long and how fast.
        hardware: What it computes on.
        progress: Told of every step; stops where a person wants to.
        state_store: Where an unfinished fit is saved and taken up again; it then ends with the very same weights. None
            saves nothing. Where several processes share the fit it is pickled.
    """

    network: nn.Module
    objective: Objective
    hyperparameters: Hyperparameters
    hardware: Hardware
    progress: ProgressReporter
    state_store: FitStateStore | None = None


class FitBackend(Protocol):
    """Shares a fit out among several processes, of this machine or of several."""

    def fit(self, request: FitRequest, *, processes: int) -> FitResult:
        """Train a network as `fitting.fit` does.

        Args:
            request: The fit.
            processes: How many share it, at least 2 and at most as many as a batch has images.

        Raises:
            JobCancelled: A person wants to stop.
            JobFailed: The loss is not a number any more, or a process failed or died. None is left.
        """
