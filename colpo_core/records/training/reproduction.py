"""Records of a reproduction of Kim et al. 2022, and the published figures that it is held beside."""

from dataclasses import dataclass
from typing import Any

from colpo_core.records.statistics.figures import Estimate, Proportion
from colpo_core.terms import LabelSource

SET_BY_REPRODUCTION = ("protocol", "classifier", "comparison_seeds")
"""Settings that a reproduction chooses by itself."""

PUBLISHED_MASKS = {
    "accuracy_acetowhite": 0.57,
    "accuracy_background": 0.98,
    "iou_acetowhite": 0.51,
    "iou_background": 0.86,
}
"""Kim et al. 2022, Fig. 6: means over 50 test images."""

PUBLISHED_ACCURACY = {
    ("resnet18", 3): 0.702,
    ("resnet50", 3): 0.662,
    ("resnet101", 3): 0.693,
    ("resnet18", 4): 0.748,
    ("resnet50", 4): 0.763,
    ("resnet101", 4): 0.748,
}
"""Kim et al. 2022, Fig. 7a, by classifier and channels."""

PUBLISHED_SENSITIVITY = {("resnet18", 4): 0.654, ("resnet50", 4): 0.698, ("resnet101", 4): 0.728}
PUBLISHED_SPECIFICITY = {("resnet18", 4): 0.843, ("resnet50", 4): 0.829, ("resnet101", 4): 0.769}
"""Kim et al. 2022, Fig. 7b and its text."""

PUBLISHED_SENSITIVITY_3_CHANNELS = (0.618, 0.658)
"""Lowest and highest of the three ResNets with 3 channels; the paper's text gives no more."""

PAPER_CLASSIFIERS = ("resnet18", "resnet50", "resnet101")
"""Those of Fig. 7, in its order."""

PUBLISHED_EXPERTS = {"expert 1": (0.746, 0.678), "expert 2": (0.730, 0.714)}
"""Accuracy and sensitivity of the two readers."""


@dataclass(frozen=True)
class ReproducedMasks:
    """How the segmenter did by one protocol: the paper's Fig. 6.

    Attributes:
        protocol: `paper` or `patient`.
        n_images: Test images with a mask.
        figures: `accuracy_acetowhite`, `accuracy_background`, `iou_acetowhite`, `iou_background` and `dice`.
        by_image: The same figures of each image, for their distribution.
    """

    protocol: str
    n_images: int
    figures: dict[str, Estimate]
    by_image: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class ReproducedCalls:
    """How one classifier did by one protocol: a bar of the paper's Fig. 7.

    Attributes:
        protocol: `paper` or `patient`.
        classifier: Its name.
        channels: 3, or 4 with the segmentation.
        level: `image`, as the paper counted, or `case`.
        n: Images or cases.
        n_patients: Patients behind them.
        interval: How the intervals were made.
        shares: `accuracy`, `sensitivity`, `specificity`, `ppv` and `npv`.
        auc: Area under the ROC curve.
    """

    protocol: str
    classifier: str
    channels: int
    level: str
    n: int
    n_patients: int
    interval: str
    shares: dict[str, Proportion]
    auc: Estimate


@dataclass(frozen=True)
class Reproduction:
    """Both protocols on one snapshot.

    Attributes:
        snapshot_sha256: What they learned from.
        label_source: What its labels rest on.
        simulated: Whether any image was drawn by the program.
        settings: The settings that both share; protocol, classifier and number of seeds are not among them.
        leaks: Why the figures of the protocol `paper` flatter; to be printed beside each of them.
        masks: The segmenter's figures, by protocol.
        calls: The classifiers' figures.
    """

    snapshot_sha256: str
    label_source: LabelSource
    simulated: bool
    settings: dict[str, Any]
    leaks: str
    masks: tuple[ReproducedMasks, ...]
    calls: tuple[ReproducedCalls, ...]
