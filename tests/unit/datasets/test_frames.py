from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from colpo_core.datasets.frames import ACETOWHITE, IGNORED, Frame, fit_frame
from colpo_core.datasets.manifest import ManifestItem
from colpo_core.errors import SnapshotMismatch
from colpo_core.images.letterbox import fit_into
from colpo_core.images.perceptual import perceptual_hash
from colpo_core.terms import Label, Split
from tests.support.blobs import Blobs, blobs
from tests.support.manifests import without_mask


@pytest.fixture(scope="module")
def few() -> Blobs:
    return blobs((3, 1, 1))


def fitted(few: Blobs, item: ManifestItem, *, width_px: int = 64, mask_highlights: bool = False) -> Frame:
    return fit_frame(item, height_px=64, width_px=width_px, mask_highlights=mask_highlights, source=few)


def test_an_image_that_fits_is_taken_as_it_is(few: Blobs) -> None:
    item = few.manifest.items[1]
    frame = fitted(few, item)
    assert np.array_equal(frame.rgb, few.images[item.image_sha256])
    assert np.array_equal(frame.target == ACETOWHITE, few.masks[str(item.mask_sha256)])
    assert frame.fingerprint == perceptual_hash(few.images[item.image_sha256])


def test_padding_is_black_and_ignored(few: Blobs) -> None:
    frame = fitted(few, few.manifest.items[0], width_px=96)
    assert (frame.target[:, :16] == IGNORED).all()
    assert (frame.target[:, 80:] == IGNORED).all()
    assert (frame.target[:, 16:80] != IGNORED).all()
    assert not frame.rgb[:, :16].any()
    assert frame.geometry == fit_into(image_height_px=64, image_width_px=64, box_height_px=64, box_width_px=96)


def test_an_image_without_mask_is_ignored(few: Blobs) -> None:
    assert (fitted(few, without_mask(few.manifest.items[0])).target == IGNORED).all()


def test_highlights_are_filled_where_that_is_wanted(few: Blobs) -> None:
    item = few.manifest.items[0]
    wet = few.images[item.image_sha256].copy()
    cv2.circle(wet, (4, 4), 1, (255, 255, 255), -1)
    shown = Blobs(few.manifest, {item.image_sha256: wet}, few.masks)
    plain, filled = fitted(shown, item), fitted(shown, item, mask_highlights=True)
    assert plain.rgb[4, 4].min() == 255
    assert filled.rgb[4, 4].min() < 150
    assert filled.fingerprint == plain.fingerprint


def test_what_is_not_as_the_snapshot_says_is_refused(few: Blobs) -> None:
    item = few.manifest.items[0]
    with pytest.raises(SnapshotMismatch, match=f"image {item.image_id} is 64 x 64 pixels"):
        fitted(few, replace(item, width_px=80))
    small = Blobs(few.manifest, few.images, {str(item.mask_sha256): np.zeros((64, 32), dtype=np.bool_)})
    with pytest.raises(SnapshotMismatch, match="The mask of image"):
        fitted(small, item)


def test_frames_know_their_sides_and_what_they_have(few: Blobs, tmp_path: Path) -> None:
    first, second, third, *others = few.manifest.items
    bare, unlabelled = without_mask(first), replace(second, label=None, grade=None)
    items = (bare, unlabelled, replace(third, label=Label.NORMAL), *others)
    frames = Blobs(replace(few.manifest, items=items), few.images, few.masks).frames(tmp_path)
    assert len(frames) == 5
    assert frames.with_mask == [1, 2, 3, 4]
    assert frames.with_label == [0, 2, 3, 4]
    assert [frames.of(split) for split in Split] == [[0, 1, 2], [3], [4]]
