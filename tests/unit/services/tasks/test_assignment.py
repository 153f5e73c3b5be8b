"""Sharing out and ordering hold for any patients, people and seeds."""

import itertools
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colpo_core.services.tasks.assignment import TaskImage, put_in_order, queues_of, share_out, take_cases
from colpo_core.terms import TaskOrder

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
SEEDS = st.integers(0, 2**31 - 1)


@st.composite
def cohorts(draw: st.DrawFn) -> list[TaskImage]:
    """Patients with one to three cases of one to four images each; some without a date or a prediction."""
    chance = Random(draw(SEEDS))  # noqa: S311 - which cases are drawn is no secret
    images: list[TaskImage] = []
    case_id = 0
    for patient_id in range(1, draw(st.integers(1, 12)) + 1):
        for n_images in draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)):
            case_id += 1
            day = chance.choice([None, *(date(2020, 1, number) for number in range(1, 10))])
            images += [
                TaskImage(
                    image_id=len(images) + number,
                    case_id=case_id,
                    patient_id=patient_id,
                    case_date=day,
                    case_created_at=MOMENT + timedelta(seconds=case_id),
                    seconds_after_acid=chance.choice([None, 0, 60, chance.randint(0, 120)]),
                    uncertainty=chance.choice([None, 0.0, 0.5, 1.0, chance.random()]),
                )
                for number in range(1, n_images + 1)
            ]
    chance.shuffle(images)
    return images


@st.composite
def teams(draw: st.DrawFn) -> tuple[list[int], int]:
    people = draw(st.lists(st.integers(1, 50), min_size=1, max_size=6, unique=True))
    return people, draw(st.integers(1, len(people)))


@given(images=cohorts(), team=teams(), seed=SEEDS)
@settings(deadline=None)
def test_every_patient_gets_so_many_different_people_and_nobody_much_more_than_another(
    images: list[TaskImage], team: tuple[list[int], int], seed: int
) -> None:
    people, n_annotators = team
    shared = share_out(images, people, n_annotators=n_annotators, seed=seed)
    assert set(shared) == {image.patient_id for image in images}
    for chosen in shared.values():
        assert len(chosen) == len(set(chosen)) == n_annotators
        assert set(chosen) <= set(people)
    sizes = Counter(image.patient_id for image in images)
    loads = dict.fromkeys(people, 0)
    for patient_id, chosen in shared.items():
        for person_id in chosen:
            loads[person_id] += sizes[patient_id]
    assert max(loads.values()) - min(loads.values()) <= max(sizes.values())
    assert sum(loads.values()) == len(images) * n_annotators


@given(images=cohorts(), team=teams(), order=st.sampled_from(TaskOrder), seed=SEEDS)
@settings(deadline=None)
def test_each_queue_holds_the_persons_images_once_with_every_case_in_one_piece(
    images: list[TaskImage], team: tuple[list[int], int], order: TaskOrder, seed: int
) -> None:
    people, n_annotators = team
    shared = share_out(images, people, n_annotators=n_annotators, seed=seed)
    queues = queues_of(images, shared, order, seed=seed)
    assert Counter(image.image_id for queue in queues.values() for image in queue) == {
        image.image_id: n_annotators for image in images
    }
    for person_id, queue in queues.items():
        assert all(person_id in shared[image.patient_id] for image in queue)
        assert len({image.image_id for image in queue}) == len(queue)
        runs = [image.case_id for i, image in enumerate(queue) if i == 0 or queue[i - 1].case_id != image.case_id]
        assert len(runs) == len(set(runs)), "a case is in two pieces"


@given(images=cohorts(), team=teams(), order=st.sampled_from(TaskOrder), seed=SEEDS)
@settings(deadline=None)
def test_the_same_seed_gives_the_same_whatever_order_things_are_named_in(
    images: list[TaskImage], team: tuple[list[int], int], order: TaskOrder, seed: int
) -> None:
    people, n_annotators = team
    first = share_out(images, people, n_annotators=n_annotators, seed=seed)
    again = share_out(images[::-1], people[::-1], n_annotators=n_annotators, seed=seed)
    assert first == again
    assert queues_of(images, first, order, seed=seed) == queues_of(images[::-1], again, order, seed=seed)


@given(images=cohorts())
@settings(deadline=None)
def test_by_uncertainty_the_least_sure_case_comes_first_and_the_unpredicted_last(images: list[TaskImage]) -> None:
    ordered = put_in_order(images, TaskOrder.UNCERTAINTY, seed=0)
    best: dict[int, float] = {}
    for image in images:
        score = -1.0 if image.uncertainty is None else image.uncertainty
        best[image.case_id] = max(best.get(image.case_id, -1.0), score)
    scores = [best[image.case_id] for image in ordered]
    assert scores == sorted(scores, reverse=True)
    for before, after in itertools.pairwise(ordered):
        if before.case_id == after.case_id:
            assert after.uncertainty is None or (before.uncertainty or 0) >= after.uncertainty


@given(images=cohorts())
@settings(deadline=None)
def test_by_date_the_oldest_examination_comes_first_and_unknown_days_last(images: list[TaskImage]) -> None:
    days = [image.case_date or date.max for image in put_in_order(images, TaskOrder.DATE, seed=0)]
    assert days == sorted(days)


def test_each_person_has_a_random_order_of_ones_own() -> None:
    images = [image(number) for number in range(1, 13)]
    orders = {person_id: put_in_order(images, TaskOrder.RANDOM, seed=4, person_id=person_id) for person_id in (1, 2, 3)}
    assert len(set(orders.values())) == 3
    assert put_in_order(images, TaskOrder.RANDOM, seed=5, person_id=1) != orders[1]


def test_who_is_paired_with_whom_changes_from_patient_to_patient() -> None:
    images = [image(number) for number in range(1, 41)]
    pairs = Counter(share_out(images, [1, 2, 3, 4], n_annotators=2, seed=0).values())
    assert len(pairs) == 6, "every pair of annotators has patients in common"


@given(images=cohorts(), limit=st.integers(1, 30))
@settings(deadline=None)
def test_a_limit_takes_whole_cases(images: list[TaskImage], limit: int) -> None:
    ordered = put_in_order(images, TaskOrder.DATE, seed=0)
    taken = take_cases(ordered, limit)
    assert len(taken) <= limit
    sizes = Counter(image.case_id for image in images)
    assert all(sizes[case_id] == n for case_id, n in Counter(image.case_id for image in taken).items())
    left = {case_id: size for case_id, size in sizes.items() if case_id not in {image.case_id for image in taken}}
    assert all(size > limit - len(taken) for size in left.values()), "a case that fits was left out"
    assert take_cases(ordered, None) == ordered


@pytest.mark.parametrize(("people", "n_annotators"), [([1], 2), ([1, 1], 1), ([], 1), ([1], 0)])
def test_what_cannot_be_shared_out_is_a_programmers_mistake(people: list[int], n_annotators: int) -> None:
    with pytest.raises(ValueError, match="different people"):
        share_out([image(1)], people, n_annotators=n_annotators, seed=0)


def image(number: int) -> TaskImage:
    return TaskImage(number, number, number, date(2020, 1, 1), MOMENT)
