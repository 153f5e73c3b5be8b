"""Probabilities of HSIL beside the reference standard: what all figures about calls and ranking are made from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from colpo_core.terms import Label


@dataclass(frozen=True)
class Judged:
    """A probability beside the reference standard, of one image or of one case.

    Attributes:
        patient_id: Row of the patient.
        case_id: Row of the case.
        label: The case's label.
        prob_hsil: Probability of HSIL.
        image_id: Row of the image; None of a case, or where nobody asks which image it was.
    """

    patient_id: int
    case_id: int
    label: Label
    prob_hsil: float
    image_id: int | None = None


def by_case(images: Sequence[Judged]) -> list[Judged]:
    """The cases of the images: a case's probability is the mean over its images."""
    cases: dict[int, list[Judged]] = {}
    for image in images:
        cases.setdefault(image.case_id, []).append(image)
    return [
        replace(rows[0], prob_hsil=float(np.mean([image.prob_hsil for image in rows])), image_id=None)
        for rows in cases.values()
    ]


def is_clustered(judged: Sequence[Judged]) -> bool:
    """Whether some patient stands behind several rows, so that they are not independent."""
    return len({row.patient_id for row in judged}) < len(judged)
