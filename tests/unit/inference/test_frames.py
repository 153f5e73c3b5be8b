"""From pixels to a batch."""

import numpy as np
import torch

from colpo_core.inference.frames import to_batch


def test_pixels_become_numbers_from_0_to_1_in_their_own_channel() -> None:
    box = np.zeros((2, 3, 3), np.uint8)
    box[0, 1] = (255, 128, 0)
    batch = to_batch(box, torch.device("cpu"))
    assert batch.shape == (1, 3, 2, 3)
    assert batch.dtype == torch.float32
    assert batch.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(batch[0, :, 0, 1], torch.tensor([1.0, 128 / 255, 0.0]))
    assert batch.sum() == batch[0, :, 0, 1].sum()
