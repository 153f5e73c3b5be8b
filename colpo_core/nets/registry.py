"""Networks by name, and where their first weights come from."""

import pickle
from pathlib import Path

import torch
import torchvision
from torch import Tensor

from colpo_core.errors import CheckpointMismatch
from colpo_core.nets.resnet import ColpoResNet
from colpo_core.nets.segnet import SegNet
from colpo_core.records.learning import CLASSIFIERS

SEGMENTERS = ("segnet_vgg19",)
NO_WEIGHTS = "none"
IMAGENET = "imagenet"
_PUBLISHED = {
    "vgg19_bn": torchvision.models.VGG19_BN_Weights.IMAGENET1K_V1,
    "resnet18": torchvision.models.ResNet18_Weights.IMAGENET1K_V1,
    "resnet50": torchvision.models.ResNet50_Weights.IMAGENET1K_V1,
    "resnet101": torchvision.models.ResNet101_Weights.IMAGENET1K_V1,
}


def build_segmenter(name: str = "segnet_vgg19", *, width: float = 1.0, pretrained: str = NO_WEIGHTS) -> SegNet:
    """Build a segmenter.

    Args:
        name: `segnet_vgg19`.
        width: Multiplier of its channels; published weights fit 1.0 alone.
        pretrained: `none`, `imagenet` (torchvision's cache) or a folder that holds `vgg19_bn.pth`.

    Raises:
        CheckpointMismatch: The weights are not there or do not fit.
        ValueError: There is no such segmenter.
    """
    if name not in SEGMENTERS:
        raise ValueError(f"the segmenter must be one of {', '.join(SEGMENTERS)}, not {name!r}")
    if pretrained != NO_WEIGHTS and width != 1.0:
        raise CheckpointMismatch(
            f"Published VGG-19 weights fit SegNet at width 1 only, not {width:g}. "
            "Set the width to 1, or start without pretrained weights."
        )
    if pretrained == NO_WEIGHTS:
        return SegNet(width)
    place = find_weights("vgg19_bn", pretrained)
    weights = _read_weights(place)
    net = SegNet(width)
    try:
        net.load_vgg19_bn_weights(weights)
    except ValueError as error:
        raise _wrong_weights(place, "vgg19_bn", error) from error
    return net


def build_classifier(name: str, *, in_channels: int, pretrained: str = NO_WEIGHTS) -> ColpoResNet:
    """Build a classifier.

    Args:
        name: `resnet18`, `resnet50` or `resnet101`.
        in_channels: 3 or 4.
        pretrained: `none`, `imagenet` (torchvision's cache) or a folder that holds `<name>.pth`.

    Raises:
        CheckpointMismatch: The weights are not there or do not fit.
        ValueError: There is no such classifier.
    """
    if name not in CLASSIFIERS:
        raise ValueError(f"the classifier must be one of {', '.join(CLASSIFIERS)}, not {name!r}")
    if pretrained == NO_WEIGHTS:
        return ColpoResNet(name, in_channels)
    place = find_weights(name, pretrained)
    weights = _read_weights(place)
    net = ColpoResNet(name, in_channels)
    try:
        net.load_imagenet_weights(weights)
    except ValueError as error:
        raise _wrong_weights(place, name, error) from error
    return net


def find_weights(name: str, pretrained: str) -> Path:
    """Where the published weights of a network lie. Nothing is ever downloaded.

    Args:
        name: `vgg19_bn`, `resnet18`, `resnet50` or `resnet101`.
        pretrained: `imagenet` for torchvision's cache, or a folder with `<name>.pth` or the file's published name.

    Raises:
        CheckpointMismatch: They are not there; the message says which file is wanted where.
    """
    url: str = _PUBLISHED[name].url
    published = url.rpartition("/")[2]
    if pretrained == IMAGENET:
        folder, wanted = Path(torch.hub.get_dir()) / "checkpoints", [published]
        hint = f"Download {url} to that folder"
    else:
        folder, wanted = Path(pretrained).expanduser(), [f"{name}.pth", published]
        hint = f"Copy {wanted[0]} into that folder"
    for file_name in wanted:
        if (folder / file_name).is_file():
            return folder / file_name
    raise CheckpointMismatch(
        f"The pretrained weights {wanted[0]} are not in {folder}. {hint}, or start without pretrained weights."
    )


def _read_weights(place: Path) -> dict[str, Tensor]:
    try:
        weights = torch.load(place, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError) as error:
        raise CheckpointMismatch(
            f"The pretrained weights {place} cannot be read: the file is damaged or not a torchvision weight file. "
            "Fetch it again."
        ) from error
    if not isinstance(weights, dict) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise CheckpointMismatch(f"{place} holds no network weights. Fetch torchvision's own file.")
    return weights


def _wrong_weights(place: Path, name: str, error: ValueError) -> CheckpointMismatch:
    return CheckpointMismatch(f"{place} does not hold the weights of torchvision's {name}: {error}.")
