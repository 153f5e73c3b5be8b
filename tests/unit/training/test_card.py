import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch

from colpo_core.datasets.manifest import Manifest
from colpo_core.evaluation.calibration import apply_calibration
from colpo_core.nets.spec import PipelineSpec
from colpo_core.records.statistics.calibration import Calibration
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.terms import Label, LabelSource, MaskPolicy
from colpo_core.training.card import calibration_of, leaks_of, limits_of, make_card
from colpo_core.training.contract import FitResult
from colpo_core.training.hardware import plain_hardware
from colpo_core.training.incumbent import Incumbent
from tests.support.blobs import blobs, tiny
from tests.support.manifests import without_mask

CHOSEN = PipelineSpec(threshold_3ch=0.25, threshold_4ch=0.75)


def test_a_card_says_what_made_it() -> None:
    manifest = blobs((4, 2, 2)).manifest
    card = make_card(
        manifest,
        tiny(seed=5),
        CHOSEN,
        metrics={"split": "test"},
        fitted={"segmentation": FitResult(2, [{"train_loss": 1.0}])},
        key="k",
        hardware=plain_hardware(),
        incumbent=Incumbent(Path("old"), "old", "f" * 64, frozenset(), frozenset()),
        now=datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC),
    )
    assert card["name"] == f"2024-05-06-070809-resnet18-{manifest.sha256[:8]}"
    assert card["created_at"] == "2024-05-06T07:08:09+00:00"
    assert card["snapshot_sha256"] == manifest.sha256
    assert (card["label_source"], card["rules_version"], card["simulated"]) == ("histology", "kim-2022.1", True)
    assert (card["mask_policy"], card["mask_annotator_id"]) == ("newest", None)
    assert card["settings"]["seed"] == 5
    assert (card["thresholds"]["3ch"], card["thresholds"]["4ch"]) == (0.25, 0.75)
    assert card["trained_on"]["images"]["train"] == 4
    assert card["trained_on"]["mask_origins"] == {"simulated": 4}
    assert card["parent"] == {"name": "old", "sha256": "f" * 64}
    threads = torch.get_num_threads()
    assert card["computed_on"] == {"device": "cpu", "devices": 1, "precision": "fp32", "threads": threads}
    assert (card["protocol"], card["leaks"]) == ("patient", [])
    assert card["architecture"]["segmenter"] == "SegNet on VGG-19, 1 of its width"
    assert "out of 2 folds" in card["architecture"]["fourth_channel"]
    assert card["temperatures"] == {"3ch": 1.0, "4ch": 1.0, "chosen_on": "validation"}
    assert card["calibration"]["3ch"] == {
        "method": "offset",
        "temperature": 1.0,
        "intercept": 0.0,
        "share_hsil": 0.5,
        "n_normal": 3,
        "n_hsil": 3,
        "chosen_on": "validation",
    }
    assert card["history"]["segmentation"]["best_epoch"] == 2
    assert json.loads(json.dumps(card)) == card


def limits(manifest: Manifest, settings: TrainingSettings | None = None, spec: PipelineSpec = CHOSEN) -> str:
    return " ".join(limits_of(manifest, settings or tiny(), spec))


def test_limits_say_what_not_to_conclude() -> None:
    said = limits(blobs((4, 4, 4), label_source=LabelSource.IMPRESSION).manifest)
    assert "All images are simulated" in said
    assert "colposcopic impressions, not histology" in said
    assert "4 labelled cases of 4 patients" in said
    assert "chosen on 4 cases" in said
    assert "not chosen" not in said
    assert "channels that were made out of 2 folds" in said
    assert "augmented before" not in said
    assert "without pretrained weights" in said


def test_the_papers_protocol_says_that_it_leaks() -> None:
    settings = tiny(protocol="paper")
    (leak,) = leaks_of(settings)
    assert "copies of one image stand on the training and on the test side" in leak
    said = limits_of(blobs((4, 4, 4)).manifest, settings, CHOSEN)
    assert leak in said
    assert any("fourth channel is better than on new images" in sentence for sentence in said)
    assert not leaks_of(tiny())
    card = make_card(
        blobs((4, 4, 4)).manifest,
        settings,
        PipelineSpec(segmenter="unet_resnet34"),
        metrics={},
        fitted={},
        key="k",
        hardware=plain_hardware(),
    )
    assert (card["protocol"], card["leaks"], card["parent"]) == ("paper", [leak], None)
    assert card["architecture"]["segmenter"] == "U-Net on ResNet-34"
    assert "fold" not in card["architecture"]["fourth_channel"]


def test_limits_name_what_the_test_side_lacks() -> None:
    said = limits(blobs((4, 0, 0)).manifest, tiny(pretrained="imagenet"))
    assert "No labelled case was kept for testing" in said
    assert "No mask was kept for testing" in said
    assert "thresholds were not chosen: they stand where a network says 0.5 before its calibration" in said
    assert "last epoch was kept" in said
    assert "without pretrained weights" not in said
    assert "impressions" not in said
    one_sided = limits(blobs((4, 2, 1), labels=[Label.HSIL, Label.NORMAL]).manifest)
    assert "does not hold both labels, so sensitivity or specificity" in one_sided


def test_limits_name_the_network_whose_threshold_no_rule_could_choose() -> None:
    manifest = blobs((4, 4, 4)).manifest
    spec = replace(CHOSEN, threshold_4ch=apply_calibration(0.5, Calibration(1.3, -2.0)), temperature_4ch=1.3,
                   intercept_4ch=-2.0)  # fmt: skip
    (said,) = [one for one in limits_of(manifest, tiny(), spec) if "not chosen" in one]
    assert "better than chance with 4 channels, so that one was not chosen" in said


def test_a_card_says_for_which_share_of_hsil_its_probabilities_are_calibrated() -> None:
    some = blobs((8, 4, 40), labels=[Label.NORMAL, Label.NORMAL, Label.NORMAL, Label.HSIL, None])
    spec = PipelineSpec(temperature_3ch=1.5, intercept_3ch=-0.7)
    found = calibration_of(some.manifest, tiny(), spec)["3ch"]
    assert (found["n_normal"], found["n_hsil"]) == (9, 2), "the test side is not counted"
    assert found["share_hsil"] == pytest.approx(2 / 11)
    assert (found["method"], found["temperature"], found["intercept"]) == ("penalised", 1.5, -0.7)
    paper = calibration_of(some.manifest, tiny(protocol="paper"), spec)["3ch"]
    assert paper["n_normal"] + paper["n_hsil"] == 43, "copies of all sides are learned from"


def test_a_card_says_which_masks_were_used() -> None:
    manifest = blobs((4, 2, 2)).manifest
    assert "judged on the newest mask of each image (8 simulated)" in limits(manifest)
    one = replace(manifest, mask_policy=MaskPolicy.ANNOTATOR, mask_annotator_id=7)
    assert "judged on the masks of person 7" in limits(one)
    assert "STAPLE of the annotators' masks" in limits(replace(manifest, mask_policy=MaskPolicy.STAPLE))
    assert "Its segmenter" not in limits(replace(manifest, items=tuple(map(without_mask, manifest.items))))
