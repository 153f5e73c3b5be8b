"""Batches for the networks, drawn from frames: order by epoch, augmentation by place, the fourth channel beside."""

import itertools
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from colpo_core.datasets.augmentation import Augmentation, draw_augmentation, warp_channel, warp_image, warp_target
from colpo_core.datasets.batched_warp import batched_warp
from colpo_core.datasets.device_frames import DeviceFrames, fit_into_half, gathered, to_device
from colpo_core.datasets.frames import IGNORED, Frames
from colpo_core.datasets.mapped_arrays import PageCount
from colpo_core.records.training.settings import AugmentationBounds

MIN_BATCH = 2
"""Batch normalisation needs company."""
_STREAM = 2  # keeps these draws apart from those of the augmentation

FourthChannel = Callable[[int], npt.NDArray[np.uint8]]
"""From the place of a frame to its H x W uint8 channel, 255 times a probability; a view of a mapped array is fine."""


@dataclass(frozen=True, eq=False)
class Batch:
    """What one step learns from.

    Attributes:
        images: B x 3 x H x W float32 in 0..1, or B x 4 with the fourth channel; channels last in memory.
        target: B x H x W int64 classes of pixels, `IGNORED` where none.
        members: The place of each one's frame.
    """

    images: Tensor
    target: Tensor
    members: list[int]


