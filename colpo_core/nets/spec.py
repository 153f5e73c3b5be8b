"""What a pipeline is built from and how it decides, in plain numbers. Imports no torch."""

import math
from dataclasses import dataclass, fields
from typing import Any

from colpo_core.errors import CheckpointMismatch
from colpo_core.records.models.networks import CLASSIFIERS, SEGMENTERS
from colpo_core.records.statistics.calibration import Calibration
from colpo_core.records.typed_json import read_values, to_values

_LATER = ("temperature_3ch", "temperature_4ch", "mask_highlights", "average_flips", "intercept_3ch", "intercept_4ch")
"""Fields that cards of earlier checkpoints lack; what they had is the default."""


@dataclass(frozen=True)
class PipelineSpec:
    """The parts of a pipeline, its working size, and its frozen calibration and thresholds.

    Attributes:
        classifier: One of `CLASSIFIERS`, for three and four channels alike.
        segnet_width: Multiplier of SegNet's channels; whatever is given, 1.0 with a segmenter that has none.
        height_px: Height of the box that an image is fitted into, a multiple of 32.
        width_px: Width of the box, a multiple of 32.
        threshold_3ch: The 3-channel network calls `hsil` at this calibrated probability and above.
        threshold_4ch: The 4-channel network likewise.
        mask_threshold: A pixel is acetowhite at this probability and above.
        segmenter: One of `SEGMENTERS`.
        temperature_3ch: The 3-channel network's logits are divided by it before they become probabilities; above 0.
        temperature_4ch: The 4-channel network's likewise.
        mask_highlights: Specular highlights are filled from their surroundings before the image is fitted into its box.
        average_flips: The probability of acetowhite is the mean over an image and its three mirror images.
        intercept_3ch: Added to the 3-channel network's cooled logits, see `Calibration`; 0 in earlier checkpoints.
        intercept_4ch: The 4-channel network's likewise.
    """

    classifier: str = "resnet18"
    segnet_width: float = 1.0
    height_px: int = 480
    width_px: int = 640
    threshold_3ch: float = 0.5
    threshold_4ch: float = 0.5
    mask_threshold: float = 0.5
    segmenter: str = "segnet_vgg19"
    temperature_3ch: float = 1.0
    temperature_4ch: float = 1.0
    mask_highlights: bool = False
    average_flips: bool = False
    intercept_3ch: float = 0.0
    intercept_4ch: float = 0.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: One of them makes no sense.
        """
        if self.classifier not in CLASSIFIERS:
            raise ValueError(f"the classifier must be one of {', '.join(CLASSIFIERS)}, not {self.classifier!r}")
        if self.segmenter not in SEGMENTERS:
            raise ValueError(f"the segmenter must be one of {', '.join(SEGMENTERS)}, not {self.segmenter!r}")
        if min(self.height_px, self.width_px) < 32 or self.height_px % 32 or self.width_px % 32:
            raise ValueError(f"the working size must be multiples of 32, not {self.height_px} x {self.width_px}")
        self._check_values()
        if not SEGMENTERS[self.segmenter].scalable:
            object.__setattr__(self, "segnet_width", 1.0)  # so that equal networks have equal specs

    def _check_values(self) -> None:
        for name in ("mask_highlights", "average_flips"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be true or false, not {getattr(self, name)!r}")
        for name in ("segnet_width", "temperature_3ch", "temperature_4ch"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("intercept_3ch", "intercept_4ch"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name} must be a number, not {getattr(self, name)}")
        for name in ("threshold_3ch", "threshold_4ch", "mask_threshold"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a probability, not {getattr(self, name)}")

    @property
    def calibration_3ch(self) -> Calibration:
        """How the 3-channel network's logits become probabilities."""
        return Calibration(self.temperature_3ch, self.intercept_3ch)

    @property
    def calibration_4ch(self) -> Calibration:
        """The 4-channel network's likewise."""
        return Calibration(self.temperature_4ch, self.intercept_4ch)

    def to_dict(self) -> dict[str, Any]:
        """For a checkpoint's card."""
        values: dict[str, Any] = to_values(self)
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "PipelineSpec":
        """Read what `to_dict` wrote, also in an earlier version.

        Raises:
            CheckpointMismatch: A value is missing, unknown or makes no sense.
        """
        names = {field.name for field in fields(cls)}
        odd = ", ".join(sorted((set(values) ^ names) - (set(_LATER) - set(values))))
        if odd:
            raise CheckpointMismatch(f"The checkpoint's card does not describe a pipeline of this version ({odd}).")
        try:
            return read_values(cls, values)
        except ValueError as error:
            raise CheckpointMismatch(f"The checkpoint's card describes no pipeline: {error}.") from error
