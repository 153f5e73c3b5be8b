import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch

from colpo_core.datasets.image_sets import ImageSet
from colpo_core.errors import JobCancelled
from colpo_core.evaluation.calibration import apply_calibration
from colpo_core.evaluation.judged import Judged
from colpo_core.evaluation.masks import mask_figures
from colpo_core.evaluation.probabilities import EXACT
from colpo_core.evaluation.roc import choose_threshold
from colpo_core.inference.predict import predict_image
from colpo_core.nets.gradcam import pipeline_maps
from colpo_core.nets.pipeline import Pipeline
from colpo_core.nets.spec import PipelineSpec
from colpo_core.records.statistics.figures import Estimate
from colpo_core.terms import Label, LabelSource, Split
from colpo_core.training.judging import (
    PipelineResults,
    calibrated,
    calibration_before,
    decide,
    freeze_decisions,
    judge_pipeline,
    metrics_of,
    with_calibration,
)
from colpo_core.training.progress import ProgressReporter
from tests.support.blobs import Blobs, batches_of, blobs
from tests.support.cohorts import judged_alone
from tests.support.pipelines import untrained
from tests.support.training_runs import quiet_progress, stopping_after

N, H = Label.NORMAL, Label.HSIL


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return untrained(PipelineSpec(segnet_width=0.1, height_px=64, width_px=96))


@pytest.fixture(scope="module")
def some() -> Blobs:
    return blobs((0, 0, 3), labels=[N, H, None])


def judge(
    pipeline: Pipeline, some: Blobs, folder: Path, *, reporter: ProgressReporter | None = None, **what: bool
) -> PipelineResults:
    frames = some.frames(folder, width_px=96)
    return judge_pipeline(
        pipeline,
        frames,
        batches_of(frames),
        ImageSet(tuple(frames.of(Split.TEST))),
        source=some,
        batch_size=2,
        progress=reporter or quiet_progress(),
        share=(0.0, 1.0),
        **what,
    )


def test_it_judges_what_inference_will_say(pipeline: Pipeline, some: Blobs, tmp_path: Path) -> None:
    found = judge(pipeline, some, tmp_path)
    assert (len(found.masks), len(found.judged_3ch), len(found.judged_4ch)) == (3, 2, 2)
    for place, item in enumerate(some.manifest.of(Split.TEST)):
        said = predict_image(pipeline, some.load_image(item.image_sha256), with_maps=False)
        assert (found.mask_images[place], found.mask_patients[place]) == (item.image_id, item.patient_id)
        assert found.masks[place] == mask_figures(some.masks[str(item.mask_sha256)], said.mask)
        if item.label is not None:
            assert found.judged_3ch[place].prob_hsil == pytest.approx(said.prob_hsil_3ch, abs=1e-6)
            assert found.judged_4ch[place].prob_hsil == pytest.approx(said.prob_hsil_4ch, abs=1e-6)


