"""Maps that the grad-cam library draws."""

import numpy as np
import pytest
import torch

from colpo_core.inference.library import METHODS, library_maps
from colpo_core.inference.maps import MAP_NAMES
from colpo_core.nets.pipeline import Pipeline

RGB = np.random.default_rng(0).integers(0, 256, (60, 120, 3), dtype=np.uint8)


@pytest.mark.parametrize("method", METHODS)
def test_each_method_covers_exactly_the_image(pipeline: Pipeline, method: str) -> None:
    maps = library_maps(pipeline, RGB, method)
    assert set(maps) == ({"3ch", "4ch"} if method == "eigencam" else set(MAP_NAMES))
    for values in maps.values():
        assert values.dtype == np.float32
        assert values.shape == (64, 128)  # 60 x 120 fitted into 96 x 128
        assert values.min() >= 0
        assert values.max() <= 1 + 1e-6


def test_frozen_weights_and_a_caller_without_gradients_do_not_matter(pipeline: Pipeline) -> None:
    before = library_maps(pipeline, RGB, "gradcam")
    pipeline.requires_grad_(False)
    try:
        with torch.inference_mode():
            after = library_maps(pipeline, RGB, "gradcam")
    finally:
        pipeline.requires_grad_(True)
    for name in MAP_NAMES:
        assert np.allclose(before[name], after[name], atol=1e-6)


def test_it_leaves_neither_hooks_nor_gradients(pipeline: Pipeline) -> None:
    library_maps(pipeline, RGB, "gradcam++")
    assert all(weight.grad is None for weight in pipeline.parameters())
    assert not any(layer._forward_hooks for layer in pipeline.modules())


def test_what_it_cannot_do_is_said(pipeline: Pipeline) -> None:
    with pytest.raises(ValueError, match="method must be one of"):
        library_maps(pipeline, RGB, "scorecam")
    pipeline.train()
    try:
        with pytest.raises(ValueError, match="training mode"):
            library_maps(pipeline, RGB, "gradcam")
    finally:
        pipeline.eval()
