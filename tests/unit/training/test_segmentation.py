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
from colpo_core.records.training.settings import AugmentationBounds
from colpo_core.terms import Split
from colpo_core.training.hardware import plain_hardware
from colpo_core.training.loop import Plan, fit, reproducible
from colpo_core.training.segmentation import (
    SegmentationLesson,
    draw_acetowhite,
    has_acetowhite,
    segmentation_lesson,
)
from colpo_core.training.sides import side_of
from tests.support.blobs import blobs
from tests.support.training_runs import quiet_watch


@dataclass
class Taught:
    network: Segmenter
    frames: Frames
    batches: Batches
    lesson: SegmentationLesson

    @property
    def validation(self) -> list[int]:
        return self.frames.of(Split.VALIDATION)


def lesson_of(frames: Frames, batches: Batches, validation: ImageSet | None = None) -> SegmentationLesson:
    return segmentation_lesson(
        frames,
        batches,
        side_of(frames, Split.TRAIN).masks,
        side_of(frames, Split.VALIDATION).masks if validation is None else validation,
        class_weights="sqrt_median",
        batch_size=4,
        seed=0,
        watch=quiet_watch(),
    )


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Taught:
    frames = blobs((20, 6, 0)).frames(tmp_path_factory.mktemp("frames"))
    batches = Batches(frames, bounds=AugmentationBounds(), device=torch.device("cpu"))
    with reproducible(seed=0, threads=1):
        network = build_segmenter("segnet_vgg19", width=0.1)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        lesson = lesson_of(frames, batches)
        plan = Plan(epochs=20, batch_size=4, learning_rate=3e-3, weight_decay=1e-4, seed=0)
        fit(network, lesson, plan=plan, hardware=plain_hardware(), watch=quiet_watch())
    return Taught(network, frames, batches, lesson)


def draw(taught: Taught, members: list[int]) -> np.ndarray:
    into = np.full(taught.frames.target.shape, 99, np.uint8)
    draw_acetowhite(taught.network, taught.batches, members, into=into, batch_size=4, watch=quiet_watch())
    return into


def test_it_learns_blobs_that_it_has_not_seen(taught: Taught) -> None:
    judged = taught.lesson.validate(taught.network)
    assert judged is not None
    assert judged.figures["validation_iou_acetowhite"] > 0.6
    assert judged.figures["validation_iou_background"] > 0.8
    assert judged.score == judged.figures["validation_iou_acetowhite"]


def test_the_soft_channel_lies_over_the_blobs_of_its_members_alone(taught: Taught) -> None:
    drawn = draw(taught, taught.validation)
    assert (drawn[taught.frames.of(Split.TRAIN)] == 99).all()
    truth = taught.frames.target[taught.validation] == ACETOWHITE
    shown = drawn[taught.validation]
    assert shown[truth].mean() > 2 * shown[~truth].mean()
    place = taught.validation[2]
    with torch.inference_mode():
        image = torch.tensor(taught.frames.rgb[place : place + 1]).permute(0, 3, 1, 2).float() / 255
        said = taught.network.acetowhite(image)[0, 0].numpy()
    assert np.abs(drawn[place] / 255 - said).max() < 0.01


def test_the_judgement_by_hand(taught: Taught) -> None:
    drawn = draw(taught, taught.validation)[taught.validation] > 127
    truth = taught.frames.target[taught.validation] == ACETOWHITE
    judged = taught.lesson.validate(taught.network)
    assert judged is not None
    both = (drawn & truth).sum()
    assert judged.figures["validation_iou_acetowhite"] == pytest.approx(both / (drawn | truth).sum(), abs=0.01)
    assert judged.figures["validation_dice"] == pytest.approx(2 * both / (drawn.sum() + truth.sum()), abs=0.01)


def test_without_a_mask_there_is_nothing_to_judge_by(taught: Taught, tmp_path: Path) -> None:
    assert lesson_of(taught.frames, taught.batches, ImageSet(())).validate(taught.network) is None
    bare = blobs((0, 2, 0), masks=False).frames(tmp_path)
    assert not has_acetowhite(bare, [0, 1])
    assert has_acetowhite(taught.frames, taught.validation)
    assert not has_acetowhite(taught.frames, [])


def test_without_acetowhite_on_the_validation_side_the_loss_decides(taught: Taught, tmp_path: Path) -> None:
    some = blobs((4, 2, 0))
    for sha in {item.mask_sha256 for item in some.manifest.of(Split.VALIDATION)}:
        some.masks[str(sha)] = np.zeros_like(some.masks[str(sha)])
    frames = some.frames(tmp_path)
    judged = lesson_of(frames, Batches(frames, bounds=AugmentationBounds(), device=torch.device("cpu"))).validate(
        taught.network
    )
    assert judged is not None
    assert judged.score == -judged.figures["validation_loss"]


def test_drawing_the_channel_can_be_stopped(taught: Taught) -> None:
    asked = iter([False, False, True])
    into = np.zeros(taught.frames.target.shape, np.uint8)
    with pytest.raises(JobCancelled):
        draw_acetowhite(
            taught.network,
            taught.batches,
            taught.validation,
            into=into,
            batch_size=2,
            watch=quiet_watch(lambda: next(asked)),
        )
    assert into[taught.validation[0]].any()
    assert not into[taught.validation[-1]].any()
