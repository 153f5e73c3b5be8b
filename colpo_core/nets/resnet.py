"""ResNet on three channels (RGB) or four (RGB and the segmentation).

Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, table 1 (ResNet-18, -50 and -101); the
fourth channel as in Kim et al. 2022, "Classification": the segmentation of the acetowhite epithelium beside RGB.
"""

from collections.abc import Mapping
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from colpo_core.nets.normalise import IMAGENET_MEAN, IMAGENET_STD, Normalise
from colpo_core.records.learning import CLASSIFIERS

NORMAL = 0
HSIL = 1
N_CLASSES = 2
STRIDE_PX = 32
"""A cell of layer4's maps stands for 32 x 32 pixels of the input."""

_MAKERS = {
    "resnet18": torchvision.models.resnet18,
    "resnet50": torchvision.models.resnet50,
    "resnet101": torchvision.models.resnet101,
}
# No acetowhite stays 0, and a step from 0 to 1 weighs as much as one from black to white.
_ACETOWHITE_MEAN = 0.0
_ACETOWHITE_STD = 0.225


class ColpoResNet(nn.Module):
    """A ResNet that tells `normal` from `hsil`.

    The weights of the first layer for a fourth channel start at zero. So a network with four channels and the same
    other weights says exactly what one with three says, until training finds a use for the segmentation; and drawn
    from the same seed the two start alike.

    Args:
        name: `resnet18`, `resnet50` or `resnet101`.
        in_channels: 3 (RGB) or 4 (RGB and the probability of acetowhite).

    Raises:
        ValueError: The name or the number of channels is another.
    """

    def __init__(self, name: str = "resnet18", in_channels: int = 3) -> None:
        super().__init__()
        if name not in _MAKERS:
            raise ValueError(f"the classifier must be one of {', '.join(CLASSIFIERS)}, not {name!r}")
        if in_channels not in (3, 4):
            raise ValueError(f"the classifier takes 3 or 4 channels, not {in_channels}")
        self.name = name
        self.in_channels = in_channels
        extra = in_channels - 3
        self.normalise = Normalise(
            (*IMAGENET_MEAN, *[_ACETOWHITE_MEAN] * extra), (*IMAGENET_STD, *[_ACETOWHITE_STD] * extra)
        )
        self.resnet: Any = _MAKERS[name](weights=None, num_classes=N_CLASSES)
        if extra:
            _add_fourth_channel(self.resnet.conv1)

    def forward(self, images: Tensor) -> Tensor:
        """Score each image.

        Args:
            images: B x C x H x W float in 0..1; RGB, and with four channels the probability of acetowhite.

        Returns:
            B x 2 logits: 0 `normal`, 1 `hsil`.

        Raises:
            ValueError: The batch does not have this network's channels.
        """
        return self.logits(self.features(images))

    def features(self, images: Tensor) -> Tensor:
        """Maps of the last block, which Grad-CAM explains.

        Args:
            images: As for `forward`.

        Returns:
            B x K x h x w with h = ceil(H / 32), w = ceil(W / 32), and K 512 (ResNet-18) or 2048.
        """
        net = self.resnet
        maps = net.maxpool(net.relu(net.bn1(net.conv1(self.normalise(images)))))
        layer4: Tensor = net.layer4(net.layer3(net.layer2(net.layer1(maps))))
        return layer4

    def logits(self, features: Tensor) -> Tensor:
        """B x 2 logits of the maps that `features` gave: global mean, then one linear layer."""
        scores: Tensor = self.resnet.fc(torch.flatten(self.resnet.avgpool(features), 1))
        return scores

    @property
    def class_weights(self) -> Tensor:
        """2 x K: weight of each map of the last block in each class's logit."""
        weights: Tensor = self.resnet.fc.weight
        return weights

    @property
    def last_block(self) -> nn.Module:
        """The block whose output `features` is; what grad-cam takes as target layer."""
        block: nn.Module = self.resnet.layer4[-1]
        return block

    def load_imagenet_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Copy torchvision's ImageNet weights, all but the last layer, whose classes are other ones.

        Args:
            weights: State of torchvision's network of the same name, with three channels.

        Raises:
            ValueError: They are another network's. Nothing was copied.
        """
        body = {key: value for key, value in weights.items() if not key.startswith("fc.")}
        self._load_three_channels(body | {f"fc.{key}": value for key, value in self.resnet.fc.state_dict().items()})

    def copy_three_channels(self, other: "ColpoResNet") -> None:
        """Take all weights of a network with three channels; a fourth channel's start at zero again.

        Raises:
            ValueError: The other network is of another kind or has four channels.
        """
        if other.name != self.name or other.in_channels != 3:
            raise ValueError(f"cannot copy {other.name} with {other.in_channels} channels into {self.name}")
        self._load_three_channels(other.resnet.state_dict())

    def _load_three_channels(self, weights: Mapping[str, Tensor]) -> None:
        own = self.resnet.state_dict()
        given = dict(weights)
        first = given.get("conv1.weight")
        if self.in_channels == 4 and first is not None and first.shape[1] == 3:
            given["conv1.weight"] = torch.cat([first, torch.zeros_like(first[:, :1])], dim=1)
        for name in sorted(own.keys() | given.keys()):
            if name not in own or name not in given or own[name].shape != given[name].shape:
                raise ValueError(f"the weights are not those of {self.name}: {name} is missing, extra or misshapen")
        self.resnet.load_state_dict(given)


def _add_fourth_channel(first: nn.Conv2d) -> None:
    """Give a convolution one more input channel, whose weights are zero.

    No random number is drawn, so that three and four channels draw the same ones from one seed.
    """
    with torch.no_grad():
        first.weight = nn.Parameter(torch.cat([first.weight, torch.zeros_like(first.weight[:, :1])], dim=1))
    first.in_channels = 4
