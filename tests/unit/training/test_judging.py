import json

import numpy as np
import pytest
import torch

from colpo_core.errors import JobCancelled
from colpo_core.evaluation.masks import mask_figures
from colpo_core.evaluation.probabilities import Judged
from colpo_core.nets.pipeline import Pipeline, build_pipeline
from colpo_core.nets.spec import PipelineSpec
from colpo_core.terms import Label, LabelSource, Split
from colpo_core.training.judging import Judgement, judge_pipeline, metrics_of
from colpo_core.training.watch import Watch
from tests.blobs import Blobs, blobs

N, H = Label.NORMAL, Label.HSIL


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = build_pipeline(PipelineSpec(segnet_width=0.1, height_px=64, width_px=96))
    return made.to(memory_format=torch.channels_last).eval()


@pytest.fixture(scope="module")
def some() -> Blobs:
    return blobs((0, 0, 3), labels=[N, H, None])


def watch(stop_after: int = 10**9) -> Watch:
    asked = iter(range(10**9))
    made = Watch(lambda event: None, lambda: next(asked) >= stop_after)
    made.begin("evaluation", epochs_total=1, share=(0.0, 1.0), message="")
    return made


def judge(pipeline: Pipeline, some: Blobs, **changes: Watch) -> Judgement:
    return judge_pipeline(
        pipeline,
        some.manifest.of(Split.TEST),
        load_image=some.load_image,
        load_mask=some.load_mask,
        watch=changes.get("watch", watch()),
        share=(0.0, 1.0),
    )


def test_it_judges_what_inference_will_say(pipeline: Pipeline, some: Blobs) -> None:
    predict = pytest.importorskip("colpo_core.inference.predict")
    found = judge(pipeline, some)
    assert (len(found.masks), len(found.judged_3ch), len(found.judged_4ch)) == (3, 2, 2)
    for place, item in enumerate(some.manifest.of(Split.TEST)):
        said = predict.predict_image(pipeline, some.load_image(item.image_sha256), with_maps=False)
        assert found.masks[place] == mask_figures(some.masks[str(item.mask_sha256)], said.mask)
        if item.label is not None:
            assert found.judged_3ch[place].prob_hsil == pytest.approx(said.prob_hsil_3ch, abs=1e-6)
            assert found.judged_4ch[place].prob_hsil == pytest.approx(said.prob_hsil_4ch, abs=1e-6)


def test_judging_can_be_stopped(pipeline: Pipeline, some: Blobs) -> None:
    with pytest.raises(JobCancelled):
        judge(pipeline, some, watch=watch(stop_after=2))


def test_figures_are_by_image_and_by_case_and_paired() -> None:
    truth = np.zeros((4, 4), dtype=bool)
    truth[0] = True
    three = [Judged(1, 1, H, 0.9), Judged(1, 1, H, 0.2), Judged(2, 2, N, 0.1), Judged(3, 3, N, 0.8)]
    four = [Judged(1, 1, H, 0.9), Judged(1, 1, H, 0.7), Judged(2, 2, N, 0.3), Judged(3, 3, N, 0.2)]
    judgement = Judgement([mask_figures(truth, truth)], [1], three, four)
    spec = PipelineSpec(threshold_3ch=0.5, threshold_4ch=0.25)
    metrics = metrics_of(judgement, spec, label_source=LabelSource.IMPRESSION, seed=0)
    assert metrics["segmentation"]["iou_acetowhite"]["value"] == 1.0
    image, case = metrics["classification_3ch"]["image"], metrics["classification_3ch"]["case"]
    assert (image["n"], image["n_patients"], image["clustered"]) == (4, 3, True)
    assert (case["n"], case["clustered"], case["interval"]) == (3, False, "Wilson")
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
    json.dumps(metrics, allow_nan=False)


def test_an_empty_side_has_figures_that_are_not_defined() -> None:
    metrics = metrics_of(Judgement([], [], [], []), PipelineSpec(), label_source=LabelSource.HISTOLOGY, seed=0)
    assert metrics["classification_3ch"]["case"]["auc"]["value"] is None
    assert metrics["segmentation"]["n_images"] == 0
    json.dumps(metrics, allow_nan=False)
