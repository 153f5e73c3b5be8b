"""A fourth channel beside three, and weights that must fit."""

import pytest
import torch
from torch import nn

from colpo_core.nets.fourth_channel import add_fourth_channel, fitting_weights, input_normalisation


def test_a_widened_convolution_says_what_it_said() -> None:
    torch.manual_seed(0)
    first = nn.Conv2d(3, 5, kernel_size=3, stride=2)
    images = torch.rand(2, 4, 9, 9)
    before = first(images[:, :3])
    state = torch.get_rng_state()
    add_fourth_channel(first)
    assert torch.equal(torch.get_rng_state(), state)
    assert first.in_channels == 4
    assert torch.allclose(first(images), before, atol=1e-6)
    first(images).sum().backward()
    assert first.weight.grad[:, 3].abs().sum() > 0


def test_no_acetowhite_stays_nothing() -> None:
    assert input_normalisation(3).channels == 3
    layer = input_normalisation(4)
    assert torch.equal(layer(torch.zeros(1, 4, 2, 2))[:, 3], torch.zeros(1, 2, 2))
    own = input_normalisation(4, (0.5,) * 3, (0.25,) * 3)(torch.full((1, 4, 1, 1), 0.75))
    assert torch.allclose(own[0, :3, 0, 0], torch.ones(3))
    with pytest.raises(ValueError, match="3 or 4 channels, not 5"):
        input_normalisation(5)


OWN = {"a.weight": torch.zeros(2, 4, 1, 1), "b.weight": torch.zeros(3), "b.num_batches_tracked": torch.tensor(7)}
GIVEN = {"a.weight": torch.ones(2, 3, 1, 1), "b.weight": torch.ones(3)}


def test_three_channels_fit_four_and_a_counter_may_be_missing() -> None:
    found = fitting_weights(OWN, GIVEN, owner="it", first="a.weight")
    assert set(found) == set(OWN)
    assert torch.equal(found["a.weight"][:, :3], GIVEN["a.weight"])
    assert not found["a.weight"][:, 3].any()
    assert found["b.num_batches_tracked"] == 7
    given = GIVEN | {"b.num_batches_tracked": torch.tensor(9)}
    assert fitting_weights(OWN, given, owner="it", first="a.weight")["b.num_batches_tracked"] == 9


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"a.weight": GIVEN["a.weight"]}, "b.weight"),
        (GIVEN | {"c.weight": torch.ones(1)}, "c.weight"),
        (GIVEN | {"b.weight": torch.ones(4)}, "b.weight"),
        (GIVEN | {"a.weight": torch.ones(2, 2, 1, 1)}, "a.weight"),
    ],
)
def test_other_weights_are_refused_by_name(given: dict[str, torch.Tensor], name: str) -> None:
    with pytest.raises(ValueError, match=rf"not those of it: {name} is missing, extra or misshapen"):
        fitting_weights(OWN, given, owner="it", first="a.weight")


def test_only_the_first_layer_is_widened() -> None:
    with pytest.raises(ValueError, match=r"a\.weight"):
        fitting_weights(OWN, GIVEN, owner="it")
