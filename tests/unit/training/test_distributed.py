import multiprocessing
import os
import pickle
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from colpo_core.datasets.frames import IGNORED, Frames
from colpo_core.datasets.image_sets import ImageSet
from colpo_core.datasets.mapped_arrays import new_channel
from colpo_core.datasets.tensors import Batch, FourthChannel
from colpo_core.errors import JobCancelled, JobFailed
from colpo_core.nets.registry import build_classifier
from colpo_core.records.training.settings import TrainingEvent
from colpo_core.records.training.stages import SHUFFLED
from colpo_core.terms import Split
from colpo_core.training.classification import ClassificationObjective, classification_objective
from colpo_core.training.contract import FitResult, Hyperparameters, Validation
from colpo_core.training.fourth_channel_controls import FourthChannelControls
from colpo_core.training.progress import ProgressReporter
from colpo_core.training.segmentation import SegmentationObjective, segmentation_objective
from colpo_core.training.stage_store import StageStore
from tests.support.blobs import batches_of, blobs
from tests.support.training_runs import fit_quietly, quiet_progress, stopping_after

BATCH_SIZE = 5
"""Odd, so that one of two processes has more of each batch than the other."""
HYPERPARAMETERS = Hyperparameters(epochs=3, batch_size=BATCH_SIZE, learning_rate=3e-3, weight_decay=1e-2, seed=3)


@dataclass(frozen=True)
class Both:
    """Learns masks and labels at once, by the objectives' own losses."""

    masks: SegmentationObjective
    labels: ClassificationObjective

    @property
    def count(self) -> int:
        return self.labels.count

    def batch(self, places: list[int], epoch: int) -> Batch:
        return self.labels.batch(places, epoch)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        logits = network(batch.images)
        # One image is known nowhere, so one process may have less to learn from than the other.
        target = torch.where(torch.tensor(batch.members).view(-1, 1, 1) == 2, IGNORED, batch.target)
        of_masks = self.masks.loss(lambda _: logits, Batch(batch.images, target, batch.members))
        return of_masks + self.labels.loss(lambda _: logits.mean(dim=(2, 3)), batch)

    def validate(self, network: nn.Module) -> Validation | None:
        of_labels = self.labels.validate(lambda images: network(images).mean(dim=(2, 3)))
        # Of three channels the first is shown as the fourth.
        of_masks = self.masks.validate(lambda images: network(torch.cat([images, images[:, :1]], dim=1)))
        return Validation(of_masks.figures | of_labels.figures, of_labels.score)


@dataclass(frozen=True)
class Odd:
    """An objective that ends as it is told to, at a step of its second epoch."""

    ends: str = "never"
    count: int = 8

    def batch(self, places: list[int], epoch: int) -> Batch:
        images = torch.ones(len(places), 1) * (float("nan") if epoch and self.ends == "nan" else 1.0)
        return Batch(images, torch.zeros(len(places), dtype=torch.int64), [epoch])

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        second = torch.distributed.get_rank() == 1
        if batch.members[0] and self.ends == "crash" and second:
            raise ZeroDivisionError
        if batch.members[0] and self.ends == "die" and second:
            os._exit(7)
        return (network(batch.images) - 3).square().mean()

    def validate(self, network: nn.Module) -> Validation | None:
        return None


def until_epoch(epoch: int, told: list[TrainingEvent]) -> ProgressReporter:
    """Stops after this epoch."""
    return quiet_progress(lambda: any(event.epoch >= epoch for event in told), told)


def network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(4, 6, 5, stride=2), nn.Tanh(), nn.ConvTranspose2d(6, 2, 6, stride=2))


def objective_of(frames: Frames, channel: FourthChannel | None) -> Both:
    batches = batches_of(frames)
    images, judged = (ImageSet(tuple(frames.of(split))) for split in (Split.TRAIN, Split.VALIDATION))
    common = {"batch_size": BATCH_SIZE, "seed": HYPERPARAMETERS.seed, "progress": quiet_progress()}
    masks = segmentation_objective(frames, batches, images, judged, class_weights="sqrt_median", **common)
    return Both(masks, classification_objective(frames, batches, images, judged, channel=channel, **common))


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Frames:
    return blobs((11, 5, 0)).frames(tmp_path_factory.mktemp("frames"))


@pytest.fixture(scope="module")
def both(frames: Frames, tmp_path_factory: pytest.TempPathFactory) -> Both:
    count, height_px, width_px = frames.target.shape
    place = tmp_path_factory.mktemp("channel") / "channel.u8"
    predicted = new_channel(place, count=count, height_px=height_px, width_px=width_px)
    predicted[:] = np.random.default_rng(0).integers(0, 256, predicted.shape)
    return objective_of(frames, FourthChannelControls(frames, predicted, seed=0).of(SHUFFLED))


learn = partial(fit_quietly, hyperparameters=HYPERPARAMETERS)


@dataclass(frozen=True)
class Run:
    network: nn.Module
    fitted: FitResult
    told: list[TrainingEvent]
    stage_store: StageStore | None


