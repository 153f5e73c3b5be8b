"""Records of learning: what to train, and how it goes."""

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from typing import Any

from colpo_core.errors import InputRejected
from colpo_core.records.models.networks import CLASSIFIERS as CLASSIFIERS
from colpo_core.records.models.networks import SEGMENTERS
from colpo_core.records.typed_json import from_values, to_values

PROTOCOLS = ("patient", "paper")
CLASS_WEIGHTS = ("sqrt_median", "median", "none")
THRESHOLD_RULES = ("youden", "sensitivity_90")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")
MOST_FOLDS = 10
MOST_SEEDS = 10


@dataclass(frozen=True)
class AugmentationBounds:
    """How far an augmentation may go; what is drawn lies within. 0 (or 1 for a scale) switches a part off.

    Attributes:
        flips: Left and right, top and bottom may be exchanged.
        rotation_deg: Rotation about the centre, up to this many degrees in either direction.
        zoom_out: Smallest scale about the centre, at most 1.
        zoom_in: Largest scale about the centre, at least 1; above 1 it crops.
        translation: Shift in either direction, as a share of the side.
        brightness: The gain lies between 1 / (1 + brightness) and 1 + brightness.
        gamma: The exponent lies between 1 / (1 + gamma) and 1 + gamma.
        contrast: The contrast about the middle of the range lies between 1 / (1 + contrast) and 1 + contrast.
        hue_deg: Rotation of the hue, up to this many degrees in either direction.
        blur_px: Largest standard deviation of a Gaussian blur at the working size, in pixels.
        mask_highlights: Specular highlights are filled from their surroundings before anything else, in training and
            in use alike; nothing is drawn for it.
    """

    flips: bool = True
    rotation_deg: float = 20.0
    zoom_out: float = 0.9
    zoom_in: float = 1.25
    translation: float = 0.08
    brightness: float = 0.2
    gamma: float = 0.18
    contrast: float = 0.0
    hue_deg: float = 0.0
    blur_px: float = 0.0
    mask_highlights: bool = False

    def __post_init__(self) -> None:
        """Check that the bounds make sense.

        Raises:
            InputRejected: One of them does not.
        """
        if not 0 < self.zoom_out <= 1 <= self.zoom_in:
            raise InputRejected("An augmentation zooms out to a scale of at most 1, and in to one of at least 1.")
        spreads = (self.rotation_deg, self.translation, self.brightness, self.gamma, self.contrast, self.hue_deg)
        if min(*spreads, self.blur_px) < 0:
            raise InputRejected("The bounds of an augmentation are not below 0.")
        if self.rotation_deg > 180 or self.hue_deg > 180 or self.translation >= 1:
            raise InputRejected("An augmentation turns by at most 180 degrees and shifts by less than a whole side.")


