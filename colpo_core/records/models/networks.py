"""The networks that the program knows, by name. Plain data: imports no torch, so that pages may list them.

One entry here adds a network; `colpo_core.nets.registry` builds it by its family.
"""

import importlib.util
from dataclasses import dataclass

from colpo_core.errors import InputRejected

SEGNET = "segnet"
RESNET = "resnet"
SMP = "smp"
TIMM = "timm"

MIRRORED: tuple[tuple[int, ...], ...] = ((), (-1,), (-2,), (-2, -1))
"""The axes of B x C x H x W that are turned over in an image and in its three mirror images."""


@dataclass(frozen=True)
class NetworkEntry:
    """One network.

    Attributes:
        name: What settings and cards call it.
        title: What a page calls it.
        family: What builds it: `segnet` and `resnet` are the program's own; `smp` (segmentation-models-pytorch) and
            `timm` are optional libraries.
        architecture: Its name within the family.
        gmac: Multiply-adds for one image of 640 x 480, in 10^9, at full width: what it costs beside the others.
        encoder: The part of a segmenter that published weights fit, by its name within the family; None for a
            classifier, which they fit as a whole.
        needs: Python module of the optional extra without which it cannot be built; None for the program's own.
        in_torchvision: Whether torchvision publishes weights for it, so that its cache may hold them. Those of others
            come from a folder alone.
        scalable: Whether a multiplier changes its channels; for others it is passed over.
    """

    name: str
    title: str
    family: str
    architecture: str
    gmac: float
    encoder: str | None = None
    needs: str | None = None
    in_torchvision: bool = False
    scalable: bool = False

    @property
    def weights(self) -> str:
        """Name of its published weights: a folder holds them as `<weights>.pth` or `<weights>.safetensors`."""
        return self.encoder or self.architecture


def _by_name(*entries: NetworkEntry) -> dict[str, NetworkEntry]:
    return {entry.name: entry for entry in entries}


_FROM_SMP = "segmentation_models_pytorch"

SEGMENTERS = _by_name(
    NetworkEntry(
        "segnet_vgg19", "SegNet on VGG-19", SEGNET, "segnet", 238.7, "vgg19_bn", in_torchvision=True, scalable=True
    ),
    NetworkEntry("unet_resnet34", "U-Net on ResNet-34", SMP, "unet", 36.7, "resnet34", _FROM_SMP, in_torchvision=True),
    NetworkEntry(
        "deeplabv3plus_resnet34",
        "DeepLabV3+ on ResNet-34",
        SMP,
        "deeplabv3plus",
        37.0,
        "resnet34",
        _FROM_SMP,
        in_torchvision=True,
    ),
    NetworkEntry("segformer_mit_b0", "SegFormer-B0", SMP, "segformer", 9.3, "mit_b0", _FROM_SMP),
)
"""What finds acetowhite epithelium; the first is the paper's and the default."""

CLASSIFIERS = _by_name(
    NetworkEntry("resnet18", "ResNet-18", RESNET, "resnet18", 11.3, in_torchvision=True),
    NetworkEntry("resnet50", "ResNet-50", RESNET, "resnet50", 25.3, in_torchvision=True),
    NetworkEntry("resnet101", "ResNet-101", RESNET, "resnet101", 48.0, in_torchvision=True),
    NetworkEntry("timm_convnext_tiny", "ConvNeXt-T", TIMM, "convnext_tiny", 27.3, needs="timm"),
    NetworkEntry("timm_efficientnet_b0", "EfficientNet-B0", TIMM, "efficientnet_b0", 2.4, needs="timm"),
)
"""What tells `normal` from `hsil`; the ResNets are the paper's."""


def available(entry: NetworkEntry) -> bool:
    """Whether the network can be built here: it is the program's own, or its optional packages are installed."""
    return entry.needs is None or importlib.util.find_spec(entry.needs) is not None


def missing_sentence(entry: NetworkEntry) -> str:
    """What to tell a person where the network's packages are not installed."""
    return (
        f"{entry.title} needs the optional packages: pip install -r requirements-nets.txt -c constraints.txt. "
        "Install them, or choose another network."
    )


def check_available(*entries: NetworkEntry) -> None:
    """Refuse networks that cannot be built here, before anything is started with them.

    Raises:
        InputRejected: The optional packages of one are not installed.
    """
    for entry in entries:
        if not available(entry):
            raise InputRejected(missing_sentence(entry))
