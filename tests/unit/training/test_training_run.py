from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from colpo_core.datasets.image_sets import ImageSet
from colpo_core.errors import JobFailed
from colpo_core.nets.registry import build_classifier, build_segmenter
from colpo_core.terms import Split
from colpo_core.training.incumbent import Incumbent
from colpo_core.training.judging import decide
from colpo_core.training.training_run import EvaluationSet, TrainingRun, headline
from tests.support.blobs import blobs, tiny
from tests.support.training_runs import opened


def sides(run: TrainingRun) -> dict[Split, EvaluationSet]:
    frames = run.trainer.frames
    return {
        split: EvaluationSet(ImageSet(tuple(frames.of(split))), ImageSet(tuple(frames.of(split))))
        for split in (Split.VALIDATION, Split.TEST)
    }


def test_a_set_is_judged_once_for_both_purposes_and_two_sets_for_one_each() -> None:
    one, other = ImageSet((1, 2)), ImageSet((3,))
    assert EvaluationSet(one, one).parts == [(one, True, True)]
    assert EvaluationSet(one, other).parts == [(one, True, False), (other, False, True)]


def test_empty_masks_are_refused_where_all_are_empty(tmp_path: Path) -> None:
    some = blobs((4, 1, 1))
    first, *_ = some.manifest.items
    bare = replace(some, masks={sha: np.zeros_like(mask) for sha, mask in some.masks.items()})
    with opened(bare, tmp_path / "a") as run, pytest.raises(JobFailed, match="Annotate images that show some"):
        run.require_acetowhite(ImageSet((0, 1, 2, 3)))
    masks = bare.masks | {str(first.mask_sha256): some.masks[str(first.mask_sha256)]}
    with opened(replace(some, masks=masks), tmp_path / "b") as run:
        run.require_acetowhite(ImageSet((0, 1)))
        with pytest.raises(JobFailed):
            run.require_acetowhite(ImageSet((1, 2)))


def test_decisions_are_frozen_on_validation_and_both_sides_judged_with_them(tmp_path: Path) -> None:
    with opened(blobs((2, 6, 6)), tmp_path) as run:
        pipeline = run.assemble(
            build_segmenter("segnet_vgg19", width=0.1),
            build_classifier("resnet18", in_channels=3),
            build_classifier("resnet18", in_channels=4),
        )
        assert not pipeline.training
        assert (pipeline.spec.height_px, pipeline.spec.segnet_width) == (64, 0.1)
        with torch.no_grad():
            raw = run._judge(pipeline, sides(run)[Split.VALIDATION], (0.0, 1.0))
        masks = run.trainer.frames.of(Split.TRAIN)
        blind = run.blind_reference(ImageSet(tuple(masks)))
        metrics = run.evaluate(pipeline, sides(run), blind)
    assert blind.n_masks == 2
    for side in (metrics, metrics["validation"]):
        beside = side["segmentation"]["blind"]
        own, mean = side["segmentation"]["iou_acetowhite"], beside["mean_mask"]["iou_acetowhite"]
        assert beside["difference"]["value"] == pytest.approx(own["value"] - mean["value"])
        assert (beside["difference"]["n_images"], beside["n_masks"]) == (6, 2)
    calibration, threshold = decide(raw.judged_4ch, rule="youden", share=0.5)
    assert (pipeline.spec.calibration_4ch, pipeline.spec.threshold_4ch) == (calibration, threshold)
    assert metrics["split"] == "test"
    assert metrics["segmentation"]["n_images"] == metrics["validation"]["segmentation"]["n_images"] == 6
    assert {row["image_id"] for row in metrics["predictions"]} == {90, 100, 110, 120, 130, 140}
    assert {row["image_id"] for row in metrics["validation"]["predictions"]} == {30, 40, 50, 60, 70, 80}
    assert metrics["against_current"] is None
    assert set(metrics["uncalibrated"]) == {"3ch", "4ch"}
    assert metrics["4ch"]["calibration"]["case"]["n"] == 6
    places = metrics["4ch"]["evidence"]
    assert places["padding"]["hsil"]["n_images"] == 0, "square images fill a square box"
    rim = places["rim_area"]
    assert (rim["low"], rim["n_patients"], rim["n_images"]) == (None, 6, 6)
    assert rim["value"] == pytest.approx(0.19)
    assert rim["missing"] == "6 patients, who all say the same"
    assert metrics["evidence"]["n_images"] == 6
    assert set(metrics["evidence"]["expert"]) == {"normal", "hsil"}
    assert [line["layers"] for line in metrics["forgetting"]["4ch"]][:2] == ["resnet.fc", "resnet.layer4"]
    assert "forgetting" not in metrics["validation"]


@pytest.mark.parametrize(("protocol", "compares"), [("patient", True), ("paper", False)])
def test_the_current_model_is_compared_on_the_test_side_by_patients_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str, compares: bool
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(
        "colpo_core.training.training_run.compare_with_incumbent",
        lambda incumbent, judgement, spec, items, **rest: asked.append(items) or {"name": incumbent.name},
    )
    incumbent = Incumbent(tmp_path, "current", "0" * 64, frozenset(), frozenset())
    some = blobs((4, 2, 2))
    with opened(some, tmp_path, tiny(protocol=protocol)) as run:
        against = replace(run, incumbent=incumbent)._against_current(None, None)  # type: ignore[arg-type]
    assert against == ({"name": "current"} if compares else None)
    assert asked == ([some.manifest.of(Split.TEST)] if compares else [])


def test_the_headline_leaves_out_what_is_not_defined() -> None:
    block = {"case": {"auc": {"value": 0.75}}}
    metrics = {
        "segmentation": {"iou_acetowhite": {"value": None}},
        "classification_3ch": block,
        "classification_4ch": {"case": {"auc": {"value": 0.5}}},
    }
    assert headline(metrics) == {"test_auc_3ch": 0.75, "test_auc_4ch": 0.5}
