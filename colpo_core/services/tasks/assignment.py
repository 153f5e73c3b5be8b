"""Who gets which patients of a task, and in which order their images come: arithmetic alone, drawn from a seed.

All images of one patient go to the same people, so that what is compared between two annotators is compared over whole
patients, as every interval of agreement assumes.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from colpo_core.terms import TaskOrder

_FOR_PATIENTS, _FOR_ORDERS = 0, 1
NOBODY = 0


@dataclass(frozen=True)
class TaskImage:
    """An image with all that sharing out and ordering look at.

    Attributes:
        image_id: Row of the image.
        case_id: Row of its case.
        patient_id: Row of its patient.
        case_date: Day of the examination, or None.
        case_created_at: When the case came in.
        seconds_after_acid: Seconds after acetic acid, or None.
        uncertainty: The model's score from 0 to 1, or None where it has not predicted the image.
    """

    image_id: int
    case_id: int
    patient_id: int
    case_date: date | None
    case_created_at: datetime
    seconds_after_acid: int | None = None
    uncertainty: float | None = None


def share_out(
    images: Sequence[TaskImage], annotator_ids: Collection[int], *, n_annotators: int, seed: int
) -> dict[int, tuple[int, ...]]:
    """Choose for each patient the people who annotate all of her images.

    The patients with the most images come first, each to those who have the least so far; chance decides between
    equals. So no two people's loads differ by more images than the largest patient has.

    Args:
        images: Images of the task.
        annotator_ids: Who may annotate, each once.
        n_annotators: How many annotate each image.
        seed: From which chance is drawn, 0 or above.

    Returns:
        For each patient's row the rows of `n_annotators` people, in ascending order.

    Raises:
        ValueError: Somebody is named twice, or there are too few people.
    """
    people = sorted(annotator_ids)
    if len(set(people)) != len(people) or not 1 <= n_annotators <= len(people):
        raise ValueError(f"{n_annotators} annotators an image need as many different people, not {people}")
    sizes = Counter(image.patient_id for image in images)
    chance = np.random.default_rng([seed, _FOR_PATIENTS])
    by_chance = [int(patient_id) for patient_id in chance.permutation(np.asarray(sorted(sizes), dtype=np.int64))]
    loads = dict.fromkeys(people, 0)
    shared: dict[int, tuple[int, ...]] = {}
    for patient_id in sorted(by_chance, key=lambda patient_id: -sizes[patient_id]):
        ties = dict(zip(people, chance.random(len(people)), strict=True))
        chosen = sorted(people, key=lambda person_id: (loads[person_id], ties[person_id]))[:n_annotators]
        for person_id in chosen:
            loads[person_id] += sizes[patient_id]
        shared[patient_id] = tuple(sorted(chosen))
    return shared


def put_in_order(
    images: Sequence[TaskImage], order: TaskOrder, *, seed: int, person_id: int = NOBODY
) -> tuple[TaskImage, ...]:
    """Put images in the order in which they come to a person; the images of a case stay together.

    Args:
        images: The person's images.
        order: By the day of the examination (unknown days last), at random, or the most uncertain first (what the
            model has not predicted last).
        seed: From which chance is drawn, 0 or above.
        person_id: Whose order, where it is random: each person has one of their own.
    """
    cases: dict[int, list[TaskImage]] = {}
    for image in sorted(images, key=_by_date):
        cases.setdefault(image.case_id, []).append(image)
    if order is TaskOrder.RANDOM:
        chance = np.random.default_rng([seed, _FOR_ORDERS, person_id])
        ids = [int(case_id) for case_id in chance.permutation(np.asarray(sorted(cases), dtype=np.int64))]
        return tuple(image for case_id in ids for image in cases[case_id])
    if order is TaskOrder.UNCERTAINTY:
        inside = {case_id: sorted(its, key=_by_uncertainty) for case_id, its in cases.items()}
        ordered = sorted(inside.values(), key=lambda its: _by_uncertainty(its[0]))
        return tuple(image for its in ordered for image in its)
    return tuple(image for its in cases.values() for image in its)


def take_cases(images: Sequence[TaskImage], limit: int | None) -> tuple[TaskImage, ...]:
    """The first whole cases, in the order given, that together have no more images than a limit.

    A case that does not fit is passed over for the next that does.
    """
    if limit is None:
        return tuple(images)
    cases: dict[int, list[TaskImage]] = {}
    for image in images:
        cases.setdefault(image.case_id, []).append(image)
    taken: list[TaskImage] = []
    for its in cases.values():
        if len(taken) + len(its) <= limit:
            taken.extend(its)
    return tuple(taken)


def queues_of(
    images: Sequence[TaskImage], shared: Mapping[int, Collection[int]], order: TaskOrder, *, seed: int
) -> dict[int, tuple[TaskImage, ...]]:
    """Each person's images in their order, from what `share_out` has chosen; a person without any is not named."""
    people = sorted({person_id for chosen in shared.values() for person_id in chosen})
    return {
        person_id: put_in_order(
            [image for image in images if person_id in shared[image.patient_id]],
            order,
            seed=seed,
            person_id=person_id,
        )
        for person_id in people
    }


def _by_date(image: TaskImage) -> tuple[bool, date, datetime, int, int, int]:
    return (
        image.case_date is None,
        image.case_date or date.max,
        image.case_created_at,
        image.case_id,
        image.seconds_after_acid or 0,
        image.image_id,
    )


def _by_uncertainty(image: TaskImage) -> tuple[bool, float, bool, date, datetime, int, int, int]:
    score = image.uncertainty
    return (score is None, -(score or 0.0), *_by_date(image))
