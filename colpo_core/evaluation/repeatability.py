"""Repeatability: whether the model says the same of several images of one case, taken on one day."""

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt

import numpy as np

from colpo_core.evaluation.intervals import mean_by_patients, ratio_by_patients, share_by_patients
from colpo_core.evaluation.judged import Judged
from colpo_core.records.statistics.comparisons import CaseFlip, RepeatabilityFigures
from colpo_core.records.statistics.figures import Estimate

MOST_FLIPS = 20


def repeatability(images: Sequence[Judged], *, threshold: float) -> RepeatabilityFigures:
    """How far the probabilities of one case's images lie apart; cases with one image tell nothing and are left out.

    The standard deviation within cases pools their variances by degrees of freedom; where all cases have equally many
    images it is the root of the mean variance. Two images of one case differ by less than 2.77 times it in 95% of
    such pairs.

    Args:
        images: One row an image.
        threshold: `hsil` is called at this probability and above.

    Source: Bland and Altman 1996, "Measurement error", BMJ 313:744.
    """
    cases: dict[int, list[Judged]] = {}
    for image in images:
        cases.setdefault(image.case_id, []).append(image)
    repeated = [sorted(of_case, key=_rank) for of_case in cases.values() if len(of_case) > 1]
    patients = [of_case[0].patient_id for of_case in repeated]
    spreads = [of_case[-1].prob_hsil - of_case[0].prob_hsil for of_case in repeated]
    split = [of_case[0].prob_hsil < threshold <= of_case[-1].prob_hsil for of_case in repeated]
    n_images = sum(len(of_case) for of_case in repeated)
    return RepeatabilityFigures(
        n_cases=len(repeated),
        n_images=n_images,
        threshold=threshold,
        spread=replace(mean_by_patients(spreads, patients, within=(0.0, 1.0)), n_images=n_images),
        within_case_sd=replace(_pooled_deviation(repeated, patients), n_images=n_images),
        both_sides=share_by_patients([(1.0, float(is_split)) for is_split in split], patients),
        flips=_widest([of_case for of_case, is_split in zip(repeated, split, strict=True) if is_split]),
    )


def _rank(image: Judged) -> tuple[float, int]:
    return image.prob_hsil, image.image_id or 0


def _widest(split: Sequence[Sequence[Judged]]) -> tuple[CaseFlip, ...]:
    flips = [
        CaseFlip(
            case_id=of_case[0].case_id,
            low_image_id=of_case[0].image_id,
            low_prob=of_case[0].prob_hsil,
            high_image_id=of_case[-1].image_id,
            high_prob=of_case[-1].prob_hsil,
        )
        for of_case in split
    ]
    return tuple(sorted(flips, key=lambda flip: (flip.low_prob - flip.high_prob, flip.case_id))[:MOST_FLIPS])


def _pooled_deviation(repeated: Sequence[Sequence[Judged]], patients: Sequence[int]) -> Estimate:
    """Root of all cases' sums of squares about their means, over their degrees of freedom."""
    squares = np.asarray([np.var([image.prob_hsil for image in images]) * len(images) for images in repeated])
    freedom = np.asarray([len(images) - 1.0 for images in repeated])
    # Two probabilities of 0 and 1 have the largest variance that there can be, 0.5.
    variance = ratio_by_patients(squares, freedom, patients, within=(0.0, 0.5), end=(0.0, 0.5))
    return replace(variance, value=_root(variance.value), low=_root(variance.low), high=_root(variance.high))


def _root(square: float | None) -> float | None:
    return None if square is None else sqrt(max(0.0, square))
