"""Two arms on the same cases: against R's figures, plain slow code, and where too little is known."""

import json
from collections.abc import Sequence
from dataclasses import asdict, astuple, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from colpo_core.evaluation.arms import difference_figures, measure_arm
from colpo_core.evaluation.calls import call_figures, calls_at
from colpo_core.evaluation.delong import delong
from colpo_core.evaluation.judged import Judged
from colpo_core.evaluation.mcnemar import mcnemar
from colpo_core.evaluation.paired import compare_arms, is_worse
from colpo_core.evaluation.roc import auc, auc_estimate
from colpo_core.records.statistics.comparisons import ArmDifference
from colpo_core.records.statistics.figures import Estimate
from colpo_core.terms import Label
from tests.support.cohorts import cohort

N, H = Label.NORMAL, Label.HSIL
FIGURES = ("auc", "accuracy", "sensitivity", "specificity", "brier")
cases = st.lists(
    st.tuples(st.integers(1, 6), st.booleans(), st.tuples(*[st.integers(0, 8)] * 4)), min_size=1, max_size=20
)


def arm(probs: np.ndarray, labels: Sequence[Label], patients: Sequence[int] | None = None) -> list[list[Judged]]:
    """One list a seed, from probabilities of shape (seeds, cases)."""
    who = patients if patients is not None else range(len(labels))
    return [
        [Judged(p, n, label, float(prob)) for n, (p, label, prob) in enumerate(zip(who, labels, line, strict=True))]
        for line in probs
    ]


def compare(first: list[list[Judged]], second: list[list[Judged]], threshold: float = 0.5) -> ArmDifference:
    return compare_arms(
        first, second, thresholds_first=[threshold] * len(first), thresholds_second=[threshold] * len(second)
    )


@settings(deadline=None, max_examples=40)
@given(cases)
def test_arms_have_the_figures_of_each_training_on_average(
    rows: list[tuple[int, bool, tuple[int, int, int, int]]],
) -> None:
    patients, labels = [p for p, _, _ in rows], [H if flag else N for _, flag, _ in rows]
    probs = np.array([four for _, _, four in rows]).T / 8
    arms = arm(probs[:2], labels, patients), arm(probs[2:], labels, patients)
    thresholds = [0.3, 0.5], [0.5, 0.8]
    found = compare_arms(*arms, thresholds_first=thresholds[0], thresholds_second=thresholds[1])
    means = []
    for judged, cuts in zip(arms, thresholds, strict=True):
        of_seeds = []
        for seed, cut in zip(judged, cuts, strict=True):
            calls = call_figures(labels, calls_at([row.prob_hsil for row in seed], cut))
            brier = np.mean([(row.prob_hsil - (row.label is H)) ** 2 for row in seed])
            shares = calls.accuracy.value, calls.sensitivity.value, calls.specificity.value
            of_seeds.append([auc(labels, [row.prob_hsil for row in seed]), *shares, brier])
        means.append([None if None in column else np.mean(column) for column in zip(*of_seeds, strict=True)])
    for place, name in enumerate(FIGURES):
        values = [getattr(one, name).value for one in (found.first, found.second, found)]
        if means[0][place] is None:
            assert values == [None, None, None]
        else:
            assert values == pytest.approx([means[0][place], means[1][place], means[1][place] - means[0][place]])
    assert (found.n, found.n_patients, found.n_seeds) == (len(rows), len(set(patients)), 2)
    assert found.clustered == (len(set(patients)) < len(rows))
    assert found.sensitivity.n_images == labels.count(H)
    assert found.specificity.n_patients == len({p for p, flag, _ in rows if not flag})
    json.dumps(asdict(found), allow_nan=False)