def epoch_order(count: int, *, batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """The places of each batch of an epoch, in an order that depends on the seed and the epoch alone.

    The last incomplete batch is dropped; it is other images each epoch. A training set smaller than a batch is one
    batch, and a single image is taken twice (place 1 is image 0 again, augmented otherwise). A training that was
    stopped in the middle of an epoch asks for the same order again and goes on with `order[batches_done:]`.

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


class Batches:
    """Makes batches of a snapshot's frames. A whole training needs one; threads may share it.

    On a CPU each image is warped by OpenCV. On a GPU the frames lie on the device once where they fit, else each batch
    is moved there, and the batch is warped where it lies. The draws are the same, the pixels the same but for rounding.

    Args:
        frames: Where the images are taken from.
        bounds: How far the augmentation may go.
        device: Where the batches are wanted.
        resident: True works as on a GPU with room for all frames, on any device; False leaves the frames where they
            are; None holds them on a GPU where they fit into half of its free memory.
    """

    def __init__(
        self, frames: Frames, *, bounds: AugmentationBounds, device: torch.device, resident: bool | None = None
    ) -> None:
        self._frames = frames
        self._bounds = bounds
        self._device = device
        self._resident = resident
        self._pages = PageCount()
        self._there: DeviceFrames | None = None
        if device.type == "cuda" or resident:
            held = fit_into_half(frames, device) if resident is None else resident
            self._there = DeviceFrames(frames, device, held=held, pages=self._pages)

    def __reduce__(self) -> tuple[Callable[..., "Batches"], tuple[Any, ...]]:
        """In another process the batches are wanted on the device of that process, and frames are laid there anew."""
        return _batches_here, (self._frames, self._bounds, self._device.type, self._resident)

    def augmented(
        self,
        places: Sequence[int],
        *,
        seed: int,
        epoch: int,
        members: Sequence[int],
        channel: FourthChannel | None = None,
    ) -> Batch:
        """A batch of training images, each with its own augmentation.

        Args:
            places: Places in the training set, as `epoch_order` gives them.
            seed: Seed of the training.
            epoch: From 0.
            members: Which frames the training set consists of; place p is frame `members[p % len(members)]`.
            channel: Gives a fourth channel, which follows the geometry.
        """
        chosen = [members[place % len(members)] for place in places]
        drawn = [draw_augmentation(self._bounds, seed=seed, epoch=epoch, index=place) for place in places]
        if self._there is None:
            return self._one_by_one(chosen, drawn, channel)
        images, target = batched_warp(*self._taken(self._there, chosen, channel), drawn)
        return _batch(images, target, chosen)

    def plain(self, members: Sequence[int], *, channel: FourthChannel | None = None) -> Batch:
        """A batch of images as they are, for validation.

        Args:
            members: Which frames.
            channel: As for `augmented`.
        """
        chosen = list(members)
        if self._there is None:
            return self._one_by_one(chosen, [None] * len(chosen), channel)
        images, target = self._taken(self._there, chosen, channel)
        return _batch(images.float(), target.long(), chosen)

    def _taken(self, there: DeviceFrames, chosen: list[int], channel: FourthChannel | None) -> tuple[Tensor, Tensor]:
        """B x C x H x W uint8 and B x H x W uint8 on the device."""
        images, target = there.take(chosen)
        if channel is not None:
            soft = to_device(gathered([channel(frame) for frame in chosen], self._pages), self._device)
            images = torch.cat([images, soft.unsqueeze(3)], dim=3)
        return images.permute(0, 3, 1, 2), target

    def _one_by_one(
        self, chosen: list[int], drawn: Sequence[Augmentation | None], channel: FourthChannel | None
    ) -> Batch:
        """By numpy and OpenCV alone: torch would start threads of its own in the thread that makes batches ahead."""
        shape = self._frames.target.shape[1:]
        images = np.empty((len(chosen), *shape, 3 if channel is None else 4), dtype=np.float32)
        target = np.empty((len(chosen), *shape), dtype=np.int64)
        for into, (frame, augmentation) in enumerate(zip(chosen, drawn, strict=True)):
            rgb, classes = self._frames.rgb[frame], self._frames.target[frame]
            levels = rgb if augmentation is None else warp_image(rgb, augmentation)
            target[into] = classes if augmentation is None else warp_target(classes, augmentation, outside=IGNORED)
            self._pages.seen(rgb)
            self._pages.seen(classes)
            if channel is not None:
                soft = channel(frame)
                self._pages.seen(soft)
                # Joined as bytes: numpy takes five times as long to write every fourth float.
                levels = np.asarray(
                    cv2.merge([levels, soft if augmentation is None else warp_channel(soft, augmentation)])
                )
            np.divide(levels, np.float32(255), out=images[into])
        return Batch(
            torch.from_numpy(images).permute(0, 3, 1, 2).to(self._device),
            torch.from_numpy(target).to(self._device),
            chosen,
        )


def _batches_here(frames: Frames, bounds: AugmentationBounds, kind: str, resident: bool | None) -> Batches:
    # With its number: the thread that makes batches ahead has a current device of its own.
    device = torch.device(kind, torch.cuda.current_device()) if kind == "cuda" else torch.device(kind)
    return Batches(frames, bounds=bounds, device=device, resident=resident)


def prefetched(
    make: Callable[[list[int]], Batch], order: Sequence[list[int]], *, depth: int = 2
) -> Generator[Batch, None, None]:
    """Make batches ahead in one thread, while the step before them runs; the same ones in the same order.

    Its thread ends when the batches are used up, or with the iterator that is left early: put it into
    `contextlib.closing` where an error may come between.

    Args:
        make: Makes the batch of some places.
        order: The places of each batch.
        depth: Batches that are made ahead, at least 1.

    Yields:
        `make(places)` for each of the order.

    Raises:
        ValueError: Nothing would be made ahead.
        Exception: Whatever `make` raises, when its batch's turn comes.
    """
    if depth < 1:
        raise ValueError(f"{depth} batches ahead")
    ahead: deque[Future[Batch]] = deque()
    waiting = iter(order)
    # OpenCV would share each small image out among all cores and fight torch's threads for them; its setting holds for
    # the whole process, so it is put back.
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="batches")
    try:
        for places in itertools.islice(waiting, depth):
            ahead.append(worker.submit(make, places))
        while ahead:
            batch = ahead.popleft().result()
            for places in itertools.islice(waiting, 1):
                ahead.append(worker.submit(make, places))
            yield batch
    finally:
        worker.shutdown(cancel_futures=True)
        cv2.setNumThreads(threads)


def chunks(members: Sequence[int], size: int) -> list[Sequence[int]]:
    """Consecutive parts of at most `size`."""
    return [members[start : start + size] for start in range(0, len(members), size)]


def _batch(levels: Tensor, target: Tensor, members: list[int]) -> Batch:
    return Batch(levels.div_(255).contiguous(memory_format=torch.channels_last), target, members)
