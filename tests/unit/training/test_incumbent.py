import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from colpo_core.errors import CheckpointMismatch, JobCancelled
from colpo_core.evaluation.judged import Judged
from colpo_core.evaluation.masks import mask_figures
from colpo_core.inference.predict import predict_image
from colpo_core.nets.checkpoint import load_checkpoint
from colpo_core.nets.spec import PipelineSpec
from colpo_core.terms import Label, Split
from colpo_core.training.incumbent import Incumbent, compare_with_incumbent
from colpo_core.training.judging import PipelineResults
from colpo_core.training.progress import ProgressReporter
from tests.support.blobs import Blobs, blobs
from tests.support.pipelines import save_untrained
from tests.support.training_runs import quiet_progress, stopping_after

SPEC = PipelineSpec(segnet_width=0.05, height_px=64, width_px=64, threshold_4ch=0.4)


@pytest.fixture(scope="module")
def some() -> Blobs:
    return blobs((0, 0, 8))


@pytest.fixture(scope="module")
def current(tmp_path_factory: pytest.TempPathFactory) -> Incumbent:
    folder = tmp_path_factory.mktemp("checkpoints") / "current"
    return Incumbent(folder, "current", save_untrained(folder, SPEC), frozenset(), frozenset())


def judgement(some: Blobs, *, right: bool = True) -> PipelineResults:
    """What a new model said that is always right, or always wrong."""
    items = some.manifest.items
    rows = [
        Judged(it.patient_id, it.case_id, it.label, 0.9 if (it.label is Label.HSIL) == right else 0.1, it.image_id)
        for it in items
        if it.label is not None
    ]
    truths = [some.masks[str(item.mask_sha256)] for item in items]
    return PipelineResults(
        masks=[mask_figures(truth, truth if right else np.zeros_like(truth)) for truth in truths],
        mask_images=[item.image_id for item in items],
        mask_patients=[item.patient_id for item in items],
        judged_3ch=rows,
        judged_4ch=rows,
    )


@pytest.fixture
def learned(current: Incumbent, some: Blobs) -> Incumbent:
    """It has learned from the first patient and from the second image."""
    first, second, *_ = some.manifest.items
    patients, images = frozenset({first.patient_id}), frozenset({second.image_sha256})
    return replace(current, learned_patients=patients, learned_images=images)


def compare(
    incumbent: Incumbent,
    some: Blobs,
    judged: PipelineResults | None = None,
    *,
    progress: ProgressReporter | None = None,
) -> dict[str, Any]:
    return compare_with_incumbent(
        incumbent,
        judged or judgement(some),
        PipelineSpec(),
        some.manifest.of(Split.TEST),
        source=some,
        device=torch.device("cpu"),
        progress=progress or quiet_progress(),
    )


def test_it_knows_its_patients_and_its_images(learned: Incumbent, some: Blobs) -> None:
    first, second, third, *_ = some.manifest.items
    assert learned.knows(first)
    assert learned.knows(replace(first, image_sha256="a" * 64)), "another image of a patient it knows"
    assert learned.knows(second)
    assert learned.knows(replace(second, patient_id=99)), "the same image under another patient"
    assert not learned.knows(third)


def test_both_models_are_held_against_each_other_on_what_neither_has_learned_from(
    current: Incumbent, learned: Incumbent, some: Blobs
) -> None:
    rest = some.manifest.items[2:]
    found = compare(learned, some)
    assert (found["name"], found["sha256"]) == ("current", current.sha256)
    assert (found["n_images"], found["n_left_out"]) == (6, 2)
    assert found["calls"]["n"] == found["dice"]["n_images"] == 6
    pipeline, _ = load_checkpoint(current.folder)
    said = [predict_image(pipeline, some.load_image(item.image_sha256), with_maps=False) for item in rest]
    old_dice = [
        mask_figures(some.masks[str(item.mask_sha256)], one.mask).dice for item, one in zip(rest, said, strict=True)
    ]
    assert found["dice"]["value"] == pytest.approx(1 - np.mean([dice for dice in old_dice if dice is not None]))
    right = [(one.call_4ch is item.label) for item, one in zip(rest, said, strict=True)]
    assert found["calls"]["first"]["accuracy"]["value"] == pytest.approx(np.mean(right))
    assert found["calls"]["second"]["accuracy"]["value"] == 1.0
    assert found["worse"] == []
    json.dumps(found, allow_nan=False)


def test_what_is_worse_beyond_its_interval_is_said(current: Incumbent, some: Blobs) -> None:
    worse = compare(current, some, judgement(some, right=False))
    assert worse["dice"]["value"] < 0
    assert any(sentence.startswith("Dice of the mask -") and " to " in sentence for sentence in worse["worse"])


def test_where_it_knows_everything_nothing_is_claimed(current: Incumbent, some: Blobs) -> None:
    learned = replace(current, learned_patients=frozenset(item.patient_id for item in some.manifest.items))
    found = compare(learned, some, judgement(some, right=False))
    assert (found["n_images"], found["n_left_out"]) == (0, 8)
    assert found["calls"]["auc"]["value"] is None
    assert found["dice"]["value"] is None
    assert found["worse"] == []


def test_images_without_a_label_or_a_mask_count_for_what_they_have(current: Incumbent) -> None:
    some = blobs((0, 0, 6), labels=[Label.NORMAL, Label.HSIL, None])
    found = compare(current, some)
    assert (found["n_images"], found["calls"]["n"], found["dice"]["n_images"]) == (6, 4, 6)
    bare = blobs((0, 0, 4), masks=False)
    without = replace(judgement(blobs((0, 0, 4))), masks=[], mask_images=[], mask_patients=[])
    found = compare(current, bare, without)
    assert (found["calls"]["n"], found["dice"]["value"]) == (4, None)


def test_another_checkpoint_in_its_place_is_refused_and_it_can_be_stopped(current: Incumbent, some: Blobs) -> None:
    with pytest.raises(CheckpointMismatch, match="another checkpoint"):
        compare(replace(current, sha256="0" * 64), some)
    with pytest.raises(JobCancelled):
        compare(current, some, progress=quiet_progress(stopping_after(2)))
