import pytest

from colpo_core.records.training.stages import (
    ARMS,
    CLASSIFICATION_3CH,
    CLASSIFICATION_4CH,
    EVALUATION,
    PREDICTED,
    SEGMENTATION,
    THREE,
    arm_runs,
    arm_stage,
    fold_stage,
    n_folds,
)
from colpo_core.terms import Split
from colpo_core.training.stages import stage_passes, stage_shares
from tests.support.blobs import blobs, tiny


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"comparison_seeds": 3, "folds": 4},
        {"protocol": "paper", "comparison_seeds": 3},
        {"segmenter": "unet_resnet34"},
    ],
)
def test_the_shares_follow_each_other_and_fill_the_whole(changes: dict[str, object]) -> None:
    settings = tiny(**changes)
    shares = stage_shares(blobs((4, 2, 2)).manifest, settings)
    bounds = list(shares.values())
    assert bounds[0][0] == 0.0
    assert bounds[-1][1] == 1.0
    assert [start for start, _ in bounds[1:]] == [end for _, end in bounds[:-1]]
    assert all(start < end for start, end in bounds)
    assert sum(end - start for start, end in bounds) == pytest.approx(1.0)


def test_every_stage_of_a_run_has_a_share_and_a_name_of_its_own() -> None:
    settings = tiny(comparison_seeds=3, folds=3)
    stages = [
        SEGMENTATION,
        *(fold_stage(fold, 3) for fold in range(3)),
        *(arm_stage(arm, run) for arm, run in arm_runs(settings)),
        EVALUATION,
    ]
    assert len(set(stages)) == len(stages) == 1 + 3 + 3 * len(ARMS) + 1
    assert list(stage_shares(blobs((4, 2, 2)).manifest, settings)) == stages


def test_the_pipelines_own_classifiers_come_first() -> None:
    runs = arm_runs(tiny(comparison_seeds=2))
    assert [arm_stage(*run) for run in runs[:2]] == [CLASSIFICATION_3CH, CLASSIFICATION_4CH]
    assert sorted(runs) == sorted((arm, run) for arm in ARMS for run in (0, 1))
    assert arm_stage(THREE, 1) == "comparison, colours alone, seed 2"


def test_the_papers_protocol_compares_once_and_has_no_folds() -> None:
    settings = tiny(protocol="paper", comparison_seeds=5)
    assert arm_runs(settings) == [(THREE, 0), (PREDICTED, 0)]
    assert (n_folds(settings), n_folds(tiny(folds=4))) == (0, 4)
    assert list(stage_shares(blobs((4, 2, 2)).manifest, settings)) == [
        SEGMENTATION,
        CLASSIFICATION_3CH,
        CLASSIFICATION_4CH,
        EVALUATION,
    ]


def test_the_shares_follow_the_work() -> None:
    few = blobs((4, 2, 2)).manifest

    def taken(**changes: object) -> float:
        start, end = stage_shares(few, tiny(**changes))[SEGMENTATION]
        return end - start

    assert taken(segnet_width=1.0, segmentation_epochs=10) > 0.3
    assert taken(segmentation_epochs=10) > taken(segmentation_epochs=1)
    assert taken(segnet_width=1.0) > taken(segnet_width=0.1)
    alone = blobs((4, 0, 0)).manifest
    assert not alone.of(Split.TEST)
    assert stage_shares(alone, tiny())[EVALUATION][1] == 1.0


def test_a_mean_over_mirror_images_looks_four_times() -> None:
    manifest = blobs((4, 2, 2)).manifest
    once, often = (stage_passes(manifest, tiny(average_flips=average))[EVALUATION] for average in (False, True))
    assert often.segmenter_judged == 4 * once.segmenter_judged
    assert often.classifier_judged == once.classifier_judged
