import pytest
from hypothesis import given
from hypothesis import strategies as st

from colpo_core.studies.arms import aided_cases, aided_sessions
from colpo_core.terms import Label

TRUTHS = st.dictionaries(st.integers(1, 500), st.sampled_from(Label), min_size=2, max_size=40)


@given(TRUTHS, st.integers(1, 6), st.integers(0, 2**31 - 1), st.sampled_from([2, 4]))
def test_every_reader_reads_each_case_equally_often_in_both_arms(
    truth: dict[int, Label], n_readers: int, seed: int, n_sessions: int
) -> None:
    readers = list(range(100, 100 + n_readers))
    found = aided_cases(truth, readers, seed=seed, n_sessions=n_sessions)
    for reader in readers:
        for case in truth:
            assert sum(case in found[reader, session] for session in range(1, n_sessions + 1)) == n_sessions // 2
        for session in range(1, n_sessions):
            assert found[reader, session] | found[reader, session + 1] == set(truth)
            assert not found[reader, session] & found[reader, session + 1]


@given(TRUTHS, st.integers(0, 2**31 - 1))
def test_the_halves_are_of_one_size_for_each_label_and_together(truth: dict[int, Label], seed: int) -> None:
    found = aided_cases(truth, [1], seed=seed, n_sessions=2)
    for label in Label:
        of_label = {case for case, one in truth.items() if one is label}
        assert abs(len(found[1, 1] & of_label) - len(found[1, 2] & of_label)) <= 1
    assert abs(len(found[1, 1]) - len(found[1, 2])) <= 1


@given(TRUTHS, st.integers(0, 2**31 - 1))
def test_readers_take_turns_and_a_later_one_changes_nothing(truth: dict[int, Label], seed: int) -> None:
    two = aided_cases(truth, [4, 9], seed=seed, n_sessions=2)
    assert two[4, 1] == two[9, 2]
    three = aided_cases(truth, [4, 9, 2], seed=seed, n_sessions=2)
    assert {key: value for key, value in three.items() if key[0] != 2} == two
    assert three == aided_cases(truth, [4, 9, 2], seed=seed, n_sessions=2)


def test_an_odd_number_of_sessions_is_no_crossover() -> None:
    with pytest.raises(ValueError, match="even"):
        aided_cases({1: Label.HSIL}, [1], seed=0, n_sessions=3)


@given(TRUTHS, st.integers(1, 6), st.integers(0, 2**31 - 1), st.integers(2, 5))
def test_in_whole_sessions_arms_take_turns_and_half_of_the_readers_begin_aided(
    truth: dict[int, Label], n_readers: int, seed: int, n_sessions: int
) -> None:
    readers = list(range(100, 100 + n_readers))
    found = aided_sessions(truth, readers, seed=seed, n_sessions=n_sessions)
    everything, nothing = frozenset(truth), frozenset[int]()
    for reader in readers:
        for session in range(1, n_sessions):
            assert {found[reader, session], found[reader, session + 1]} == {everything, nothing}
    begin = sum(found[reader, 1] == everything for reader in readers)
    assert abs(2 * begin - n_readers) <= 1
    later = aided_sessions(truth, [*readers, 7], seed=seed, n_sessions=n_sessions)
    assert {key: value for key, value in later.items() if key[0] != 7} == found


def test_the_seed_says_who_begins_aided() -> None:
    begins = {bool(aided_sessions([1, 2], [4], seed=seed, n_sessions=2)[4, 1]) for seed in range(20)}
    assert begins == {True, False}


def test_one_session_would_have_one_arm() -> None:
    with pytest.raises(ValueError, match="two sessions"):
        aided_sessions([1], [1], seed=0, n_sessions=1)
