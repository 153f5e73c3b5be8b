from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from colpo_core.datasets.splits import fold_patients, patient_stratum, split_patients, strata_of
from colpo_core.errors import InputRejected
from colpo_core.terms import Label, Split
from tests.support.manifests import item, without_mask

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


def strata_of_cohort(hsil: tuple[int, int], normal: tuple[int, int], unlabelled: int = 0) -> dict[int, str]:
    """Patients by label, each as (with mask, without mask)."""
    names = [
        *["hsil, with mask"] * hsil[0],
        *["hsil, without mask"] * hsil[1],
        *["normal, with mask"] * normal[0],
        *["normal, without mask"] * normal[1],
        *["unlabelled, with mask"] * unlabelled,
    ]
    return dict(enumerate(names))


def with_label(groups: dict[int, str], sides: dict[int, Split], label: str) -> Counter[Split]:
    return Counter(sides[patient] for patient, stratum in groups.items() if stratum.startswith(label))


@pytest.mark.parametrize("seed", range(20))
def test_the_only_two_hsil_do_not_both_fall_into_train(seed: int) -> None:
    """One with a mask and one without were two strata of one patient each, and each served training first."""
    groups = strata_of_cohort((1, 1), (60, 88))
    sides = split_patients(groups, seed=seed)
    assert with_label(groups, sides, "hsil") == {Split.TRAIN: 1, Split.TEST: 1}
    three = strata_of_cohort((1, 2), (60, 88))
    assert with_label(three, split_patients(three, seed=seed), "hsil") == dict.fromkeys(Split, 1)


cohorts = st.tuples(
    st.tuples(st.integers(0, 25), st.integers(0, 25)),
    st.tuples(st.integers(0, 60), st.integers(0, 60)),
    st.integers(0, 20),
).filter(lambda cohort: sum(cohort[0]) + sum(cohort[1]) + cohort[2] > 0)


@given(cohort=cohorts, seed=st.integers(0, 1000))
def test_each_side_gets_of_every_label_where_there_are_enough_however_the_masks_lie(
    cohort: tuple[tuple[int, int], tuple[int, int], int], seed: int
) -> None:
    groups = strata_of_cohort(*cohort)
    sides = split_patients(groups, seed=seed)
    for label in ("hsil", "normal", "unlabelled"):
        counts = with_label(groups, sides, label)
        size = sum(counts.values())
        if size >= 3:
            assert set(counts) == set(Split), label
        if size >= 7:
            for split, share in zip(Split, (0.7, 0.15, 0.15), strict=True):
                # One more or less where a side that would be empty was filled from train.
                assert abs(counts[split] - share * size) <= 1 + (len(groups) < 10), (label, split)
    for stratum in set(groups.values()):
        counts = Counter(sides[patient] for patient in groups if groups[patient] == stratum)
        if min(with_label(groups, sides, stratum.partition(",")[0]).values()) >= 2 and sum(counts.values()) >= 3:
            assert set(counts) == set(Split), stratum


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


@given(groups=patients, folds=st.integers(2, 6), seed=st.integers(-5, 10_000), shuffle=st.randoms())
def test_folds_are_even_in_all_and_in_each_stratum_whatever_the_order(
    groups: dict[int, str], folds: int, seed: int, shuffle: object
) -> None:
    assume(len(groups) >= folds)
    found = fold_patients(groups, folds=folds, seed=seed)
    assert found.keys() == groups.keys()
    for patients_of in (list(groups), *([p for p in groups if groups[p] == name] for name in set(groups.values()))):
        counts = Counter(found[patient] for patient in patients_of)
        sizes = [counts[fold] for fold in range(folds)]
        assert max(sizes) - min(sizes) <= 1
        assert sum(sizes) == len(patients_of)
    listed = list(groups.items())
    shuffle.shuffle(listed)  # type: ignore[attr-defined]
    assert fold_patients(dict(listed), folds=folds, seed=seed) == found


def test_another_seed_draws_other_folds() -> None:
    groups = dict.fromkeys(range(1, 30), "a")
    assert fold_patients(groups, folds=3, seed=1) != fold_patients(groups, folds=3, seed=2)


def test_too_few_patients_or_folds_are_refused() -> None:
    with pytest.raises(InputRejected, match=r"2 patients .* into 3 folds"):
        fold_patients({1: "a", 2: "b"}, folds=3, seed=0)
    with pytest.raises(InputRejected, match="at least 2 folds"):
        fold_patients({1: "a", 2: "b"}, folds=1, seed=0)


def test_strata_come_from_all_images_of_a_patient_or_of_her_kin() -> None:
    items = [
        without_mask(item(1, 1, label=Label.NORMAL)),
        without_mask(item(2, 1)),
        item(3, 2, label=None),
        item(4, 3, label=Label.NORMAL),
    ]
    alone = {1: "hsil, without mask", 2: "unlabelled, with mask", 3: "normal, with mask"}
    assert strata_of(items) == alone
    assert strata_of(items, {1: 1, 2: 1, 3: 3}) == {1: "hsil, with mask", 3: "normal, with mask"}
