"""Batches for the networks, drawn from frames: order by epoch, augmentation by place, the fourth channel beside."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from colpo_core.datasets.augmentation import draw_augmentation, warp_channel, warp_image, warp_target
from colpo_core.datasets.frames import IGNORED, Frames

MIN_BATCH = 2
"""Batch normalisation needs company."""
_STREAM = 2  # keeps these draws apart from those of the augmentation


@dataclass(frozen=True)
class Batch:
    """What one step learns from.

    Attributes:
        images: B x 3 x H x W float in 0..1, or B x 4 with the probability of acetowhite; channels last in memory.
        target: B x H x W int64 classes of pixels, `IGNORED` where none.
    """

    images: Tensor
    target: Tensor


def epoch_order(count: int, *, batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """The places of each batch of an epoch, in an order that depends on the seed and the epoch alone.

    The last incomplete batch is dropped; it is other images each epoch. A training set smaller than a batch is one
    batch, and a single image is taken twice (place 1 is image 0 again, augmented otherwise).

    Args:
        count: Images in the training set.
        batch_size: Images a batch.
        seed: Seed of the training.
        epoch: From 0.

    Raises:
        ValueError: There is no image, or a batch would hold fewer than two.
    """
    if count < 1 or batch_size < MIN_BATCH:
        raise ValueError(f"{count} images in batches of {batch_size}")
    places = max(count, MIN_BATCH)
    size = min(batch_size, places)
    generator = np.random.default_rng([_STREAM, abs(seed), int(seed < 0), epoch])
    order: list[int] = generator.permutation(places).tolist()
    return [order[start : start + size] for start in range(0, places - size + 1, size)]


def augmented_batch(
    frames: Frames,
    places: Sequence[int],
    *,
    seed: int,
    epoch: int,
    members: Sequence[int],
    acetowhite: npt.NDArray[np.uint8] | None = None,
    device: torch.device | None = None,
) -> Batch:
    """A batch of training images, each with its own augmentation.

    Args:
        frames: Where they are taken from.
        places: Places in the training set, as `epoch_order` gives them.
        seed: Seed of the training.
        epoch: From 0.
        members: Which frames the training set consists of; place p is frame `members[p % len(members)]`.
        acetowhite: N x H x W uint8, 255 times the probability of acetowhite of every frame: gives a fourth channel.
        device: Where to put the batch.
    """
    images, targets = [], []
    for place in places:
        frame = members[place % len(members)]
        drawn = draw_augmentation(seed=seed, epoch=epoch, index=place)
        channels = [warp_image(frames.rgb[frame], drawn)]
        if acetowhite is not None:
            channels.append(warp_channel(acetowhite[frame], drawn)[..., None])
        images.append(np.concatenate(channels, axis=2))
        targets.append(warp_target(frames.target[frame], drawn, outside=IGNORED))
    return Batch(
        images=to_images(np.stack(images), device=device), target=torch.from_numpy(np.stack(targets)).long().to(device)
    )


def plain_batch(
    frames: Frames,
    members: Sequence[int],
    *,
    acetowhite: npt.NDArray[np.uint8] | None = None,
    device: torch.device | None = None,
) -> Batch:
    """A batch of images as they are, for validation.

    Args:
        frames: Where they are taken from.
        members: Which frames.
        acetowhite: As for `augmented_batch`.
        device: Where to put the batch.
    """
    chosen = list(members)
    values = frames.rgb[chosen]
    if acetowhite is not None:
        values = np.concatenate([values, acetowhite[chosen][..., None]], axis=3)
    return Batch(
        images=to_images(values, device=device), target=torch.from_numpy(frames.target[chosen]).long().to(device)
    )


def to_images(values: npt.NDArray[np.uint8], *, device: torch.device | None = None) -> Tensor:
    """From B x H x W x C uint8 to B x C x H x W float in 0..1, channels last in memory."""
    batch = torch.from_numpy(np.ascontiguousarray(values)).to(device)
    # The layout in memory is H x W x C already, which is what channels last means.
    return batch.permute(0, 3, 1, 2).float().div_(255)


def chunks(members: Sequence[int], size: int) -> list[Sequence[int]]:
    """Consecutive parts of at most `size`."""
    return [members[start : start + size] for start in range(0, len(members), size)]
