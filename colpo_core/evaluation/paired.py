"""Two networks on the same cases: the difference over several trainings, with tests of each training beside it.

The tests take rows as independent. They are for one row a patient, or one a case where no patient has two; with
several rows of one patient they claim more than is known, and the interval by patients is to be read instead.
"""

from collections.abc import Sequence
from dataclasses import replace

from colpo_core.evaluation.arms import arm_figures, difference_figures, measure_arm
from colpo_core.evaluation.calls import calls_at, paired_counts
from colpo_core.evaluation.delong import delong
from colpo_core.evaluation.few import FEWEST_FOR_A_DIFFERENCE, too_few
from colpo_core.evaluation.judged import Judged, is_clustered
from colpo_core.evaluation.mcnemar import mcnemar
from colpo_core.records.statistics.comparisons import ArmDifference, ArmFigures, DeLongTest, McNemarTest, SeedComparison
from colpo_core.records.statistics.figures import Estimate
from colpo_core.terms import Label

ONE_TRAINING = (
    "from what patients differ in; with one training of each arm, the chance of training (starting weights, order, "
    "augmentation) is not in it"
)
SEVERAL_TRAININGS = "from what patients, and the {n} trainings of each arm, differ in"


def is_worse(difference: Estimate) -> bool:
    """Whether a difference lies below 0 with its whole interval; without an interval nothing is claimed.

    It is for figures of which more is better. Of a Brier score, exchange the arms.
    """
    return difference.high is not None and difference.high < 0


def compare_arms(
    first: Sequence[Sequence[Judged]],
    second: Sequence[Sequence[Judged]],
    *,
    thresholds_first: Sequence[float],
    thresholds_second: Sequence[float],
) -> ArmDifference:
    """Two arms, trained with the same seeds and judged on the same cases: second minus first, mean over seeds.

    With one training of each arm the variance is that of the patients: the interval is that of these two networks,
    not of the two ways of training. With S > 1 trainings the variance is that of other patients and other trainings.
    It is made as that of readers who are nested in arms, after Obuchowski and Rockette:

        (s1 + s2) / S + max(0, c1 + c2 - 2 c12)

    with s the variance of an arm's trainings about their mean on these patients, c the mean covariance of two
    trainings of an arm, and c12 of one of either arm, from what each patient adds to the figure. What a training and
    the patients have in common is in the first term and not counted once more in the second. The first term has
    2 (S - 1) degrees of freedom, the second one fewer than there are patients. From three trainings on they are joined
    after Satterthwaite; with two, where the first has two degrees of freedom, after Cochran, which is wider.

    A figure has no interval below `FEWEST_PATIENTS` patients (the area: below `FEWEST_FOR_AN_INTERVAL` of a label), or
    where no patient adds anything. An interval of a difference ends at -1 and 1.

    Args:
        first: Of each training seed the cases as the first arm judged them.
        second: Those of the second arm: the same seeds, and the same cases in the same order.
        thresholds_first: The first arm's threshold of each seed.
        thresholds_second: The second arm's.

    Raises:
        ValueError: There is no seed, the lists do not match each other, or a probability does not lie between 0 and 1.

    Source: Obuchowski and Rockette 1995, and Hillis 2014, "A marginal-mean ANOVA approach for analyzing multireader
        multicase radiological imaging data", for readers nested in arms; Cochran and Cox 1957, "Experimental designs",
        section 4.14; Obuchowski 1997 for several cases of a patient; DeLong et al. 1988 and McNemar 1947 for the tests
        of each seed. `benchmarks/interval_coverage.py` for how they cover.
    """
    _check_arms(first, second, thresholds_first, thresholds_second)
    rows = first[0]
    arms = [
        measure_arm(judged, thresholds)
        for judged, thresholds in ((first, thresholds_first), (second, thresholds_second))
    ]
    patients = {row.patient_id for row in rows}
    return ArmDifference(
        n=len(rows),
        n_patients=len(patients),
        n_seeds=len(first),
        clustered=is_clustered(rows),
        interval=ONE_TRAINING if len(first) == 1 else SEVERAL_TRAININGS.format(n=len(first)),
        **difference_figures(*arms),
        first=ArmFigures(**arm_figures(arms[0])),
        second=ArmFigures(**arm_figures(arms[1])),
        by_seed=tuple(
            _compare_seed(*pair) for pair in zip(first, second, thresholds_first, thresholds_second, strict=True)
        ),
    )


def _check_arms(
    first: Sequence[Sequence[Judged]],
    second: Sequence[Sequence[Judged]],
    thresholds_first: Sequence[float],
    thresholds_second: Sequence[float],
) -> None:
    sizes = [len(trainings) for trainings in (first, second, thresholds_first, thresholds_second)]
    if min(sizes) == 0 or len(set(sizes)) > 1:
        raise ValueError(f"each arm needs as many trainings and thresholds, at least one, not {sizes}")
    cases = [
        [(row.patient_id, row.case_id, row.image_id, row.label) for row in training] for training in (*first, *second)
    ]
    if any(training != cases[0] for training in cases):
        raise ValueError("every training of both arms must judge the same cases in the same order")


def _compare_seed(
    first: Sequence[Judged], second: Sequence[Judged], threshold_first: float, threshold_second: float
) -> SeedComparison:
    truth = [row.label for row in first]
    probs = [row.prob_hsil for row in first], [row.prob_hsil for row in second]
    calls = calls_at(probs[0], threshold_first), calls_at(probs[1], threshold_second)

    def on(labels: Sequence[Label]) -> McNemarTest:
        chosen = [index for index, label in enumerate(truth) if label in labels]
        counts = paired_counts(*([values[index] for index in chosen] for values in (truth, *calls)))
        return mcnemar(counts.only_first_right, counts.only_second_right)

    return SeedComparison(
        accuracy=on(list(Label)),
        sensitivity=on([Label.HSIL]),
        specificity=on([Label.NORMAL]),
        auc=_delong_or_few(truth, *probs),
    )


def _delong_or_few(truth: Sequence[Label], first: Sequence[float], second: Sequence[float]) -> DeLongTest:
    test = delong(truth, first, second)
    n_hsil = sum(label is Label.HSIL for label in truth)
    missing = too_few(n_hsil, len(truth) - n_hsil, fewest=FEWEST_FOR_A_DIFFERENCE)
    if missing is None or test.difference is None:
        return test
    return replace(test, low=None, high=None, z=None, p=None, missing=missing)
