"""What a pipeline is built from and how it decides, in plain numbers. Imports no torch."""

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from colpo_core.errors import CheckpointMismatch
from colpo_core.records.learning import CLASSIFIERS


@dataclass(frozen=True)
class PipelineSpec:
    """The parts of a pipeline, its working size and its frozen thresholds.

    Attributes:
        classifier: `resnet18`, `resnet50` or `resnet101`, for three and four channels alike.
        segnet_width: Multiplier of SegNet's channels.
        height_px: Height of the box that an image is fitted into, a multiple of 32.
        width_px: Width of the box, a multiple of 32.
        threshold_3ch: The 3-channel network calls `hsil` at this probability and above.
        threshold_4ch: The 4-channel network likewise.
        mask_threshold: A pixel is acetowhite at this probability and above.
        segmenter: Name of the segmenter.
    """

    classifier: str = "resnet18"
    segnet_width: float = 1.0
    height_px: int = 480
    width_px: int = 640
    threshold_3ch: float = 0.5
    threshold_4ch: float = 0.5
    mask_threshold: float = 0.5
    segmenter: str = "segnet_vgg19"

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: One of them makes no sense.
        """
        if self.classifier not in CLASSIFIERS:
            raise ValueError(f"the classifier must be one of {', '.join(CLASSIFIERS)}, not {self.classifier!r}")
        if self.segmenter != "segnet_vgg19":
            raise ValueError(f"there is no segmenter {self.segmenter!r}")
        if min(self.height_px, self.width_px) < 32 or self.height_px % 32 or self.width_px % 32:
            raise ValueError(f"the working size must be multiples of 32, not {self.height_px} x {self.width_px}")
        if not (math.isfinite(self.segnet_width) and self.segnet_width > 0):
            raise ValueError(f"SegNet's width multiplier must be above 0, not {self.segnet_width}")
        for name in ("threshold_3ch", "threshold_4ch", "mask_threshold"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a probability, not {getattr(self, name)}")

    def to_dict(self) -> dict[str, Any]:
        """For a checkpoint's card."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "PipelineSpec":
        """Read what `to_dict` wrote.

        Raises:
            CheckpointMismatch: A value is missing, unknown or makes no sense.
        """
        names = {field.name for field in fields(cls)}
        if set(values) != names:
            odd = ", ".join(sorted(set(values) ^ names))
            raise CheckpointMismatch(f"The checkpoint's card does not describe a pipeline of this version ({odd}).")
        try:
            return cls(**values)
        except (TypeError, ValueError) as error:
            raise CheckpointMismatch(f"The checkpoint's card describes no pipeline: {error}.") from error
