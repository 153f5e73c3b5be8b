"""Agreement of masks: intersection over union, Dice and accuracy of each class.

Source: Kim et al. 2022, "Evaluation": accuracy and IoU of acetowhite and background, as means over images with their
distribution.
"""

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

from colpo_core.evaluation.intervals import RESAMPLES, patient_bootstrap
from colpo_core.records.figures import Estimate, MaskFigures, SegmentationFigures


def mask_figures(truth: npt.NDArray[np.bool_], predicted: npt.NDArray[np.bool_]) -> MaskFigures:
    """Compare a predicted mask with the annotated one.

    Where no acetowhite epithelium is annotated, its IoU is 0 for one wrong pixel and undefined for none. Such an image
    tells something else: how much of it was wrongly called acetowhite. It is kept apart.

    Args:
        truth: HW bool, the annotated mask.
        predicted: HW bool of the same size.

    Raises:
        ValueError: The two are not masks of one size.
    """
    if truth.shape != predicted.shape or truth.ndim != 2 or truth.size == 0:
        raise ValueError(f"two masks of one size, not {truth.shape} and {predicted.shape}")
    if truth.dtype != np.bool_ or predicted.dtype != np.bool_:
        raise ValueError(f"masks are bool, not {truth.dtype} and {predicted.dtype}")
    found = int(np.count_nonzero(truth & predicted))
    missed = int(np.count_nonzero(truth)) - found
    wrong = int(np.count_nonzero(predicted)) - found
    left = truth.size - found - missed - wrong
    annotated = found + missed > 0
    return MaskFigures(
        iou_acetowhite=found / (found + missed + wrong) if annotated else None,
        iou_background=_share(left, left + missed + wrong),
        accuracy_acetowhite=_share(found, found + missed),
        accuracy_background=_share(left, left + wrong),
        dice=2 * found / (2 * found + missed + wrong) if annotated else None,
        false_area=None if annotated else wrong / truth.size,
    )


def segmentation_figures(
    figures: Sequence[MaskFigures], patients: Sequence[Hashable], *, seed: int = 0, resamples: int = RESAMPLES
) -> SegmentationFigures:
    """Means over images with a bootstrap over patients.

    Args:
        figures: One an image.
        patients: Patient of each.
        seed: Seed of the bootstrap.
        resamples: How many resamples it draws.

    Raises:
        ValueError: There are not as many patients as figures.
    """
    if len(figures) != len(patients):
        raise ValueError(f"{len(figures)} images, but {len(patients)} patients named")

    def mean_of(values: Sequence[float | None]) -> Estimate:
        kept = [(value, patient) for value, patient in zip(values, patients, strict=True) if value is not None]
        return patient_bootstrap(
            [value for value, _ in kept], [patient for _, patient in kept], _mean, seed=seed, n=resamples
        )

    ious = [figure.iou_acetowhite for figure in figures if figure.iou_acetowhite is not None]
    return SegmentationFigures(
        iou_acetowhite=mean_of([figure.iou_acetowhite for figure in figures]),
        iou_background=mean_of([figure.iou_background for figure in figures]),
        accuracy_acetowhite=mean_of([figure.accuracy_acetowhite for figure in figures]),
        accuracy_background=mean_of([figure.accuracy_background for figure in figures]),
        dice=mean_of([figure.dice for figure in figures]),
        false_area=mean_of([figure.false_area for figure in figures]),
        n_images=len(figures),
        n_images_without_acetowhite=len(figures) - len(ious),
        iou_acetowhite_by_image=tuple(sorted(ious)),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mean(rows: npt.NDArray[np.float64]) -> float:
    return float(rows.mean())
