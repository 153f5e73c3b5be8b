"""The training loop: the same for every network. Order and augmentation come from the seed, the best epoch is kept.

A fit that is torn down at any step goes on at the step that was saved last, and ends with the very same weights.
"""

import math
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torchmetrics.aggregation import MeanMetric

from colpo_core.datasets.tensors import Batch, epoch_order, prefetched
from colpo_core.errors import JobFailed
from colpo_core.training.contract import FitRequest, FitResult, FitStateStore, Hyperparameters, Validation
from colpo_core.training.progress import ProgressReporter

WARM_UP = 0.1
"""Share of the steps in which the learning rate rises to its peak."""
FINAL_RATE = 0.01
"""Share of the peak at which the cosine ends."""
_DETERMINISTIC: Any = torch.utils.deterministic  # whose attributes come into being when it is imported


def fit_in_this_process(request: FitRequest) -> FitResult:
    """Train a network on the one device of this process; of a group of processes, each calls it with its own.

    Raises:
        JobCancelled: A person wants to stop.
        JobFailed: The loss is not a number any more.
    """
    progress, state_store = request.progress, request.state_store
    learner = _Learner(request)
    learner.restore(state_store.load() if state_store else None)
    while not learner.is_over:
        began = time.monotonic()
        figures = learner.learn_epoch(progress, state_store)
        validation = learner.judge()
        figures |= validation.figures if validation else {}
        seconds = time.monotonic() - began
        figures |= {"seconds": round(seconds, 2), "images_per_second": round(learner.images_seen / seconds, 2)}
        learner.note(figures, validation.score if validation else None)
        progress.epoch_done(len(learner.history), figures)
        if state_store and state_store.due():
            state_store.save(learner.state())
    request.network.load_state_dict(learner.best_weights)
    request.network.eval()
    return FitResult(best_epoch=learner.best_epoch, history=learner.history)