@dataclass(frozen=True)
class TrainingSettings:
    """Every setting of one training; `preset(name)` gives the usual ones.

    Attributes:
        preset: Name of the preset these started from.
        protocol: `patient` splits patients and augments afterwards; `paper` augments before it splits, as Kim et al.
            did, and every figure from it says that it leaks.
        segmenter: Name of the segmenter.
        classifier: Name of the classifier, for all its channels alike.
        height_px: Height that images are fitted into for training (a multiple of 32).
        width_px: Width likewise.
        segnet_width: Multiplier of SegNet's channels; 1.0 is VGG-19's own width. Other segmenters pass it over.
        segmentation_epochs: Epochs of the segmenter.
        classification_epochs: Epochs of each classifier.
        batch_size: Images a step, at least 2.
        learning_rate_segmentation: Peak learning rate of the segmenter.
        learning_rate_classification: Peak learning rate of the classifiers.
        weight_decay: AdamW's weight decay.
        max_gradient_norm: Gradients are clipped to this norm.
        class_weights: Weights of the classes of pixels: `sqrt_median` (square root of median frequency), `median` or
            `none`.
        early_stopping: A network stops after so many epochs without a better one; 0 never.
        ema_decay: Decay of a running mean of the weights that is judged and kept in place of them; 0 for none.
        folds: Parts of the training side for the out-of-fold fourth channel, at least 2.
        comparison_seeds: How many times each classifier of the comparison is trained, with a seed each.
        threshold_rule: How thresholds are chosen on validation: `youden`, or `sensitivity_90` (the highest specificity
            with a sensitivity of at least 90%).
        flips: See `AugmentationBounds`, as for all from here to `mask_highlights`.
        rotation_deg: Degrees.
        zoom_out: Smallest scale.
        zoom_in: Largest scale.
        translation: Share of a side.
        brightness: Spread of the gain.
        gamma: Spread of the exponent.
        contrast: Spread of the contrast.
        hue_deg: Degrees.
        blur_px: Pixels.
        mask_highlights: Whether highlights are filled.
        precision: `auto` (what the device is quick at, by a probe), `fp32`, `bf16` or `fp16`.
        compile: `auto` (torch.compile on a GPU where a fit is long enough to pay for it) or `never`.
        devices: GPUs to train on; 0 takes all of the machine. On a CPU always one. On a Ray cluster 2 or more are found
            on several machines, and on one without GPUs they are processes.
        pretrained: `none`, `imagenet` (the usual cache) or a folder with weight files; never silent when missing.
        average_flips: Whether the segmenter's mask is the mean over an image and its three mirror images, in use and
            for the fourth channel alike; it takes four times as long, and needs `flips`.
        seed: Seed of weights, order and augmentation.
        threads: CPU threads; 0 takes all cores but one in the background, and all in a command.
    """

    preset: str = "quick"
    protocol: str = "patient"
    segmenter: str = "segnet_vgg19"
    classifier: str = "resnet18"
    height_px: int = 96
    width_px: int = 128
    segnet_width: float = 0.25
    segmentation_epochs: int = 40
    classification_epochs: int = 10
    batch_size: int = 4
    learning_rate_segmentation: float = 5e-4
    learning_rate_classification: float = 5e-4
    weight_decay: float = 1e-4
    max_gradient_norm: float = 1.0
    class_weights: str = "sqrt_median"
    early_stopping: int = 0
    ema_decay: float = 0.0
    folds: int = 2
    comparison_seeds: int = 2
    threshold_rule: str = "youden"
    flips: bool = True
    rotation_deg: float = 20.0
    zoom_out: float = 0.9
    zoom_in: float = 1.25
    translation: float = 0.08
    brightness: float = 0.2
    gamma: float = 0.18
    contrast: float = 0.0
    hue_deg: float = 0.0
    blur_px: float = 0.0
    mask_highlights: bool = False
    precision: str = "auto"
    compile: str = "auto"
    devices: int = 1
    pretrained: str = "none"
    average_flips: bool = False
    seed: int = 0
    threads: int = 0

    def __post_init__(self) -> None:
        """Check that the settings make sense.

        Raises:
            InputRejected: One of them does not.
        """
        for name, words in _WORDS.items():
            if getattr(self, name) not in words:
                raise InputRejected(
                    f"{_TITLES.get(name, name)} must be one of {', '.join(words)}, not {getattr(self, name)!r}."
                )
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
        self._check_schedule()
        _ = self.augmentation

    def _check_schedule(self) -> None:
        if self.max_gradient_norm <= 0 or not 0 <= self.ema_decay < 1:
            raise InputRejected("Gradients are clipped to a norm above 0, and a decay lies between 0 and 1.")
        if not 2 <= self.folds <= MOST_FOLDS or not 1 <= self.comparison_seeds <= MOST_SEEDS:
            raise InputRejected(
                f"The fourth channel needs 2 to {MOST_FOLDS} folds, and the comparison 1 to {MOST_SEEDS} seeds."
            )
        if min(self.early_stopping, self.devices, self.threads) < 0:
            raise InputRejected("Early stopping, devices and threads are numbers from 0.")
        if self.average_flips and not self.flips:
            raise InputRejected(
                "A mean over mirror images needs a segmenter that learns from them: switch Flips on too."
            )

    @property
    def augmentation(self) -> AugmentationBounds:
        """How far the augmentation may go."""
        return AugmentationBounds(**{field.name: getattr(self, field.name) for field in fields(AugmentationBounds)})

    def to_dict(self) -> dict[str, Any]:
        """For a job row or a checkpoint's card."""
        values: dict[str, Any] = to_values(self)
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TrainingSettings":
        """Read what `to_dict` wrote; an older version's settings lack the newer names, which get their defaults.

        Raises:
            InputRejected: A name is not a setting of this version, or a value not of its type.
        """
        refuse_unknown(values)
        return from_values(cls, values, name="the settings of a training")


def refuse_unknown(values: Collection[str]) -> None:
    """Refuse settings of a training that another version of the program wrote.

    Raises:
        InputRejected: A name is not a setting of this version.
    """
    unknown = set(values) - {field.name for field in fields(TrainingSettings)}
    if unknown:
        raise InputRejected(f"These training settings are unknown to this version: {', '.join(sorted(unknown))}.")


_WORDS: dict[str, Collection[str]] = {
    "protocol": PROTOCOLS,
    "segmenter": SEGMENTERS,
    "classifier": CLASSIFIERS,
    "class_weights": CLASS_WEIGHTS,
    "threshold_rule": THRESHOLD_RULES,
    "precision": PRECISIONS,
    "compile": ("auto", "never"),
}
_TITLES = {
    "protocol": "The protocol",
    "segmenter": "The segmenter",
    "classifier": "The classifier",
    "precision": "The precision",
}


PRESETS: dict[str, TrainingSettings] = {
    "quick": TrainingSettings(average_flips=True),
    "standard": TrainingSettings(
        preset="standard",
        height_px=192,
        width_px=256,
        segnet_width=1.0,
        segmentation_epochs=40,
        classification_epochs=40,
        batch_size=8,
        learning_rate_segmentation=1e-3,
        early_stopping=15,
        folds=3,
        comparison_seeds=3,
        pretrained="none",
        average_flips=True,
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
        folds=3,
        comparison_seeds=3,
        rotation_deg=0.0,
        zoom_out=1.0,
        gamma=0.0,
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
