"""Cards of checkpoints as this version writes them, and as earlier ones did."""

import json
from dataclasses import asdict
from functools import cache
from typing import Any

import numpy as np

from colpo_core.evaluation.blind import blind_reference
from colpo_core.evaluation.calibration import calibration_figures
from colpo_core.evaluation.evidence import evidence_figures, places_figures
from colpo_core.evaluation.judged import Judged, by_case
from colpo_core.evaluation.masks import blind_figures, blind_pair, mask_figures, segmentation_figures
from colpo_core.evaluation.paired import compare_arms
from colpo_core.evaluation.probabilities import probability_figures
from colpo_core.evaluation.repeatability import repeatability
from colpo_core.records.review.explanations import (
    EvidenceFigures,
    ImageEvidence,
    ImagePlaces,
    MapInMask,
    MapPlaces,
    PlacesFigures,
    Randomised,
)
from colpo_core.records.statistics.calibration import CalibrationRecord
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.terms import Label
from tests.support.clinic import make_card

ARMS = {
    "3ch": "colours alone",
    "predicted": "the predicted mask",
    "empty": "an empty channel",
    "shuffled": "the predicted mask of another patient",
    "expert": "the expert's mask",
}
PAIRS = (
    ("3ch", "predicted"),
    ("empty", "predicted"),
    ("shuffled", "predicted"),
    ("3ch", "expert"),
    ("predicted", "expert"),
)
VERDICT = "The predicted mask changed the AUC by +0.05 (-0.07 to +0.18; 24 patients): no difference is shown."
WORSE = "Its sensitivity is lower than that of the current model."
LEAK = "Copies of one image stand on the training and on the test side."


def new_card(**changes: Any) -> dict[str, Any]:
    """A card with all that a training writes; 24 patients with a case of two images each, 8 of them HSIL."""
    card: dict[str, Any] = json.loads(_text_of_new_card())
    return card | changes


@cache
def _text_of_new_card() -> str:
    card: dict[str, Any] = dict(make_card())
    sides = _metrics()
    card["metrics"] = sides | {
        "validation": sides,
        "uncalibrated": {network: _uncalibrated(sides, network) for network in ("3ch", "4ch")},
        "comparison": _comparison(),
        "against_current": _against(),
    }
    card |= {
        "name": "model-1",
        "sha256": "c" * 64,
        "settings": TrainingSettings().to_dict(),
        "protocol": "patient",
        "leaks": [],
        "parent": {"name": "model-0", "sha256": "b" * 64},
        "temperatures": {"3ch": 1.4, "4ch": 0.8, "chosen_on": "validation"},
        "calibration": {
            network: asdict(CalibrationRecord("penalised", temperature, -0.9, 0.27, 73, 27))
            for network, temperature in (("3ch", 1.4), ("4ch", 0.8))
        },
        "thresholds": {"3ch": 0.5, "4ch": 0.5, "mask": 0.5, "chosen_on": "validation", "rule": "Youden's index."},
    }
    return json.dumps(card)


def old_card() -> dict[str, Any]:
    """A card of an earlier version: without calibration, distributions, comparison, repeatability and protocol."""
    card: dict[str, Any] = json.loads(json.dumps(make_card()))
    for metrics in (card["metrics"], card["metrics"]["validation"]):
        for level in ("image", "case"):
            for network in ("3ch", "4ch"):
                for name in ("brier", "ece", "reliability", "roc"):
                    metrics[f"classification_{network}"][level].pop(name, None)
        block = metrics["segmentation"]
        values = [row["figures"]["iou_acetowhite"] for row in block.pop("by_image")]
        block["iou_acetowhite_by_image"] = values
        for name in ("by_patient", "hd95_percent", "kappa", "n_clean_without_acetowhite", "blind"):
            block.pop(name)
        for name in ("evidence", "forgetting", "3ch", "4ch"):
            metrics.pop(name, None)
    return card


def judged(gain: float, *, seed: int) -> list[Judged]:
    chance = np.random.default_rng(seed)
    rows = []
    for case in range(24):
        label = Label.NORMAL if case % 3 else Label.HSIL
        base = chance.normal(gain if label is Label.HSIL else -gain, 1)
        for number in range(2):
            prob_hsil = float(1 / (1 + np.exp(-(base + chance.normal(0, 0.5)))))
            rows.append(Judged(case, case, label, prob_hsil, image_id=2 * case + number))
    return rows


