"""Two networks on the same cases: McNemar's and DeLong's tests, and the difference over several trainings.

The two tests take rows as independent. They are for one row a patient, or one a case where no patient has two; with
several rows of one patient they claim more than is known, and the interval by patients is to be read instead.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.stats import binom, binomtest, norm

from colpo_core.evaluation.arms import arm_figures, difference_figures, measure_arm
from colpo_core.evaluation.calls import calls_at, paired_counts
from colpo_core.evaluation.few import FEWEST_FOR_A_DIFFERENCE, too_few
from colpo_core.evaluation.intervals import CONFIDENCE
from colpo_core.evaluation.judged import Judged, is_clustered
from colpo_core.evaluation.placements import placements
from colpo_core.records.statistics.comparisons import (
    ArmDifference,
    ArmFigures,
    AucInterval,
    DeLongTest,
    McNemarTest,
    SeedComparison,
)
from colpo_core.records.statistics.figures import Estimate
from colpo_core.terms import Label

_Floats = npt.NDArray[np.float64]

# Placements are shares of cases: a variance below this is rounding.
_NO_VARIANCE = 1e-24
ONE_TRAINING = (
    "from what patients differ in; with one training of each arm, the chance of training (starting weights, order, "
    "augmentation) is not in it"
)
SEVERAL_TRAININGS = "from what patients, and the {n} trainings of each arm, differ in"


def mcnemar(b: int, c: int) -> McNemarTest:
    """McNemar's test: whether cases on which two callers differ go one way.

    Its mid-p is what is printed: half of the probability of what was found is left out, so that it rejects what is
    true in about as many studies as it says. The exact p rejects in far fewer.

    Cases must be independent: one row a patient.

    Args:
        b: Cases that only the first calls right.
        c: Cases that only the second calls right.

    Returns:
        With the two-sided mid-p and the exact p of the binomial distribution; 1 where they never differ.

    Raises:
        ValueError: A count is below 0.

    Source: McNemar 1947, "Note on the sampling error of the difference between correlated proportions"; the exact
        test after Agresti 2013, "Categorical data analysis", section 11.1; the mid-p after Fagerland, Lydersen and
        Laake 2013, "The McNemar test for binary matched-pairs data: mid-p and asymptotic are better than exact
        conditional".
    """
    if min(b, c) < 0:
        raise ValueError(f"{b} and {c} cases cannot be")
    if b + c == 0:
        return McNemarTest(b=int(b), c=int(c), p=1.0, p_exact=1.0)
    exact = float(binomtest(int(min(b, c)), int(b + c), 0.5).pvalue)
    found = float(binom.pmf(min(b, c), b + c, 0.5))
    return McNemarTest(b=int(b), c=int(c), p=exact - found / 2 if b == c else exact - found, p_exact=exact)


def delong(
    truth: Sequence[Label], first: Sequence[float], second: Sequence[float], *, alpha: float = 1 - CONFIDENCE
) -> DeLongTest:
    """DeLong's test of two areas under the ROC curve on the same cases.

    Cases must be independent: one row a patient. In few cases, and near an area of 1, its normal distribution is a
    rough guess; see `evaluation.few`. The interval ends at -1 and 1.

    Args:
        truth: Label of each case.
        first: The first's score of each case, higher for HSIL.
        second: The second's.
        alpha: 1 minus the interval's confidence.

    Returns:
        The difference is second minus first; its bounds, z and p are None where its variance is 0 or cannot be had
        (fewer than two cases of a label).

    Raises:
        ValueError: The three are not of one length.

    Source: DeLong, DeLong and Clarke-Pearson 1988, "Comparing the areas under two or more correlated receiver operating
        characteristic curves"; computed with midranks after Sun and Xu 2014, "Fast implementation of DeLong's
        algorithm".
    """
    if not len(truth) == len(first) == len(second):
        raise ValueError(f"{len(truth)} cases, but {len(first)} and {len(second)} scores")
    is_hsil = _is_hsil(truth)
    if is_hsil.all() or not is_hsil.any():
        return DeLongTest(*[None] * 7)
    placed = [placements(is_hsil, np.asarray(scores, np.float64)) for scores in (first, second)]
    auc_first, auc_second = (float(hsil.mean()) for hsil, _ in placed)
    difference = auc_second - auc_first
    error = _standard_error(placed[1][0] - placed[0][0], placed[1][1] - placed[0][1])
    if error is None:
        return DeLongTest(auc_first, auc_second, difference, None, None, None, None)
    z, far = difference / error, float(norm.isf(alpha / 2)) * error
    return DeLongTest(
        auc_first=auc_first,
        auc_second=auc_second,
        difference=difference,
        low=max(-1.0, difference - far),
        high=min(1.0, difference + far),
        z=z,
        p=float(2 * norm.sf(abs(z))),
    )


def delong_interval(truth: Sequence[Label], probs: Sequence[float], *, alpha: float = 1 - CONFIDENCE) -> AucInterval:
    """An area under the ROC curve with DeLong's interval, cut off at 0 and 1: for comparison with other programs.

    It covers too little in few cases and near an area of 1. `areas.area_interval` is what is shown.

    Cases must be independent: one row a patient.

    Args:
        truth: Label of each case.
        probs: Score of each case, higher for HSIL.
        alpha: 1 minus the confidence.

    Returns:
        Without bounds where the variance is 0 (all HSIL rank above all normal) or cannot be had.

    Raises:
        ValueError: The two are not of one length.

    Source: DeLong et al. 1988; Sun and Xu 2014.
    """
    if len(truth) != len(probs):
        raise ValueError(f"{len(truth)} cases, but {len(probs)} scores")
    is_hsil = _is_hsil(truth)
    if is_hsil.all() or not is_hsil.any():
        return AucInterval(None, None, None)
    hsil, normal = placements(is_hsil, np.asarray(probs, np.float64))
    area, error = float(hsil.mean()), _standard_error(hsil, normal)
    if error is None:
        return AucInterval(area, None, None)
    far = float(norm.isf(alpha / 2)) * error
    return AucInterval(area, max(0.0, area - far), min(1.0, area + far))


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
    sizes = [len(one) for one in (first, second, thresholds_first, thresholds_second)]
    if min(sizes) == 0 or len(set(sizes)) > 1:
        raise ValueError(f"each arm needs as many trainings and thresholds, at least one, not {sizes}")
    cases = [[(row.patient_id, row.case_id, row.image_id, row.label) for row in found] for found in (*first, *second)]
    if any(found != cases[0] for found in cases):
        raise ValueError("every training of both arms must judge the same cases in the same order")


def _compare_seed(
    first: Sequence[Judged], second: Sequence[Judged], threshold_first: float, threshold_second: float
) -> SeedComparison:
    truth = [row.label for row in first]
    probs = [row.prob_hsil for row in first], [row.prob_hsil for row in second]
    calls = calls_at(probs[0], threshold_first), calls_at(probs[1], threshold_second)

    def on(labels: Sequence[Label]) -> McNemarTest:
        kept = [place for place, label in enumerate(truth) if label in labels]
        counts = paired_counts(*([found[place] for place in kept] for found in (truth, *calls)))
        return mcnemar(counts.only_first_right, counts.only_second_right)

    return SeedComparison(
        accuracy=on(list(Label)),
        sensitivity=on([Label.HSIL]),
        specificity=on([Label.NORMAL]),
        auc=_delong_or_few(truth, *probs),
    )


def _delong_or_few(truth: Sequence[Label], first: Sequence[float], second: Sequence[float]) -> DeLongTest:
    found = delong(truth, first, second)
    n_hsil = sum(label is Label.HSIL for label in truth)
    missing = too_few(n_hsil, len(truth) - n_hsil, fewest=FEWEST_FOR_A_DIFFERENCE)
    if missing is None or found.difference is None:
        return found
    return replace(found, low=None, high=None, z=None, p=None, missing=missing)


def _is_hsil(labels: Sequence[Label]) -> npt.NDArray[np.bool_]:
    return np.asarray([label is Label.HSIL for label in labels], np.bool_)


def _standard_error(of_hsil: _Floats, of_normal: _Floats) -> float | None:
    """Of a mean placement (or difference of two), from the placements of either label."""
    if min(len(of_hsil), len(of_normal)) < 2:
        return None
    variance = float(of_hsil.var(ddof=1) / len(of_hsil) + of_normal.var(ddof=1) / len(of_normal))
    return variance**0.5 if variance > _NO_VARIANCE else None
