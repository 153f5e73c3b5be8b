"""Judge a whole pipeline on images, in the way that it will be used."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from colpo_core.datasets.frames import Frames, PixelSource, load_truth
from colpo_core.datasets.image_sets import ImageSet
from colpo_core.datasets.tensors import Batch, Batches
from colpo_core.evaluation.blind import BlindReference
from colpo_core.evaluation.calibration import (
    apply_calibration,
    brier_estimate,
    calibration_figures,
    ece_estimate,
    fit_calibration,
    reliability,
    within_rounding,
)
from colpo_core.evaluation.calls import all_one_call, calls_at, paired_counts
from colpo_core.evaluation.evidence import evidence_figures, image_evidence, image_places, places_figures
from colpo_core.evaluation.judged import Judged, by_case
from colpo_core.evaluation.masks import BlindPair, blind_figures, blind_pair, mask_figures, segmentation_figures
from colpo_core.evaluation.probabilities import probability_figures
from colpo_core.evaluation.repeatability import repeatability
from colpo_core.evaluation.roc import choose_threshold
from colpo_core.images.letterbox import LetterboxGeometry, unletterbox
from colpo_core.images.maps import map_over_image
from colpo_core.nets.gradcam import pipeline_maps
from colpo_core.nets.interfaces import prob_hsil
from colpo_core.nets.pipeline import Pipeline, PipelineOutput
from colpo_core.nets.spec import PipelineSpec
from colpo_core.records.review.explanations import ImageEvidence, ImagePlaces
from colpo_core.records.statistics.calibration import Calibration
from colpo_core.records.statistics.figures import MaskFigures
from colpo_core.terms import LabelSource
from colpo_core.training.progress import ProgressReporter

NETWORKS = ("3ch", "4ch")


@dataclass(frozen=True)
class PipelineResults:
    """What a pipeline said of a set of images.

    Attributes:
        masks: Agreement of the masks, one an image with an annotated mask, at the image's own size.
        mask_images: Row of each of these images.
        mask_patients: Patient of each of them.
        judged_3ch: Probability of the 3-channel network, one an image with a label.
        judged_4ch: The same images' by the 4-channel network.
        evidence: Of each image with an annotated lesion: its maps beside that mask, beside the model's own (None where
            that is empty), and its patient.
        places: Of each image whose masks were asked for, where its maps' evidence lies, and its patient.
        mask_confirmed: Whether each image with an annotated mask is confirmed to show no lesion.
        blind: How masks agree that look at no image, one an image with an annotated mask; empty where no training mask
            is known.
    """

    masks: list[MaskFigures]
    mask_images: list[int]
    mask_patients: list[int]
    judged_3ch: list[Judged]
    judged_4ch: list[Judged]
    evidence: list[tuple[ImageEvidence, ImageEvidence | None, int]] = field(default_factory=list)
    places: list[tuple[ImagePlaces, int]] = field(default_factory=list)
    mask_confirmed: list[bool] = field(default_factory=list)
    blind: list[BlindPair] = field(default_factory=list)

    def with_those_of(self, other: "PipelineResults") -> "PipelineResults":
        """This one and another one, which are of different images or of different things."""
        return PipelineResults(
            masks=self.masks + other.masks,
            mask_images=self.mask_images + other.mask_images,
            mask_patients=self.mask_patients + other.mask_patients,
            judged_3ch=self.judged_3ch + other.judged_3ch,
            judged_4ch=self.judged_4ch + other.judged_4ch,
            evidence=self.evidence + other.evidence,
            places=self.places + other.places,
            mask_confirmed=self.mask_confirmed + other.mask_confirmed,
            blind=self.blind + other.blind,
        )


def judge_pipeline(
    pipeline: Pipeline,
    frames: Frames,
    batches: Batches,
    images: ImageSet,
    *,
    source: PixelSource,
    batch_size: int,
    progress: ProgressReporter,
    share: tuple[float, float],
    on_masks: bool = True,
    on_labels: bool = True,
    blind: BlindReference | None = None,
) -> PipelineResults:
    """Predict every image and compare.

    Args:
        pipeline: In eval mode; its working size is that of the frames.
        frames: Where the images lie.
        batches: Give them.
        images: Which ones.
        source: Where masks are read from.
        batch_size: Images at a time.
        progress: Told of every batch.
        share: Which part of its stage this is, from and until.
        on_masks: Whether masks are compared; copies that are augmented have none of their own.
        on_labels: Whether labels are compared.
        blind: Masks that look at no image, to be held against the same annotated masks; None where there are none.

    Raises:
        JobCancelled: A person wants to stop.
    """
    results = PipelineResults([], [], [], [], [])
    done = 0
    for batch in images.judging_batches(batches, batch_size):
        progress.beat(share[0] + (share[1] - share[0]) * done / len(images))
        done += len(batch.images)
        with torch.inference_mode():
            output = pipeline(batch.images)
        if on_masks:
            _compare_masks(results, pipeline, frames, batch, output, source, blind)
        if on_labels:
            _compare_labels(results, frames, batch, output, pipeline.spec)
    return results


def _compare_masks(
    results: PipelineResults,
    pipeline: Pipeline,
    frames: Frames,
    batch: Batch,
    output: PipelineOutput,
    source: PixelSource,
    blind: BlindReference | None,
) -> None:
    maps = pipeline_maps(pipeline, output)
    probabilities = output.acetowhite[:, 0].float().cpu().numpy().astype(np.float32)
    for row, (member, probability) in enumerate(zip(batch.members, probabilities, strict=True)):
        item, geometry = frames.items[member], frames.geometries[member]
        over_box = {name: cells[row] for name, cells in maps.items()}
        results.places.append((_places(over_box, geometry), item.patient_id))
        truth = load_truth(item, source)
        if truth is not None:
            predicted = unletterbox(probability, geometry) >= pipeline.spec.mask_threshold
            results.masks.append(mask_figures(truth, predicted))
            results.mask_images.append(item.image_id)
            results.mask_patients.append(item.patient_id)
            results.mask_confirmed.append(item.confirmed_clear and not truth.any())
            if blind is not None:
                results.blind.append(blind_pair(truth, blind))
            over_image = {name: map_over_image(cells, geometry) for name, cells in over_box.items()}
            beside = image_evidence(over_image, truth)
            if beside is not None:
                results.evidence.append((beside, image_evidence(over_image, predicted), item.patient_id))


def _places(over_box: Mapping[str, npt.NDArray[np.float32]], geometry: LetterboxGeometry) -> ImagePlaces:
    """The image lies in the middle of its box, to half a pixel."""
    top = (1 - geometry.fitted_height_px / geometry.box_height_px) / 2
    left = (1 - geometry.fitted_width_px / geometry.box_width_px) / 2
    return image_places(over_box, top=top, left=left)


def _compare_labels(
    results: PipelineResults, frames: Frames, batch: Batch, output: PipelineOutput, spec: PipelineSpec
) -> None:
    three = prob_hsil(output.logits_3ch.cpu().double(), spec.calibration_3ch).tolist()
    four = prob_hsil(output.logits_4ch.cpu().double(), spec.calibration_4ch).tolist()
    for member, prob_3ch, prob_4ch in zip(batch.members, three, four, strict=True):
        item = frames.items[member]
        if item.label is not None:
            row = Judged(item.patient_id, item.case_id, item.label, prob_3ch, image_id=item.image_id)
            results.judged_3ch.append(row)
            results.judged_4ch.append(replace(row, prob_hsil=prob_4ch))


def freeze_decisions(spec: PipelineSpec, chosen: PipelineResults, *, rule: str, share: float) -> PipelineSpec:
    """The calibration and the thresholds that the validation side gives, by image.

    Args:
        spec: That changes nothing of a network's own probabilities.
        chosen: What the pipeline said of the validation side.
        rule: How thresholds are chosen, see `choose_threshold`.
        share: Share of HSIL that the probabilities are to be calibrated for.
    """
    three, threshold_3ch = decide(chosen.judged_3ch, rule=rule, share=share)
    four, threshold_4ch = decide(chosen.judged_4ch, rule=rule, share=share)
    return replace(
        spec,
        temperature_3ch=three.temperature,
        intercept_3ch=three.intercept,
        threshold_3ch=threshold_3ch,
        temperature_4ch=four.temperature,
        intercept_4ch=four.intercept,
        threshold_4ch=threshold_4ch,
    )


def decide(rows: list[Judged], *, rule: str, share: float) -> tuple[Calibration, float]:
    """Calibration and threshold. The threshold is chosen on the network's own probabilities and taken through it.

    So a calibration changes no call of an image, and where the rule chooses none, the threshold stands where the
    network finds both labels equally likely when both are equally frequent.

    Args:
        rows: What a network said of the validation side, not calibrated.
        rule: How the threshold is chosen.
        share: Share of HSIL that the probabilities are to be calibrated for.
    """
    labels = [row.label for row in rows]
    probs = [within_rounding(row.prob_hsil) for row in rows]
    calibration = fit_calibration(labels, probs, share=share)
    return calibration, apply_calibration(choose_threshold(labels, probs, rule), calibration)


def with_calibration(rows: list[Judged], calibration: Calibration) -> list[Judged]:
    """The same rows with calibrated probabilities."""
    return [replace(row, prob_hsil=apply_calibration(row.prob_hsil, calibration)) for row in rows]


def calibrated(results: PipelineResults, spec: PipelineSpec) -> PipelineResults:
    """Results by the networks' own probabilities, as the pipeline says them with the spec's calibration."""
    return replace(
        results,
        judged_3ch=with_calibration(results.judged_3ch, spec.calibration_3ch),
        judged_4ch=with_calibration(results.judged_4ch, spec.calibration_4ch),
    )


def metrics_of(
    results: PipelineResults,
    spec: PipelineSpec,
    *,
    label_source: LabelSource,
    seed: int,
    blind: BlindReference | None = None,
) -> dict[str, Any]:
    """Results in figures, as a card holds them.

    Args:
        results: What the pipeline said, calibrated.
        spec: With the frozen thresholds.
        label_source: What the labels rest on; every block of figures about labels carries it.
        seed: Seed of the bootstraps.
        blind: The masks that look at no image, where the results were held against them.

    Returns:
        `segmentation`: see `SegmentationFigures`. `classification_3ch`, `classification_4ch`: by `image` and by `case`,
        see `ProbabilityFigures`; with `all_called`, the one call of all of them, or None. `paired`: 3 channels (first)
        against 4 (second), by `image` and by `case`. `repeatability`: by network, see `RepeatabilityFigures`.
        `evidence`: where the maps' evidence lies beside the masks, see `EvidenceFigures`. `3ch`, `4ch`: `calibration`
        by `image` and by `case`, see `CalibrationFigures`; `evidence`, see `PlacesFigures`. `predictions`: what both
        networks said of each image.
    """
    source = {"label_source": str(label_source)}
    metrics: dict[str, Any] = {
        "segmentation": _segmentation(results, blind),
        "classification_3ch": {},
        "classification_4ch": {},
        "paired": {},
        "repeatability": {},
        "evidence": _evidence(results),
        "predictions": _predictions(results),
    }
    thresholds = {"3ch": spec.threshold_3ch, "4ch": spec.threshold_4ch}
    rows = {"3ch": results.judged_3ch, "4ch": results.judged_4ch}
    for level, gather in _LEVELS.items():
        rows_by_network = {network: gather(rows[network]) for network in NETWORKS}
        for network, judged in rows_by_network.items():
            figures = probability_figures(judged, threshold=thresholds[network], seed=seed)
            one_call = all_one_call(judged, thresholds[network])
            metrics[f"classification_{network}"][level] = asdict(figures) | source | {"all_called": one_call}
        calls = [
            calls_at([row.prob_hsil for row in rows_by_network[network]], thresholds[network]) for network in NETWORKS
        ]
        labels = [row.label for row in rows_by_network["3ch"]]
        metrics["paired"][level] = asdict(paired_counts(labels, calls[0], calls[1])) | source
    for network in NETWORKS:
        metrics[network] = {
            "calibration": _calibration(rows[network]),
            "evidence": _places_of(results, network),
        }
        metrics["repeatability"][network] = asdict(repeatability(rows[network], threshold=thresholds[network]))
    return metrics


def _segmentation(results: PipelineResults, blind: BlindReference | None) -> dict[str, Any]:
    figures, patients = results.masks, results.mask_patients
    beside = None if blind is None else blind_figures(figures, results.blind, patients, blind)
    confirmed = results.mask_confirmed or None
    return asdict(
        segmentation_figures(figures, patients, image_ids=results.mask_images, confirmed=confirmed, blind=beside)
    )


def calibration_before(results: PipelineResults, *, seed: int) -> dict[str, Any]:
    """How each network's own probabilities by image mean what they say, to show what the calibration changed.

    Args:
        results: What the pipeline said, not calibrated.
        seed: Seed of the bootstraps.

    Returns:
        By network: `brier` and `ece` by image as in `ProbabilityFigures`, `calibration` as in `metrics_of`, and by
        `image` and by `case` the curve, `reliability`.
    """
    return {
        network: {
            "brier": asdict(brier_estimate(rows)),
            "ece": asdict(ece_estimate(rows, seed=seed)),
            "reliability": {
                level: [asdict(bin_) for bin_ in reliability(gather(rows))] for level, gather in _LEVELS.items()
            },
            "calibration": _calibration(rows),
        }
        for network, rows in (("3ch", results.judged_3ch), ("4ch", results.judged_4ch))
    }


def _calibration(rows: list[Judged]) -> dict[str, Any]:
    return {level: asdict(calibration_figures(gather(rows))) for level, gather in _LEVELS.items()}


def _places_of(results: PipelineResults, network: str) -> dict[str, Any]:
    figures = places_figures(
        network,
        [expert for expert, _, _ in results.evidence],
        [patient for *_, patient in results.evidence],
        [places for places, _ in results.places],
        [patient for _, patient in results.places],
    )
    return asdict(figures)


_LEVELS: dict[str, Callable[[list[Judged]], list[Judged]]] = {"image": list, "case": by_case}


def _evidence(results: PipelineResults) -> dict[str, Any]:
    rows = results.evidence
    figures = evidence_figures(
        [expert for expert, _, _ in rows], [model for _, model, _ in rows], [patient for *_, patient in rows]
    )
    return asdict(figures)


def _predictions(results: PipelineResults) -> list[dict[str, Any]]:
    return [
        {
            "image_id": three.image_id,
            "case_id": three.case_id,
            "patient_id": three.patient_id,
            "label": str(three.label),
            "prob_hsil_3ch": round(three.prob_hsil, 6),
            "prob_hsil_4ch": round(four.prob_hsil, 6),
        }
        for three, four in zip(results.judged_3ch, results.judged_4ch, strict=True)
    ]
