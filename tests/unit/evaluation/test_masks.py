import numpy as np
import pytest

from colpo_core.evaluation.masks import mask_figures, segmentation_figures
from colpo_core.records.figures import MaskFigures


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


def test_an_empty_annotation_is_kept_apart() -> None:
    figures = mask_figures(mask("....", "...."), mask("#...", "...."))
    assert (figures.iou_acetowhite, figures.accuracy_acetowhite, figures.dice) == (None, None, None)
    assert figures.false_area == pytest.approx(1 / 8)
    assert figures.iou_background == pytest.approx(7 / 8)
    assert mask_figures(mask(".."), mask("..")).false_area == 0.0


def test_an_annotation_of_the_whole_image_has_no_background() -> None:
    figures = mask_figures(mask("##"), mask("##"))
    assert figures.iou_acetowhite == 1.0
    assert (figures.iou_background, figures.accuracy_background) == (None, None)


def test_masks_must_fit_each_other() -> None:
    with pytest.raises(ValueError, match="one size"):
        mask_figures(mask("##"), mask("#"))
    with pytest.raises(ValueError, match="bool"):
        mask_figures(mask("##"), mask("##").astype(np.uint8))  # type: ignore[arg-type]


def test_means_over_images_keep_the_empty_ones_out_of_the_overlap() -> None:
    figures = segmentation_figures(
        [
            mask_figures(mask("##", ".."), mask("##", "..")),
            mask_figures(mask("##", ".."), mask("..", "..")),
            mask_figures(mask("..", ".."), mask("#.", "..")),
        ],
        [1, 1, 2],
    )
    assert figures.iou_acetowhite.value == pytest.approx(0.5)
    assert (figures.iou_acetowhite.n_images, figures.iou_acetowhite.n_patients) == (2, 1)
    assert figures.false_area.value == pytest.approx(0.25)
    assert (figures.n_images, figures.n_images_without_acetowhite) == (3, 1)
    assert figures.iou_acetowhite_by_image == (0.0, 1.0)
    assert figures.iou_background.n_patients == 2


def test_intervals_come_from_patients() -> None:
    generator = np.random.default_rng(0)
    values = [MaskFigures(v, v, v, v, v, None) for v in np.repeat(generator.uniform(0.2, 0.8, 12), 5)]
    clustered = segmentation_figures(values, np.repeat(np.arange(12), 5).tolist()).iou_acetowhite
    naive = segmentation_figures(values, range(60)).iou_acetowhite
    assert clustered.high - clustered.low > 1.5 * (naive.high - naive.low)  # type: ignore[operator]


def test_nothing_to_compare_is_not_defined() -> None:
    figures = segmentation_figures([], [])
    assert figures.iou_acetowhite.value is None
    assert figures.n_images == 0
    with pytest.raises(ValueError, match="patients"):
        segmentation_figures([], [1])
