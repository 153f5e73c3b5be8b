"""Records of learning: what to train, and how it goes."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from colpo_core.errors import InputRejected

CLASSIFIERS = ("resnet18", "resnet50", "resnet101")


@dataclass(frozen=True)
class TrainingSettings:
    """Every setting of one training; `preset(name)` gives the usual ones.

    Attributes:
        preset: Name of the preset these started from.
        classifier: `resnet18`, `resnet50` or `resnet101`.
        height_px: Height that images are fitted into for training (a multiple of 32).
        width_px: Width likewise.
        segnet_width: Multiplier of SegNet's channels; 1.0 is VGG-19's own width.
        segmentation_epochs: Epochs of SegNet.
        classification_epochs: Epochs of each classifier (3 and 4 channels alike).
        batch_size: Images a step, at least 2.
        learning_rate_segmentation: Peak learning rate of SegNet.
        learning_rate_classification: Peak learning rate of the classifiers.
        weight_decay: AdamW's weight decay.
        pretrained: `none`, `imagenet` (the usual cache) or a folder with weight files; never silent when missing.
        seed: Seed of weights, order and augmentation.
        threads: CPU threads; 0 leaves torch's own choice.
    """

    preset: str = "quick"
    classifier: str = "resnet18"
    height_px: int = 96
    width_px: int = 128
    segnet_width: float = 0.25
    segmentation_epochs: int = 40
    classification_epochs: int = 10
    batch_size: int = 4
    learning_rate_segmentation: float = 3e-3
    learning_rate_classification: float = 5e-4
    weight_decay: float = 1e-4
    pretrained: str = "none"
    seed: int = 0
    threads: int = 0

    def __post_init__(self) -> None:
        """Check that the settings make sense.

        Raises:
            InputRejected: One of them does not.
        """
        if self.classifier not in CLASSIFIERS:
            raise InputRejected(f"The classifier must be one of {', '.join(CLASSIFIERS)}, not {self.classifier!r}.")
        if self.height_px % 32 or self.width_px % 32 or min(self.height_px, self.width_px) < 64:
            raise InputRejected("The training size must be at least 64 pixels and a multiple of 32 on both sides.")
        if self.batch_size < 2:
            raise InputRejected("A batch needs at least 2 images, because batch normalisation needs company.")
        if min(self.segmentation_epochs, self.classification_epochs) < 1:
            raise InputRejected("Each network needs at least one epoch.")
        if not 0.05 <= self.segnet_width <= 1.0:
            raise InputRejected("SegNet's width multiplier lies between 0.05 and 1.")
        if min(self.learning_rate_segmentation, self.learning_rate_classification) <= 0 or self.weight_decay < 0:
            raise InputRejected("Learning rates must be above 0, and the weight decay not below it.")

    def to_dict(self) -> dict[str, Any]:
        """For a job row or a checkpoint's card."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TrainingSettings":
        """Read what `to_dict` wrote.

        Raises:
            InputRejected: A name is not a setting of this version.
        """
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise InputRejected(f"These training settings are unknown to this version: {', '.join(sorted(unknown))}.")
        return cls(**values)


PRESETS: dict[str, TrainingSettings] = {
    "quick": TrainingSettings(),
    "standard": TrainingSettings(
        preset="standard",
        height_px=192,
        width_px=256,
        segnet_width=1.0,
        segmentation_epochs=40,
        classification_epochs=40,
        batch_size=8,
        learning_rate_segmentation=1e-3,
        pretrained="none",
    ),
    "paper": TrainingSettings(
        preset="paper",
        classifier="resnet50",
        height_px=480,
        width_px=640,
        segnet_width=1.0,
        segmentation_epochs=60,
        classification_epochs=60,
        batch_size=8,
        learning_rate_segmentation=1e-3,
        pretrained="imagenet",
    ),
}


def preset(name: str, **changes: Any) -> TrainingSettings:  # noqa: ANN401 - any setting's own type
    """The settings of a preset, with changes.

    Raises:
        InputRejected: There is no such preset, or a change does not fit.
    """
    if name not in PRESETS:
        raise InputRejected(f"The preset must be one of {', '.join(PRESETS)}, not {name!r}.")
    return replace(PRESETS[name], **changes)


@dataclass(frozen=True)
class TrainingEvent:
    """One step of a training's live record.

    Attributes:
        stage: `segmentation`, `classification 3 channels`, `classification 4 channels` or `evaluation`.
        epoch: Epochs finished in this stage, from 1; 0 at its start.
        epochs_total: Epochs of this stage.
        progress: Share of the whole training, 0 to 1.
        figures: Losses and metrics by name, empty for a mere heartbeat.
        message: A sentence for the log, or empty.
    """

    stage: str
    epoch: int
    epochs_total: int
    progress: float
    figures: dict[str, float]
    message: str = ""