def test_the_tests_of_each_training_by_hand() -> None:
    labels = [H, H, H, N, N, N]
    first = arm(np.array([[0.9, 0.6, 0.2, 0.6, 0.1, 0.1]]), labels)
    second = arm(np.array([[0.9, 0.2, 0.7, 0.2, 0.3, 0.2]]), labels)
    found = compare(first, second).by_seed[0]
    assert (found.accuracy.b, found.accuracy.c) == (1, 2)
    assert (found.sensitivity.b, found.sensitivity.c) == (1, 1)
    assert (found.specificity.b, found.specificity.c) == (0, 1)
    assert found.accuracy == mcnemar(1, 2)
    columns = [row.prob_hsil for row in first[0]], [row.prob_hsil for row in second[0]]
    assert found.auc.difference == delong(labels, *columns).difference
    assert (found.auc.p, found.auc.missing) == (None, "3 cases of a class, and it takes 10 of each")
    many = compare([first[0] * 4], [second[0] * 4]).by_seed[0].auc
    assert many == delong(labels * 4, columns[0] * 4, columns[1] * 4)
    assert many.p is not None


def test_thresholds_are_each_trainings_own() -> None:
    labels = [H, H, N, N]
    both = arm(np.array([[0.6, 0.4, 0.3, 0.1], [0.6, 0.4, 0.3, 0.1]]), labels)
    found = compare_arms(both, both, thresholds_first=[0.5, 0.35], thresholds_second=[0.05, 0.35])
    assert found.first.sensitivity.value == pytest.approx((0.5 + 1) / 2)
    assert found.second.specificity.value == pytest.approx((0 + 1) / 2)
    assert found.by_seed[0].sensitivity.c == 1
    assert found.by_seed[1].sensitivity.c == 0


