import errno
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from colpo_core.datasets import disk_space, frame_cache
from colpo_core.datasets.frame_cache import INDEX_FILE, KEPT_CACHES, RGB_FILE, TARGET_FILE, cached_frames
from colpo_core.datasets.frames import Frames, fit_frame
from colpo_core.datasets.manifest import Manifest
from colpo_core.errors import JobCancelled, JobFailed, SnapshotMismatch
from colpo_core.images.highlights import fill_highlights
from tests.support.blobs import Blobs, blobs


@pytest.fixture(scope="module")
def few() -> Blobs:
    made = blobs((3, 1, 1))
    for rgb in made.images.values():
        rgb[2:5, 2:5] = 255  # a highlight
    return made


class Counting:
    """Loads blobs and counts how often it was asked."""

    def __init__(self, few: Blobs) -> None:
        self._few = few
        self.load_mask = few.load_mask
        self.decoded = 0

    def load_image(self, sha256: str) -> np.ndarray:
        self.decoded += 1
        return self._few.load_image(sha256)

    def frames(self, folder: Path, manifest: Manifest | None = None, *, width_px: int = 64, **how: Any) -> Frames:
        return cached_frames(
            manifest or self._few.manifest, folder, height_px=64, width_px=width_px, source=self, **how
        )


@pytest.fixture
def loader(few: Blobs) -> Counting:
    return Counting(few)


def only_folder(folder: Path) -> Path:
    (place,) = folder.iterdir()
    return place


def test_frames_are_decoded_once_and_mapped_afterwards(few: Blobs, loader: Counting, tmp_path: Path) -> None:
    made = loader.frames(tmp_path, width_px=96)
    assert loader.decoded == len(few.manifest.items)
    again = loader.frames(tmp_path, width_px=96)
    assert loader.decoded == len(few.manifest.items)
    for frames in (made, again):
        assert isinstance(frames.rgb, np.memmap)
        assert not frames.rgb.flags.writeable
        for place, item in enumerate(few.manifest.items):
            frame = fit_frame(item, height_px=64, width_px=96, mask_highlights=False, source=few)
            assert np.array_equal(frames.rgb[place], frame.rgb)
            assert np.array_equal(frames.target[place], frame.target)
            assert frames.geometries[place] == frame.geometry
            assert frames.fingerprints[place] == frame.fingerprint


def test_another_size_another_snapshot_and_filled_highlights_have_caches_of_their_own(
    few: Blobs, loader: Counting, tmp_path: Path
) -> None:
    other = replace(few.manifest, seed=1)
    loader.frames(tmp_path)
    assert loader.frames(tmp_path, width_px=96).rgb.shape == (5, 64, 96, 3)
    filled = loader.frames(tmp_path, mask_highlights=True)
    assert np.array_equal(filled.rgb[1], fill_highlights(few.images[few.manifest.items[1].image_sha256]))
    assert not np.array_equal(filled.rgb[1], loader.frames(tmp_path).rgb[1])
    loader.frames(tmp_path, other)
    assert loader.decoded == 20
    assert len(list(tmp_path.iterdir())) == 4
    loader.frames(tmp_path)
    assert loader.decoded == 20


def _cut(place: Path) -> None:
    place.write_bytes(place.read_bytes()[:-1])


def _flip(place: Path) -> None:
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 1
    place.write_bytes(content)


def _say_another_fingerprint(place: Path) -> None:
    index = json.loads(place.read_text())
    index["content"]["fingerprints"][0] = "0" * 64
    place.write_text(json.dumps(index))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        (RGB_FILE, _flip),
        (RGB_FILE, _cut),
        (TARGET_FILE, _flip),
        (TARGET_FILE, Path.unlink),
        (INDEX_FILE, _cut),
        (INDEX_FILE, _say_another_fingerprint),
        (INDEX_FILE, lambda place: place.write_text("[]")),
        (INDEX_FILE, Path.unlink),
    ],
)
def test_a_damaged_cache_is_made_anew(
    loader: Counting, tmp_path: Path, name: str, damage: Callable[[Path], object]
) -> None:
    sound = loader.frames(tmp_path)
    rgb, target = np.array(sound.rgb), np.array(sound.target)
    damage(only_folder(tmp_path) / name)
    again = loader.frames(tmp_path)
    assert loader.decoded == 10
    assert np.array_equal(again.rgb, rgb)
    assert np.array_equal(again.target, target)
    assert again.fingerprints == sound.fingerprints
    loader.frames(tmp_path)
    assert loader.decoded == 10


def test_the_cache_of_another_snapshot_is_not_believed(few: Blobs, loader: Counting, tmp_path: Path) -> None:
    loader.frames(tmp_path, replace(few.manifest, items=few.manifest.items[::-1], seed=1))
    foreign = only_folder(tmp_path)
    shutil.copytree(foreign, tmp_path / foreign.name.replace(foreign.name[:64], few.manifest.sha256))
    loader.frames(tmp_path)
    assert loader.decoded == 10


