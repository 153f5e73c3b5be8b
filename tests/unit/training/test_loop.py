import numpy as np
import pytest
import torch
from torch import Tensor, nn

from colpo_core.errors import JobCancelled, JobFailed
from colpo_core.records.learning import TrainingEvent
from colpo_core.training.loop import Plan, Validation, fit, learning_rate_factor, reproducible
from colpo_core.training.watch import Watch


def plan(**changes: object) -> Plan:
    return Plan(**({"epochs": 3, "batch_size": 2, "learning_rate": 0.1, "weight_decay": 0.0, "seed": 0} | changes))  # type: ignore[arg-type]


def watch(told: list[TrainingEvent] | None = None, stop_after: int = 10**9) -> Watch:
    asked = iter(range(10**9))
    made = Watch((told if told is not None else []).append, lambda: next(asked) >= stop_after)
    made.begin("segmentation", epochs_total=3, share=(0.0, 1.0), message="")
    return made


def line() -> nn.Linear:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Linear(1, 1)


def squared(network: nn.Module) -> Tensor:
    return (network(torch.ones(2, 1)) - 3).square().mean()


def test_the_loss_falls_and_every_epoch_is_told() -> None:
    network, told = line(), list[TrainingEvent]()
    fitted = fit(
        network,
        count=8,
        plan=plan(epochs=20),
        loss_of=lambda places, epoch: squared(network),
        validate=lambda: None,
        watch=watch(told),
    )
    losses = [figures["train_loss"] for figures in fitted.history]
    assert losses[-1] < 0.05 * losses[0]
    assert fitted.best_epoch == 20
    assert [event.epoch for event in told if event.figures] == list(range(1, 21))
    assert not network.training


def test_the_best_epoch_is_kept() -> None:
    network, scores = line(), iter([0.1, 0.9, 0.5])
    weights = []

    def validate() -> Validation:
        weights.append(network.weight.detach().clone())
        return Validation({"validation_iou": 0.0}, next(scores))

    fitted = fit(
        network,
        count=4,
        plan=plan(),
        loss_of=lambda places, epoch: squared(network),
        validate=validate,
        watch=watch(),
    )
    assert fitted.best_epoch == 2
    assert torch.equal(network.weight, weights[1])
    assert not torch.equal(weights[1], weights[2])
    assert "validation_iou" in fitted.history[0]


def test_of_equal_epochs_the_later_is_kept() -> None:
    network = line()
    fitted = fit(
        network,
        count=4,
        plan=plan(),
        loss_of=lambda places, epoch: squared(network),
        validate=lambda: Validation({}, 1.0),
        watch=watch(),
    )
    assert fitted.best_epoch == 3


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_ends_the_training(broken: float) -> None:
    network = line()
    with pytest.raises(JobFailed, match=r"diverged.*lower learning rate"):
        fit(
            network,
            count=4,
            plan=plan(),
            loss_of=lambda places, epoch: squared(network) * broken,
            validate=lambda: None,
            watch=watch(),
        )


def test_cancelling_stops_at_the_next_step() -> None:
    network, steps = line(), []

    def loss_of(places: list[int], epoch: int) -> Tensor:
        steps.append(places)
        return squared(network)

    with pytest.raises(JobCancelled):
        fit(
            network,
            count=100,
            plan=plan(),
            loss_of=loss_of,
            validate=lambda: None,
            watch=watch(stop_after=4),
        )
    assert len(steps) == 3


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
