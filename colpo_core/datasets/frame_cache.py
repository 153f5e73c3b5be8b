"""The frame cache: a snapshot's images are decoded once, and every training that asks for the same frames maps them.

A cache is a folder with the bare arrays and an index. It is written under another name, flushed and renamed whole, so
that what a crash leaves never passes for a cache; and it is believed only when the digests of its index are right.
Everything here can be made again from the snapshot, so what is damaged or foreign is thrown away and made anew.
"""

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from colpo_core.datasets.disk_space import check_disk_space, explaining_disk
from colpo_core.datasets.frames import Frames, PixelSource, fit_frame
from colpo_core.datasets.manifest import Manifest
from colpo_core.datasets.mapped_arrays import map_array
from colpo_core.errors import JobFailed, SnapshotMismatch
from colpo_core.images.letterbox import fit_into

FORMAT = 2
"""Of a cache. A change of what is decoded, filled, fitted or fingerprinted raises it, so that no older cache serves."""
KEPT_CACHES = 4
INDEX_FILE = "index.json"
RGB_FILE = "rgb.u8"
TARGET_FILE = "target.u8"
_NAME = re.compile(r"[0-9a-f]{64}-\d+x\d+(-filled)?")
_TEMPORARY = ".part"
_ABANDONED_SECONDS = 3600.0  # nobody decodes one image for so long
_CHUNK_BYTES = 16 * 2**20
_BYTES_A_PIXEL = 4  # three colours and the class


@dataclass(frozen=True)
class _Wanted:
    """What a cache must hold."""

    manifest: Manifest
    height_px: int
    width_px: int
    mask_highlights: bool

    @property
    def name(self) -> str:
        return _cache_name(self.manifest.sha256, self.height_px, self.width_px, mask_highlights=self.mask_highlights)

    @property
    def head(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "manifest_sha256": self.manifest.sha256,
            "images": len(self.manifest.items),
            "height_px": self.height_px,
            "width_px": self.width_px,
            "mask_highlights": self.mask_highlights,
        }

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        shape = (len(self.manifest.items), self.height_px, self.width_px)
        return {RGB_FILE: (*shape, 3), TARGET_FILE: shape}

    @property
    def n_bytes(self) -> int:
        return sum(int(np.prod(shape)) for shape in self.shapes.values())

    def open(self, folder: Path, fingerprints: list[str]) -> Frames:
        # Where an image lies follows from its size, which the manifest's hash vouches for.
        geometries = tuple(
            fit_into(
                image_height_px=item.height_px,
                image_width_px=item.width_px,
                box_height_px=self.height_px,
                box_width_px=self.width_px,
            )
            for item in self.manifest.items
        )
        return Frames(
            items=self.manifest.items,
            rgb=map_array(folder / RGB_FILE, self.shapes[RGB_FILE]),
            target=map_array(folder / TARGET_FILE, self.shapes[TARGET_FILE]),
            geometries=geometries,
            fingerprints=tuple(fingerprints),
        )


def cached_frames(
    manifest: Manifest,
    folder: Path,
    *,
    height_px: int,
    width_px: int,
    mask_highlights: bool = False,
    source: PixelSource,
    on_item: Callable[[], None] = lambda: None,
) -> Frames:
    """All frames of a snapshot, mapped from the cache; decoded into it first where it does not hold them.

    The caches that were used last are kept; older ones go when a new one is made.

    Args:
        manifest: The snapshot.
        folder: Root of all caches; made where it is missing.
        height_px: Working height.
        width_px: Working width.
        mask_highlights: Whether specular highlights are filled.
        source: Where images and masks are read from.
        on_item: Called before each image, and now and then while a cache is verified; it may raise to stop.

    Raises:
        SnapshotMismatch: The snapshot has no image, or an image or mask does not have the size that it says.
        JobFailed: The disk cannot take the frames.
    """
    if not manifest.items:
        raise SnapshotMismatch("The snapshot holds no image. Freeze a new snapshot with cases that have some.")
    wanted = _Wanted(manifest, height_px, width_px, mask_highlights)
    cache = folder / wanted.name
    frames = _reuse(wanted, cache, on_item)
    if frames is not None:
        return frames
    with explaining_disk():
        folder.mkdir(parents=True, exist_ok=True)
        _remove(cache)
        _make_way(folder)
        check_disk_space(folder, wanted.n_bytes)
    with _temporary_folder(folder) as making:
        fingerprints = _write(wanted, making, source, on_item)
        if _publish(making, cache):
            return wanted.open(cache, fingerprints)
    # Another process was quicker with the same frames.
    frames = _reuse(wanted, cache, on_item)
    if frames is None:
        raise JobFailed("The decoded images cannot be put in their place. Start the training again.")
    return frames


def disk_space_needed(
    snapshot_sha256: str, n_images: int, folder: Path, *, height_px: int, width_px: int, mask_highlights: bool
) -> int:
    """Bytes that the frames of a snapshot would take beside what the cache holds; 0 where it holds them.

    Args:
        snapshot_sha256: The manifest's hash.
        n_images: How many images it holds.
        folder: Root of all caches.
        height_px: Working height.
        width_px: Working width.
        mask_highlights: Whether specular highlights are filled.
    """
    name = _cache_name(snapshot_sha256, height_px, width_px, mask_highlights=mask_highlights)
    return 0 if (folder / name).exists() else n_images * height_px * width_px * _BYTES_A_PIXEL


