import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from colpo_core.datasets.tensors import Batch
from colpo_core.errors import JobFailed
from colpo_core.training.hardware import plain_hardware
from colpo_core.training.loop import Fitted, Plan, fit
from colpo_core.training.shelf import Shelf, training_key
from colpo_core.training.watch import Watch
from tests.support.blobs import blobs, tiny

FITTED = Fitted(best_epoch=2, history=[{"train_loss": 0.5}, {"train_loss": 0.25}])


def network(value: float) -> nn.Conv2d:
    made = nn.Conv2d(1, 1, 1)
    nn.init.constant_(made.weight, value)
    return made


def test_what_was_put_is_taken(tmp_path: Path) -> None:
    Shelf(tmp_path / "stages", "key").put("classification 3 channels", network(0.75), FITTED)
    taken = network(0.0).train()
    assert Shelf(tmp_path / "stages", "key").take("classification 3 channels", taken) == FITTED
    assert float(taken.weight.detach()) == 0.75
    assert not taken.training


def test_nothing_put_nothing_taken(tmp_path: Path) -> None:
    assert Shelf(tmp_path, "key").take("segmentation", network(0.0)) is None


def test_another_training_is_passed_over(tmp_path: Path) -> None:
    Shelf(tmp_path, "key").put("segmentation", network(1.0), FITTED)
    untouched = network(0.0)
    assert Shelf(tmp_path, "other").take("segmentation", untouched) is None
    assert float(untouched.weight.detach()) == 0.0


def test_torn_or_changed_files_are_passed_over(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "key")
    shelf.put("segmentation", network(1.0), FITTED)
    weights, record = tmp_path / "segmentation.safetensors", tmp_path / "segmentation.json"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1])
    assert shelf.take("segmentation", network(0.0)) is None
    weights.write_bytes(whole)
    assert shelf.take("segmentation", network(0.0)) == FITTED
    for broken in ("", "[]", json.dumps({"key": "key"})):
        record.write_text(broken)
        assert shelf.take("segmentation", network(0.0)) is None
    record.unlink()
    assert shelf.take("segmentation", network(0.0)) is None


def test_weights_of_another_network_are_passed_over(tmp_path: Path) -> None:
    Shelf(tmp_path, "key").put("segmentation", nn.Conv2d(2, 2, 1), FITTED)
    assert Shelf(tmp_path, "key").take("segmentation", network(0.0)) is None


@pytest.mark.parametrize("unfinished", [False, True])
def test_a_disk_that_cannot_take_the_weights_is_said(tmp_path: Path, unfinished: bool) -> None:
    shelf = Shelf(tmp_path / "stages", "key", keep_every_s=0)
    (tmp_path / "stages").rmdir()  # nothing can be written there any more
    with pytest.raises(JobFailed, match="Make room on its disk"):
        if unfinished:
            shelf.unfinished("segmentation").keep({"network": network(1.0).state_dict()})
        else:
            shelf.put("segmentation", network(1.0), FITTED)


def test_numbers_come_back_bit_by_bit(tmp_path: Path) -> None:
    batch_norm = nn.BatchNorm2d(3)
    batch_norm(torch.randn(4, 3, 5, 5))
    Shelf(tmp_path, "key").put("segmentation", batch_norm, FITTED)
    taken = nn.BatchNorm2d(3)
    Shelf(tmp_path, "key").take("segmentation", taken)
    for name, value in batch_norm.state_dict().items():
        assert torch.equal(value, taken.state_dict()[name])


def test_the_key_changes_with_snapshot_and_settings() -> None:
    manifest = blobs((2, 1, 1)).manifest
    key = training_key(manifest, tiny())
    assert key == training_key(manifest, tiny())
    assert key != training_key(manifest, tiny(seed=1))
    assert key != training_key(replace(manifest, seed=1), tiny())


@dataclass
class Ramp:
    """A lesson that crashes at a step, if it is told to; its network draws random numbers of its own."""

    crash_at: int | None = None
    count: int = 6
    steps: int = 0

    def batch(self, places: list[int], epoch: int) -> Batch:
        images = torch.stack([torch.full((1, 8, 8), place / 10 + epoch / 5) for place in places])
        return Batch(images + torch.linspace(0, 1, 8), torch.zeros(len(places), dtype=torch.int64), places)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        if self.steps == self.crash_at:
            raise KeyboardInterrupt
        self.steps += 1
        return (network(batch.images) - 1).square().mean()

    def validate(self, network: nn.Module) -> None:
        return None


def learn(shelf: Shelf | None, crash_at: int | None = None, *, ema_decay: float = 0.0) -> tuple[nn.Sequential, Fitted]:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.2), nn.Conv2d(4, 1, 3))
    watch = Watch(lambda event: None, lambda: False)
    watch.begin("segmentation", epochs_total=5, share=(0.0, 1.0), message="")
    fitted = fit(
        net,
        Ramp(crash_at),
        plan=Plan(epochs=5, batch_size=2, learning_rate=0.01, weight_decay=0.1, seed=0, ema_decay=ema_decay),
        hardware=plain_hardware(),
        watch=watch,
        keeper=shelf.unfinished("segmentation") if shelf else None,
    )
    return net, fitted


@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(crash_at=st.integers(min_value=0, max_value=14))
def test_a_fit_killed_at_any_step_ends_with_the_same_weights(
    tmp_path_factory: pytest.TempPathFactory, ema_decay: float, crash_at: int
) -> None:
    whole, fitted = learn(None, ema_decay=ema_decay)
    place = tmp_path_factory.mktemp("stages")
    shelf = Shelf(place, "key", keep_every_s=0.0)
    with pytest.raises(KeyboardInterrupt):
        learn(shelf, crash_at, ema_decay=ema_decay)
    assert Shelf(place, "other").unfinished("segmentation").load() is None
    torch.manual_seed(99)  # whatever was drawn since must not matter
    resumed, again = learn(shelf, ema_decay=ema_decay)
    assert [one["train_loss"] for one in again.history] == [one["train_loss"] for one in fitted.history]
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name])


def test_a_fit_goes_on_at_the_step_and_not_at_the_epoch(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "key", keep_every_s=0.0)
    with pytest.raises(KeyboardInterrupt):
        learn(shelf, crash_at=8)
    lesson = Ramp()
    watch = Watch(lambda event: None, lambda: False)
    watch.begin("segmentation", epochs_total=5, share=(0.0, 1.0), message="")
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.2), nn.Conv2d(4, 1, 3))
    plan = Plan(epochs=5, batch_size=2, learning_rate=0.01, weight_decay=0.1, seed=0)
    fitted = fit(
        net, lesson, plan=plan, hardware=plain_hardware(), watch=watch, keeper=shelf.unfinished("segmentation")
    )
    assert lesson.steps == 15 - 8
    shelf.put("segmentation", net, fitted)
    assert shelf.unfinished("segmentation").load() is None


def test_an_unfinished_fit_is_kept_by_time_and_a_torn_one_passed_over(tmp_path: Path) -> None:
    seldom = Shelf(tmp_path, "key", keep_every_s=1e9).unfinished("segmentation")
    assert not seldom.due()
    assert seldom.load() is None
    often = Shelf(tmp_path, "key", keep_every_s=0.0).unfinished("segmentation")
    assert often.due()
    often.keep({"epoch": 1})
    assert often.load() == {"epoch": 1}
    place = tmp_path / "segmentation.unfinished"
    place.write_bytes(place.read_bytes()[:50])
    assert often.load() is None
