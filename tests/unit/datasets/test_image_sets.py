from pathlib import Path

import numpy as np
import torch

from colpo_core.datasets.frames import Frames
from colpo_core.datasets.image_sets import ImageSet
from colpo_core.datasets.tensors import Batches
from tests.support.blobs import batches_of, blobs


def made(folder: Path) -> tuple[Frames, Batches]:
    frames = blobs((4, 1, 1)).frames(folder)
    return frames, batches_of(frames)


def test_without_copies_every_epoch_is_augmented_anew_and_judging_is_not(tmp_path: Path) -> None:
    frames, batches = made(tmp_path)
    images = ImageSet((0, 2))
    first = images.learning_batch(batches, [0, 1], seed=0, epoch=0)
    second = images.learning_batch(batches, [0, 1], seed=0, epoch=1)
    assert first.members == second.members == [0, 2]
    assert not torch.equal(first.images, second.images)
    judged = list(images.judging_batches(batches, 1))
    assert [batch.members for batch in judged] == [[0], [2]]
    shown = (judged[0].images[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    assert np.array_equal(shown, frames.rgb[0])
    assert (len(images), images.shown) == (2, (0, 2))


def test_copies_are_augmented_once_and_judged_as_they_were_learned(tmp_path: Path) -> None:
    frames, batches = made(tmp_path)
    images = ImageSet((1, 3), copies=(5, 2, 0), copies_seed=9)
    assert (len(images), images.shown) == (3, (3, 1, 1))
    first = images.learning_batch(batches, [0, 1, 2], seed=0, epoch=0)
    later = images.learning_batch(batches, [0, 1, 2], seed=4, epoch=7)
    judged = next(iter(images.judging_batches(batches, 3)))
    assert first.members == judged.members == [3, 1, 1]
    assert torch.equal(first.images, later.images)
    assert torch.equal(first.images, judged.images)
    # Two copies of one frame are not alike.
    assert not torch.equal(first.images[1], first.images[2])
    assert not np.array_equal((first.images[0].permute(1, 2, 0) * 255).numpy(), frames.rgb[3])
