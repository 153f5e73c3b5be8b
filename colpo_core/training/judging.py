"""Judge a whole pipeline on images, in the way that it will be used."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch

from colpo_core.datasets.frames import Frames, MaskLoader, load_truth
from colpo_core.datasets.image_sets import ImageSet
from colpo_core.datasets.tensors import Batch, Batches
from colpo_core.evaluation.calibration import apply_temperature, fit_temperature
from colpo_core.evaluation.calls import all_one_call, calls_at, paired_counts
from colpo_core.evaluation.evidence import evidence_figures, image_evidence
from colpo_core.evaluation.judged import Judged, by_case
from colpo_core.evaluation.masks import mask_figures, segmentation_figures
from colpo_core.evaluation.probabilities import probability_figures
from colpo_core.evaluation.repeatability import repeatability
from colpo_core.evaluation.roc import choose_threshold
from colpo_core.images.letterbox import unletterbox
from colpo_core.images.maps import map_over_image
from colpo_core.nets.gradcam import pipeline_maps
from colpo_core.nets.pipeline import Pipeline, PipelineOutput
from colpo_core.nets.spec import PipelineSpec
from colpo_core.records.explanations import ImageEvidence
from colpo_core.records.figures import MaskFigures
from colpo_core.terms import LabelSource
from colpo_core.training.watch import Watch

NETWORKS = ("3ch", "4ch")


@dataclass(frozen=True)
class Judgement:
    """What a pipeline said of a set of images.

    Attributes:
        masks: Agreement of the masks, one an image with an annotated mask, at the image's own size.
        mask_images: Row of each of these images.
        mask_patients: Patient of each of them.
        judged_3ch: Probability of the 3-channel network, one an image with a label.
        judged_4ch: The same images' by the 4-channel network.
        evidence: Of each image with an annotated lesion: its maps beside that mask, beside the model's own (None where
            that is empty), and its patient.
    """

    masks: list[MaskFigures]
    mask_images: list[int]
    mask_patients: list[int]
    judged_3ch: list[Judged]
    judged_4ch: list[Judged]
    evidence: list[tuple[ImageEvidence, ImageEvidence | None, int]] = field(default_factory=list)

    def with_those_of(self, other: "Judgement") -> "Judgement":
        """This one and another one, which are of different images or of different things."""
        return Judgement(
            masks=self.masks + other.masks,
            mask_images=self.mask_images + other.mask_images,
            mask_patients=self.mask_patients + other.mask_patients,
            judged_3ch=self.judged_3ch + other.judged_3ch,
            judged_4ch=self.judged_4ch + other.judged_4ch,
            evidence=self.evidence + other.evidence,
        )


def judge_pipeline(
    pipeline: Pipeline,
    frames: Frames,
    batches: Batches,
    images: ImageSet,
    *,
    load_mask: MaskLoader,
    batch_size: int,
    watch: Watch,
    share: tuple[float, float],
    on_masks: bool = True,
    on_labels: bool = True,
) -> Judgement:
    """Predict every image and compare.

    Args:
        pipeline: In eval mode; its working size is that of the frames.
        frames: Where the images lie.
        batches: Give them.
        images: Which ones.
        load_mask: Gives a mask by its hash, height and width.
        batch_size: Images at a time.
        watch: Told of every batch.
        share: Which part of its stage this is, from and until.
        on_masks: Whether masks are compared; copies that are augmented have none of their own.
        on_labels: Whether labels are compared.

    Raises:
        JobCancelled: A person wants to stop.
    """
    found = Judgement([], [], [], [], [])
    done = 0
    for batch in images.judging_batches(batches, batch_size):
        watch.beat(share[0] + (share[1] - share[0]) * done / len(images))
        done += len(batch.images)
        with torch.inference_mode():
            output = pipeline(batch.images)
        if on_masks:
            _compare_masks(found, pipeline, frames, batch, output, load_mask)
        if on_labels:
            _compare_labels(found, frames, batch, output)
    return found


def _compare_masks(
    found: Judgement,
    pipeline: Pipeline,
    frames: Frames,
    batch: Batch,
    output: PipelineOutput,
    load_mask: MaskLoader,
) -> None:
    maps = pipeline_maps(pipeline, output)
    probabilities = output.acetowhite[:, 0].float().cpu().numpy().astype(np.float32)
    for place, (member, probability) in enumerate(zip(batch.members, probabilities, strict=True)):
        item, geometry = frames.items[member], frames.geometries[member]
        truth = load_truth(item, load_mask)
        if truth is not None:
            predicted = unletterbox(probability, geometry) >= pipeline.spec.mask_threshold
            found.masks.append(mask_figures(truth, predicted))
            found.mask_images.append(item.image_id)
            found.mask_patients.append(item.patient_id)
            over_image = {name: map_over_image(cells[place], geometry) for name, cells in maps.items()}
            beside = image_evidence(over_image, truth)
            if beside is not None:
                found.evidence.append((beside, image_evidence(over_image, predicted), item.patient_id))


def _compare_labels(found: Judgement, frames: Frames, batch: Batch, output: PipelineOutput) -> None:
    three, four = output.prob_hsil_3ch.tolist(), output.prob_hsil_4ch.tolist()
    for member, prob_3ch, prob_4ch in zip(batch.members, three, four, strict=True):
        item = frames.items[member]
        if item.label is not None:
            row = Judged(item.patient_id, item.case_id, item.label, prob_3ch, image_id=item.image_id)
            found.judged_3ch.append(row)
            found.judged_4ch.append(replace(row, prob_hsil=prob_4ch))


def freeze_decisions(spec: PipelineSpec, chosen: Judgement, *, rule: str) -> PipelineSpec:
    """The temperatures and thresholds that the validation side gives, by image.

    Args:
        spec: With temperatures of 1.
        chosen: What the pipeline said of the validation side.
        rule: How thresholds are chosen, see `choose_threshold`.
    """
    temperature_3ch, threshold_3ch = decide(chosen.judged_3ch, rule=rule)
    temperature_4ch, threshold_4ch = decide(chosen.judged_4ch, rule=rule)
    return replace(
        spec,
        temperature_3ch=temperature_3ch,
        threshold_3ch=threshold_3ch,
        temperature_4ch=temperature_4ch,
        threshold_4ch=threshold_4ch,
    )


def decide(rows: list[Judged], *, rule: str) -> tuple[float, float]:
    """Temperature and, on the probabilities that it gives, threshold.

    Args:
        rows: What a network said of the validation side, at a temperature of 1.
        rule: How the threshold is chosen.
    """
    labels = [row.label for row in rows]
    temperature = fit_temperature(labels, [row.prob_hsil for row in rows])
    calibrated = [apply_temperature(row.prob_hsil, temperature) for row in rows]
    return temperature, choose_threshold(labels, calibrated, rule)


def at_temperature(rows: list[Judged], temperature: float) -> list[Judged]:
    """The same rows with calibrated probabilities."""
    return [replace(row, prob_hsil=apply_temperature(row.prob_hsil, temperature)) for row in rows]


def calibrated(judgement: Judgement, spec: PipelineSpec) -> Judgement:
    """A judgement at temperatures of 1, as the pipeline says it with the spec's."""
    return replace(
        judgement,
        judged_3ch=at_temperature(judgement.judged_3ch, spec.temperature_3ch),
        judged_4ch=at_temperature(judgement.judged_4ch, spec.temperature_4ch),
    )


