"""Agreement of a predicted mask with the annotated one: overlap, accuracy of each class, outlines, kappa.

Source: Kim et al. 2022, "Evaluation": accuracy and IoU of acetowhite and background, as means over images with their
distribution.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from statistics import fmean

import numpy as np
import numpy.typing as npt

from colpo_core.evaluation.blind import BlindReference
from colpo_core.evaluation.intervals import mean_by_patients, share_by_patients
from colpo_core.evaluation.kappa import pixel_kappa
from colpo_core.evaluation.outlines import outline_distance_px
from colpo_core.records.statistics.figures import (
    BlindFigures,
    BlindMask,
    Bounds,
    Estimate,
    ImageMaskFigures,
    MaskFigures,
    PatientMaskFigures,
    Proportion,
    SegmentationFigures,
)


def mask_figures(truth: npt.NDArray[np.bool_], predicted: npt.NDArray[np.bool_]) -> MaskFigures:
    """Compare a predicted mask with the annotated one.

    Where no acetowhite epithelium is annotated, its IoU is 0 for one wrong pixel and undefined for none. Such an image
    tells something else: how much of it was wrongly called acetowhite. It is kept apart.

    Args:
        truth: HW bool, the annotated mask.
        predicted: HW bool of the same size.

    Raises:
        ValueError: The two are not masks of one size.

    Source: Dice 1945; Jaccard 1912; Cohen 1960; `outline_distance_px` for the 95% Hausdorff distance.
    """
    if truth.shape != predicted.shape or truth.ndim != 2 or truth.size == 0:
        raise ValueError(f"two masks of one size, not {truth.shape} and {predicted.shape}")
    if truth.dtype != np.bool_ or predicted.dtype != np.bool_:
        raise ValueError(f"masks are bool, not {truth.dtype} and {predicted.dtype}")
    overlap = int(np.count_nonzero(truth & predicted))
    missed = int(np.count_nonzero(truth)) - overlap
    wrong = int(np.count_nonzero(predicted)) - overlap
    left = truth.size - overlap - missed - wrong
    annotated = overlap + missed > 0
    distance_px = outline_distance_px(truth, predicted)
    return MaskFigures(
        iou_acetowhite=overlap / (overlap + missed + wrong) if annotated else None,
        iou_background=_share(left, left + missed + wrong),
        accuracy_acetowhite=_share(overlap, overlap + missed),
        accuracy_background=_share(left, left + wrong),
        dice=2 * overlap / (2 * overlap + missed + wrong) if annotated else None,
        false_area=None if annotated else wrong / truth.size,
        hd95_px=distance_px,
        hd95_percent=None if distance_px is None else 100 * distance_px / hypot(*truth.shape),
        kappa=pixel_kappa(n_both=overlap, n_first=overlap + missed, n_second=overlap + wrong, n_pixels=truth.size),
    )


@dataclass(frozen=True)
class BlindPair:
    """How the two masks that look at no image agree with one annotated mask.

    Attributes:
        mean_mask: The mean training mask.
        mean_area: Share of the image that it marks.
        disc: The disc in the middle.
        disc_area: Share of the image that it marks.
    """

    mean_mask: MaskFigures
    mean_area: float
    disc: MaskFigures
    disc_area: float


def blind_pair(truth: npt.NDArray[np.bool_], reference: BlindReference) -> BlindPair:
    """Hold the masks that look at no image against an annotated one, H x W bool."""
    mean_mask, disc = reference.mean_mask(*truth.shape), reference.disc(*truth.shape)
    return BlindPair(
        mask_figures(truth, mean_mask), float(mean_mask.mean()), mask_figures(truth, disc), float(disc.mean())
    )


def blind_figures(
    figures: Sequence[MaskFigures],
    blind: Sequence[BlindPair],
    patients: Sequence[int],
    reference: BlindReference,
) -> BlindFigures:
    """The masks that look at no image over many images, and how much better the segmenter's are on the same ones.

    Args:
        figures: The segmenter's, one an image.
        blind: Those of the masks that look at no image, of the same images.
        patients: Patient of each.
        reference: What the blind masks are.

    Raises:
        ValueError: There are not as many of one as of the other.
    """
    if not len(figures) == len(blind) == len(patients):
        raise ValueError(f"{len(figures)} figures need as many blind ones and patients, not {len(blind)}")

    def summed_up(own: Sequence[MaskFigures], areas: Sequence[float]) -> BlindMask:
        def mean_of(name: str, within: Bounds = (0.0, 1.0)) -> Estimate:
            return _mean_of([_figure(figure, name) for figure in own], patients, within=within)

        def difference(name: str) -> Estimate:
            pairs = [
                (getattr(figure, name), getattr(blind_figure, name))
                for figure, blind_figure in zip(figures, own, strict=True)
            ]
            values = [
                None if figure is None or blind_figure is None else figure - blind_figure
                for figure, blind_figure in pairs
            ]
            return _mean_of(values, patients, within=(-1.0, 1.0))

        return BlindMask(
            area=fmean(areas) if areas else None,
            iou_acetowhite=mean_of("iou_acetowhite"),
            iou_background=mean_of("iou_background"),
            accuracy_acetowhite=mean_of("accuracy_acetowhite"),
            accuracy_background=mean_of("accuracy_background"),
            dice=mean_of("dice"),
            hd95_percent=mean_of("hd95_percent", (0.0, 100.0)),
            kappa=mean_of("kappa", (-1.0, 1.0)),
            iou_difference=difference("iou_acetowhite"),
            dice_difference=difference("dice"),
        )

    mean_mask = summed_up([pair.mean_mask for pair in blind], [pair.mean_area for pair in blind])
    disc = summed_up([pair.disc for pair in blind], [pair.disc_area for pair in blind])
    return BlindFigures(mean_mask, disc, mean_mask.iou_difference, reference.threshold, reference.n_masks)


def segmentation_figures(
    figures: Sequence[MaskFigures],
    patients: Sequence[int],
    image_ids: Sequence[int] | None = None,
    *,
    confirmed: Sequence[bool] | None = None,
    blind: BlindFigures | None = None,
) -> SegmentationFigures:
    """Means over images with intervals by patients, and the distributions behind them.

    Args:
        figures: One an image.
        patients: Patient of each.
        image_ids: Row of each image, or None where nobody asks which image it was.
        confirmed: Whether a person has confirmed of each image that it shows no lesion; of none where None.
        blind: What masks reach on the same images that look at none of them, as `blind_figures` gives it.

    Raises:
        ValueError: There are not as many patients, images or confirmations as figures.
    """
    if any(given is not None and len(given) != len(figures) for given in (patients, image_ids, confirmed)):
        raise ValueError(f"{len(figures)} figures need as many patients and images")

    def mean_of(values: Sequence[float | None], within: Bounds = (0.0, 1.0)) -> Estimate:
        return _mean_of(values, patients, within=within)

    free = [False] * len(figures) if confirmed is None else confirmed
    clean = _untouched(figures, patients)
    return SegmentationFigures(
        iou_acetowhite=mean_of([figure.iou_acetowhite for figure in figures]),
        iou_background=mean_of([figure.iou_background for figure in figures]),
        accuracy_acetowhite=mean_of([figure.accuracy_acetowhite for figure in figures]),
        accuracy_background=mean_of([figure.accuracy_background for figure in figures]),
        dice=mean_of([figure.dice for figure in figures]),
        hd95_percent=mean_of([figure.hd95_percent for figure in figures], (0.0, 100.0)),
        kappa=mean_of([_figure(figure, "kappa") for figure in figures], (-1.0, 1.0)),
        false_area=mean_of([figure.false_area for figure in figures]),
        lesion_free_area=mean_of(
            [figure.false_area if is_free else None for figure, is_free in zip(figures, free, strict=True)]
        ),
        n_images=len(figures),
        n_images_without_acetowhite=clean.n,
        n_clean_without_acetowhite=clean,
        by_image=tuple(
            ImageMaskFigures(image_id=image_id, patient_id=patient, figures=figure)
            for image_id, patient, figure in zip(
                image_ids if image_ids is not None else [None] * len(figures), patients, figures, strict=True
            )
        ),
        by_patient=_by_patient(figures, patients),
        blind=blind,
    )


def _mean_of(values: Sequence[float | None], patients: Sequence[int], *, within: Bounds = (0.0, 1.0)) -> Estimate:
    defined = [(value, patient) for value, patient in zip(values, patients, strict=True) if value is not None]
    return mean_by_patients([value for value, _ in defined], [patient for _, patient in defined], within=within)


def _figure(figures: MaskFigures, name: str) -> float | None:
    """A figure of one image as it enters a mean."""
    # Without annotated acetowhite kappa is 0 at best, and undefined where all is right: as for Dice, not counted.
    if name == "kappa" and figures.iou_acetowhite is None:
        return None
    value: float | None = getattr(figures, name)
    return value


def _untouched(figures: Sequence[MaskFigures], patients: Sequence[int]) -> Proportion:
    """Of the images without annotated acetowhite, the share in which none was found either."""
    areas = [(figure.false_area, patient) for figure, patient in zip(figures, patients, strict=True)]
    defined = [(area, patient) for area, patient in areas if area is not None]
    trials = [(1.0, float(area == 0)) for area, _ in defined]
    return share_by_patients(trials, [patient for _, patient in defined])


def _by_patient(figures: Sequence[MaskFigures], patients: Sequence[int]) -> tuple[PatientMaskFigures, ...]:
    by_patient: dict[int, list[MaskFigures]] = {}
    for figure, patient in zip(figures, patients, strict=True):
        by_patient.setdefault(patient, []).append(figure)
    return tuple(
        PatientMaskFigures(
            patient_id=patient,
            n_images=len(of_patient),
            iou_acetowhite=_mean_or_none([figure.iou_acetowhite for figure in of_patient]),
            dice=_mean_or_none([figure.dice for figure in of_patient]),
        )
        for patient, of_patient in by_patient.items()
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mean_or_none(values: Sequence[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return fmean(defined) if defined else None
