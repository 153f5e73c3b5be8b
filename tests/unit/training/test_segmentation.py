from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from colpo_core.datasets.frames import ACETOWHITE, Frames
from colpo_core.datasets.image_sets import ImageSet
from colpo_core.datasets.tensors import Batches
from colpo_core.errors import JobCancelled
from colpo_core.nets.interfaces import Segmenter
from colpo_core.nets.registry import build_segmenter
from colpo_core.terms import Split
from colpo_core.training.contract import Hyperparameters
from colpo_core.training.loop import reproducible
from colpo_core.training.segmentation import (
    SegmentationObjective,
    draw_acetowhite,
    has_acetowhite,
    segmentation_objective,
)
from colpo_core.training.stage_splits import images_of_split
from tests.support.blobs import batches_of, blobs
from tests.support.training_runs import fit_quietly, quiet_progress, stopping_after


@dataclass
class Trained:
    network: Segmenter
    frames: Frames
    batches: Batches
    objective: SegmentationObjective

    @property
    def validation(self) -> list[int]:
        return self.frames.of(Split.VALIDATION)


def objective_of(frames: Frames, batches: Batches, validation: ImageSet | None = None) -> SegmentationObjective:
    return segmentation_objective(
        frames,
        batches,
        images_of_split(frames, Split.TRAIN).masks,
        images_of_split(frames, Split.VALIDATION).masks if validation is None else validation,
        class_weights="sqrt_median",
        batch_size=4,
        seed=0,
        progress=quiet_progress(),
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    frames = blobs((20, 6, 0)).frames(tmp_path_factory.mktemp("frames"))
    batches = batches_of(frames)
    with reproducible(seed=0, threads=1):
        network = build_segmenter("segnet_vgg19", width=0.1)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        objective = objective_of(frames, batches)
        hyperparameters = Hyperparameters(epochs=20, batch_size=4, learning_rate=3e-3, weight_decay=1e-4, seed=0)
        fit_quietly(network, objective, hyperparameters)
    return Trained(network, frames, batches, objective)


def draw(trained: Trained, members: list[int]) -> np.ndarray:
    into = np.full(trained.frames.target.shape, 99, np.uint8)
    draw_acetowhite(trained.network, trained.batches, members, into=into, batch_size=4, progress=quiet_progress())
    return into


def test_it_learns_blobs_that_it_has_not_seen(trained: Trained) -> None:
    judged = trained.objective.validate(trained.network)
    assert judged.figures["validation_iou_acetowhite"] > 0.6
    assert judged.figures["validation_iou_background"] > 0.8
    assert judged.score == judged.figures["validation_iou_acetowhite"]


def test_the_soft_channel_lies_over_the_blobs_of_its_members_alone(trained: Trained) -> None:
    drawn = draw(trained, trained.validation)
    assert (drawn[trained.frames.of(Split.TRAIN)] == 99).all()
    truth = trained.frames.target[trained.validation] == ACETOWHITE
    shown = drawn[trained.validation]
    assert shown[truth].mean() > 2 * shown[~truth].mean()
    place = trained.validation[2]
    with torch.inference_mode():
        image = torch.tensor(trained.frames.rgb[place : place + 1]).permute(0, 3, 1, 2).float() / 255
        said = trained.network.acetowhite(image)[0, 0].numpy()
    assert np.abs(drawn[place] / 255 - said).max() < 0.01


def test_the_judgement_by_hand(trained: Trained) -> None:
    drawn = draw(trained, trained.validation)[trained.validation] > 127
    truth = trained.frames.target[trained.validation] == ACETOWHITE
    judged = trained.objective.validate(trained.network)
    both = (drawn & truth).sum()
    assert judged.figures["validation_iou_acetowhite"] == pytest.approx(both / (drawn | truth).sum(), abs=0.01)
    assert judged.figures["validation_dice"] == pytest.approx(2 * both / (drawn.sum() + truth.sum()), abs=0.01)


def test_without_a_mask_there_is_nothing_to_judge_by(trained: Trained, tmp_path: Path) -> None:
    assert objective_of(trained.frames, trained.batches, ImageSet(())).validate(trained.network) is None
    bare = blobs((0, 2, 0), masks=False).frames(tmp_path)
    assert not has_acetowhite(bare, [0, 1])
    assert has_acetowhite(trained.frames, trained.validation)
    assert not has_acetowhite(trained.frames, [])


def test_without_acetowhite_on_the_validation_side_the_loss_decides(trained: Trained, tmp_path: Path) -> None:
    some = blobs((4, 2, 0))
    for sha in {item.mask_sha256 for item in some.manifest.of(Split.VALIDATION)}:
        some.masks[str(sha)] = np.zeros_like(some.masks[str(sha)])
    frames = some.frames(tmp_path)
    judged = objective_of(frames, batches_of(frames)).validate(trained.network)
    assert judged.score == -judged.figures["validation_loss"]


def test_drawing_the_channel_can_be_stopped(trained: Trained) -> None:
    into, stopping = np.zeros(trained.frames.target.shape, np.uint8), quiet_progress(stopping_after(2))
    with pytest.raises(JobCancelled):
        draw_acetowhite(
            trained.network, trained.batches, trained.validation, into=into, batch_size=2, progress=stopping
        )
    assert into[trained.validation[0]].any()
    assert not into[trained.validation[-1]].any()
