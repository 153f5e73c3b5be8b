"""Maps that the grad-cam library draws."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from colpo_core.images.maps import MAP_NAMES
from colpo_core.inference.library import METHODS, library_maps
from colpo_core.inference.predict import predict_image
from colpo_core.nets.pipeline import Pipeline, PipelineSpec, build_pipeline

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


def test_the_closed_form_is_the_librarys_for_a_librarys_network_too() -> None:
    torch.manual_seed(3)
    spec = PipelineSpec(classifier="timm_efficientnet_b0", segnet_width=0.05, height_px=64, width_px=64)
    made = build_pipeline(spec).train()
    with torch.no_grad():
        made(torch.rand(4, 3, 64, 64))
    made.eval()
    rgb = RGB[:60, :60]
    theirs = library_maps(made, rgb, "gradcam")["3ch-hsil"]
    cells = predict_image(made, rgb).maps["3ch-hsil"]
    assert theirs.shape == (64, 64)
    corner = np.unravel_index(theirs.argmax(), theirs.shape)
    assert (corner[0] // 32, corner[1] // 32) == np.unravel_index(cells.argmax(), cells.shape)


def test_highlights_are_filled_as_in_a_prediction(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("colpo_core.images.highlights.fill_highlights", lambda rgb: rgb // 3)
    wanted = library_maps(pipeline, RGB // 3, "layercam")
    monkeypatch.setattr(pipeline, "spec", replace(pipeline.spec, mask_highlights=True))
    found = library_maps(pipeline, RGB, "layercam")
    assert all(np.array_equal(found[name], wanted[name]) for name in MAP_NAMES)


def test_it_leaves_neither_hooks_nor_gradients(pipeline: Pipeline) -> None:
    library_maps(pipeline, RGB, "gradcam++")
    assert all(weight.grad is None for weight in pipeline.parameters())
    assert not any(layer._forward_hooks for layer in pipeline.modules())


def test_an_unknown_method_is_refused(pipeline: Pipeline) -> None:
    with pytest.raises(ValueError, match="method must be one of"):
        library_maps(pipeline, RGB, "scorecam")


def test_a_network_in_training_is_refused(learning: Pipeline) -> None:
    with pytest.raises(ValueError, match="training mode"):
        library_maps(learning, RGB, "gradcam")
