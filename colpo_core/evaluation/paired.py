"""Two networks on the same cases: McNemar's and DeLong's tests, and the difference over several trainings.

The two tests take rows as independent. They are for one row a patient, or one a case where no patient has two; with
several rows of one patient they claim more than is known, and the bootstrap over patients is to be read instead.
"""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest, norm

from colpo_core.evaluation.calls import calls_at, paired_counts
from colpo_core.evaluation.intervals import CONFIDENCE, RESAMPLES, percentile_bounds
from colpo_core.evaluation.judged import Judged, is_clustered
from colpo_core.evaluation.placements import placements
from colpo_core.evaluation.resampling import divided, patient_weights, weighted_auc
from colpo_core.evaluation.roc import fewest_patients
from colpo_core.records.comparisons import (
    ArmDifference,
    ArmFigures,
    AucInterval,
    DeLongTest,
    McNemarTest,
    SeedComparison,
)
from colpo_core.records.figures import Estimate
from colpo_core.terms import Label

_Floats = npt.NDArray[np.float64]

_FIGURES = tuple(field.name for field in fields(ArmFigures))
# Placements are shares of cases: a variance below this is rounding.
_NO_VARIANCE = 1e-24
ONE_TRAINING = (
    "a bootstrap over patients; with one training of each arm, the chance of training (starting weights, order, "
    "augmentation) is not in it"
)
SEVERAL_TRAININGS = "a bootstrap over patients and over the {n} trainings of each arm, in pairs of one seed"


def mcnemar(b: int, c: int) -> McNemarTest:
    """McNemar's exact test: whether cases on which two callers differ go one way.

    Cases must be independent: one row a patient.

    Args:
        b: Cases that only the first calls right.
        c: Cases that only the second calls right.

    Returns:
        With the two-sided p of the binomial distribution; 1 where they never differ.

    Raises:
        ValueError: A count is below 0.

    Source: McNemar 1947, "Note on the sampling error of the difference between correlated proportions"; the exact
        test after Agresti 2013, "Categorical data analysis", section 11.1.
    """
    if min(b, c) < 0:
        raise ValueError(f"{b} and {c} cases cannot be")
    p = 1.0 if b + c == 0 else float(binomtest(int(b), int(b + c), 0.5).pvalue)
    return McNemarTest(b=int(b), c=int(c), p=p)


def delong(
    truth: Sequence[Label], first: Sequence[float], second: Sequence[float], *, alpha: float = 1 - CONFIDENCE
) -> DeLongTest:
    """DeLong's test of two areas under the ROC curve on the same cases.

    Cases must be independent: one row a patient. In few cases, and near an area of 1, its normal distribution is a
    rough guess.

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
        low=difference - far,
        high=difference + far,
        z=z,
        p=float(2 * norm.sf(abs(z))),
    )


def delong_interval(truth: Sequence[Label], probs: Sequence[float], *, alpha: float = 1 - CONFIDENCE) -> AucInterval:
    """An area under the ROC curve with DeLong's interval, cut off at 0 and 1.

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
    seed: int,
    resamples: int = RESAMPLES,
) -> ArmDifference:
    """Two arms, each trained with the same seeds and judged on the same cases: second minus first, mean over seeds.

    Each resample draws patients with replacement, the same for both arms and all seeds. Where there are S > 1 seeds it
    also draws S - 1 of them with replacement, in pairs of one seed: drawing S would make the variance between seeds too
    small by (S - 1) / S, by half with two seeds. With two or three seeds the chance of training is in the interval, but
    roughly. With one seed it is not in it at all: the interval is then that of these two networks, not of the two ways
    of training.

    A figure has no interval where its cases come from one patient (the area: the cases of a label), or where every
    resample says the same, such as two areas of 1.

    Args:
        first: Of each training seed the cases as the first arm judged them.
        second: Those of the second arm: the same seeds, and the same cases in the same order.
        thresholds_first: The first arm's threshold of each seed.
        thresholds_second: The second arm's.
        seed: Seed of the bootstrap.
        resamples: How many resamples it draws.

    Raises:
        ValueError: There is no seed, the lists do not match each other, or a probability does not lie between 0 and 1.

    Source: Owen 2007, "The pigeonhole bootstrap", for drawing rows and columns of a table; McCarthy and Snowden 1985,
        "The bootstrap and finite population sampling", for drawing one fewer; DeLong et al. 1988 and McNemar 1947 for
        the tests of each seed.
    """
    _check_arms(first, second, thresholds_first, thresholds_second)
    rows = first[0]
    arms = [
        _Arm(rows, judged, thresholds)
        for judged, thresholds in ((first, thresholds_first), (second, thresholds_second))
    ]
    patients = [row.patient_id for row in rows]
    generator = np.random.default_rng(seed)
    drawn = [np.empty((resamples, len(first), len(_FIGURES))) for _ in arms]
    done = 0
    for weights in patient_weights(patients, resamples=resamples, generator=generator) if rows else ():
        for arm, kept in zip(arms, drawn, strict=True):
            kept[done : done + len(weights)] = arm.measure(weights)
        done += len(weights)
    seeds = _seed_weights(len(first), resamples, generator)
    values = [arm.measure(np.ones((1, len(rows))))[0].mean(axis=0) for arm in arms]
    means = [(kept * seeds[:, :, None]).sum(axis=1) for kept in drawn]
    estimates = [
        _estimates(value, mean, rows)
        for value, mean in (
            (values[1] - values[0], means[1] - means[0]),
            (values[0], means[0]),
            (values[1], means[1]),
        )
    ]
    return ArmDifference(
        n=len(rows),
        n_patients=len(set(patients)),
        n_seeds=len(first),
        clustered=is_clustered(rows),
        interval=ONE_TRAINING if len(first) == 1 else SEVERAL_TRAININGS.format(n=len(first)),
        **estimates[0],
        first=ArmFigures(**estimates[1]),
        second=ArmFigures(**estimates[2]),
        by_seed=tuple(
            _compare_seed(*pair) for pair in zip(first, second, thresholds_first, thresholds_second, strict=True)
        ),
    )


