"""The segmentation as a fourth input channel, and published weights of networks that have three."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from colpo_core.nets.normalise import IMAGENET_MEAN, IMAGENET_STD, Normalise

# No acetowhite stays 0, and a step from 0 to 1 weighs as much as one from black to white.
_ACETOWHITE_MEAN = 0.0
_ACETOWHITE_STD = 0.225
_COUNTER = "num_batches_tracked"


def input_normalisation(
    in_channels: int, mean: Sequence[float] = IMAGENET_MEAN, std: Sequence[float] = IMAGENET_STD
) -> Normalise:
    """Normalisation of RGB, and with four channels of the probability of acetowhite.

    Args:
        in_channels: 3 or 4.
        mean: Value of each colour that becomes 0.
        std: Step of each colour that becomes 1.

    Raises:
        ValueError: It is another number of channels.
    """
    if in_channels not in (3, 4):
        raise ValueError(f"the classifier takes 3 or 4 channels, not {in_channels}")
    extra = in_channels - 3
    return Normalise((*mean, *[_ACETOWHITE_MEAN] * extra), (*std, *[_ACETOWHITE_STD] * extra))


def add_fourth_channel(first: nn.Conv2d) -> None:
    """Give a convolution one more input channel, whose weights are zero.

    No random number is drawn, so that three and four channels draw the same ones from one seed.
    """
    with torch.no_grad():
        first.weight = nn.Parameter(torch.cat([first.weight, torch.zeros_like(first.weight[:, :1])], dim=1))
    first.in_channels = 4


def fitting_weights(
    own: Mapping[str, Tensor], given: Mapping[str, Tensor], *, owner: str, first: str | None = None
) -> dict[str, Tensor]:
    """Check that weights are a network's, before any is copied.

    Args:
        own: The network's state.
        given: What is to replace it, by the same names. Counters of batches may be missing, as in files that are older
            than these counters (most that torchvision publishes); they keep their value.
        owner: Whose they should be, for the message.
        first: Name of the first layer's weights; where the network has a fourth input channel and `given` has three,
            its weights are zero.

    Returns:
        The network's new state, complete.

    Raises:
        ValueError: A name is missing or extra, or a shape is another.
    """
    fitting = {name: value for name, value in own.items() if name.endswith(_COUNTER)} | dict(given)
    if first is not None and first in fitting and first in own:
        fitting[first] = _widened(fitting[first], own[first].shape)
    for name in sorted(own.keys() | fitting.keys()):
        if name not in own or name not in fitting or own[name].shape != fitting[name].shape:
            raise ValueError(f"the weights are not those of {owner}: {name} is missing, extra or misshapen")
    return fitting


def _widened(weight: Tensor, wanted: torch.Size) -> Tensor:
    if weight.dim() == 4 and weight.shape[1] == 3 and wanted[1] == 4:
        return torch.cat([weight, torch.zeros_like(weight[:, :1])], dim=1)
    return weight