def _cache_name(snapshot_sha256: str, height_px: int, width_px: int, *, mask_highlights: bool) -> str:
    return f"{snapshot_sha256}-{width_px}x{height_px}{'-filled' if mask_highlights else ''}"


def _reuse(wanted: _Wanted, cache: Path, on_item: Callable[[], None]) -> Frames | None:
    """The cache that lies there, if it is whole and holds what is wanted; it counts as used now."""
    content = _read_index(wanted, cache)
    if content is None:
        return None
    for name in wanted.shapes:
        digest = hashlib.sha256()
        for chunk in _chunks(cache / name):
            on_item()
            digest.update(chunk)
        if digest.hexdigest() != content["sha256"][name]:
            return None
    try:
        os.utime(cache)
        return wanted.open(cache, content["fingerprints"])
    except (OSError, ValueError):
        return None  # it has gone, or changed, since


def _read_index(wanted: _Wanted, cache: Path) -> dict[str, Any] | None:
    """What the index says of the arrays; None where it is not to be trusted or speaks of other frames."""
    try:
        index = json.loads((cache / INDEX_FILE).read_bytes())
        content: dict[str, Any] = index["content"]
        trusted = (
            index["sha256"] == _content_sha256(content)
            and all(content[name] == value for name, value in wanted.head.items())
            and set(content["sha256"]) == set(wanted.shapes)
            and len(content["fingerprints"]) == len(wanted.manifest.items)
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return content if trusted else None


def _chunks(path: Path) -> Iterator[bytes]:
    """The parts of a file, read through the file and not through its mapping, so that no memory is taken.

    Where it cannot be read the parts end, and then their digest is not the right one.
    """
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
    except OSError:
        return


def _write(wanted: _Wanted, making: Path, source: PixelSource, on_item: Callable[[], None]) -> list[str]:
    """Decode every image into a new cache; nothing but the one at hand is in memory."""
    fingerprints = []
    with closing(_ArrayFile(making / RGB_FILE)) as rgb, closing(_ArrayFile(making / TARGET_FILE)) as target:
        for item in wanted.manifest.items:
            on_item()
            frame = fit_frame(
                item,
                height_px=wanted.height_px,
                width_px=wanted.width_px,
                mask_highlights=wanted.mask_highlights,
                source=source,
            )
            rgb.append(frame.rgb)
            target.append(frame.target)
            fingerprints.append(frame.fingerprint)
        digests = {RGB_FILE: rgb.finish(), TARGET_FILE: target.finish()}
    content = {**wanted.head, "fingerprints": fingerprints, "sha256": digests}
    with explaining_disk(), (making / INDEX_FILE).open("x", encoding="utf-8") as file:
        json.dump({"content": content, "sha256": _content_sha256(content)}, file)
        file.flush()
        os.fsync(file.fileno())
    return fingerprints


class _ArrayFile:
    """A file that bare arrays are written to, one after the other, with the digest of them all."""

    def __init__(self, path: Path) -> None:
        with explaining_disk():
            self._file = path.open("xb")
        self._digest = hashlib.sha256()

    def append(self, values: npt.NDArray[np.uint8]) -> None:
        content = np.ascontiguousarray(values).data
        self._digest.update(content)
        with explaining_disk():
            self._file.write(content)

    def finish(self) -> str:
        with explaining_disk():
            self._file.flush()
            os.fsync(self._file.fileno())
        return self._digest.hexdigest()

    def close(self) -> None:
        with explaining_disk():
            self._file.close()


@contextmanager
def _temporary_folder(folder: Path) -> Iterator[Path]:
    """A new folder that passes for no cache, and is gone afterwards unless it was renamed."""
    making = folder / f".{uuid4().hex}{_TEMPORARY}"
    with explaining_disk():
        making.mkdir()
    try:
        yield making
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _publish(making: Path, cache: Path) -> bool:
    """Give a finished cache its name; False where that is taken."""
    with explaining_disk():
        _flush_folder(making)
        try:
            making.rename(cache)
        except OSError:
            if cache.exists():
                return False
            raise
        _flush_folder(cache.parent)
    return True


def _make_way(folder: Path) -> None:
    """Remove what crashes have left, and the caches that were not used for longest, so that one more may be made."""
    for leftover in folder.glob(f".*{_TEMPORARY}"):
        last_change = max(map(_changed_at, (leftover, *leftover.glob("*"))))
        if time.time() - last_change > _ABANDONED_SECONDS:
            shutil.rmtree(leftover, ignore_errors=True)
    caches = [path for path in folder.iterdir() if path.is_dir() and _NAME.fullmatch(path.name)]
    for old in sorted(caches, key=_changed_at, reverse=True)[KEPT_CACHES - 1 :]:
        # A system that holds what is in use holds this one too: it goes another time.
        with suppress(PermissionError):
            _remove(old)


def _remove(path: Path) -> None:
    """Remove a cache whole. It loses its name first; a training that has mapped it keeps what it has mapped."""
    going = path.with_name(f".{uuid4().hex}{_TEMPORARY}")
    with suppress(FileNotFoundError):
        path.rename(going)
        if going.is_dir():
            shutil.rmtree(going, ignore_errors=True)
        else:
            going.unlink()


def _changed_at(path: Path) -> float:
    """When a file or folder was written or marked as used last; 0 where it has just gone."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _content_sha256(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _flush_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk, where the system can (Windows cannot, and needs not)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
