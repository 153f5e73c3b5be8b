from math import factorial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colpo_core.studies.orders import reader_orders

ids = st.sets(st.integers(1, 10**6), min_size=1, max_size=40)
seeds = st.integers(0, 2**31 - 1)


@given(ids, ids, seeds)
def test_every_reader_reads_every_case_once(cases: set[int], readers: set[int], seed: int) -> None:
    orders = reader_orders(cases, readers, seed=seed)
    assert set(orders) == readers
    assert all(sorted(order) == sorted(cases) for order in orders.values())


@given(ids, st.sets(st.integers(1, 100), min_size=2, max_size=12), seeds)
def test_no_two_readers_share_an_order_while_there_are_enough(cases: set[int], readers: set[int], seed: int) -> None:
    orders = reader_orders(cases, readers, seed=seed)
    assert len(set(orders.values())) == min(len(readers), factorial(len(cases)))


@given(st.lists(st.integers(1, 1000), unique=True, min_size=1), st.randoms(), seeds)
def test_the_same_study_is_drawn_alike_in_whatever_order_it_is_named(
    cases: list[int], chance: object, seed: int
) -> None:
    shuffled = list(cases)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert reader_orders(cases, [7, 3, 9], seed=seed) == reader_orders(shuffled, [9, 7, 3], seed=seed)


def test_another_seed_draws_another_order() -> None:
    assert reader_orders(range(1, 31), [1], seed=1) != reader_orders(range(1, 31), [1], seed=2)


def test_every_place_is_reached_by_every_case_about_equally_often() -> None:
    counts = [[0] * 4 for _ in range(4)]
    for seed in range(2000):
        for place, case in enumerate(reader_orders(range(4), [5], seed=seed)[5]):
            counts[case][place] += 1
    assert all(400 < count < 600 for row in counts for count in row)


@pytest.mark.parametrize(("cases", "readers"), [([1, 1], [2]), ([1, 2], [3, 3])])
def test_nothing_stands_twice(cases: list[int], readers: list[int]) -> None:
    with pytest.raises(ValueError, match="named twice"):
        reader_orders(cases, readers, seed=0)