class _Arm:
    """One arm as arrays: what it needs to be measured on many resamples at once."""

    def __init__(self, rows: Sequence[Judged], judged: Sequence[Sequence[Judged]], thresholds: Sequence[float]) -> None:
        self._is_hsil = _is_hsil([row.label for row in rows])
        self._prob = np.asarray([[row.prob_hsil for row in found] for found in judged], np.float64)
        if not ((self._prob >= 0) & (self._prob <= 1)).all():
            raise ValueError("a probability lies between 0 and 1")
        self._is_right = (self._prob >= np.asarray(thresholds, np.float64)[:, None]) == self._is_hsil

    def measure(self, weights: _Floats) -> _Floats:
        """The figures of each resample: shape (resamples, seeds, figures), NaN where one is not defined."""
        n_all, n_hsil, n_normal = (
            (weights @ counted)[:, None] for counted in (np.ones(weights.shape[1]), self._is_hsil, ~self._is_hsil)
        )
        shape = (len(weights), len(self._prob))
        parts = {
            "accuracy": (weights @ self._is_right.T, n_all),
            "sensitivity": (weights @ (self._is_right & self._is_hsil).T, n_hsil),
            "specificity": (weights @ (self._is_right & ~self._is_hsil).T, n_normal),
            "brier": (weights @ ((self._prob - self._is_hsil) ** 2).T, n_all),
        }
        measured = {name: divided(part, np.broadcast_to(whole, shape)) for name, (part, whole) in parts.items()}
        measured["auc"] = np.stack([weighted_auc(weights, self._is_hsil, prob) for prob in self._prob], axis=1)
        return np.stack([measured[name] for name in _FIGURES], axis=2)


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


def _seed_weights(n_seeds: int, resamples: int, generator: np.random.Generator) -> _Floats:
    """How much each seed weighs in each resample: shape (resamples, seeds), sums of 1."""
    if n_seeds == 1:
        return np.ones((resamples, 1))
    chosen = generator.integers(0, n_seeds, size=(resamples, n_seeds - 1))
    return np.asarray((chosen[:, :, None] == np.arange(n_seeds)).mean(axis=1))


def _estimates(values: _Floats, drawn: _Floats, rows: Sequence[Judged]) -> dict[str, Estimate]:
    """The figures by name, from shapes (figures,) and (resamples, figures)."""
    labels, patients = [row.label for row in rows], [row.patient_id for row in rows]
    of_hsil = [row.patient_id for row in rows if row.label is Label.HSIL]
    of_normal = [row.patient_id for row in rows if row.label is Label.NORMAL]
    found = {}
    for place, name in enumerate(_FIGURES):
        behind = {"sensitivity": of_hsil, "specificity": of_normal}.get(name, patients)
        fewest = fewest_patients(labels, patients) if name == "auc" else len(set(behind))
        value = None if np.isnan(values[place]) else float(values[place])
        bounds = percentile_bounds(drawn[:, place]) if value is not None and fewest > 1 else None
        low, high = bounds if bounds is not None else (None, None)
        found[name] = Estimate(value=value, low=low, high=high, n_patients=len(set(behind)), n_images=len(behind))
    return found


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
        auc=delong(truth, *probs),
    )


def _is_hsil(labels: Sequence[Label]) -> npt.NDArray[np.bool_]:
    return np.asarray([label is Label.HSIL for label in labels], np.bool_)


def _standard_error(of_hsil: _Floats, of_normal: _Floats) -> float | None:
    """Of a mean placement (or difference of two), from the placements of either label."""
    if min(len(of_hsil), len(of_normal)) < 2:
        return None
    variance = float(of_hsil.var(ddof=1) / len(of_hsil) + of_normal.var(ddof=1) / len(of_normal))
    return variance**0.5 if variance > _NO_VARIANCE else None