def _metrics() -> dict[str, Any]:
    chance = np.random.default_rng(0)
    lesion, none = np.zeros((12, 12), bool), np.zeros((12, 12), bool)
    lesion[3:9, 3:9] = True
    pairs = [(none if image % 5 == 4 else lesion) for image in range(15)]
    masks = [mask_figures(truth, np.roll(truth, int(chance.integers(-2, 3)), 0)) for truth in pairs]
    patients = [image // 3 for image in range(15)]
    reference = blind_reference([lesion, np.roll(lesion, 3, 1)], height_px=12, width_px=12)
    assert reference is not None
    blind = blind_figures(masks, [blind_pair(truth, reference) for truth in pairs], patients, reference)
    found: dict[str, Any] = {
        "segmentation": asdict(segmentation_figures(masks, patients, image_ids=list(range(15)), blind=blind)),
        "repeatability": {},
    }
    for network, rows in (("3ch", judged(0.5, seed=1)), ("4ch", judged(1.0, seed=2))):
        levels = {"image": rows, "case": by_case(rows)}
        found[f"classification_{network}"] = {
            level: asdict(probability_figures(some, threshold=0.5, resamples=50)) | {"label_source": "histology"}
            for level, some in levels.items()
        }
        found["repeatability"][network] = asdict(repeatability(rows, threshold=0.5))
        found[network] = {
            "calibration": {level: asdict(calibration_figures(some)) for level, some in levels.items()},
            "evidence": asdict(_places(network, chance)),
        }
    found["evidence"] = asdict(_evidence(chance))
    lines = (Randomised("resnet.fc", 0.4, 8, 0.1, 0.6), Randomised("resnet.conv1", -0.02, 8, -0.3, 0.3))
    found["forgetting"] = {network: [asdict(line) for line in lines] for network in ("3ch", "4ch")}
    return found


def _evidence(chance: np.random.Generator) -> EvidenceFigures:
    names = [f"{network}-{label}" for network in ("3ch", "4ch") for label in ("normal", "hsil")]

    def drawn() -> MapInMask:
        return MapInMask(float(chance.uniform(0.2, 0.9)), bool(chance.integers(2)))

    rows = [ImageEvidence(0.2, {name: drawn() for name in names}, hit_area=0.3) for _ in range(12)]
    return evidence_figures(rows, rows, [image // 3 for image in range(12)])


def _places(network: str, chance: np.random.Generator) -> PlacesFigures:
    names = [f"{network}-{label}" for label in ("normal", "hsil")]
    places = [
        ImagePlaces(0.25, 0.19, {name: MapPlaces(*(float(chance.uniform(0.1, 0.4)) for _ in "ab")) for name in names})
        for _ in range(12)
    ]
    lesions = [ImageEvidence(0.2, {f"{network}-hsil": MapInMask(0.5, is_hit=True)}, hit_area=0.3) for _ in range(12)]
    patients = [image // 3 for image in range(12)]
    return places_figures(network, lesions, patients, places, patients)


def _uncalibrated(sides: dict[str, Any], network: str) -> dict[str, Any]:
    block = sides[f"classification_{network}"]
    return {
        **{name: block["image"][name] for name in ("brier", "ece")},
        "calibration": sides[network]["calibration"],
        "reliability": {level: block[level]["reliability"] for level in ("image", "case")},
    }


def _difference(first: float, second: float) -> Any:
    return compare_arms(
        [by_case(judged(first, seed=run)) for run in (3, 4)],
        [by_case(judged(second, seed=run)) for run in (5, 6)],
        thresholds_first=[0.5, 0.5],
        thresholds_second=[0.5, 0.5],
    )


def _comparison() -> dict[str, Any]:
    difference = asdict(_difference(0.5, 1.0))
    return {
        "n_seeds": 2,
        "arms": {arm: {"name": name, **difference["first"]} for arm, name in ARMS.items()},
        "differences": [{**difference, "first": first, "second": second} for first, second in PAIRS],
        "verdict": VERDICT,
        "n_test_images": 48,
        "n_test_images_with_expert_mask": 15,
    }


def _against() -> dict[str, Any]:
    return {
        "name": "model-0",
        "sha256": "b" * 64,
        "n_images": 40,
        "n_left_out": 8,
        "calls": asdict(_difference(1.0, 0.5)),
        "dice": {"value": -0.03, "low": -0.06, "high": -0.01, "n_patients": 5, "n_images": 12},
        "worse": [WORSE],
    }
