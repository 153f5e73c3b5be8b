from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim.optimizer import Optimizer, register_optimizer_step_pre_hook

from colpo_core.datasets.tensors import Batch
from colpo_core.errors import JobCancelled, JobFailed
from colpo_core.records.training.settings import TrainingEvent
from colpo_core.training.contract import FitResult, Hyperparameters, Validation
from colpo_core.training.loop import learning_rate_factor, reproducible
from colpo_core.training.progress import ProgressReporter
from tests.support.training_runs import fit_quietly, quiet_progress, stopping_after


def hyperparameters(**changes: object) -> Hyperparameters:
    plain = {"epochs": 3, "batch_size": 2, "learning_rate": 0.1, "weight_decay": 0.0, "seed": 0}
    return Hyperparameters(**(plain | changes))  # type: ignore[arg-type]


def line() -> nn.Linear:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Linear(1, 1)


@dataclass
class Three:
    """An objective of so many images: the network is to say 3."""

    count: int = 8
    factor: float = 1.0
    judge: Callable[[], Validation | None] = lambda: None
    steps: list[tuple[int, list[int]]] = field(default_factory=list)

    def batch(self, places: list[int], epoch: int) -> Batch:
        return Batch(torch.ones(len(places), 1), torch.zeros(len(places), dtype=torch.int64), [epoch, *places])

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        self.steps.append((batch.members[0], batch.members[1:]))
        return (network(batch.images) - 3).square().mean() * self.factor

    def validate(self, network: nn.Module) -> Validation | None:
        assert not network.training
        return self.judge()


def learn(
    network: nn.Module, objective: Three, *, progress: ProgressReporter | None = None, **changes: object
) -> FitResult:
    return fit_quietly(network, objective, hyperparameters(**changes), progress=progress)


def test_the_loss_falls_and_every_epoch_is_told() -> None:
    network, told = line(), list[TrainingEvent]()
    fitted = learn(network, Three(), progress=quiet_progress(told=told), epochs=20)
    losses = [figures["train_loss"] for figures in fitted.history]
    assert losses[-1] < 0.05 * losses[0]
    assert fitted.best_epoch == 20
    assert [event.epoch for event in told if event.figures] == list(range(1, 21))
    assert not network.training
    assert {"images_per_second", "seconds", "learning_rate"} <= fitted.history[0].keys()


def test_every_epoch_shows_every_image_once() -> None:
    objective = Three(count=8)
    learn(line(), objective)
    by_epoch = [
        [place for number, places in objective.steps if number == epoch for place in places] for epoch in range(3)
    ]
    assert [sorted(shown) for shown in by_epoch] == [list(range(8))] * 3
    assert by_epoch[0] != by_epoch[1]


def test_the_best_epoch_is_kept() -> None:
    network, scores = line(), iter([0.1, 0.9, 0.5])
    weights = []

    def judge() -> Validation:
        weights.append(network.weight.detach().clone())
        return Validation({"validation_iou": 0.0}, next(scores))

    fitted = learn(network, Three(count=4, judge=judge))
    assert fitted.best_epoch == 2
    assert torch.equal(network.weight, weights[1])
    assert not torch.equal(weights[1], weights[2])
    assert "validation_iou" in fitted.history[0]


def test_of_equal_epochs_the_later_is_kept() -> None:
    assert learn(line(), Three(judge=lambda: Validation({}, 1.0))).best_epoch == 3


def test_it_stops_early_where_nothing_gets_better() -> None:
    scores = iter([0.5, 0.9, 0.1, 0.2, 0.3, 1.0])
    fitted = learn(line(), Three(judge=lambda: Validation({}, next(scores))), epochs=6, early_stopping=3)
    assert fitted.best_epoch == 2
    assert len(fitted.history) == 5


def test_without_a_validation_it_never_stops_early() -> None:
    fitted = learn(line(), Three(), epochs=4, early_stopping=1)
    assert (len(fitted.history), fitted.best_epoch) == (4, 4)


def test_the_running_mean_is_judged_and_kept_in_place_of_the_weights() -> None:
    averaged, plain = line(), line()
    learn(averaged, Three(), epochs=2, ema_decay=0.9)
    learn(plain, Three(), epochs=2)
    start = line().weight.detach()
    # The mean trails behind: it has moved the same way, and less far.
    moved = [float((network.weight.detach() - start).abs()) for network in (averaged, plain)]
    assert 0 < moved[0] < moved[1]


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_ends_the_training(broken: float) -> None:
    with pytest.raises(JobFailed, match=r"diverged.*lower learning rate"):
        learn(line(), Three(factor=broken))


def test_gradients_are_clipped() -> None:
    network, gradients, norms = line(), [], []
    network.weight.register_hook(lambda gradient: gradients.append(float(gradient)))
    before = network.weight.detach().clone()

    def note_norm(optimizer: Optimizer, *_: object) -> None:
        gradients_now = [weight.grad for group in optimizer.param_groups for weight in group["params"]]
        norms.append(float(torch.cat([one.flatten() for one in gradients_now if one is not None]).norm()))

    hook = register_optimizer_step_pre_hook(note_norm)
    try:
        learn(network, Three(factor=1e6), epochs=1, max_gradient_norm=1e-3)
    finally:
        hook.remove()
    assert max(abs(gradient) for gradient in gradients) > 1e3
    assert norms == pytest.approx([1e-3] * 4, rel=1e-3), (
        "what AdamW divides by its own size would hide it in the weights"
    )
    assert bool(torch.isfinite(network.weight).all())
    assert not torch.equal(network.weight, before)


def test_cancelling_stops_at_the_next_step() -> None:
    objective = Three(count=100)
    with pytest.raises(JobCancelled):
        learn(line(), objective, progress=quiet_progress(stopping_after(4)))
    assert len(objective.steps) == 3


def test_the_learning_rate_rises_and_falls() -> None:
    factors = [learning_rate_factor(step, 100) for step in range(100)]
    peak = int(np.argmax(factors))
    assert peak == 10
    assert max(factors) == 1.0
    assert factors[:10] == sorted(factors[:10])
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert factors[-1] < 0.02
    assert factors[0] > 0
    assert all(learning_rate_factor(step, 1) > 0 for step in range(2))


def test_torch_is_left_as_it_was() -> None:
    before = torch.get_rng_state(), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with reproducible(seed=3, threads=1):
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.get_num_threads() == 1
        first = torch.rand(3)
    with pytest.raises(ZeroDivisionError), reproducible(seed=3, threads=1):
        assert torch.equal(torch.rand(3), first)
        raise ZeroDivisionError
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before[1:]