def test_a_file_in_the_place_of_a_cache_goes(few: Blobs, loader: Counting, tmp_path: Path) -> None:
    loader.frames(tmp_path)
    place = only_folder(tmp_path)
    shutil.rmtree(place)
    place.write_text("not a folder")
    assert len(loader.frames(tmp_path)) == 5
    assert place.is_dir()


def stopping_at(number: int) -> Callable[[], None]:
    """Stops when it is called for this time."""
    calls = count(1)

    def stop() -> None:
        if next(calls) == number:
            raise JobCancelled("stop")

    return stop


def test_a_cache_that_could_not_be_finished_leaves_nothing(loader: Counting, tmp_path: Path) -> None:
    with pytest.raises(JobCancelled):
        loader.frames(tmp_path, on_item=stopping_at(3))
    assert loader.decoded == 2
    assert list(tmp_path.iterdir()) == []


def test_verifying_can_be_stopped_too(loader: Counting, tmp_path: Path) -> None:
    loader.frames(tmp_path)
    with pytest.raises(JobCancelled):
        loader.frames(tmp_path, on_item=stopping_at(1))
    assert loader.decoded == 5


def test_what_a_crash_left_is_swept_but_not_what_another_is_making(loader: Counting, tmp_path: Path) -> None:
    old, fresh, busy = (tmp_path / f".{name}.part" for name in ("old", "fresh", "busy"))
    long_ago = time.time() - 10_000
    for place in (old, fresh, busy):
        place.mkdir()
        (place / RGB_FILE).write_bytes(b"half")
    for place in (old, busy, old / RGB_FILE):
        os.utime(place, (long_ago, long_ago))
    loader.frames(tmp_path)
    assert not old.exists()
    assert fresh.exists()
    assert busy.exists()


def test_the_caches_used_last_are_kept(few: Blobs, loader: Counting, tmp_path: Path) -> None:
    snapshots = [replace(few.manifest, seed=seed) for seed in range(KEPT_CACHES + 1)]
    (tmp_path / "something-else").mkdir()
    for snapshot in snapshots[:KEPT_CACHES]:
        loader.frames(tmp_path, snapshot)
    for age, snapshot in enumerate(snapshots[:KEPT_CACHES]):
        (place,) = tmp_path.glob(f"{snapshot.sha256}*")
        os.utime(place, (1000 - age, 1000 - age))
    oldest = loader.frames(tmp_path, snapshots[KEPT_CACHES - 1])  # used again: now the newest
    loader.frames(tmp_path, snapshots[KEPT_CACHES])
    left = {place.name[:64] for place in tmp_path.iterdir()}
    gone = snapshots[KEPT_CACHES - 2].sha256
    assert left == {"something-else", *(snapshot.sha256 for snapshot in snapshots)} - {gone}
    assert len(oldest) == 5


def test_frames_that_are_in_use_outlive_their_cache(loader: Counting, tmp_path: Path) -> None:
    frames = loader.frames(tmp_path)
    before = np.array(frames.rgb)
    frame_cache._remove(only_folder(tmp_path))
    assert list(tmp_path.iterdir()) == []
    assert np.array_equal(frames.rgb, before)


def test_the_cache_of_a_quicker_process_is_taken(few: Blobs, loader: Counting, tmp_path: Path) -> None:
    other, here = tmp_path / "other", tmp_path / "here"
    loader.frames(other)
    first = iter([True])

    def while_decoding() -> None:
        if next(first, False):
            shutil.copytree(other, here, dirs_exist_ok=True)

    frames = loader.frames(here, on_item=while_decoding)
    assert len(list(here.iterdir())) == 1
    assert np.array_equal(frames.rgb[0], few.images[few.manifest.items[0].image_sha256])


def test_a_full_disk_is_said_before_anything_is_written(
    loader: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_space, "SPARE_BYTES", 2**60)
    with pytest.raises(JobFailed, match="The disk is too full"):
        loader.frames(tmp_path)
    assert loader.decoded == 0


def test_a_disk_that_runs_full_is_said_and_leaves_nothing(
    loader: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", Mock(side_effect=OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(JobFailed, match="The disk ran full"):
        loader.frames(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_root_that_cannot_be_a_folder_is_said(loader: Counting, tmp_path: Path) -> None:
    (tmp_path / "frames").write_text("a file")
    with pytest.raises(JobFailed, match="cannot be written"):
        loader.frames(tmp_path / "frames")


def test_a_snapshot_without_images_is_refused(few: Blobs, loader: Counting, tmp_path: Path) -> None:
    with pytest.raises(SnapshotMismatch, match="no image"):
        loader.frames(tmp_path, replace(few.manifest, items=()))
