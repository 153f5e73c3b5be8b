from dataclasses import replace

import numpy as np
import pytest

from colpo_core.datasets.frames import ACETOWHITE, IGNORED, load_frames
from colpo_core.errors import JobCancelled, SnapshotMismatch
from colpo_core.terms import Label, Split
from tests.blobs import Blobs, blobs


@pytest.fixture(scope="module")
def few() -> Blobs:
    return blobs((3, 1, 1))


def test_an_image_that_fits_is_taken_as_it_is(few: Blobs) -> None:
    items = few.manifest.of(Split.TRAIN)
    frames = load_frames(items, height_px=64, width_px=64, load_image=few.load_image, load_mask=few.load_mask)
    assert len(frames) == 3
    assert np.array_equal(frames.rgb[1], few.images[items[1].image_sha256])
    assert np.array_equal(frames.target[1] == ACETOWHITE, few.masks[str(items[1].mask_sha256)])


def test_padding_is_black_and_ignored(few: Blobs) -> None:
    items = few.manifest.of(Split.TRAIN)
    frames = load_frames(items, height_px=64, width_px=96, load_image=few.load_image, load_mask=few.load_mask)
    assert (frames.target[:, :, :16] == IGNORED).all()
    assert (frames.target[:, :, 80:] == IGNORED).all()
    assert (frames.target[:, :, 16:80] != IGNORED).all()
    assert not frames.rgb[:, :, :16].any()


def test_an_image_without_mask_is_ignored_and_one_without_label_still_segments(few: Blobs) -> None:
    first, second, third = few.manifest.of(Split.TRAIN)
    items = (
        replace(first, mask_sha256=None, mask_origin=None),
        replace(second, label=None, grade=None),
        replace(third, label=Label.NORMAL),
    )
    frames = load_frames(items, height_px=64, width_px=64, load_image=few.load_image, load_mask=few.load_mask)
    assert (frames.target[0] == IGNORED).all()
    assert frames.with_mask == [1, 2]
    assert frames.with_label == [0, 2]


def test_what_is_not_as_the_snapshot_says_is_refused(few: Blobs) -> None:
    item = few.manifest.items[0]
    with pytest.raises(SnapshotMismatch, match=f"image {item.image_id} is 64 x 64 pixels"):
        load_frames(
            [replace(item, width_px=80)],
            height_px=64,
            width_px=64,
            load_image=few.load_image,
            load_mask=few.load_mask,
        )
    with pytest.raises(SnapshotMismatch, match="The mask of image"):
        load_frames(
            [item],
            height_px=64,
            width_px=64,
            load_image=few.load_image,
            load_mask=lambda *_: np.zeros((64, 32), dtype=bool),
        )


def test_loading_can_be_stopped(few: Blobs) -> None:
    def stop() -> None:
        raise JobCancelled("stop")

    with pytest.raises(JobCancelled):
        load_frames(
            few.manifest.items,
            height_px=64,
            width_px=64,
            load_image=few.load_image,
            load_mask=few.load_mask,
            on_item=stop,
        )
