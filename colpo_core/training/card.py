"""The card of a new checkpoint: what made it, how it did, and what not to conclude from it.

Where a card says how its probabilities were calibrated, and where its maps' evidence lies (cards of earlier versions
lack both; in what follows E is an `Estimate`: `value`, `low`, `high`, `n_patients`, `n_images`, by patients, the first
three null where they are not defined):

- `calibration[network]`, network `3ch` or `4ch`: see `CalibrationRecord`. `method`; `temperature` and `intercept` (the
  probability of HSIL is 1 / (1 + exp(-(logit / temperature + intercept)))); `share_hsil`, the share of HSIL that the
  probabilities are calibrated for; `n_normal` and `n_hsil` images that the share was counted on; `chosen_on`.
- `metrics[network]["calibration"][level]`, level `image` or `case`: see `CalibrationFigures`. The same of the
  validation side under `metrics["validation"]`, and before the calibration under `metrics["uncalibrated"][network]`.
- `metrics[network]["evidence"]`, by image, and likewise under `metrics["validation"]`:
    - `lesion_excess`: E. Share of the evidence for HSIL that lies in the annotated lesion, less the share of the image
      that the lesion covers. 0 is what a map has that prefers no place. Over images with an annotated lesion.
    - `padding`: {`hsil`: E, `normal`: E}. Share of the whole evidence for the class that lies in the black bars beside
      the image, which are cut off before a map is shown. Over images that have such bars.
    - `padding_area`: E. Share of the box that the bars cover: what a map that prefers no place has in them.
    - `rim`: {`hsil`: E, `normal`: E}. Share of the evidence within the image that lies in its outermost 5%, on all four
      sides. Over all images.
    - `rim_area`: E. Share of the image that this rim covers.
"""

from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from math import isclose, log
from typing import Any

import torch

from colpo_core.datasets.manifest import Manifest
from colpo_core.evaluation.blind import BlindReference
from colpo_core.evaluation.calibration import apply_calibration
from colpo_core.evaluation.roc import FALLBACK_THRESHOLD, threshold_rule_text
from colpo_core.nets.spec import PipelineSpec
from colpo_core.records.models.networks import CLASSIFIERS, SEGMENTERS
from colpo_core.records.snapshots.snapshots import mask_policy_text
from colpo_core.records.statistics.calibration import Calibration, CalibrationRecord
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.terms import Label, LabelSource, Split
from colpo_core.training.contract import FitResult
from colpo_core.training.hardware import Hardware
from colpo_core.training.incumbent import Incumbent
from colpo_core.training.stage_splits import label_counts

FEW_CASES = 30


