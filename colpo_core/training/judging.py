"""Judge a whole pipeline on one side of a snapshot, image by image, in the way that it will be used."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from colpo_core.datasets.frames import ImageLoader, MaskLoader, load_truth
from colpo_core.datasets.manifest import ManifestItem
from colpo_core.datasets.tensors import to_images
from colpo_core.evaluation.calls import calls_at, paired_counts
from colpo_core.evaluation.masks import mask_figures, segmentation_figures
from colpo_core.evaluation.probabilities import Judged, by_case, probability_figures
from colpo_core.images.letterbox import letterbox_image, unletterbox
from colpo_core.nets.pipeline import Pipeline
from colpo_core.nets.spec import PipelineSpec
from colpo_core.records.figures import MaskFigures
from colpo_core.terms import LabelSource
from colpo_core.training.watch import Watch


@dataclass(frozen=True)
class Judgement:
    """What a pipeline said of one side.

    Attributes:
        masks: Agreement of the masks, one an image with an annotated mask, at the image's own size.
        mask_patients: Patient of each of them.
        judged_3ch: Probability of the 3-channel network, one an image with a label.
        judged_4ch: The same images' by the 4-channel network.
    """

    masks: list[MaskFigures]
    mask_patients: list[int]
    judged_3ch: list[Judged]
    judged_4ch: list[Judged]


def judge_pipeline(
    pipeline: Pipeline,
    items: Sequence[ManifestItem],
    *,
    load_image: ImageLoader,
    load_mask: MaskLoader,
    watch: Watch,
    share: tuple[float, float],
) -> Judgement:
    """Predict every image and compare.

    Args:
        pipeline: In eval mode.
        items: One side of a snapshot.
        load_image: Gives an image by its hash.
        load_mask: Gives a mask by its hash, height and width.
        watch: Told of every image.
        share: Which part of its stage this is, from and until.

    Raises:
        JobCancelled: A person wants to stop.
    """
    found = Judgement([], [], [], [])
    spec = pipeline.spec
    for place, item in enumerate(items):
        watch.beat(share[0] + (share[1] - share[0]) * place / len(items))
        frame, geometry = letterbox_image(
            load_image(item.image_sha256), height_px=spec.height_px, width_px=spec.width_px
        )
        with torch.inference_mode():
            output = pipeline(to_images(frame[None], device=pipeline.device))
        truth = load_truth(item, load_mask)
        if truth is not None:
            probability = output.acetowhite[0, 0].float().cpu().numpy().astype(np.float32)
            predicted = unletterbox(probability, geometry) >= spec.mask_threshold
            found.masks.append(mask_figures(truth, predicted))
            found.mask_patients.append(item.patient_id)
        if item.label is not None:
            for probability_of, rows in (
                (output.prob_hsil_3ch, found.judged_3ch),
                (output.prob_hsil_4ch, found.judged_4ch),
            ):
                rows.append(Judged(item.patient_id, item.case_id, item.label, float(probability_of[0])))
    return found


def metrics_of(judgement: Judgement, spec: PipelineSpec, *, label_source: LabelSource, seed: int) -> dict[str, Any]:
    """A judgement in figures, as a card holds them.

    Args:
        judgement: What the pipeline said.
        spec: With the frozen thresholds.
        label_source: What the labels rest on; every block of figures about labels carries it.
        seed: Seed of the bootstraps.

    Returns:
        `segmentation`: see `SegmentationFigures`. `classification_3ch`, `classification_4ch`: by `image` and by `case`,
        see `ProbabilityFigures`. `paired`: 3 channels (first) against 4 (second), by `image` and by `case`.
    """
    source = {"label_source": str(label_source)}
    sides = {
        "image": (judgement.judged_3ch, judgement.judged_4ch),
        "case": (by_case(judgement.judged_3ch), by_case(judgement.judged_4ch)),
    }
    metrics: dict[str, Any] = {
        "segmentation": asdict(segmentation_figures(judgement.masks, judgement.mask_patients, seed=seed)),
        "classification_3ch": {},
        "classification_4ch": {},
        "paired": {},
    }
    for level, (three, four) in sides.items():
        first = probability_figures(three, threshold=spec.threshold_3ch, seed=seed)
        second = probability_figures(four, threshold=spec.threshold_4ch, seed=seed)
        metrics["classification_3ch"][level] = asdict(first) | source
        metrics["classification_4ch"][level] = asdict(second) | source
        calls = [
            calls_at([row.prob_hsil for row in rows], threshold)
            for rows, threshold in ((three, spec.threshold_3ch), (four, spec.threshold_4ch))
        ]
        metrics["paired"][level] = asdict(paired_counts([row.label for row in three], calls[0], calls[1])) | source
    return metrics
