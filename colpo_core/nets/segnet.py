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

from colpo_core.nets.normalise import Normalise

BACKGROUND = 0
ACETOWHITE = 1
N_CLASSES = 2
STRIDE_PX = 32
"""Five poolings halve a side five times."""

VGG19_STAGES = ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4)
"""Channels of VGG-19's convolutions, one tuple a stage; each stage ends with a pooling."""


class SegNet(nn.Module):
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
        self.width = width
        stages = [tuple(_scaled(channels, width) for channels in stage) for stage in VGG19_STAGES]
        self.normalise = Normalise()
        self.encoder = nn.ModuleList(_encoder_stages(stages))
        self.decoder = nn.ModuleList(_decoder_stages(stages))
        self.classify = nn.Conv2d(stages[0][0], N_CLASSES, kernel_size=3, padding=1)
        self.apply(_start_as_he)

    def forward(self, images: Tensor) -> Tensor:
        """Score each pixel.

        Args:
            images: B x 3 x H x W float RGB in 0..1, of any size. Sides are padded by reflection to multiples of 32,
                and the scores cropped back.

        Returns:
            B x 2 x H x W logits: channel 0 background, channel 1 acetowhite.

        Raises:
            ValueError: The batch does not have 3 channels.
        """
        height, width = images.shape[-2:]
        maps = _pad_to_stride(self.normalise(images))
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

    def acetowhite(self, images: Tensor) -> Tensor:
        """Probability of acetowhite epithelium, as the classifiers' fourth channel takes it.

        Args:
            images: B x 3 x H x W float RGB in 0..1.

        Returns:
            B x 1 x H x W float in 0..1.
        """
        logits: Tensor = self(images)
        return logits.float().softmax(dim=1)[:, ACETOWHITE : ACETOWHITE + 1]

    def load_vgg19_bn_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Copy torchvision's VGG-19-BN weights, layer by layer in order, into the encoder.

        The classifier's fully connected layers are left out, as SegNet does.

        Args:
            weights: State of `torchvision.models.vgg19_bn`.

        Raises:
            ValueError: The weights do not fit: another network, or a width other than 1.0. Nothing was copied.
        """
        theirs = [(key, value) for key, value in weights.items() if key.startswith("features.")]
        ours = self.encoder.state_dict()
        if len(theirs) != len(ours):
            raise ValueError(f"VGG-19-BN has {len(ours)} arrays in its features, these weights {len(theirs)}")
        copied: dict[str, Tensor] = {}
        for (name, own), (key, value) in zip(ours.items(), theirs, strict=True):
            # Same order, same kind (weight, bias, running_mean ...) and same shape: then it is the same layer.
            if own.shape != value.shape or name.rpartition(".")[2] != key.rpartition(".")[2]:
                raise ValueError(f"{key} with shape {tuple(value.shape)} does not fit {name} with {tuple(own.shape)}")
            copied[name] = value
        self.encoder.load_state_dict(copied)


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
    for place in range(len(stages) - 1, -1, -1):
        stage = stages[place]
        channels_out = stage[:-1] if place == 0 else (*stage[:-1], stages[place - 1][-1])
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


def _pad_to_stride(images: Tensor) -> Tensor:
    """Pad right and bottom to multiples of 32: by reflection, or by the edge where a side is too short to reflect."""
    height, width = images.shape[-2:]
    right, bottom = -width % STRIDE_PX, -height % STRIDE_PX
    if right:
        images = F.pad(images, (0, right, 0, 0), mode="reflect" if right < width else "replicate")
    if bottom:
        images = F.pad(images, (0, 0, 0, bottom), mode="reflect" if bottom < height else "replicate")
    return images
