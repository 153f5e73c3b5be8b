import json
from dataclasses import replace
from datetime import UTC, datetime

from colpo_core.nets.spec import PipelineSpec
from colpo_core.terms import Label, LabelSource, MaskPolicy
from colpo_core.training.card import limits_of, make_card
from colpo_core.training.loop import Fitted
from tests.blobs import blobs, tiny


def test_a_card_says_what_made_it() -> None:
    manifest = blobs((4, 2, 2)).manifest
    card = make_card(
        manifest,
        tiny(seed=5),
        PipelineSpec(threshold_3ch=0.25, threshold_4ch=0.75),
        metrics={"split": "test"},
        fitted={"segmentation": Fitted(2, [{"train_loss": 1.0}])},
        key="k",
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
    assert card["history"]["segmentation"]["best_epoch"] == 2
    assert json.loads(json.dumps(card)) == card


def test_limits_say_what_not_to_conclude() -> None:
    said = " ".join(limits_of(blobs((4, 4, 4), label_source=LabelSource.IMPRESSION).manifest, tiny()))
    assert "All images are simulated" in said
    assert "colposcopic impressions, not histology" in said
    assert "4 labelled cases of 4 patients" in said
    assert "chosen on 4 cases" in said
    assert "fourth channel is better than on new images" in said
    assert "without pretrained weights" in said


def test_limits_name_what_the_test_side_lacks() -> None:
    said = " ".join(limits_of(blobs((4, 0, 0)).manifest, tiny(pretrained="imagenet")))
    assert "No labelled case was kept for testing" in said
    assert "No mask was kept for testing" in said
    assert "thresholds are 0.5, not chosen" in said
    assert "last epoch was kept" in said
    assert "without pretrained weights" not in said
    assert "impressions" not in said
    one_sided = " ".join(limits_of(blobs((4, 2, 1), labels=[Label.HSIL, Label.NORMAL]).manifest, tiny()))
    assert "does not hold both labels, so sensitivity or specificity" in one_sided


def test_a_card_says_which_masks_were_used() -> None:
    manifest = blobs((4, 2, 2)).manifest
    assert "judged on the newest mask of each image (8 simulated)" in " ".join(limits_of(manifest, tiny()))
    one = replace(manifest, mask_policy=MaskPolicy.ANNOTATOR, mask_annotator_id=7)
    assert "judged on the masks of person 7" in " ".join(limits_of(one, tiny()))
    staple = replace(manifest, mask_policy=MaskPolicy.STAPLE)
    assert "STAPLE of the annotators' masks" in " ".join(limits_of(staple, tiny()))
    bare = replace(manifest, items=tuple(replace(it, mask_sha256=None, mask_origin=None) for it in manifest.items))
    assert "Its segmenter" not in " ".join(limits_of(bare, tiny()))
