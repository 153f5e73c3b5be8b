import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from colpo_core.training.loop import Fitted, Plan, fit
from colpo_core.training.shelf import Shelf, training_key
from colpo_core.training.watch import Watch
from tests.blobs import blobs, tiny

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


def test_an_unfinished_fit_ends_with_the_same_weights_as_one_without_a_crash(tmp_path: Path) -> None:
    def learn(shelf: Shelf | None, crash_at: int | None = None) -> tuple[nn.Sequential, Fitted]:
        torch.manual_seed(0)
        net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 1, 3))

        def loss_of(places: list[int], epoch: int) -> Tensor:
            if epoch == crash_at:
                raise KeyboardInterrupt
            images = torch.stack([torch.full((1, 8, 8), place / 10 + epoch / 5) for place in places])
            return (net(images + torch.linspace(0, 1, 8)) - 1).square().mean()

        watch = Watch(lambda event: None, lambda: False)
        watch.begin("segmentation", epochs_total=5, share=(0.0, 1.0), message="")
        fitted = fit(
            net,
            count=6,
            plan=Plan(epochs=5, batch_size=2, learning_rate=0.01, weight_decay=0.1, seed=0),
            loss_of=loss_of,
            validate=lambda: None,
            watch=watch,
            keeper=shelf.unfinished("segmentation") if shelf else None,
        )
        return net, fitted

    whole, fitted = learn(None)
    shelf = Shelf(tmp_path, "key", keep_every_s=0.0)
    with pytest.raises(KeyboardInterrupt):
        learn(shelf, crash_at=3)
    assert Shelf(tmp_path, "other").unfinished("segmentation").load() is None
    resumed, again = learn(shelf)
    assert len(again.history) == 5
    assert [one["train_loss"] for one in again.history] == [one["train_loss"] for one in fitted.history]
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name])
    shelf.put("segmentation", resumed, again)
    assert shelf.unfinished("segmentation").load() is None


def test_an_unfinished_fit_is_kept_by_time_and_a_torn_one_passed_over(tmp_path: Path) -> None:
    seldom = Shelf(tmp_path, "key", keep_every_s=1e9).unfinished("segmentation")
    seldom.offer(lambda: {"epoch": 1})
    assert seldom.load() is None
    often = Shelf(tmp_path, "key", keep_every_s=0.0).unfinished("segmentation")
    often.offer(lambda: {"epoch": 1})
    assert often.load() == {"epoch": 1}
    place = tmp_path / "segmentation.unfinished"
    place.write_bytes(place.read_bytes()[:50])
    assert often.load() is None
