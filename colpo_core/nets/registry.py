"""Networks by name, and where their first weights come from."""

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path

import safetensors.torch
import torch
import torchvision
from safetensors import SafetensorError
from torch import Tensor

from colpo_core.errors import CheckpointMismatch
from colpo_core.nets.interfaces import Classifier, Segmenter
from colpo_core.nets.library import SmpSegmenter, TimmClassifier
from colpo_core.nets.resnet import ColpoResNet
from colpo_core.nets.segnet import SegNet
from colpo_core.records.models.networks import (
    CLASSIFIERS,
    RESNET,
    SEGMENTERS,
    SEGNET,
    SMP,
    TIMM,
    NetworkEntry,
    available,
    missing_sentence,
)

NO_WEIGHTS = "none"
IMAGENET = "imagenet"

_SEGMENTER_MAKERS: dict[str, Callable[[NetworkEntry, float], Segmenter]] = {
    SEGNET: lambda _, width: SegNet(width),
    SMP: lambda entry, _: SmpSegmenter(entry),
}
_CLASSIFIER_MAKERS: dict[str, Callable[[NetworkEntry, int], Classifier]] = {
    RESNET: lambda entry, in_channels: ColpoResNet(entry.architecture, in_channels),
    TIMM: lambda entry, in_channels: TimmClassifier(entry, in_channels),
}


def build_segmenter(
    name: str = "segnet_vgg19", *, width: float = 1.0, pretrained: str = NO_WEIGHTS, average_flips: bool = False
) -> Segmenter:
    """Build a segmenter.

    Args:
        name: One of `SEGMENTERS`.
        width: Multiplier of SegNet's channels; published weights fit 1.0 alone. Others have one width, and pass it
            over.
        pretrained: `none`, `imagenet` (torchvision's cache) or a folder with the encoder's weights, see `find_weights`.
        average_flips: See `Segmenter.averages_flips`.

    Raises:
        CheckpointMismatch: The weights are not there or do not fit, or the network's optional packages are missing.
        ValueError: There is no such segmenter.
    """
    segmenter = _first_segmenter(_entry(SEGMENTERS, name, "segmenter"), width, pretrained)
    segmenter.averages_flips = average_flips
    return segmenter


def _first_segmenter(entry: NetworkEntry, width: float, pretrained: str) -> Segmenter:
    if pretrained == NO_WEIGHTS:
        return _SEGMENTER_MAKERS[entry.family](entry, width)
    if entry.scalable and width != 1.0:
        raise CheckpointMismatch(
            f"Published VGG-19 weights fit SegNet at width 1 only, not {width:g}. "
            "Set the width to 1, or start without pretrained weights."
        )
    path = find_weights(entry.name, pretrained)
    weights = _read_weights(path)  # before the network is built, which may take seconds
    segmenter = _SEGMENTER_MAKERS[entry.family](entry, width)
    _load_pretrained(segmenter, weights, path, entry)
    return segmenter


def build_classifier(name: str, *, in_channels: int, pretrained: str = NO_WEIGHTS) -> Classifier:
    """Build a classifier.

    Args:
        name: One of `CLASSIFIERS`.
        in_channels: 3 or 4.
        pretrained: `none`, `imagenet` (torchvision's cache) or a folder with its weights, see `find_weights`.

    Raises:
        CheckpointMismatch: The weights are not there or do not fit, or the network's optional packages are missing.
        ValueError: There is no such classifier.
    """
    entry = _entry(CLASSIFIERS, name, "classifier")
    if pretrained == NO_WEIGHTS:
        return _CLASSIFIER_MAKERS[entry.family](entry, in_channels)
    path = find_weights(name, pretrained)
    weights = _read_weights(path)
    classifier = _CLASSIFIER_MAKERS[entry.family](entry, in_channels)
    _load_pretrained(classifier, weights, path, entry)
    return classifier


def find_weights(name: str, pretrained: str) -> Path:
    """Where the published weights of a network lie. Nothing is ever downloaded.

    Args:
        name: One of `SEGMENTERS` or `CLASSIFIERS`.
        pretrained: `imagenet` for torchvision's cache, or a folder with `<weights>.pth`, `<weights>.safetensors` or the
            file's published name, where `<weights>` is what the network's entry calls them.

    Raises:
        CheckpointMismatch: They are not there; the message says which file is wanted where.
        ValueError: There is no such network.
    """
    entry = _entry(SEGMENTERS | CLASSIFIERS, name, "network")
    url = _published_url(entry)
    published = [url.rpartition("/")[2]] if url else []
    if pretrained == IMAGENET:
        if not published:
            raise CheckpointMismatch(
                f"torchvision publishes no weights for {entry.title}, so its cache holds none. Name a folder with "
                f"{entry.weights}.pth or {entry.weights}.safetensors, or start without pretrained weights."
            )
        folder, wanted = Path(torch.hub.get_dir()) / "checkpoints", published
        hint = f"Download {url} to that folder"
    else:
        folder = Path(pretrained).expanduser()
        wanted = [f"{entry.weights}.pth", f"{entry.weights}.safetensors", *published]
        hint = f"Copy {wanted[0]} into that folder"
    for file_name in wanted:
        if (folder / file_name).is_file():
            return folder / file_name
    raise CheckpointMismatch(
        f"The pretrained weights {wanted[0]} are not in {folder}. {hint}, or start without pretrained weights."
    )


def _entry(entries: Mapping[str, NetworkEntry], name: str, kind: str) -> NetworkEntry:
    if name not in entries:
        raise ValueError(f"the {kind} must be one of {', '.join(entries)}, not {name!r}")
    entry = entries[name]
    if not available(entry):
        raise CheckpointMismatch(missing_sentence(entry))
    return entry


def _published_url(entry: NetworkEntry) -> str | None:
    if not entry.in_torchvision:
        return None
    url: str = torchvision.models.get_model_weights(entry.weights)["IMAGENET1K_V1"].url
    return url


def _load_pretrained(
    network: Segmenter | Classifier, weights: dict[str, Tensor], path: Path, entry: NetworkEntry
) -> None:
    try:
        network.load_pretrained(weights)
    except ValueError as error:
        publisher = "torchvision" if entry.in_torchvision else entry.family
        raise CheckpointMismatch(
            f"{path} does not hold the weights of {publisher}'s {entry.weights}: {error}."
        ) from error


def _read_weights(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return dict(safetensors.torch.load_file(path))
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError, SafetensorError) as error:
        raise CheckpointMismatch(
            f"The pretrained weights {path} cannot be read: the file is damaged or not a weight file. Fetch it again."
        ) from error
    if not isinstance(weights, dict) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise CheckpointMismatch(f"{path} holds no network weights. Fetch the published file.")
    return weights
