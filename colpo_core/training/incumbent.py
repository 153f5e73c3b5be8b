"""The clinic's current model, judged on the new model's test side: may the new one take its place?"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from colpo_core.datasets.frames import PixelSource, load_truth
from colpo_core.datasets.manifest import ManifestItem
from colpo_core.evaluation.intervals import mean_by_patients
from colpo_core.evaluation.judged import Judged, by_case
from colpo_core.evaluation.masks import mask_figures
from colpo_core.evaluation.paired import compare_arms, is_worse
from colpo_core.images.letterbox import unletterbox
from colpo_core.nets.checkpoint import load_checkpoint
from colpo_core.nets.frames import prepare, to_batch
from colpo_core.nets.pipeline import Pipeline
from colpo_core.nets.spec import PipelineSpec
from colpo_core.records.statistics.figures import Estimate
from colpo_core.training.judging import PipelineResults
from colpo_core.training.progress import ProgressReporter


@dataclass(frozen=True)
class Incumbent:
    """The clinic's current model.

    Attributes:
        folder: Its checkpoint's folder.
        name: Its name.
        sha256: Its hash.
        learned_patients: Rows of the patients that its learning or its choices have seen.
        learned_images: Hashes of the images that they have seen.
    """

    folder: Path
    name: str
    sha256: str
    learned_patients: frozenset[int]
    learned_images: frozenset[str]

    def knows(self, item: ManifestItem) -> bool:
        """Whether it has learned from this image or another one of the patient: then it cannot be judged on it."""
        return item.patient_id in self.learned_patients or item.image_sha256 in self.learned_images


def compare_with_incumbent(
    incumbent: Incumbent,
    results: PipelineResults,
    spec: PipelineSpec,
    items: Sequence[ManifestItem],
    *,
    source: PixelSource,
    device: torch.device,
    progress: ProgressReporter,
) -> dict[str, Any]:
    """Both models on the images of the new one's test side that neither has learned from.

    Args:
        incumbent: The current model.
        results: What the new model said of its test side.
        spec: The new model's, with its thresholds.
        items: The new model's test side.
        source: Where images and masks are read from.
        device: Where the current model is to compute.
        progress: Asked whether to stop.

    Returns:
        `name`, `sha256`; `n_images` compared and `n_left_out` because the current model knows them; `calls`: see
        `ArmDifference`, the new one minus the current one by case, with four channels; `dice`: the same of the masks,
        an `Estimate`; `worse`: sentences on what is worse beyond its interval.

    Raises:
        CheckpointMismatch: The current model's files are damaged.
        JobCancelled: A person wants to stop.
    """
    fresh = [item for item in items if not incumbent.knows(item)]
    rows, dice = _judge(incumbent, fresh, source=source, device=device, progress=progress)
    shared = {item.image_id for item in fresh}
    new_rows = {row.image_id: row for row in results.judged_4ch if row.image_id in shared}
    old_rows = {row.image_id: row for row in rows.judged if row.image_id in new_rows}
    calls = compare_arms(
        [by_case(list(old_rows.values()))],
        [by_case([new_rows[image_id] for image_id in old_rows])],
        thresholds_first=[rows.threshold],
        thresholds_second=[spec.threshold_4ch],
    )
    dice_difference = _dice_difference(results, dice)
    worse = [
        f"{what} {difference.value:+.2f} ({difference.low:+.2f} to {difference.high:+.2f})"
        for what, difference in (("AUC", calls.auc), ("Dice of the mask", dice_difference))
        if is_worse(difference)
    ]
    return {
        "name": incumbent.name,
        "sha256": incumbent.sha256,
        "n_images": len(fresh),
        "n_left_out": len(items) - len(fresh),
        "calls": asdict(calls),
        "dice": asdict(dice_difference),
        "worse": worse,
    }


@dataclass(frozen=True)
class _Said:
    judged: list[Judged]
    threshold: float


def _judge(
    incumbent: Incumbent,
    items: Sequence[ManifestItem],
    *,
    source: PixelSource,
    device: torch.device,
    progress: ProgressReporter,
) -> tuple[_Said, dict[int, float]]:
    """The current model's probability by image, and its Dice on the images with a marked mask."""
    pipeline, _ = load_checkpoint(incumbent.folder, expected_sha256=incumbent.sha256)
    pipeline.to(device)
    judged, dice = [], {}
    for item in items:
        progress.check()
        prob_hsil, mask_dice = _judge_image(pipeline, item, source)
        if item.label is not None:
            judged.append(Judged(item.patient_id, item.case_id, item.label, prob_hsil, image_id=item.image_id))
        if mask_dice is not None:
            dice[item.image_id] = mask_dice
    return _Said(judged, pipeline.spec.threshold_4ch), dice


def _judge_image(pipeline: Pipeline, item: ManifestItem, source: PixelSource) -> tuple[float, float | None]:
    box, geometry = prepare(source.load_image(item.image_sha256), pipeline.spec)
    with torch.inference_mode():
        output = pipeline(to_batch(box, pipeline.device))
    truth = load_truth(item, source)
    if truth is None:
        return float(output.prob_hsil_4ch[0]), None
    probability = output.acetowhite[0, 0].float().cpu().numpy().astype(np.float32)
    predicted = unletterbox(probability, geometry) >= pipeline.spec.mask_threshold
    return float(output.prob_hsil_4ch[0]), mask_figures(truth, predicted).dice


def _dice_difference(results: PipelineResults, old: dict[int, float]) -> Estimate:
    differences, patients = [], []
    for image_id, patient, figures in zip(results.mask_images, results.mask_patients, results.masks, strict=True):
        if image_id in old and figures.dice is not None:
            differences.append(figures.dice - old[image_id])
            patients.append(patient)
    return mean_by_patients(differences, patients, within=(-1.0, 1.0))
