"""The proof that the training side's channel is made out of fold, with segmenters that know whom they saw."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from colpo_core.datasets.frames import Frames
from colpo_core.datasets.image_sets import ImageSet
from colpo_core.errors import JobFailed
from colpo_core.records.training.stages import SEGMENTATION, fold_stage
from colpo_core.terms import Label, Split
from colpo_core.training.contract import FitResult
from colpo_core.training.patient_protocol import everything, prepare_by_patients
from colpo_core.training.trainer import Trainer
from colpo_core.training.training_run import PreparedData
from tests.support.blobs import Blobs, blobs, tiny
from tests.support.training_runs import opened

Prepared = tuple[PreparedData, Frames, dict[str, tuple[ImageSet, ImageSet]]]
Prepare = Callable[..., Prepared]


class Memory(nn.Module):
    """A segmenter that marks an image whole if it has learned from its patient, or from the very same image."""

    def __init__(self, frames: Frames, members: Sequence[int]) -> None:
        super().__init__()
        known = {frames.items[place].patient_id for place in members}
        self.seen = [frames.rgb[place] for place in range(len(frames)) if frames.items[place].patient_id in known]

    def acetowhite(self, images: Tensor) -> Tensor:
        levels = (images * 255).round().byte().permute(0, 2, 3, 1).numpy()
        known = [any(np.array_equal(image, seen) for seen in self.seen) for image in levels]
        shape = (len(images), 1, *images.shape[2:])
        return torch.tensor(known).float().view(-1, 1, 1, 1).expand(shape)


@pytest.fixture
def prepare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prepare:
    """Prepares a run with memories for segmenters; with what each was trained, by its stage."""
    number = count()

    def prepared(some: Blobs, segmenter: type[Memory] = Memory, **settings: object) -> Prepared:
        trained: dict[str, tuple[ImageSet, ImageSet]] = {}

        def train(trainer: Trainer, stage: str, images: ImageSet, validation: ImageSet) -> tuple[Memory, FitResult]:
            trained[stage] = (images, validation)
            return segmenter(trainer.frames, images.members), FitResult(1, [])

        monkeypatch.setattr(Trainer, "train_segmenter", train)
        with opened(some, tmp_path / str(next(number)), tiny(**settings)) as run:
            return prepare_by_patients(run), run.trainer.frames, trained

    return prepared


@pytest.mark.parametrize(("folds", "seed"), [(2, 0), (3, 1), (5, 2)])
def test_no_training_images_channel_comes_from_a_segmenter_that_saw_its_patient(
    prepare: Prepare, folds: int, seed: int
) -> None:
    some = blobs((7, 2, 2), images_each=2)
    prepared, frames, trained = prepare(some, folds=folds, seed=seed)
    # The proof is none unless a segmenter that saw the patient would give itself away.
    everybody = Memory(frames, trained[SEGMENTATION][0].members)
    train = frames.of(Split.TRAIN)
    images = torch.tensor(frames.rgb[train]).permute(0, 3, 1, 2).float() / 255
    assert (everybody.acetowhite(images) == 1).all()
    assert not prepared.channel[train].any()
    assert not prepared.channel.any()


def test_the_same_photograph_under_another_patient_does_not_leak_into_the_channel(prepare: Prepare) -> None:
    some = blobs((6, 1, 1))
    twin = replace(some.manifest.items[1], image_sha256=some.manifest.items[0].image_sha256)
    manifest = replace(some.manifest, items=(some.manifest.items[0], twin, *some.manifest.items[2:]))
    for seed in range(3):
        prepared, _, _ = prepare(replace(some, manifest=manifest), folds=3, seed=seed)
        assert not prepared.channel.any()


def test_the_other_sides_channels_come_from_the_pipelines_own_segmenter(prepare: Prepare) -> None:
    class Marked(Memory):
        def acetowhite(self, images: Tensor) -> Tensor:
            return torch.full((len(images), 1, *images.shape[2:]), len(self.seen) / 255)

    prepared, frames, _ = prepare(blobs((6, 2, 2)), Marked, folds=2)
    others = [*frames.of(Split.VALIDATION), *frames.of(Split.TEST)]
    assert (prepared.channel[others] == 6).all()
    assert (prepared.channel[frames.of(Split.TRAIN)] == 3).all()


def test_every_segmenter_learns_from_all_it_may_and_is_chosen_on_the_validation_side(
    prepare: Prepare,
) -> None:
    some = blobs((6, 2, 2), labels=[Label.NORMAL, Label.HSIL, None])
    prepared, frames, trained = prepare(some, folds=3)
    assert list(trained) == list(prepared.fitted) == [SEGMENTATION, *(fold_stage(fold, 3) for fold in range(3))]
    train = frames.of(Split.TRAIN)
    assert list(trained[SEGMENTATION][0].members) == train
    left_out = [set(train) - set(trained[fold_stage(fold, 3)][0].members) for fold in range(3)]
    assert sorted(place for places in left_out for place in places) == train
    assert {validation.members for _, validation in trained.values()} == {tuple(frames.of(Split.VALIDATION))}
    labelled = {split: tuple(p for p in frames.of(split) if frames.items[p].label is not None) for split in Split}
    sides = {Split.TRAIN: prepared.train, Split.VALIDATION: prepared.validation, Split.TEST: prepared.test}
    assert {split: side.members for split, side in sides.items()} == labelled


def test_too_few_patients_are_told_before_anything_is_learned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trainer, "train_segmenter", lambda *_: pytest.fail("nothing is to be learned"))
    with opened(blobs((4, 2, 2)), tmp_path, tiny(folds=5)) as run, pytest.raises(JobFailed, match="fewer folds"):
        prepare_by_patients(run)


def test_a_side_is_examined_whole(tmp_path: Path) -> None:
    with opened(blobs((4, 2, 2), labels=[Label.NORMAL, Label.HSIL, None]), tmp_path) as run:
        side = everything(run, Split.TEST)
        assert list(side.masks.members) == run.trainer.frames.of(Split.TEST)
        assert side.parts == [(side.masks, True, True)]
