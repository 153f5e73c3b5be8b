"""ResNet on three channels (RGB) or four (RGB and the segmentation).

Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, table 1 (ResNet-18, -50 and -101); the
fourth channel as in Kim et al. 2022, "Classification": the segmentation of the acetowhite epithelium beside RGB.
"""

from collections.abc import Mapping
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from colpo_core.nets.fourth_channel import add_fourth_channel, fitting_weights, input_normalisation
from colpo_core.nets.interfaces import HSIL, N_CLASSES, NORMAL, Classifier

__all__ = ["HSIL", "NORMAL", "ColpoResNet"]

_MAKERS = {
    "resnet18": torchvision.models.resnet18,
    "resnet50": torchvision.models.resnet50,
    "resnet101": torchvision.models.resnet101,
}
_FIRST = "conv1.weight"


class ColpoResNet(Classifier):
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
            raise ValueError(f"the classifier must be one of {', '.join(_MAKERS)}, not {name!r}")
        self.name = name
        self.in_channels = in_channels
        self.normalise = input_normalisation(in_channels)
        self.resnet: Any = _MAKERS[name](weights=None, num_classes=N_CLASSES)
        if in_channels == 4:
            add_fourth_channel(self.resnet.conv1)

    def features(self, images: Tensor) -> Tensor:
        """Maps of the last block, which Grad-CAM explains.

        Args:
            images: B x C x H x W float in 0..1, see `Classifier.forward`.

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

    def load_pretrained(self, weights: Mapping[str, Tensor]) -> None:
        """Copy torchvision's ImageNet weights, all but the last layer, whose classes are other ones.

        Args:
            weights: State of torchvision's network of the same name, with three channels.

        Raises:
            ValueError: They are another network's. Nothing was copied.
        """
        last = {f"fc.{key}": value for key, value in self.resnet.fc.state_dict().items()}
        fitting = fitting_weights(self.resnet.state_dict(), {**weights, **last}, owner=self.name, first=_FIRST)
        self.resnet.load_state_dict(fitting)