def metrics_of(judgement: Judgement, spec: PipelineSpec, *, label_source: LabelSource, seed: int) -> dict[str, Any]:
    """A judgement in figures, as a card holds them.

    Args:
        judgement: What the pipeline said, calibrated.
        spec: With the frozen thresholds.
        label_source: What the labels rest on; every block of figures about labels carries it.
        seed: Seed of the bootstraps.

    Returns:
        `segmentation`: see `SegmentationFigures`. `classification_3ch`, `classification_4ch`: by `image` and by `case`,
        see `ProbabilityFigures`; with `all_called`, the one call of all of them, or None. `paired`: 3 channels (first)
        against 4 (second), by `image` and by `case`. `repeatability`: by network, see `RepeatabilityFigures`.
        `evidence`: where the maps' evidence lies, see `EvidenceFigures`. `predictions`: what both networks said of each
        image.
    """
    source = {"label_source": str(label_source)}
    metrics: dict[str, Any] = {
        "segmentation": asdict(
            segmentation_figures(judgement.masks, judgement.mask_patients, image_ids=judgement.mask_images, seed=seed)
        ),
        "classification_3ch": {},
        "classification_4ch": {},
        "paired": {},
        "repeatability": {},
        "evidence": _evidence(judgement, seed=seed),
        "predictions": _predictions(judgement),
    }
    thresholds = {"3ch": spec.threshold_3ch, "4ch": spec.threshold_4ch}
    rows = {"3ch": judgement.judged_3ch, "4ch": judgement.judged_4ch}
    for level, gather in _LEVELS.items():
        sides = {network: gather(rows[network]) for network in NETWORKS}
        for network, found in sides.items():
            figures = probability_figures(found, threshold=thresholds[network], seed=seed)
            one_call = all_one_call(found, thresholds[network])
            metrics[f"classification_{network}"][level] = asdict(figures) | source | {"all_called": one_call}
        calls = [calls_at([row.prob_hsil for row in sides[one]], thresholds[one]) for one in NETWORKS]
        labels = [row.label for row in sides["3ch"]]
        metrics["paired"][level] = asdict(paired_counts(labels, calls[0], calls[1])) | source
    for network in NETWORKS:
        metrics["repeatability"][network] = asdict(repeatability(rows[network], threshold=thresholds[network]))
    return metrics


def calibration_before(judgement: Judgement, *, seed: int) -> dict[str, Any]:
    """Brier score and calibration error of each network by image without temperature scaling, to show what it changed.

    Args:
        judgement: What the pipeline said at temperatures of 1.
        seed: Seed of the bootstraps.
    """
    found = {}
    for network, rows in (("3ch", judgement.judged_3ch), ("4ch", judgement.judged_4ch)):
        figures = probability_figures(rows, threshold=0.5, seed=seed)
        found[network] = {"brier": asdict(figures.brier), "ece": asdict(figures.ece)}
    return found


def _each_image(rows: list[Judged]) -> list[Judged]:
    return rows


_LEVELS: dict[str, Callable[[list[Judged]], list[Judged]]] = {"image": _each_image, "case": by_case}


def _evidence(judgement: Judgement, *, seed: int) -> dict[str, Any]:
    rows = judgement.evidence
    figures = evidence_figures(
        [expert for expert, _, _ in rows], [model for _, model, _ in rows], [patient for *_, patient in rows], seed=seed
    )
    return asdict(figures)


def _predictions(judgement: Judgement) -> list[dict[str, Any]]:
    return [
        {
            "image_id": three.image_id,
            "case_id": three.case_id,
            "patient_id": three.patient_id,
            "label": str(three.label),
            "prob_hsil_3ch": round(three.prob_hsil, 6),
            "prob_hsil_4ch": round(four.prob_hsil, 6),
        }
        for three, four in zip(judgement.judged_3ch, judgement.judged_4ch, strict=True)
    ]
