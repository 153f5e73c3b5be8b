"""Frames on the device that learns: held there once, or moved there batch by batch, as bytes in either case."""

import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from colpo_core.datasets.frames import Frames
from colpo_core.datasets.mapped_arrays import PageCount


class DeviceFrames:
    """Takes frames by their places to a device. Threads may share it.

    Args:
        frames: Where they are taken from.
        device: Where they are wanted.
        held: Whether a frame that was taken once stays on the device; room for all of them is set aside at once.
        pages: Counts what is read of mapped frames.
    """

    def __init__(self, frames: Frames, device: torch.device, *, held: bool, pages: PageCount) -> None:
        self._frames = frames
        self._device = device
        self._pages = pages
        self._lock = threading.Lock()
        self._held: tuple[Tensor, Tensor] | None = None
        self._is_here = np.zeros(len(frames), dtype=np.bool_)
        if held:
            self._held = (
                torch.empty(frames.rgb.shape, dtype=torch.uint8, device=device),
                torch.empty(frames.target.shape, dtype=torch.uint8, device=device),
            )

    def take(self, members: Sequence[int]) -> tuple[Tensor, Tensor]:
        """The images, B x H x W x 3 uint8, and their masks, B x H x W uint8, on the device.

        Args:
            members: Places of frames; one may come twice.
        """
        if self._held is None:
            return self._moved(members)
        with self._lock:
            missing = [member for member in dict.fromkeys(members) if not self._is_here[member]]
            if missing:
                into = torch.tensor(missing, device=self._device)
                for held, values in zip(self._held, self._moved(missing), strict=True):
                    held.index_copy_(0, into, values)
                self._is_here[missing] = True
        wanted = torch.tensor(list(members), device=self._device)
        rgb, target = self._held
        return rgb.index_select(0, wanted), target.index_select(0, wanted)

    def _moved(self, members: Sequence[int]) -> tuple[Tensor, Tensor]:
        rgb = gathered([self._frames.rgb[member] for member in members], self._pages)
        target = gathered([self._frames.target[member] for member in members], self._pages)
        return to_device(rgb, self._device), to_device(target, self._device)


def gathered(parts: Sequence[npt.NDArray[np.uint8]], pages: PageCount) -> npt.NDArray[np.uint8]:
    """Copies of parts of mapped arrays, one above the other."""
    together = np.stack(parts)
    for part in parts:
        pages.seen(part)
    return np.asarray(together)


def to_device(values: npt.NDArray[np.uint8], device: torch.device) -> Tensor:
    """Move bytes to a device; to a GPU from memory that it reads by itself, without waiting."""
    tensor = torch.from_numpy(values)
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def fit_into_half(frames: Frames, device: torch.device) -> bool:
    """Whether all frames fit into half of the memory that is free on a device now; only a GPU is asked."""
    if device.type != "cuda":
        return False
    free_bytes, _ = torch.cuda.mem_get_info(device)
    return bool(frames.rgb.nbytes + frames.target.nbytes <= free_bytes // 2)
