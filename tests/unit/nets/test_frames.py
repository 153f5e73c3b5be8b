"""From pixels to a batch."""

import numpy as np
import pytest
import torch

from colpo_core.images.letterbox import letterbox_image
from colpo_core.nets.frames import prepare, to_batch
from colpo_core.nets.spec import PipelineSpec

RGB = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)


def test_an_image_is_fitted_into_the_working_size() -> None:
    box, geometry = prepare(RGB, PipelineSpec(height_px=96, width_px=128))
    wanted, where = letterbox_image(RGB, height_px=96, width_px=128)
    assert np.array_equal(box, wanted)
    assert geometry == where


def test_highlights_are_filled_first_and_only_where_the_spec_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("colpo_core.images.highlights.fill_highlights", lambda rgb: rgb // 2)
    box, _ = prepare(RGB, PipelineSpec(height_px=64, width_px=64, mask_highlights=True))
    assert np.array_equal(box, letterbox_image(RGB // 2, height_px=64, width_px=64)[0])
    box, _ = prepare(RGB, PipelineSpec(height_px=64, width_px=64))
    assert np.array_equal(box, letterbox_image(RGB, height_px=64, width_px=64)[0])


def test_pixels_become_numbers_from_0_to_1_in_their_own_channel() -> None:
    box = np.zeros((2, 3, 3), np.uint8)
    box[0, 1] = (255, 128, 0)
    batch = to_batch(box, torch.device("cpu"))
    assert batch.shape == (1, 3, 2, 3)
    assert batch.dtype == torch.float32
    assert batch.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(batch[0, :, 0, 1], torch.tensor([1.0, 128 / 255, 0.0]))
    assert batch.sum() == batch[0, :, 0, 1].sum()