@pytest.fixture(scope="module", autouse=True)
def main_that_must_not_run_again(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A training may be started from a page or a command, whose script a process must not run a second time."""
    script = tmp_path_factory.mktemp("main") / "script.py"
    script.write_text("raise SystemExit('the main script was run again')")
    main = ModuleType("__main__")
    main.__file__ = str(script)
    kept, sys.modules["__main__"] = sys.modules["__main__"], main
    yield
    sys.modules["__main__"] = kept


@pytest.fixture(scope="module")
def two(both: Both, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """What two processes make of it, with their state kept after every step."""
    net, told = network(), list[TrainingEvent]()
    stage_store = StageStore(tmp_path_factory.mktemp("two"), "key", save_every_s=0.0)
    unfinished = stage_store.unfinished("segmentation")
    fitted = learn(net, both, devices=2, progress=quiet_progress(told=told), state_store=unfinished)
    assert not multiprocessing.active_children()
    return Run(net, fitted, told, stage_store)


@pytest.fixture
def one(both: Both) -> Run:
    net, told = network(), list[TrainingEvent]()
    return Run(net, learn(net, both, progress=quiet_progress(told=told)), told, None)


def assert_same(first: nn.Module, second: nn.Module, *, within: float) -> None:
    for (name, value), other in zip(first.state_dict().items(), second.state_dict().values(), strict=True):
        assert torch.allclose(value, other, atol=within, rtol=0), name


def test_two_processes_learn_what_one_learns(two: Run, one: Run) -> None:
    assert two.fitted.best_epoch == one.fitted.best_epoch
    for ours, theirs in zip(two.fitted.history, one.fitted.history, strict=True):
        assert ours.keys() == theirs.keys()
        for name in ours.keys() - {"seconds", "images_per_second"}:
            assert ours[name] == pytest.approx(theirs[name], abs=1e-3), name
    figures = {"train_loss", "validation_loss", "validation_auc", "validation_iou_acetowhite"}
    assert figures <= two.fitted.history[0].keys()
    assert_same(two.network, one.network, within=1e-4)
    start = network().state_dict()
    assert max(float((value - start[name]).abs().max()) for name, value in two.network.state_dict().items()) > 1e-2
    assert not two.network.training


def test_the_process_that_waits_tells_what_the_first_one_tells(two: Run) -> None:
    epochs = [event for event in two.told if event.figures]
    assert [event.epoch for event in epochs] == [1, 2, 3]
    assert [event.figures for event in epochs] == two.fitted.history


def test_one_process_takes_up_what_two_have_kept(two: Run, both: Both) -> None:
    net = network()
    fitted = learn(net, both, state_store=two.stage_store.unfinished("segmentation"))
    assert fitted == two.fitted
    assert_same(net, two.network, within=0.0)


def test_a_wish_to_stop_ends_all_processes() -> None:
    told: list[TrainingEvent] = []
    with pytest.raises(JobCancelled):
        learn(nn.Linear(1, 1), Odd(), devices=2, progress=until_epoch(1, told))
    assert [event.epoch for event in told if event.figures] == [1]
    assert not multiprocessing.active_children()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ends", "sentence"),
    [
        ("nan", r"diverged.*lower learning rate"),
        ("crash", r"One of the 2 processes.*\(ZeroDivisionError\)"),
        ("die", r"One of the 2 processes.*\(exit code 7\)"),
    ],
)
def test_a_process_that_fails_ends_the_fit(ends: str, sentence: str) -> None:
    with pytest.raises(JobFailed, match=sentence):
        learn(nn.Linear(1, 1), Odd(ends), devices=2)
    assert not multiprocessing.active_children()


def test_what_crosses_is_small_and_the_same(both: Both, frames: Frames) -> None:
    crossed = pickle.dumps(both)
    assert len(crossed) < frames.rgb.nbytes / 4
    again: Both = pickle.loads(crossed)  # noqa: S301 - ours
    assert isinstance(again.labels.frames.rgb, np.memmap)
    ours, theirs = again.batch([0, 3], 1), both.batch([0, 3], 1)
    assert torch.equal(ours.images, theirs.images)
    assert torch.equal(ours.target, theirs.target)


@pytest.mark.slow
def test_two_processes_take_up_what_one_has_kept(both: Both, one: Run, tmp_path: Path) -> None:
    stage_store, stopping = StageStore(tmp_path, "key", save_every_s=0.0), quiet_progress(stopping_after(4))
    with pytest.raises(JobCancelled):
        learn(network(), both, progress=stopping, state_store=stage_store.unfinished("segmentation"))
    net = network()
    fitted = learn(net, both, devices=2, state_store=stage_store.unfinished("segmentation"))
    assert len(fitted.history) == 3
    assert_same(net, one.network, within=1e-4)


@pytest.mark.slow
def test_with_batch_normalisation_two_processes_come_close(frames: Frames) -> None:
    # On a CPU each process normalises by its own share of a batch, so the weights differ and the loss stays near.
    objective = objective_of(frames, None).labels
    gentle = replace(HYPERPARAMETERS, batch_size=11, learning_rate=3e-4)
    losses = []
    for devices in (1, 2):
        torch.manual_seed(0)
        net = build_classifier("resnet18", in_channels=3)
        fitted = fit_quietly(net, objective, gentle, devices=devices)
        losses.append([figures["train_loss"] for figures in fitted.history])
    assert losses[1] == pytest.approx(losses[0], abs=0.3)
    assert losses[1][-1] < losses[1][0]
