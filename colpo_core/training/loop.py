"""The loop: the same for every network. Order and augmentation come from the seed, the best epoch is kept."""

import math
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from colpo_core.datasets.tensors import epoch_order
from colpo_core.errors import JobFailed
from colpo_core.training.watch import Watch

MAX_GRADIENT_NORM = 1.0
WARM_UP = 0.1
"""Share of the steps in which the learning rate rises to its peak."""
FINAL_RATE = 0.01
"""Share of the peak at which the cosine ends."""


@dataclass(frozen=True)
class Plan:
    """How long and how fast one network learns.

    Attributes:
        epochs: Epochs.
        batch_size: Images a step.
        learning_rate: Peak learning rate.
        weight_decay: AdamW's weight decay; biases and normalisation are spared.
        seed: Seed of order and augmentation.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    seed: int


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
class Fitted:
    """How a fit went.

    Attributes:
        best_epoch: The epoch, from 1, whose weights are kept; the last one where there is no validation.
        history: Figures of each epoch.
    """

    best_epoch: int
    history: list[dict[str, float]] = field(default_factory=list)


class Keeper(Protocol):
    """Keeps an unfinished fit, so that after a crash hours are not lost."""

    def load(self) -> dict[str, Any] | None:
        """The state that was kept last, or None."""

    def offer(self, state: Callable[[], dict[str, Any]]) -> None:
        """Keep the state if it is time to; it is made only then."""


def fit(
    network: nn.Module,
    *,
    count: int,
    plan: Plan,
    loss_of: Callable[[list[int], int], Tensor],
    validate: Callable[[], Validation | None],
    watch: Watch,
    keeper: Keeper | None = None,
) -> Fitted:
    """Train a network in place and leave it with the weights of its best epoch, in eval mode.

    Args:
        network: What learns.
        count: Images in the training set.
        plan: How long and how fast.
        loss_of: The loss of a batch, given its places and the epoch (from 0).
        validate: Judges the network in eval mode; None where there is nothing to judge by.
        watch: Told of every step; stops where a person wants to.
        keeper: Where an unfinished fit is kept and taken up again; it then ends with the very same weights.

    Raises:
        JobCancelled: A person wants to stop.
        JobFailed: The loss is not a number any more.
    """
    learner = _Learner(network, plan)
    learner.restore(keeper.load() if keeper else None)
    for epoch in range(len(learner.history), plan.epochs):
        began = time.monotonic()
        figures = learner.learn_epoch(epoch, count, loss_of, watch)
        network.eval()
        judged = validate()
        figures |= judged.figures if judged else {}
        figures["seconds"] = round(time.monotonic() - began, 2)
        learner.note(figures, judged.score if judged else float(epoch))
        watch.epoch_done(epoch + 1, figures)
        if keeper:
            keeper.offer(learner.state)
    network.load_state_dict(learner.best_weights)
    network.eval()
    return Fitted(best_epoch=learner.best_epoch, history=learner.history)


class _Learner:
    """A network with its optimizer and the best that it has been."""

    def __init__(self, network: nn.Module, plan: Plan) -> None:
        self._network = network
        self._plan = plan
        self._optimizer = _optimizer(network, plan)
        self.history: list[dict[str, float]] = []
        self.best_epoch = 0
        self.best_score = -math.inf
        self.best_weights: dict[str, Tensor] = {}

    def learn_epoch(
        self, epoch: int, count: int, loss_of: Callable[[list[int], int], Tensor], watch: Watch
    ) -> dict[str, float]:
        batches = epoch_order(count, batch_size=self._plan.batch_size, seed=self._plan.seed, epoch=epoch)
        steps = len(batches) * self._plan.epochs
        self._network.train()
        losses, rate = [], 0.0
        for number, places in enumerate(batches):
            step = epoch * len(batches) + number
            watch.beat(step / steps)
            rate = self._plan.learning_rate * learning_rate_factor(step, steps)
            for group in self._optimizer.param_groups:
                group["lr"] = rate
            losses.append(_step(self._network, self._optimizer, loss_of(places, epoch)))
        return {"train_loss": sum(losses) / len(losses), "learning_rate": rate}

    def note(self, figures: dict[str, float], score: float) -> None:
        self.history.append(figures)
        if score >= self.best_score or not self.best_weights:
            self.best_score, self.best_epoch = score, len(self.history)
            self.best_weights = {name: value.detach().clone() for name, value in self._network.state_dict().items()}

    def state(self) -> dict[str, Any]:
        return {
            "network": self._network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "history": self.history,
            "best_epoch": self.best_epoch,
            "best_score": self.best_score,
            "best_weights": self.best_weights,
        }

    def restore(self, state: dict[str, Any] | None) -> None:
        if state is None:
            return
        self._network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.history = state["history"]
        self.best_epoch, self.best_score = state["best_epoch"], state["best_score"]
        self.best_weights = state["best_weights"]


def learning_rate_factor(step: int, steps: int) -> float:
    """Share of the peak learning rate at a step: a linear warm-up, then a cosine.

    Args:
        step: From 0.
        steps: Steps of the whole fit.

    Source: Goyal et al. 2017 (warm-up); Loshchilov and Hutter 2017, eq. 5 (cosine).
    """
    warm = max(1, round(steps * WARM_UP))
    if step < warm:
        return (step + 1) / (warm + 1)
    done = min(1.0, (step - warm) / max(1, steps - warm))
    return FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * done))


@contextmanager
def reproducible(*, seed: int, threads: int = 0) -> Iterator[None]:
    """Make torch repeat itself bit by bit on one machine, and leave its settings as they were.

    Args:
        seed: Seed of torch's own draws (the first weights).
        threads: CPU threads; 0 leaves torch's own choice. Sums differ in their last bits between thread counts.
    """
    strict, lenient = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    before = torch.get_num_threads()
    with warnings.catch_warnings(), torch.random.fork_rng():
        # Unpooling is called not deterministic although its indices are unique: a warning for every batch says nothing.
        warnings.filterwarnings("ignore", message=".*does not have a deterministic implementation.*")
        torch.use_deterministic_algorithms(True, warn_only=True)
        if threads:
            torch.set_num_threads(threads)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(strict, warn_only=lenient)
            torch.set_num_threads(before)


def _optimizer(network: nn.Module, plan: Plan) -> torch.optim.AdamW:
    """AdamW with decay on weights of layers alone. Source: Loshchilov and Hutter 2019."""
    layers = [value for value in network.parameters() if value.requires_grad and value.ndim > 1]
    spared = [value for value in network.parameters() if value.requires_grad and value.ndim <= 1]
    groups = [{"params": layers, "weight_decay": plan.weight_decay}, {"params": spared, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=plan.learning_rate)


def _step(network: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor) -> float:
    value = float(loss.detach())
    if not math.isfinite(value):
        raise JobFailed(
            "The training diverged: its loss is not a number any more. "
            "Start it again with a lower learning rate; if that does not help, look for damaged images."
        )
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(network.parameters(), MAX_GRADIENT_NORM)
    optimizer.step()
    return value
