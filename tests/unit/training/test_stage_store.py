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
from colpo_core.training.contract import FitResult, Hyperparameters
from colpo_core.training.stage_store import StageStore, training_key
from tests.support.blobs import blobs, tiny
from tests.support.training_runs import fit_quietly

FITTED = FitResult(best_epoch=2, history=[{"train_loss": 0.5}, {"train_loss": 0.25}])


def network(value: float) -> nn.Conv2d:
    made = nn.Conv2d(1, 1, 1)
    nn.init.constant_(made.weight, value)
    return made


def test_what_was_put_is_taken(tmp_path: Path) -> None:
    StageStore(tmp_path / "stages", "key").save("classification 3 channels", network(0.75), FITTED)
    taken = network(0.0).train()
    assert StageStore(tmp_path / "stages", "key").load("classification 3 channels", taken) == FITTED
    assert float(taken.weight.detach()) == 0.75
    assert not taken.training


def test_nothing_put_nothing_taken(tmp_path: Path) -> None:
    assert StageStore(tmp_path, "key").load("segmentation", network(0.0)) is None


def test_another_training_is_passed_over(tmp_path: Path) -> None:
    StageStore(tmp_path, "key").save("segmentation", network(1.0), FITTED)
    untouched = network(0.0)
    assert StageStore(tmp_path, "other").load("segmentation", untouched) is None
    assert float(untouched.weight.detach()) == 0.0


def test_torn_or_changed_files_are_passed_over(tmp_path: Path) -> None:
    stage_store = StageStore(tmp_path, "key")
    stage_store.save("segmentation", network(1.0), FITTED)
    weights, record = tmp_path / "segmentation.safetensors", tmp_path / "segmentation.json"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1])
    assert stage_store.load("segmentation", network(0.0)) is None
    weights.write_bytes(whole)
    assert stage_store.load("segmentation", network(0.0)) == FITTED
    for broken in ("", "[]", json.dumps({"key": "key"})):
        record.write_text(broken)
        assert stage_store.load("segmentation", network(0.0)) is None
    record.unlink()
    assert stage_store.load("segmentation", network(0.0)) is None


def test_weights_of_another_network_are_passed_over(tmp_path: Path) -> None:
    StageStore(tmp_path, "key").save("segmentation", nn.Conv2d(2, 2, 1), FITTED)
    assert StageStore(tmp_path, "key").load("segmentation", network(0.0)) is None


@pytest.mark.parametrize("unfinished", [False, True])
def test_a_disk_that_cannot_take_the_weights_is_said(tmp_path: Path, unfinished: bool) -> None:
    stage_store = StageStore(tmp_path / "stages", "key", save_every_s=0)
    (tmp_path / "stages").rmdir()  # nothing can be written there any more
    with pytest.raises(JobFailed, match="Make room on its disk"):
        if unfinished:
            stage_store.unfinished("segmentation").save({"network": network(1.0).state_dict()})
        else:
            stage_store.save("segmentation", network(1.0), FITTED)


def test_numbers_come_back_bit_by_bit(tmp_path: Path) -> None:
    batch_norm = nn.BatchNorm2d(3)
    batch_norm(torch.randn(4, 3, 5, 5))
    StageStore(tmp_path, "key").save("segmentation", batch_norm, FITTED)
    taken = nn.BatchNorm2d(3)
    StageStore(tmp_path, "key").load("segmentation", taken)
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
    """An objective that crashes at a step, if it is told to; its network draws random numbers of its own."""

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


def learn(
    stage_store: StageStore | None, objective: Ramp | None = None, *, ema_decay: float = 0.0
) -> tuple[nn.Sequential, FitResult]:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.2), nn.Conv2d(4, 1, 3))
    plan = Hyperparameters(epochs=5, batch_size=2, learning_rate=0.01, weight_decay=0.1, seed=0, ema_decay=ema_decay)
    state_store = stage_store.unfinished("segmentation") if stage_store else None
    return net, fit_quietly(net, objective or Ramp(), plan, state_store=state_store)


@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(crash_at=st.integers(min_value=0, max_value=14))
def test_a_fit_killed_at_any_step_ends_with_the_same_weights(
    tmp_path_factory: pytest.TempPathFactory, ema_decay: float, crash_at: int
) -> None:
    whole, fitted = learn(None, ema_decay=ema_decay)
    place = tmp_path_factory.mktemp("stages")
    stage_store = StageStore(place, "key", save_every_s=0.0)
    with pytest.raises(KeyboardInterrupt):
        learn(stage_store, Ramp(crash_at), ema_decay=ema_decay)
    assert StageStore(place, "other").unfinished("segmentation").load() is None
    torch.manual_seed(99)  # whatever was drawn since must not matter
    resumed, again = learn(stage_store, ema_decay=ema_decay)
    assert [one["train_loss"] for one in again.history] == [one["train_loss"] for one in fitted.history]
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name])


def test_a_fit_goes_on_at_the_step_and_not_at_the_epoch(tmp_path: Path) -> None:
    stage_store, objective = StageStore(tmp_path, "key", save_every_s=0.0), Ramp()
    with pytest.raises(KeyboardInterrupt):
        learn(stage_store, Ramp(crash_at=8))
    net, fitted = learn(stage_store, objective)
    assert objective.steps == 15 - 8
    stage_store.save("segmentation", net, fitted)
    assert stage_store.unfinished("segmentation").load() is None


def test_an_unfinished_fit_is_kept_by_time_and_a_torn_one_passed_over(tmp_path: Path) -> None:
    seldom = StageStore(tmp_path, "key", save_every_s=1e9).unfinished("segmentation")
    assert not seldom.due()
    assert seldom.load() is None
    often = StageStore(tmp_path, "key", save_every_s=0.0).unfinished("segmentation")
    assert often.due()
    often.save({"epoch": 1})
    assert often.load() == {"epoch": 1}
    place = tmp_path / "segmentation.unfinished"
    place.write_bytes(place.read_bytes()[:50])
    assert often.load() is None
