"""Every network brings its own normalisation."""

import pytest
import torch

from colpo_core.nets.normalise import IMAGENET_MEAN, IMAGENET_STD, Normalise


def test_the_mean_becomes_zero_and_a_step_one() -> None:
    layer = Normalise()
    mean = torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1).expand(2, 3, 4, 5)
    std = torch.tensor(IMAGENET_STD).view(1, 3, 1, 1)
    assert torch.equal(layer(mean), torch.zeros(2, 3, 4, 5))
    assert torch.allclose(layer(mean + std), torch.ones(2, 3, 4, 5), atol=1e-6)


def test_mean_and_step_travel_with_the_weights() -> None:
    assert set(Normalise().state_dict()) == {"mean", "std"}
    assert list(Normalise().parameters()) == []


@pytest.mark.parametrize("shape", [(1, 4, 8, 8), (3, 8, 8)])
def test_another_number_of_channels_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected B x 3 x H x W"):
        Normalise()(torch.zeros(shape))


def test_steps_must_be_above_zero() -> None:
    with pytest.raises(ValueError, match="above 0"):
        Normalise((0.5,), (0.0,))
