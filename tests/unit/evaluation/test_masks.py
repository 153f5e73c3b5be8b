import json
from dataclasses import asdict, astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colpo_core.evaluation.intervals import exact_share
from colpo_core.evaluation.masks import mask_figures, segmentation_figures
from colpo_core.evaluation.outlines import outline_distance_px
from colpo_core.records.statistics.figures import MaskFigures, PatientMaskFigures


def mask(*rows: str) -> np.ndarray:
    return np.asarray([[cell == "#" for cell in row] for row in rows])


def test_figures_by_hand() -> None:
    figures = mask_figures(mask("##..", "##.."), mask("#.#.", "#..."))
    # found 2, missed 2, wrong 1, left 3
    assert figures.iou_acetowhite == pytest.approx(2 / 5)
    assert figures.iou_background == pytest.approx(3 / 6)
    assert figures.accuracy_acetowhite == pytest.approx(2 / 4)
    assert figures.accuracy_background == pytest.approx(3 / 4)
    assert figures.dice == pytest.approx(4 / 7)
    assert figures.false_area is None
    # agreeing 5 of 8; by chance (4 * 3 + 4 * 5) of 64
    assert figures.kappa == pytest.approx((5 / 8 - 1 / 2) / (1 - 1 / 2))


def test_an_empty_annotation_is_kept_apart() -> None:
    figures = mask_figures(mask("....", "...."), mask("#...", "...."))
    assert (figures.iou_acetowhite, figures.accuracy_acetowhite, figures.dice) == (None, None, None)
    assert figures.false_area == pytest.approx(1 / 8)
    assert figures.iou_background == pytest.approx(7 / 8)
    assert (figures.hd95_px, figures.hd95_percent, figures.kappa) == (None, None, 0.0)
    untouched = mask_figures(mask(".."), mask(".."))
    assert (untouched.false_area, untouched.kappa) == (0.0, None)


def test_the_distance_is_that_of_the_outlines_and_its_share_of_the_diagonal() -> None:
    truth = np.zeros((30, 40), np.bool_)
    truth[5:15, 5:15] = True
    figures = mask_figures(truth, np.roll(truth, 6, axis=1))
    assert figures.hd95_px == outline_distance_px(truth, np.roll(truth, 6, axis=1)) == pytest.approx(6)
    assert figures.hd95_percent == pytest.approx(100 * 6 / 50)


def test_an_annotation_of_the_whole_image_has_no_background() -> None:
    figures = mask_figures(mask("##"), mask("##"))
    assert figures.iou_acetowhite == 1.0
    assert (figures.iou_background, figures.accuracy_background, figures.kappa) == (None, None, None)


def test_masks_must_fit_each_other() -> None:
    with pytest.raises(ValueError, match="one size"):
        mask_figures(mask("##"), mask("#"))
    with pytest.raises(ValueError, match="bool"):
        mask_figures(mask("##"), mask("##").astype(np.uint8))  # type: ignore[arg-type]


def test_means_over_images_keep_the_empty_ones_out_of_the_overlap() -> None:
    found = [
        mask_figures(mask("##", ".."), mask("##", "..")),
        mask_figures(mask("##", ".."), mask("..", "..")),
        mask_figures(mask("..", ".."), mask("#.", "..")),
        mask_figures(mask("..", ".."), mask("..", "..")),
    ]
    figures = segmentation_figures(found, [1, 1, 2, 3], [10, 11, 20, 30])
    assert figures.iou_acetowhite.value == pytest.approx(0.5)
    assert (figures.iou_acetowhite.n_images, figures.iou_acetowhite.n_patients) == (2, 1)
    assert (figures.kappa.value, figures.kappa.n_images) == (0.5, 2)
    assert (figures.hd95_percent.value, figures.hd95_percent.n_images) == (0.0, 1)
    assert figures.false_area.value == pytest.approx(0.125)
    assert (figures.n_images, figures.n_images_without_acetowhite) == (4, 2)
    assert figures.n_clean_without_acetowhite == exact_share(1, 2)
    assert figures.iou_background.n_patients == 3
    assert [(one.image_id, one.patient_id) for one in figures.by_image] == [(10, 1), (11, 1), (20, 2), (30, 3)]
    assert [one.figures for one in figures.by_image] == found
    assert figures.by_patient == (
        PatientMaskFigures(patient_id=1, n_images=2, iou_acetowhite=0.5, dice=0.5),
        PatientMaskFigures(patient_id=2, n_images=1, iou_acetowhite=None, dice=None),
        PatientMaskFigures(patient_id=3, n_images=1, iou_acetowhite=None, dice=None),
    )
    json.dumps(asdict(figures), allow_nan=False)


def test_images_need_not_be_named() -> None:
    figures = segmentation_figures([mask_figures(mask("#."), mask("#."))], [4])
    assert [(one.image_id, one.patient_id) for one in figures.by_image] == [(None, 4)]
    with pytest.raises(ValueError, match="as many patients and images"):
        segmentation_figures([mask_figures(mask("#."), mask("#."))], [4], [1, 2])


@settings(deadline=None, max_examples=50)
@given(st.permutations(range(6)))
def test_the_order_of_images_does_not_matter(order: list[int]) -> None:
    chance = np.random.default_rng(4)
    found = [mask_figures(chance.random((6, 6)) < 0.5, chance.random((6, 6)) < 0.5) for _ in range(6)]
    patients = [1, 1, 2, 3, 3, 4]
    plain = segmentation_figures(found, patients)
    turned = segmentation_figures([found[n] for n in order], [patients[n] for n in order])
    for name in ("iou_acetowhite", "dice", "hd95_percent", "kappa"):
        assert astuple(getattr(plain, name)) == pytest.approx(astuple(getattr(turned, name)))
    assert sorted(one.patient_id for one in turned.by_patient) == [1, 2, 3, 4]


def test_intervals_come_from_patients() -> None:
    generator = np.random.default_rng(0)
    values = [MaskFigures(v, v, v, v, v, None, v, v, v) for v in np.repeat(generator.uniform(0.2, 0.8, 12), 5)]
    clustered = segmentation_figures(values, np.repeat(np.arange(12), 5).tolist()).iou_acetowhite
    naive = segmentation_figures(values, range(60)).iou_acetowhite
    assert clustered.high - clustered.low > 1.5 * (naive.high - naive.low)  # type: ignore[operator]


def test_nothing_to_compare_is_not_defined() -> None:
    figures = segmentation_figures([], [])
    assert figures.iou_acetowhite.value is None
    assert (figures.n_images, figures.n_clean_without_acetowhite.n, figures.by_patient) == (0, 0, ())
    with pytest.raises(ValueError, match="patients"):
        segmentation_figures([], [1])