def test_evidence_in_the_bars_is_counted_before_they_are_cut_off(
    pipeline: Pipeline, some: Blobs, tmp_path: Path
) -> None:
    """Square images in a box of 64 x 96: bars of 16 on either side, a third of the box."""
    found = judge(pipeline, some, tmp_path)
    frames = some.frames(tmp_path, width_px=96)
    assert len(found.places) == 3
    for (places, patient), member in zip(found.places, frames.of(Split.TEST), strict=True):
        assert patient == frames.items[member].patient_id
        assert places.padding_area == pytest.approx(1 / 3)
        with torch.inference_mode():
            output = pipeline(batches_of(frames).plain([member]).images)
        for name, cells in pipeline_maps(pipeline, output).items():
            enlarged = np.kron(cells[0], np.ones((64 // cells.shape[1], 96 // cells.shape[2])))
            if enlarged.sum() == 0:
                assert places.maps[name] is None
                continue
            outside = 1 - enlarged[:, 16:80].sum() / enlarged.sum()
            assert places.maps[name].padding == pytest.approx(outside, abs=1e-5)
    metrics = metrics_of(found, pipeline.spec, label_source=LabelSource.HISTOLOGY, seed=0)
    for network in ("3ch", "4ch"):
        block = metrics[network]["evidence"]
        assert set(block) == {"lesion_excess", "padding", "padding_area", "rim", "rim_area"}
        assert set(block["padding"]) == set(block["rim"]) == {"hsil", "normal"}
        estimate = {field.name for field in fields(Estimate)}
        assert set(block["lesion_excess"]) == set(block["padding"]["hsil"]) == set(block["rim"]["normal"]) == estimate
        assert block["padding_area"]["value"] == pytest.approx(1 / 3)


def test_judging_can_be_stopped(pipeline: Pipeline, some: Blobs, tmp_path: Path) -> None:
    with pytest.raises(JobCancelled):
        judge(pipeline, some, tmp_path, reporter=quiet_progress(stopping_after(2)))


def test_masks_or_labels_can_be_left_out(pipeline: Pipeline, some: Blobs, tmp_path: Path) -> None:
    masks = judge(pipeline, some, tmp_path, on_labels=False)
    labels = judge(pipeline, some, tmp_path, on_masks=False)
    assert (len(masks.masks), masks.judged_3ch, masks.judged_4ch) == (3, [], [])
    assert (labels.masks, labels.mask_images, labels.mask_patients, len(labels.judged_3ch)) == ([], [], [], 2)
    both = masks.with_those_of(labels)
    assert (both.masks, both.judged_4ch) == (masks.masks, labels.judged_4ch)


def rows(*prob_hsil: float) -> list[Judged]:
    """Half of them normal, then half hsil."""
    half = len(prob_hsil) // 2
    return judged_alone([N] * half + [H] * half, prob_hsil)


def test_decisions_are_frozen_for_each_network_by_itself() -> None:
    three, four = rows(0.1, 0.2, 0.3, 0.4, 0.6, 0.35), rows(0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
    chosen = PipelineResults([], [], [], three, four)
    spec = freeze_decisions(PipelineSpec(), chosen, rule="youden", share=0.2)
    assert (spec.calibration_3ch, spec.threshold_3ch) == decide(three, rule="youden", share=0.2)
    assert (spec.calibration_4ch, spec.threshold_4ch) == decide(four, rule="youden", share=0.2)
    said = calibrated(chosen, spec)
    assert said.judged_3ch == with_calibration(three, spec.calibration_3ch)
    assert [row.prob_hsil for row in said.judged_4ch] == [
        apply_calibration(row.prob_hsil, spec.calibration_4ch) for row in four
    ]
    # Perfectly ranked: the threshold still parts them once both are calibrated.
    assert all((row.prob_hsil >= spec.threshold_4ch) == (row.label is H) for row in said.judged_4ch)


@pytest.mark.parametrize("share", [0.03, 0.27, 0.5])
@pytest.mark.parametrize("rule", ["youden", "sensitivity_90"])
def test_a_calibration_changes_no_call_of_an_image(share: float, rule: str) -> None:
    chance = np.random.default_rng(0)
    found = rows(*chance.uniform(0.05, 0.7, 40), *chance.uniform(0.3, 1.0, 40), 1.0, 1 - 1e-16)
    before = choose_threshold([row.label for row in found], [row.prob_hsil for row in found], rule)
    calibration, threshold = decide(found, rule=rule, share=share)
    after = with_calibration(found, calibration)
    assert [row.prob_hsil >= threshold for row in after] == [row.prob_hsil >= before for row in found]
    assert np.mean([row.prob_hsil for row in after]) == pytest.approx(share, abs=0.15)


def test_where_no_threshold_can_be_chosen_it_stands_where_both_labels_are_equally_likely_in_the_lesson() -> None:
    _, threshold = decide([], rule="youden", share=0.03)
    assert threshold == pytest.approx(0.03), "0.5 would call nobody HSIL where HSIL is rare"
    wrong = rows(0.9, 0.8, 0.7, 0.1, 0.2, 0.3)
    calibration, threshold = decide(wrong, rule="youden", share=0.03)
    assert threshold == apply_calibration(0.5, calibration) < 0.1


def test_what_the_calibration_changed_is_kept_beside() -> None:
    before = calibration_before(PipelineResults([], [], [], rows(0.0, 1.0), rows(0.5, 0.5)), seed=0)
    assert before["3ch"]["brier"]["value"] == pytest.approx(0.0)
    assert before["4ch"]["brier"]["value"] == pytest.approx(0.25)
    assert before["4ch"]["calibration"]["case"]["mean_prob"] == pytest.approx(0.5)
    assert set(before["3ch"]) == {"brier", "ece", "reliability", "calibration"}
    assert [one["mean_prob"] for one in before["4ch"]["reliability"]["image"]] == [0.5]


def test_figures_are_by_image_and_by_case_and_paired() -> None:
    truth = np.zeros((4, 4), dtype=bool)
    truth[0] = True
    three = [Judged(1, 1, H, 0.9), Judged(1, 1, H, 0.2), Judged(2, 2, N, 0.1), Judged(3, 3, N, 0.8)]
    four = [Judged(1, 1, H, 0.9), Judged(1, 1, H, 0.7), Judged(2, 2, N, 0.3), Judged(3, 3, N, 0.2)]
    judgement = PipelineResults([mask_figures(truth, truth)], [7], [1], three, four)
    spec = PipelineSpec(threshold_3ch=0.5, threshold_4ch=0.25)
    metrics = metrics_of(judgement, spec, label_source=LabelSource.IMPRESSION, seed=0)
    assert metrics["segmentation"]["iou_acetowhite"]["value"] == 1.0
    image, case = metrics["classification_3ch"]["image"], metrics["classification_3ch"]["case"]
    assert (image["n"], image["n_patients"], image["clustered"]) == (4, 3, True)
    assert (case["n"], case["clustered"], case["interval"]) == (3, False, EXACT)
    assert (image["sensitivity"]["k"], image["sensitivity"]["n"]) == (1, 2)
    assert (case["sensitivity"]["k"], case["sensitivity"]["n"]) == (1, 1)
    assert metrics["classification_4ch"]["case"]["specificity"]["k"] == 1
    assert metrics["paired"]["image"] == {
        "both_right": 1,
        "only_first_right": 1,
        "only_second_right": 2,
        "neither_right": 0,
        "label_source": "impression",
    }
    assert {case["label_source"], metrics["paired"]["case"]["label_source"]} == {"impression"}
    assert metrics["segmentation"]["by_image"][0]["image_id"] == 7
    assert set(metrics["repeatability"]) == {"3ch", "4ch"}
    assert [row["prob_hsil_4ch"] for row in metrics["predictions"]] == [0.9, 0.7, 0.3, 0.2]
    assert metrics["predictions"][1]["prob_hsil_3ch"] == 0.2
    json.dumps(metrics, allow_nan=False)


def test_an_empty_side_has_figures_that_are_not_defined() -> None:
    metrics = metrics_of(
        PipelineResults([], [], [], [], []), PipelineSpec(), label_source=LabelSource.HISTOLOGY, seed=0
    )
    assert metrics["classification_3ch"]["case"]["auc"]["value"] is None
    assert metrics["segmentation"]["n_images"] == 0
    json.dumps(metrics, allow_nan=False)
