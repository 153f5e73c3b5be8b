from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colpo_core.datasets.splits import patient_stratum, split_patients
from colpo_core.errors import InputRejected
from colpo_core.terms import Label, Split

patients = st.dictionaries(st.integers(1, 10_000), st.sampled_from(["a", "b", "c"]), min_size=1, max_size=80)


@given(groups=patients, seed=st.integers(-5, 10_000), shuffle=st.randoms())
def test_every_patient_gets_one_side_whatever_the_order(groups: dict[int, str], seed: int, shuffle: object) -> None:
    sides = split_patients(groups, seed=seed)
    assert sides.keys() == groups.keys()
    listed = list(groups.items())
    shuffle.shuffle(listed)  # type: ignore[attr-defined]
    assert split_patients(dict(listed), seed=seed) == sides


@given(groups=patients, seed=st.integers(0, 10_000))
def test_no_side_is_empty_where_it_can_be_helped(groups: dict[int, str], seed: int) -> None:
    sides = split_patients(groups, seed=seed)
    assert Split.TRAIN in sides.values()
    if len(groups) >= 3:
        assert set(sides.values()) == set(Split)
    strata = Counter(groups.values())
    if min(strata.values()) >= 3:
        for stratum in strata:
            assert {sides[patient] for patient in groups if groups[patient] == stratum} == set(Split)


@given(sizes=st.lists(st.integers(7, 60), min_size=1, max_size=4), seed=st.integers(0, 1000))
def test_every_stratum_keeps_the_shares_within_one_patient(sizes: list[int], seed: int) -> None:
    groups = {1000 * stratum + n: str(stratum) for stratum, size in enumerate(sizes) for n in range(size)}
    sides = split_patients(groups, fractions=(0.7, 0.15, 0.15), seed=seed)
    for stratum, size in enumerate(sizes):
        counts = Counter(sides[patient] for patient in groups if groups[patient] == str(stratum))
        assert abs(counts[Split.TRAIN] - 0.7 * size) <= 1
        assert abs(counts[Split.VALIDATION] - 0.15 * size) <= 1
        assert abs(counts[Split.TEST] - 0.15 * size) <= 1


def test_another_seed_draws_another_split() -> None:
    groups = dict.fromkeys(range(1, 60), "a")
    assert split_patients(groups, seed=1) != split_patients(groups, seed=2)


def test_a_new_stratum_does_not_reshuffle_an_old_one() -> None:
    groups = dict.fromkeys(range(20), "a")
    before = split_patients(groups, seed=3)
    after = split_patients(groups | dict.fromkeys(range(100, 120), "b"), seed=3)
    assert {patient: after[patient] for patient in groups} == before


def test_forty_patients_as_the_demonstration_has_them() -> None:
    groups = {n: "hsil" if n < 18 else "normal" for n in range(40)}
    counts = Counter(split_patients(groups).values())
    assert counts == {Split.TRAIN: 28, Split.VALIDATION: 6, Split.TEST: 6}


def test_a_side_that_is_not_wished_for_stays_empty() -> None:
    sides = split_patients(dict.fromkeys(range(30), "a"), fractions=(0.8, 0.2, 0.0))
    assert set(sides.values()) == {Split.TRAIN, Split.VALIDATION}


@pytest.mark.parametrize("fractions", [(0.7, 0.2, 0.2), (0.0, 0.5, 0.5), (1.2, -0.1, -0.1), (float("nan"), 0.5, 0.5)])
def test_shares_that_make_no_sense_are_refused(fractions: tuple[float, float, float]) -> None:
    with pytest.raises(InputRejected, match="sum to 1"):
        split_patients({1: "a"}, fractions=fractions)


def test_no_patient_is_refused() -> None:
    with pytest.raises(InputRejected, match="no patient"):
        split_patients({})


def test_a_patient_counts_by_her_most_severe_label() -> None:
    assert patient_stratum([Label.NORMAL, Label.HSIL], has_mask=True) == "hsil, with mask"
    assert patient_stratum([None, Label.NORMAL], has_mask=False) == "normal, without mask"
    assert patient_stratum([None], has_mask=True) == "unlabelled, with mask"
