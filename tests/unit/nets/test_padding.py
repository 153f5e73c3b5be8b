"""Images of any size for networks that halve."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from colpo_core.nets.padding import STRIDE_PX, pad_to_stride


@given(height=st.integers(1, 70), width=st.integers(1, 70))
def test_the_image_lies_at_the_top_left_of_the_next_multiple(height: int, width: int) -> None:
    images = torch.rand(1, 2, height, width, generator=torch.Generator().manual_seed(height * 71 + width))
    padded = pad_to_stride(images)
    assert torch.equal(padded[..., :height, :width], images)
    for side, wanted in zip(padded.shape[-2:], (height, width), strict=True):
        assert side % STRIDE_PX == 0
        assert 0 <= side - wanted < STRIDE_PX
    # Nothing new is invented: what is added stands in the image already.
    assert torch.isin(padded, images).all()


def test_it_reflects_where_there_is_enough_to_reflect() -> None:
    images = torch.arange(20.0).expand(1, 1, 20, 20)
    assert torch.equal(pad_to_stride(images)[0, 0, 0, 20:], torch.arange(18.0, 6.0, -1.0))
    narrow = torch.arange(2.0).expand(1, 1, 32, 2)
    assert torch.equal(pad_to_stride(narrow)[0, 0, 0, 2:], torch.ones(30))