def make_card(
    manifest: Manifest,
    settings: TrainingSettings,
    spec: PipelineSpec,
    *,
    metrics: dict[str, Any],
    fitted: dict[str, FitResult],
    key: str,
    hardware: Hardware,
    incumbent: Incumbent | None = None,
    blind: BlindReference | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """All that a checkpoint's card says beside its weights and their hash.

    Args:
        manifest: The snapshot it learned from.
        settings: How it learned.
        spec: What it is, with its frozen thresholds.
        metrics: Figures of the test side, those of the validation side under `validation`.
        fitted: How each stage went, by its name.
        key: The training's key.
        hardware: What it was computed on.
        incumbent: The model that was current when it was trained, its parent in the registry; None for the first.
        blind: What a mask reaches that looks at no image, for later judgements; None where no mask is known.
        now: When it was made; the present when None.
    """
    at = now or datetime.now(UTC)
    return {
        "name": f"{at:%Y-%m-%d-%H%M%S}-{settings.classifier}-{manifest.sha256[:8]}",
        "created_at": at.isoformat(timespec="seconds"),
        "snapshot_sha256": manifest.sha256,
        "label_source": str(manifest.label_source),
        "rules_version": manifest.rules_version,
        "mask_policy": str(manifest.mask_policy),
        "mask_annotator_id": manifest.mask_annotator_id,
        "simulated": manifest.simulated,
        "settings": settings.to_dict(),
        "protocol": settings.protocol,
        "leaks": leaks_of(settings),
        "parent": None if incumbent is None else {"name": incumbent.name, "sha256": incumbent.sha256},
        "architecture": {
            "segmenter": _segmenter_text(spec),
            "classifier": CLASSIFIERS[spec.classifier].title,
            "fourth_channel": "probability of acetowhite epithelium by the segmenter"
            + (f", out of {settings.folds} folds in training" if settings.protocol == "patient" else ""),
            "working_size": f"{spec.width_px} x {spec.height_px}",
        },
        "computed_on": {
            "device": hardware.device.type,
            "devices": hardware.devices,
            "precision": hardware.precision,
            "threads": torch.get_num_threads(),
        },
        "thresholds": {
            "3ch": spec.threshold_3ch,
            "4ch": spec.threshold_4ch,
            "mask": spec.mask_threshold,
            "chosen_on": "validation",
            "rule": threshold_rule_text(settings.threshold_rule),
        },
        "temperatures": {"3ch": spec.temperature_3ch, "4ch": spec.temperature_4ch, "chosen_on": "validation"},
        "calibration": calibration_of(manifest, settings, spec),
        "metrics": metrics,
        "trained_on": manifest.counts() | {"mask_origins": _mask_origins(manifest)},
        "history": {
            stage: {"best_epoch": fit.best_epoch, "epochs": list(fit.history)} for stage, fit in fitted.items()
        },
        "limits": limits_of(manifest, settings, spec),
        "training_key": key,
        "blind_reference": None if blind is None else blind.to_card(),
    }


def limits_of(manifest: Manifest, settings: TrainingSettings, spec: PipelineSpec) -> list[str]:
    """Sentences that say what not to conclude from a model trained on this snapshot.

    Args:
        manifest: The snapshot it learned from.
        settings: How it learned.
        spec: What it is, with its frozen thresholds.
    """
    counts = manifest.counts()
    limits = ["For research. It is not a medical device and must not decide about a patient.", *leaks_of(settings)]
    if manifest.simulated:
        share = "All" if counts["simulated"] == counts["images"]["total"] else "Some"
        limits.append(f"{share} images are simulated: its figures say nothing about patients.")
    if manifest.label_source is LabelSource.IMPRESSION:
        limits.append("Its labels are colposcopic impressions, not histology; so are its figures.")
    if counts["masks"]["total"]:
        limits.append(_masks_sentence(manifest, counts))
    limits += _limits_of_the_test_side(counts)
    limits += _limits_of_the_thresholds(counts, spec)
    if counts["masks"]["validation"] == 0:
        limits.append("The validation side holds no mask, so the segmenter's last epoch was kept, not its best.")
    limits.append(_channel_sentence(settings))
    if settings.pretrained == "none":
        limits.append("The networks started without pretrained weights, and learned all they know from this snapshot.")
    limits.append("Readings and devices of other clinics were not tested.")
    return limits


def calibration_of(manifest: Manifest, settings: TrainingSettings, spec: PipelineSpec) -> dict[str, Any]:
    """How the probabilities of each network were calibrated, see `CalibrationRecord`.

    Args:
        manifest: The snapshot it learned from.
        settings: How it learned.
        spec: What it is, with its frozen calibration.
    """
    counts = label_counts(manifest.items, settings.protocol)
    offset = Calibration(1.0, log(counts.share_hsil / (1 - counts.share_hsil)))
    calibrations = {}
    for network, chosen in (("3ch", spec.calibration_3ch), ("4ch", spec.calibration_4ch)):
        is_offset = chosen.temperature == 1 and isclose(chosen.intercept, offset.intercept, abs_tol=1e-12)
        record = CalibrationRecord(
            method="offset" if is_offset else "penalised",
            temperature=chosen.temperature,
            intercept=chosen.intercept,
            share_hsil=counts.share_hsil,
            n_normal=counts.n_normal,
            n_hsil=counts.n_hsil,
        )
        calibrations[network] = asdict(record)
    return calibrations


def leaks_of(settings: TrainingSettings) -> list[str]:
    """What leaks by the way in which the model was trained; empty where nothing does."""
    if settings.protocol == "patient":
        return []
    return [
        "Protocol of Kim et al. 2022: images were augmented before they were split, so copies of one image stand on "
        "the training and on the test side. Its figures flatter the model."
    ]


def _limits_of_the_thresholds(counts: dict[str, Any], spec: PipelineSpec) -> list[str]:
    validated = counts["case_labels"]["validation"]
    if min(validated[Label.NORMAL], validated[Label.HSIL]) == 0:
        return [
            "The validation side does not hold both labels, so the thresholds were not chosen: they stand where a "
            "network says 0.5 before its calibration."
        ]
    decisions = {
        "3 channels": (spec.threshold_3ch, spec.calibration_3ch),
        "4 channels": (spec.threshold_4ch, spec.calibration_4ch),
    }
    limits = [
        f"No threshold that the rule allows told the validation cases apart better than chance with {network}, so that "
        "one was not chosen: it stands where the network says 0.5 before its calibration."
        for network, (threshold, calibration) in decisions.items()
        if threshold == apply_calibration(FALLBACK_THRESHOLD, calibration)
    ]
    n_validated = validated[Label.NORMAL] + validated[Label.HSIL]
    if n_validated < FEW_CASES:
        limits.append(f"The thresholds were chosen on {n_validated} cases; another split would choose others.")
    return limits


def _channel_sentence(settings: TrainingSettings) -> str:
    if settings.protocol == "paper":
        return (
            "On images whose masks the segmenter learned from, its fourth channel is better than on new images. "
            "The 4-channel network learned from both kinds and may trust the channel too much."
        )
    return (
        f"The 4-channel network learned from channels that were made out of {settings.folds} folds, by segmenters with "
        "fewer patients than the one it is used with: that one's channel is somewhat better than those it learned from."
    )


def _segmenter_text(spec: PipelineSpec) -> str:
    entry = SEGMENTERS[spec.segmenter]
    return f"{entry.title}, {spec.segnet_width:g} of its width" if entry.scalable else entry.title


def _masks_sentence(manifest: Manifest, counts: dict[str, Any]) -> str:
    who = None if manifest.mask_annotator_id is None else f"person {manifest.mask_annotator_id}"
    origins = ", ".join(f"{count['total']} {origin}" for origin, count in counts["masks_by_origin"].items())
    return (
        f"Its segmenter learned from and is judged on {mask_policy_text(manifest.mask_policy, who)} ({origins}); "
        "against other masks it would do otherwise."
    )


def _limits_of_the_test_side(counts: dict[str, Any]) -> list[str]:
    limits = []
    tested = counts["case_labels"]["test"]
    n_tested = tested[Label.NORMAL] + tested[Label.HSIL]
    if n_tested == 0:
        limits.append("No labelled case was kept for testing, so nothing is known of its calls.")
    elif min(tested[Label.NORMAL], tested[Label.HSIL]) == 0:
        limits.append("The test side does not hold both labels, so sensitivity or specificity is not known.")
    elif n_tested < FEW_CASES:
        limits.append(
            f"The test side holds {n_tested} labelled cases of {counts['patients']['test']} patients: "
            "read the intervals, not the figures."
        )
    if counts["masks"]["test"] == 0:
        limits.append("No mask was kept for testing, so nothing is known of its segmentation.")
    return limits


def _mask_origins(manifest: Manifest) -> dict[str, int]:
    origins = Counter(str(item.mask_origin) for item in manifest.of(Split.TRAIN) if item.mask_origin is not None)
    return dict(sorted(origins.items()))
