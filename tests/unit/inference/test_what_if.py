"""What is asked of the networks once something of an image is changed."""

import numpy as np
import pytest
import torch

from colpo_core.inference.predict import predict_image
from colpo_core.inference.what_if import WhatIfImage, fill_from_around
from colpo_core.nets.pipeline import Pipeline


@pytest.fixture
def seeing(pipeline: Pipeline) -> Pipeline:
    """A pipeline whose 4-channel network looks at its fourth channel; an untrained one's weights there are zero."""
    first = next(module for module in pipeline.classifier_4ch.modules() if isinstance(module, torch.nn.Conv2d))
    with torch.no_grad():
        first.weight[:, 3] = torch.randn(first.weight[:, 3].shape, generator=torch.Generator().manual_seed(0)) * 0.2
    return pipeline


def draw(height: int = 60, width: int = 100) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def half(height: int = 60, width: int = 100) -> np.ndarray:
    mask = np.zeros((height, width), np.bool_)
    mask[:, : width // 2] = True
    return mask


def test_another_mask_changes_the_fourth_channel_alone(seeing: Pipeline) -> None:
    rgb = draw()
    image, plain = WhatIfImage(seeing, rgb), predict_image(seeing, rgb)
    emptied, expert = image.with_mask(None), image.with_mask(half())
    assert emptied.prob_hsil_3ch == expert.prob_hsil_3ch == pytest.approx(plain.prob_hsil_3ch, abs=1e-6)
    assert emptied == image.with_mask(np.zeros((60, 100), np.bool_)), "an empty mask is no mask"
    assert len({round(one, 5) for one in (emptied.prob_hsil_4ch, expert.prob_hsil_4ch, plain.prob_hsil_4ch)}) == 3


def test_what_is_covered_is_gone_for_both_networks(seeing: Pipeline) -> None:
    rgb = draw()
    image, plain = WhatIfImage(seeing, rgb), predict_image(seeing, rgb)
    covered = image.with_cover(half())
    assert covered.prob_hsil_3ch != pytest.approx(plain.prob_hsil_3ch, abs=1e-5)
    nothing = image.with_cover(np.zeros((60, 100), np.bool_))
    assert nothing.prob_hsil_3ch == pytest.approx(plain.prob_hsil_3ch, abs=1e-6)
    assert nothing.prob_hsil_4ch == pytest.approx(plain.prob_hsil_4ch, abs=1e-6)


def test_a_lesion_is_filled_with_its_surroundings_and_nothing_else_is_touched() -> None:
    rgb = np.full((50, 50, 3), (180, 90, 90), np.uint8)
    inside = np.zeros((50, 50), np.bool_)
    inside[20:30, 20:30] = True
    rgb[inside] = 255
    filled = fill_from_around(rgb, inside)
    assert np.abs(filled.astype(int) - (180, 90, 90)).max() <= 2
    far = ~np.pad(np.ones((14, 14), np.bool_), 18)
    assert np.array_equal(filled[far], rgb[far])


def test_a_mask_of_another_size_is_refused(pipeline: Pipeline) -> None:
    with pytest.raises(ValueError, match="mask is"):
        WhatIfImage(pipeline, draw()).with_mask(half(50, 100))


def test_a_network_in_training_is_refused(learning: Pipeline) -> None:
    with pytest.raises(ValueError, match="training"):
        WhatIfImage(learning, draw())