def test_one_training_has_the_intervals_of_its_own_figures() -> None:
    labels, probs = cohort(80, 1.2, np.random.default_rng(3), seeds=2)
    patients = [n // 2 for n in range(80)]
    first, second = arm(probs[:1], labels, patients), arm(probs[1:], labels, patients)
    found = compare(first, second)
    alone = auc_estimate(labels, probs[0].tolist(), patients)
    assert found.first.auc.method == alone.method == "newcombe-5-by-patients"
    assert (found.first.auc.low, found.first.auc.high) == pytest.approx((alone.low, alone.high), abs=1e-3)
    is_hsil = np.array([label is H for label in labels])
    for mine, values in (
        (found.accuracy, ((probs[1] >= 0.5) == is_hsil) * 1.0 - ((probs[0] >= 0.5) == is_hsil)),
        (found.brier, (probs[1] - is_hsil) ** 2 - (probs[0] - is_hsil) ** 2),
    ):
        # By hand: Student's over the means of the 40 patients, who have two cases each.
        means = values.reshape(40, 2).mean(axis=1)
        far = student.isf(0.025, 39) * means.std(ddof=1) / 40**0.5
        assert (mine.value, mine.low, mine.high) == pytest.approx(
            (means.mean(), means.mean() - far, means.mean() + far)
        )
    assert "the chance of training" in found.interval
    assert "2 trainings" in compare(first * 2, second * 2).interval
    assert found.clustered


def test_swapping_the_arms_swaps_the_signs() -> None:
    labels, probs = cohort(60, 1.0, np.random.default_rng(5), seeds=4)
    first, second = arm(probs[:2], labels), arm(probs[2:], labels)
    found, swapped = compare(first, second), compare(second, first)
    assert (swapped.first, swapped.second) == (found.second, found.first)
    for name in FIGURES:
        one, other = getattr(found, name), getattr(swapped, name)
        assert (other.value, other.low, other.high) == pytest.approx((-one.value, -one.high, -one.low))
    assert swapped.by_seed[1].accuracy.b == found.by_seed[1].accuracy.c


def test_the_order_of_cases_and_of_trainings_does_not_matter() -> None:
    chance = np.random.default_rng(6)
    labels, probs = cohort(60, 1.0, chance, seeds=4)
    patients = [n // 2 for n in range(60)]
    order = chance.permutation(60)
    found = compare(arm(probs[:2], labels, patients), arm(probs[2:], labels, patients))
    turned = compare(
        arm(probs[:2, order], [labels[n] for n in order], [patients[n] for n in order]),
        arm(probs[2:, order], [labels[n] for n in order], [patients[n] for n in order]),
    )
    reseeded = compare(arm(probs[[1, 0]], labels, patients), arm(probs[[3, 2]], labels, patients))
    for name in FIGURES:
        assert astuple(getattr(turned, name)) == pytest.approx(astuple(getattr(found, name)))
        assert getattr(reseeded, name).value == pytest.approx(getattr(found, name).value)


def test_ten_images_of_a_patient_tell_little_more_than_one() -> None:
    labels, probs = cohort(60, 1.0, np.random.default_rng(7), seeds=2)
    tenfold, written = np.repeat(probs, 10, axis=1), [label for label in labels for _ in range(10)]

    def width(patients: list[int]) -> float:
        found = compare(arm(tenfold[:1], written, patients), arm(tenfold[1:], written, patients)).accuracy
        return found.high - found.low  # type: ignore[operator]

    assert width([n // 10 for n in range(600)]) > 2 * width(list(range(600)))


def test_the_chance_of_training_is_in_the_interval_as_it_should_be() -> None:
    """Where patients do not differ at all, what is left is the mean over trainings with its standard error."""
    chance = np.random.default_rng(8)
    labels = [H, N] * 40
    of_seed = chance.normal(0, 0.05, size=8)
    # Each training says the same of every case, so that its Brier score is its own and no resample changes it much.
    first = arm(np.full((8, 80), 0.5), labels)
    second = arm(np.array([[0.8 + one if label is H else 0.2 - one for label in labels] for one in of_seed]), labels)
    found = compare(first, second).brier
    briers = (0.2 - of_seed) ** 2 - 0.25
    error = briers.std(ddof=1) / np.sqrt(8)
    assert found.value == pytest.approx(briers.mean())
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(error, rel=0.1)  # type: ignore[operator]


def test_where_trainings_alone_differ_their_degrees_of_freedom_decide() -> None:
    labels = [H, N] * 10

    def brier_of(*nearer: float) -> Estimate:
        first = arm(np.full((len(nearer), 20), 0.5), labels)
        second = arm(np.array([[0.5 + x if label is H else 0.5 - x for label in labels] for x in nearer]), labels)
        return compare(first, second).brier

    two, briers = brier_of(0.1, 0.3), np.array([0.4**2, 0.2**2]) - 0.25
    assert two.value == pytest.approx(briers.mean())
    far = student.isf(0.025, 2) * briers.std(ddof=1) / 2**0.5
    assert (two.low, two.high) == pytest.approx((briers.mean() - far, briers.mean() + far))
    four, briers = brier_of(0, 0, 0, 0.5), np.array([0.25, 0.25, 0.25, 0]) - 0.25
    assert four.high - four.low == pytest.approx(2 * student.isf(0.025, 6) * briers.std(ddof=1) / 2)  # type: ignore[operator]


@pytest.mark.parametrize(("n_seeds", "of_seed", "least"), [(2, 0.0, 0.4), (3, 0.3, 0.3), (5, 0.0, 0.8)])
def test_the_verdict_errs_about_as_often_as_it_says_and_is_not_mute(n_seeds: int, of_seed: float, least: float) -> None:
    """Of equal arms and of unlike ones, 100 comparisons each; a bootstrap over both erred in 0 to 0.3% and was mute."""
    chance = np.random.default_rng(n_seeds)
    labels = [H] * 24 + [N] * 36
    is_hsil = np.array([label is H for label in labels])
    shown = {0.0: 0, 0.8: 0}
    for effect in shown:
        for _ in range(100):
            case = chance.normal(0, 0.8, 60)
            arms = []
            for better in (0.0, effect):
                own = case + chance.normal(0, 0.3, 60)
                skill = 1.6 + better + chance.normal(0, of_seed, (n_seeds, 1))
                probs = 1 / (1 + np.exp(-(own + skill * is_hsil + chance.normal(0, 0.6, (n_seeds, 60)) - 0.8)))
                arms.append(measure_arm(arm(probs, labels), [0.5] * n_seeds))
            found = difference_figures(*arms)["auc"]
            shown[effect] += found.low > 0 or found.high < 0
    assert shown[0.0] <= 9
    assert shown[0.8] / 100 >= least


def test_intervals_hold_the_estimate_and_most_often_the_truth() -> None:
    held = 0
    for seed in range(40):
        labels, probs = cohort(120, 1.0, np.random.default_rng(seed), seeds=2)
        found = compare(arm(probs[:1], labels), arm(probs[1:], labels))
        assert found.auc.low < found.auc.value < found.auc.high  # type: ignore[operator]
        held += found.auc.low <= 0 <= found.auc.high  # type: ignore[operator]
    assert 35 <= held <= 40


def test_where_nothing_can_be_known_nothing_is_claimed() -> None:
    labels = [H, H, N, N]
    perfect = arm(np.array([[0.9, 0.8, 0.2, 0.1]] * 2), labels)
    same = compare(perfect, perfect)
    assert (same.first.auc.value, same.auc.value) == (1.0, 0.0)
    for one in (same.first.auc, same.auc, same.accuracy, same.sensitivity, same.brier):
        assert (one.low, one.high) == (None, None)
    assert same.by_seed[0].accuracy.p == 1.0
    alone = compare(arm(np.array([[0.9, 0.3]]), [H, N], [1, 1]), arm(np.array([[0.4, 0.3]]), [H, N], [1, 1]))
    assert alone.accuracy.value == -0.5
    assert {getattr(alone, name).low for name in FIGURES} == {None}
    one_class = compare(arm(np.array([[0.9, 0.3]]), [H, H]), arm(np.array([[0.4, 0.3]]), [H, H]))
    assert (one_class.auc.value, one_class.specificity.value, one_class.by_seed[0].auc.p) == (None, None, None)
    assert one_class.sensitivity.value == -0.5
    nobody = compare([[]], [[]])
    assert (nobody.n, nobody.n_patients, nobody.accuracy) == (0, 0, Estimate(None, None, None, 0, 0))


def test_a_label_from_one_patient_gives_no_interval_however_many_trainings() -> None:
    labels = [H, N, N, N, N]
    probs = np.random.default_rng(9).random((6, 5))
    found = compare(arm(probs[:3], labels), arm(probs[3:], labels))
    assert found.accuracy.low is not None
    assert found.specificity.missing == "4 patients, and it takes 5"
    assert (found.sensitivity.low, found.auc.low) == (None, None)


def test_arms_must_match() -> None:
    labels = [H, N]
    one = arm(np.array([[0.9, 0.3]]), labels)
    others = [
        arm(np.array([[0.9, 0.3]]), [N, H]),
        arm(np.array([[0.9, 0.3]]), labels, [4, 5]),
        [one[0][::-1]],
        [one[0][:1]],
        [[replace(row, image_id=3) for row in one[0]]],
    ]
    for other in others:
        with pytest.raises(ValueError, match="same cases in the same order"):
            compare(one, other)
    for first, second, cuts in ((one, one * 2, [0.5]), ([], [], []), (one, one, [0.5, 0.5])):
        with pytest.raises(ValueError, match="as many trainings and thresholds"):
            compare_arms(first, second, thresholds_first=cuts, thresholds_second=cuts)
    with pytest.raises(ValueError, match="between 0 and 1"):
        compare(one, arm(np.array([[0.9, 1.3]]), labels))


def test_worse_is_what_lies_below_0_with_its_whole_interval() -> None:
    worse = {(-0.2, -0.1): True, (-0.2, 0.0): False, (-0.2, 0.1): False, (0.1, 0.2): False, (None, None): False}
    for (low, high), expected in worse.items():
        assert is_worse(Estimate(-0.1, low, high, 20, 20)) is expected
    assert not is_worse(Estimate(None, None, None, 0, 0))