class _Learner:
    """A network with its optimizer, the step that it has reached, and the best that it has been."""

    def __init__(self, request: FitRequest) -> None:
        self._network = request.network
        self._objective = request.objective
        self._hyperparameters = request.hyperparameters
        self._fabric = request.hardware.fabric
        self._steps = request.hyperparameters.epochs * len(self._order(0))
        self._wrapped, self._optimizer = self._fabric.setup(
            request.hardware.compiled(self._network, steps=self._steps),
            _optimizer(self._network, self._hyperparameters),
        )
        self._mean = _running_mean(self._network, self._hyperparameters)
        self._step = 0  # within the present epoch
        self._losses: list[float] = []
        self.images_seen = 0
        self.history: list[dict[str, float]] = []
        self.best_epoch = 0
        self.best_score = -math.inf
        self.best_weights: dict[str, Tensor] = {}

    @property
    def is_over(self) -> bool:
        done, patience = len(self.history), self._hyperparameters.early_stopping
        return done >= self._hyperparameters.epochs or (patience > 0 and done - self.best_epoch >= patience)

    def learn_epoch(self, progress: ProgressReporter, state_store: FitStateStore | None) -> dict[str, float]:
        epoch = len(self.history)
        batches = self._order(epoch)
        self._wrapped.train()
        rate, self.images_seen = 0.0, 0
        left = [places[self._fabric.global_rank :: self._fabric.world_size] for places in batches[self._step :]]
        # Closed at once where a step raises, so that no thread goes on making batches.
        with closing(prefetched(lambda places: self._objective.batch(places, epoch), left)) as ahead:
            for batch in ahead:
                step = epoch * len(batches) + self._step
                progress.beat(step / self._steps)
                rate = self._hyperparameters.learning_rate * learning_rate_factor(step, self._steps)
                self._seed_share(step)
                self._losses.append(self._learn(batch, rate))
                self.images_seen += len(batches[self._step])
                self._step += 1
                if state_store and self._step < len(batches) and state_store.due():
                    state_store.save(self.state())
        mean = MeanMetric(sync_on_compute=False)  # of several processes each has the losses of whole batches
        mean.update(torch.tensor(self._losses, dtype=torch.float64))
        self._step, self._losses = 0, []
        return {"train_loss": float(mean.compute()), "learning_rate": rate}

    def judge(self) -> Validation | None:
        """On the weights that would be kept; of several processes the first judges for all."""
        judged = self._mean.module if self._mean else self._wrapped
        judged.eval()
        validation = self._objective.validate(judged) if self._fabric.is_global_zero else None
        return self._fabric.broadcast(validation)

    def note(self, figures: dict[str, float], score: float | None) -> None:
        self.history.append(figures)
        # Without a validation the latest epoch counts as the best.
        if score is None or score >= self.best_score or not self.best_weights:
            self.best_score = self.best_score if score is None else score
            self.best_epoch = len(self.history)
            source = self._mean.module if self._mean else self._network
            self.best_weights = {name: value.detach().clone() for name, value in source.state_dict().items()}

    def state(self) -> dict[str, Any]:
        return {
            "network": self._network.state_dict(),
            "mean": self._mean.state_dict() if self._mean else None,
            "optimizer": self._optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "step": self._step,
            "losses": self._losses,
            "history": self.history,
            "best_epoch": self.best_epoch,
            "best_score": self.best_score,
            "best_weights": self.best_weights,
        }

    def restore(self, state: dict[str, Any] | None) -> None:
        if state is None:
            return
        self._network.load_state_dict(state["network"])
        if self._mean:
            self._mean.load_state_dict(state["mean"])
        self._optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        self._step, self._losses = state["step"], state["losses"]
        self.history = state["history"]
        self.best_epoch, self.best_score = state["best_epoch"], state["best_score"]
        self.best_weights = state["best_weights"]

    def _order(self, epoch: int) -> list[list[int]]:
        batch_size, seed = self._hyperparameters.batch_size, self._hyperparameters.seed
        return epoch_order(self._objective.count, batch_size=batch_size, seed=seed, epoch=epoch)

    def _seed_share(self, step: int) -> None:
        """Of several processes each draws for itself, and by step, so that a fit which is taken up draws as before."""
        rank, count = self._fabric.global_rank, self._fabric.world_size
        if count > 1:
            torch.manual_seed((self._hyperparameters.seed * 1_000_003 + step * count + rank) % 2**63)

    def _learn(self, batch: Batch, rate: float) -> float:
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        loss = self._objective.loss(self._wrapped, batch)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise JobFailed(
                "The training diverged: its loss is not a number any more. "
                "Start it again with a lower learning rate; if that does not help, look for damaged images."
            )
        self._optimizer.zero_grad(set_to_none=True)
        self._fabric.backward(loss)
        self._fabric.clip_gradients(
            self._wrapped, self._optimizer, max_norm=self._hyperparameters.max_gradient_norm, error_if_nonfinite=False
        )
        self._optimizer.step()
        if self._mean:
            self._mean.update_parameters(self._network)
        return value


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
    before, filling = torch.get_num_threads(), _DETERMINISTIC.fill_uninitialized_memory
    with warnings.catch_warnings(), torch.random.fork_rng():
        # Unpooling is called not deterministic although its indices are unique: a warning for every batch says nothing.
        warnings.filterwarnings("ignore", message=".*does not have a deterministic implementation.*")
        torch.use_deterministic_algorithms(True, warn_only=True)
        # It would fill every tensor that an operation is about to write, which takes a step one part in fourteen.
        _DETERMINISTIC.fill_uninitialized_memory = False
        if threads:
            torch.set_num_threads(threads)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(strict, warn_only=lenient)
            _DETERMINISTIC.fill_uninitialized_memory = filling
            torch.set_num_threads(before)


def _optimizer(network: nn.Module, hyperparameters: Hyperparameters) -> torch.optim.AdamW:
    """AdamW with decay on weights of layers alone. Source: Loshchilov and Hutter 2019."""
    layers = [value for value in network.parameters() if value.requires_grad and value.ndim > 1]
    spared = [value for value in network.parameters() if value.requires_grad and value.ndim <= 1]
    groups = [{"params": layers, "weight_decay": hyperparameters.weight_decay}, {"params": spared, "weight_decay": 0.0}]
    # All weights in one pass; on a GPU not, since gradients scaled for fp16 could not be clipped.
    return torch.optim.AdamW(
        groups, lr=hyperparameters.learning_rate, fused=next(network.parameters()).device.type == "cpu"
    )


def _running_mean(network: nn.Module, hyperparameters: Hyperparameters) -> AveragedModel | None:
    """An exponential mean of weights and running statistics. Source: Tarvainen and Valpola 2017."""
    if hyperparameters.ema_decay == 0:
        return None
    averaging = get_ema_multi_avg_fn(hyperparameters.ema_decay)  # type: ignore[no-untyped-call]
    return AveragedModel(network, multi_avg_fn=averaging, use_buffers=True)
