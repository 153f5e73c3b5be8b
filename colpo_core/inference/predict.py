"""What a pipeline says of one image."""

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from colpo_core.images.letterbox import LetterboxGeometry, crop_box, unletterbox
from colpo_core.images.maps import map_over_image
from colpo_core.nets.frames import prepare, to_batch
from colpo_core.nets.gradcam import pipeline_maps
from colpo_core.nets.pipeline import Pipeline, PipelineOutput
from colpo_core.terms import Label


@dataclass(frozen=True, eq=False)
class ImagePrediction:
    """A checkpoint's word on one image.

    Attributes:
        mask: H x W bool at the image's own size: acetowhite epithelium.
        prob_hsil_3ch: Calibrated probability of HSIL from the colours alone, 0 to 1.
        prob_hsil_4ch: Calibrated probability of HSIL from the colours and the segmentation, 0 to 1.
        acetowhite_fraction: Share of the image that the mask covers, 0 to 1.
        mask_entropy: Mean binary entropy of the segmentation over the image, 0 (sure of every pixel) to 1 bit.
        threshold_3ch: The 3-channel network calls `hsil` at this probability and above.
        threshold_4ch: The 4-channel network likewise.
        maps: `3ch-normal`, `3ch-hsil`, `4ch-normal`, `4ch-hsil`: h x w float32 Grad-CAM over exactly the image, from 0
            and not scaled; all zeros says "no positive evidence". Empty where no maps were asked for.
        acetowhite: h x w float32 at the network's own resolution, over exactly the image: the probability of acetowhite
            epithelium that the mask is made of. None where no maps were asked for.
        features: K float32, of length one (or all zeros): where the 4-channel network's last features point, averaged
            over the image. Images of which they point alike look alike to it. None where no maps were asked for.
    """

    mask: NDArray[np.bool_]
    prob_hsil_3ch: float
    prob_hsil_4ch: float
    acetowhite_fraction: float
    mask_entropy: float
    threshold_3ch: float
    threshold_4ch: float
    maps: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    acetowhite: NDArray[np.float32] | None = None
    features: NDArray[np.float32] | None = None

    @property
    def call_3ch(self) -> Label:
        """The 3-channel network's call at its frozen threshold."""
        return Label.called(self.prob_hsil_3ch, threshold=self.threshold_3ch)

    @property
    def call_4ch(self) -> Label:
        """The 4-channel network's call at its frozen threshold."""
        return Label.called(self.prob_hsil_4ch, threshold=self.threshold_4ch)


def predict_image(pipeline: Pipeline, rgb: NDArray[np.uint8], *, with_maps: bool = True) -> ImagePrediction:
    """Segment, classify and explain one image, in float32.

    Args:
        pipeline: In eval mode, on any device.
        rgb: HWC uint8 of any size.
        with_maps: Whether to draw the Grad-CAM maps too, which cost next to nothing.

    Raises:
        ValueError: The image is not HWC uint8, or the pipeline is in training mode.
    """
    if pipeline.training:
        raise ValueError("the pipeline is in training mode; call eval() first")
    spec = pipeline.spec
    box, geometry = prepare(rgb, spec)
    with torch.inference_mode():
        output: PipelineOutput = pipeline(to_batch(box, pipeline.device))
        maps = _maps(pipeline, output, geometry) if with_maps else {}
        acetowhite = _array(output.acetowhite[0, 0])
        features = direction(_array(output.features_4ch[0].mean(dim=(1, 2)))) if with_maps else None
        prob_3ch, prob_4ch = float(output.prob_hsil_3ch[0]), float(output.prob_hsil_4ch[0])
    mask = unletterbox(acetowhite, geometry) >= spec.mask_threshold
    return ImagePrediction(
        mask=mask,
        prob_hsil_3ch=prob_3ch,
        prob_hsil_4ch=prob_4ch,
        acetowhite_fraction=float(mask.mean()),
        mask_entropy=mean_entropy(crop_box(acetowhite, geometry)),
        threshold_3ch=spec.threshold_3ch,
        threshold_4ch=spec.threshold_4ch,
        maps=maps,
        acetowhite=np.ascontiguousarray(crop_box(acetowhite, geometry)) if with_maps else None,
        features=features,
    )


def mean_entropy(probs: NDArray[np.float32]) -> float:
    """Mean binary entropy of probabilities, 0 to 1 bit.

    It is taken at the network's own resolution and without padding: enlarging to the image's size adds no knowledge.

    Args:
        probs: H x W, each 0 to 1.
    """
    inside = np.clip(probs.astype(np.float64), np.finfo(np.float64).tiny, 1 - np.finfo(np.float64).epsneg)
    entropy = -(inside * np.log2(inside) + (1 - inside) * np.log2(1 - inside))
    return float(np.clip(entropy.mean(), 0.0, 1.0))


def direction(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features of length one; those that are all zeros stay so.

    Args:
        features: K float32.
    """
    length = float(np.linalg.norm(features))
    return features / np.float32(length) if length > 0 else features


def _maps(pipeline: Pipeline, output: PipelineOutput, geometry: LetterboxGeometry) -> dict[str, NDArray[np.float32]]:
    return {name: map_over_image(cells[0], geometry) for name, cells in pipeline_maps(pipeline, output).items()}


def _array(values: Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(values.float().cpu().numpy())
