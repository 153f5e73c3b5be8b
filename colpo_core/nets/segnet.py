"""SegNet on VGG-19: which pixels show acetowhite epithelium.

Source: Badrinarayanan, Kendall, Cipolla, "SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image
Segmentation", IEEE TPAMI 2017 (unpooling by the encoder's pooling indices, mirrored decoder); Simonyan, Zisserman,
"Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015, table 1, column E (the 16
convolutions); Ioffe, Szegedy, ICML 2015 (batch normalisation); He et al., ICCV 2015, eq. 10 (first weights); used as
in Kim et al. 2022, "Segmentation".
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colpo_core.nets.fourth_channel import fitting_weights
from colpo_core.nets.interfaces import N_CLASSES, Segmenter
from colpo_core.nets.normalise import Normalise
from colpo_core.nets.padding import pad_to_stride

VGG19_STAGES = ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4)
"""Channels of VGG-19's convolutions, one tuple a stage; each stage ends with a pooling."""


class SegNet(Segmenter):
    """SegNet with VGG-19-BN's convolutions as encoder and their mirror as decoder.

    Args:
        width: Multiplier of all channels; 1.0 is VGG-19's own width, which its published weights need.

    Raises:
        ValueError: The multiplier is not above 0.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        if width <= 0:
            raise ValueError(f"the width multiplier must be above 0, not {width}")
        self.name = "segnet_vgg19"
        self.width = width
        stages = [tuple(_scaled(channels, width) for channels in stage) for stage in VGG19_STAGES]
        self.normalise = Normalise()
        self.encoder = nn.ModuleList(_encoder_stages(stages))
        self.decoder = nn.ModuleList(_decoder_stages(stages))
        self.classify = nn.Conv2d(stages[0][0], N_CLASSES, kernel_size=3, padding=1)
        self.apply(_start_as_he)

    def forward(self, images: Tensor) -> Tensor:
        """Score each pixel, see `Segmenter`; sides are padded by reflection to multiples of 32, scores cropped back."""
        height, width = images.shape[-2:]
        maps = pad_to_stride(self.normalise(images))
        pooled: list[tuple[Tensor, torch.Size]] = []
        for stage in self.encoder:
            maps = stage(maps)
            size = maps.size()
            maps, indices = F.max_pool2d(maps, kernel_size=2, stride=2, return_indices=True)
            pooled.append((indices, size))
        for stage, (indices, size) in zip(self.decoder, reversed(pooled), strict=True):
            maps = stage(F.max_unpool2d(maps, indices, kernel_size=[2, 2], stride=[2, 2], output_size=list(size)))
        logits: Tensor = self.classify(maps)
        return logits[..., :height, :width]

    def load_pretrained(self, weights: Mapping[str, Tensor]) -> None:
        """Copy torchvision's VGG-19-BN weights into the encoder, each to the layer of its place.

        The classifier's fully connected layers are left out, as SegNet does.

        Args:
            weights: State of `torchvision.models.vgg19_bn`.

        Raises:
            ValueError: The weights do not fit: another network, or a width other than 1.0. Nothing was copied.
        """
        ours = self._names_by_vgg19_bn()
        state = self.encoder.state_dict()
        own = {theirs: state[name] for theirs, name in ours.items()}
        given = {key: value for key, value in weights.items() if key.startswith("features.")}
        fitting = fitting_weights(own, given, owner="SegNet's encoder")
        self.encoder.load_state_dict({ours[theirs]: value for theirs, value in fitting.items()})

    def _names_by_vgg19_bn(self) -> dict[str, str]:
        """The encoder's arrays by torchvision's names, where all layers stand in one row with the poolings."""
        names = {}
        index = 0
        for number, stage in enumerate(self.encoder):
            layers = list(stage.children())
            for within, layer in enumerate(layers):
                for leaf in layer.state_dict():
                    names[f"features.{index + within}.{leaf}"] = f"{number}.{within}.{leaf}"
            index += len(layers) + 1  # the pooling
        return names


def _scaled(channels: int, width: float) -> int:
    """A multiple of 8 near `channels * width`, and at least 8."""
    return max(8, round(channels * width / 8) * 8)


def _encoder_stages(stages: list[tuple[int, ...]]) -> list[nn.Sequential]:
    """VGG-19-BN's convolutions; the poolings stand in `forward`, which keeps their indices."""
    made = []
    channels_in = 3
    for stage in stages:
        made.append(_convolutions(channels_in, stage))
        channels_in = stage[-1]
    return made


def _decoder_stages(stages: list[tuple[int, ...]]) -> list[nn.Sequential]:
    """The mirror: as many convolutions a stage; the last of a stage leaves what the next unpooling expects.

    The very last convolution of the mirror is SegNet's `classify`, hence one fewer in the last stage.
    """
    made = []
    for number in range(len(stages) - 1, -1, -1):
        stage = stages[number]
        channels_out = stage[:-1] if number == 0 else (*stage[:-1], stages[number - 1][-1])
        made.append(_convolutions(stage[-1], channels_out))
    return made


def _convolutions(channels_in: int, channels_out: tuple[int, ...]) -> nn.Sequential:
    """3 x 3 convolution (its bias kept, as VGG-19-BN does), batch normalisation, ReLU; once for each width."""
    layers: list[nn.Module] = []
    for channels in channels_out:
        layers += [
            nn.Conv2d(channels_in, channels, kernel_size=3, padding=1),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        ]
        channels_in = channels
    return nn.Sequential(*layers)


def _start_as_he(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
