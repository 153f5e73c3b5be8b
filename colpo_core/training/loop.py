"""The loop: the same for every network. Order and augmentation come from the seed, the best epoch is kept."""

import math
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

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


def fit(
    network: nn.Module,
    *,
    count: int,
    plan: Plan,
    loss_of: Callable[[list[int], int], Tensor],
    validate: Callable[[], Validation | None],
    watch: Watch,
) -> Fitted:
    """Train a network in place and leave it with the weights of its best epoch, in eval mode.

    Args:
        network: What learns.
        count: Images in the training set.
        plan: How long and how fast.
        loss_of: The loss of a batch, given its places and the epoch (from 0).
        validate: Judges the network in eval mode; None where there is nothing to judge by.
        watch: Told of every step; stops where a person wants to.

    Raises:
        JobCancelled: A person wants to stop.
        JobFailed: The loss is not a number any more.
    """
    optimizer = _optimizer(network, plan)
    steps = len(epoch_order(count, batch_size=plan.batch_size, seed=plan.seed, epoch=0)) * plan.epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate_factor(step, steps))
    history: list[dict[str, float]] = []
    best: tuple[float, int, dict[str, Tensor]] | None = None
    step = 0
    for epoch in range(plan.epochs):
        network.train()
        began, losses = time.monotonic(), []
        for places in epoch_order(count, batch_size=plan.batch_size, seed=plan.seed, epoch=epoch):
            watch.beat(step / steps)
            rate = float(schedule.get_last_lr()[0])
            losses.append(_step(network, optimizer, loss_of(places, epoch)))
            schedule.step()
            step += 1
        network.eval()
        judged = validate()
        figures = {"train_loss": sum(losses) / len(losses), "learning_rate": rate}
        figures |= judged.figures if judged else {}
        figures["seconds"] = round(time.monotonic() - began, 2)
        history.append(figures)
        watch.epoch_done(epoch + 1, figures)
        score = judged.score if judged else float(epoch)
        if best is None or score >= best[0]:
            best = (score, epoch + 1, {name: value.detach().clone() for name, value in network.state_dict().items()})
    if best is None:
        raise ValueError("a fit has at least one epoch")
    network.load_state_dict(best[2])
    network.eval()
    return Fitted(best_epoch=best[1], history=history)


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
