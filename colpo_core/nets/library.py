"""Networks of optional libraries, behind the same interfaces as the program's own.

A library is imported only when one of its networks is built: that takes seconds, and not every clinic has it. Nothing
is ever downloaded: the libraries are told to start without published weights, which come from a file (see `registry`).

Source: Ronneberger, Fischer, Brox, MICCAI 2015 (U-Net); Chen et al., ECCV 2018 (DeepLabV3+); Xie et al., NeurIPS 2021
(SegFormer), as segmentation-models-pytorch builds them; Liu et al., CVPR 2022 (ConvNeXt); Tan, Le, ICML 2019
(EfficientNet), as timm builds them.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from colpo_core.nets.fourth_channel import add_fourth_channel, fitting_weights, input_normalisation
from colpo_core.nets.interfaces import N_CLASSES, Classifier, Segmenter
from colpo_core.nets.normalise import Normalise
from colpo_core.nets.padding import STRIDE_PX, pad_to_stride
from colpo_core.records.models.networks import NetworkEntry

_HEADS = ("fc.", "head.", "classifier.", "last_linear.")
"""What published encoders have behind their last maps, for ImageNet's classes."""


class SmpSegmenter(Segmenter):
    """A segmenter of segmentation-models-pytorch.

    Args:
        entry: Its architecture and encoder.
    """

    def __init__(self, entry: NetworkEntry) -> None:
        super().__init__()
        import segmentation_models_pytorch as smp

        self.name = entry.name
        self.normalise = Normalise()
        self.net: Any = smp.create_model(
            entry.architecture, encoder_name=entry.encoder, encoder_weights=None, in_channels=3, classes=N_CLASSES
        )

    def forward(self, images: Tensor) -> Tensor:
        """Score each pixel, see `Segmenter`."""
        height, width = images.shape[-2:]
        logits: Tensor = self.net(pad_to_stride(self.normalise(images)))
        return logits[..., :height, :width]

    def load_pretrained(self, weights: Mapping[str, Tensor]) -> None:
        """Copy an encoder's published weights, see `Segmenter`."""
        encoder = self.net.encoder
        body = {key: value for key, value in weights.items() if not key.startswith(_HEADS)}
        encoder.load_state_dict(fitting_weights(encoder.state_dict(), body, owner=f"the encoder of {self.name}"))


class TimmClassifier(Classifier):
    """A classifier of timm, with our own mean and linear layer on its last maps.

    Args:
        entry: Its architecture.
        in_channels: 3 (RGB) or 4 (RGB and the probability of acetowhite).

    Raises:
        ValueError: The number of channels is another, or the network gives no maps for images of any size.
    """

    def __init__(self, entry: NetworkEntry, in_channels: int = 3) -> None:
        super().__init__()
        import timm

        self.name = entry.name
        self.in_channels = in_channels
        # Three channels always, then widened: so three and four draw the same weights from one seed.
        self.body: Any = timm.create_model(
            entry.architecture, pretrained=False, num_classes=0, global_pool="", in_chans=3
        )
        usual = self.body.pretrained_cfg
        self.normalise = input_normalisation(in_channels, usual["mean"], usual["std"])
        self.linear = nn.Linear(_count_maps(self.body, entry.name), N_CLASSES)
        self._first: str = usual["first_conv"]
        self._head = f"{usual['classifier']}."
        if in_channels == 4:
            add_fourth_channel(self.body.get_submodule(self._first))

    def features(self, images: Tensor) -> Tensor:
        """The last maps, see `Classifier`."""
        maps: Tensor = self.body(self.normalise(images))
        return maps

    def logits(self, features: Tensor) -> Tensor:
        """B x 2 logits: global mean, then one linear layer."""
        scores: Tensor = self.linear(features.mean(dim=(2, 3)))
        return scores

    @property
    def class_weights(self) -> Tensor:
        """2 x K: weight of each map in each class's logit."""
        return self.linear.weight

    @property
    def last_block(self) -> nn.Module:
        """All of timm's part, whose output `features` is."""
        body: nn.Module = self.body
        return body

    def load_pretrained(self, weights: Mapping[str, Tensor]) -> None:
        """Copy timm's published weights, see `Classifier`."""
        body = {key: value for key, value in weights.items() if not key.startswith(self._head)}
        first = f"{self._first}.weight"
        self.body.load_state_dict(fitting_weights(self.body.state_dict(), body, owner=self.name, first=first))


def _count_maps(body: nn.Module, name: str) -> int:
    """K of the maps that a network gives, seen by looking: its own attributes say it in several ways."""
    body.eval()
    with torch.no_grad():
        sizes = [body(torch.zeros(1, 3, STRIDE_PX, sides * STRIDE_PX)).shape for sides in (1, 2)]
    body.train()
    # A wider image has wider maps; tokens have no width, and some networks keep their channels at the end.
    if any(len(size) != 4 for size in sizes) or sizes[0][3] == sizes[1][3]:
        raise ValueError(f"{name} gives {' and '.join(str(tuple(size)) for size in sizes)}, not maps B x K x h x w")
    return int(sizes[0][1])
