from collections.abc import Iterable
from math import factorial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colpo_core.studies.orders import session_orders

ids = st.sets(st.integers(1, 10**6), min_size=1, max_size=40)
seeds = st.integers(0, 2**31 - 1)


def reader_orders(cases: Iterable[int], readers: Iterable[int], *, seed: int) -> dict[int, tuple[int, ...]]:
    """The order of each reader in a study of one session without repeats."""
    drawn = session_orders(cases, readers, seed=seed)
    return {reader: tuple(showing.case_id for showing in order) for (reader, _), order in drawn.items()}


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


@given(st.integers(2, 40), st.integers(1, 5), st.integers(1, 4), st.integers(0, 2**31 - 1), st.data())
def test_repeats_come_once_more_and_far_apart(
    n_cases: int, n_readers: int, n_sessions: int, seed: int, data: st.DataObject
) -> None:
    n_repeats = data.draw(st.integers(0, n_cases // 2))
    orders = session_orders(
        range(n_cases), range(1, n_readers + 1), seed=seed, n_sessions=n_sessions, n_repeats=n_repeats
    )
    assert set(orders) == {
        (reader, number) for reader in range(1, n_readers + 1) for number in range(1, n_sessions + 1)
    }
    for order in orders.values():
        firsts = [one.case_id for one in order if one.occurrence == 1]
        again = [one.case_id for one in order if one.occurrence == 2]
        assert sorted(firsts) == list(range(n_cases))
        assert len(again) == len(set(again)) == n_repeats
        places = {(one.case_id, one.occurrence): place for place, one in enumerate(order)}
        assert all(places[case, 2] - places[case, 1] >= (n_cases + 1) // 2 for case in again)


@given(st.integers(5, 30), st.integers(0, 2**31 - 1))
def test_no_order_comes_twice_between_readers_or_sessions(n_cases: int, seed: int) -> None:
    orders = session_orders(range(n_cases), [1, 2, 3], seed=seed, n_sessions=3)
    assert len(set(orders.values())) == 9


def test_the_first_session_is_read_as_before_there_were_sessions() -> None:
    drawn = session_orders(range(9), [4, 5], seed=3, n_sessions=2)
    alone = reader_orders(range(9), [4, 5], seed=3)
    assert {reader: tuple(one.case_id for one in drawn[reader, 1]) for reader in (4, 5)} == alone
    # Drawn by numpy 1.17's generator and the same ever since: a study of an older store goes on in its order.
    assert alone[4] == (6, 2, 3, 4, 8, 7, 0, 1, 5)


def test_more_repeats_than_half_of_the_cases_are_refused() -> None:
    with pytest.raises(ValueError, match="half"):
        session_orders(range(5), [1], seed=0, n_repeats=3)


def test_readers_who_come_later_change_no_order_and_share_none() -> None:
    planned = {"seed": 5, "n_sessions": 2, "n_repeats": 1}
    before = session_orders(range(4), [10, 20], **planned)
    after = session_orders(range(4), [10, 20], **planned, added=[15, 5])
    assert {key: after[key] for key in before} == before
    firsts = [tuple(one.case_id for one in order if one.occurrence == 1) for order in after.values()]
    assert len(set(firsts)) == len(firsts) == 8
    with pytest.raises(ValueError, match="named twice"):
        session_orders(range(4), [10, 20], seed=5, added=[10])
