"""Arrays that lie in files and are mapped into memory, without filling it: their pages are given back.

A page of a file that was looked at counts as memory of the process until the system wants it back, so a pass over a
large array would look, and on a machine with a limit be, as large as the array. The file's content stays in the
system's own cache, from which a page comes back in microseconds.
"""

import mmap
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from colpo_core.datasets.disk_space import check_disk_space, explaining_disk

RELEASE_EVERY_BYTES = 128 * 2**20
Locator = Callable[[Path, int, int], Path]
"""Where a file of another process lies for this one: by its path, its bytes and when it was changed (ns)."""
_LOCATOR: ContextVar[Locator | None] = ContextVar("locator", default=None)


class PageCount:
    """Counts what is looked at of mapped arrays, and gives their pages back every so often. Threads may share one.

    Args:
        every_bytes: How much may be looked at between two times.
    """

    def __init__(self, every_bytes: int = RELEASE_EVERY_BYTES) -> None:
        self._every_bytes = every_bytes
        self._seen_bytes = 0
        self._mapped: dict[int, npt.NDArray[Any]] = {}
        self._lock = threading.Lock()

    def seen(self, part: npt.NDArray[Any]) -> None:
        """Note that a part of an array was read or written; an array that is in memory costs nothing.

        Args:
            part: The array itself or a view of it, not a copy.
        """
        owner = _mapping(part)
        if owner is None:
            return
        with self._lock:
            self._mapped[id(owner)] = part
            self._seen_bytes += part.nbytes
            if self._seen_bytes < self._every_bytes:
                return
            parts, self._mapped, self._seen_bytes = list(self._mapped.values()), {}, 0
        release_pages(*parts)


def release_pages(*arrays: npt.NDArray[Any]) -> None:
    """Give back the pages of whole mapped files; nothing is lost, and what is looked at again comes back.

    Args:
        arrays: Mapped arrays or views of them; one that lies in memory is passed over. Where the system has no such
            call (Windows), all are.
    """
    if not hasattr(mmap, "MADV_DONTNEED"):
        return
    for array in arrays:
        owner = _mapping(array)
        if owner is not None:
            owner.madvise(mmap.MADV_DONTNEED)


class MappedArray(np.memmap[Any, Any]):
    """A mapped array that crosses to another process as the path of its file; a part of one crosses as a copy."""

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        owner = _mapping(self)
        if owner is not None and self.nbytes == len(owner) and self.flags.c_contiguous:
            changed_ns = Path(str(self.filename)).stat().st_mtime_ns
            return _mapped_again, (str(self.filename), self.shape, self.mode == "r+", changed_ns)
        return np.array(self).__reduce_ex__(protocol)


def map_array(path: Path, shape: tuple[int, ...], *, writable: bool = False) -> npt.NDArray[np.uint8]:
    """Map a file of bare bytes.

    Args:
        path: The file.
        shape: What it holds, at least one byte.
        writable: Whether what is written into the array goes into the file.

    Returns:
        uint8 of that shape; pickled as the path of its file.

    Raises:
        ValueError: The file does not hold so many bytes.
    """
    if path.stat().st_size != int(np.prod(shape)):
        raise ValueError(f"{path.name} does not hold an array of {shape}")
    return MappedArray(path, dtype=np.uint8, mode="r+" if writable else "r", shape=shape)


def new_channel(path: Path, *, count: int, height_px: int, width_px: int) -> npt.NDArray[np.uint8]:
    """Make a channel for so many frames in a file, all 0, in place of one that lies there.

    Args:
        path: The file, in the training's own work folder.
        count: Frames, at least 1.
        height_px: Height of a frame.
        width_px: Width of a frame.

    Returns:
        count x height_px x width_px uint8; what is written into it goes into the file.

    Raises:
        JobFailed: The disk cannot take it.
    """
    shape = (count, height_px, width_px)
    n_bytes = count * height_px * width_px
    with explaining_disk():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        check_disk_space(path.parent, n_bytes)
        with path.open("xb") as file:
            if hasattr(os, "posix_fallocate"):
                # Taken now: a disk that runs full under a mapped array kills the process without a word.
                os.posix_fallocate(file.fileno(), 0, n_bytes)
            else:
                file.truncate(n_bytes)
        return map_array(path, shape, writable=True)


@contextmanager
def locating(locator: Locator) -> Iterator[None]:
    """Within the block arrays of another machine are mapped from where the locator finds their files on this one."""
    before = _LOCATOR.set(locator)
    try:
        yield
    finally:
        _LOCATOR.reset(before)


def _mapped_again(path: str, shape: tuple[int, ...], writable: bool, changed_ns: int) -> npt.NDArray[np.uint8]:
    locator = _LOCATOR.get()
    location = locator(Path(path), int(np.prod(shape)), changed_ns) if locator else Path(path)
    return map_array(location, shape, writable=writable)


def _mapping(array: npt.NDArray[Any]) -> mmap.mmap | None:
    """The mapping that an array is a view of, where it is one that shares its pages with the file."""
    owner: Any = array
    while isinstance(owner, np.ndarray):
        if getattr(owner, "mode", None) == "c":
            return None  # what was written into private pages would be lost
        owner = owner.base
    return owner if isinstance(owner, mmap.mmap) else None
