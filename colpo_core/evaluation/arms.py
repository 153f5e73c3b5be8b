"""The figures of trainings on the same cases, what each patient and each training adds to them, and their intervals."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy.stats import norm
from scipy.stats import t as student

from colpo_core.evaluation.areas import (
    NEWCOMBE_5,
    NEWCOMBE_5_BY_PATIENTS,
    area_variances,
    clustered_inflation,
    newcombe_5,
    newcombe_variance,
)
from colpo_core.evaluation.few import too_few
from colpo_core.evaluation.intervals import CONFIDENCE, exact_bounds, few_patients, spread_bounds
from colpo_core.evaluation.judged import Judged
from colpo_core.evaluation.placements import placements
from colpo_core.records.statistics.comparisons import ArmFigures
from colpo_core.records.statistics.figures import Bounds, Estimate
from colpo_core.terms import Label

_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]

FIGURES = tuple(field.name for field in fields(ArmFigures))
PATIENTS_AND_TRAININGS = "t-by-patients-and-trainings"
_TAIL = (1 - CONFIDENCE) / 2
_NO_VARIANCE = 1e-24
_SHARES = ("accuracy", "sensitivity", "specificity")


@dataclass(frozen=True)
class _Figure:
    """One figure of one arm.

    Attributes:
        values: Shape (trainings,).
        added: Shape (trainings, parts, patients): what each patient adds to the distance from what the figure is the
            estimate of, scaled so that the sum of squares over patients is the variance. The area has two parts, of
            HSIL and of normal; other figures have one.
        patients: How many patients stand behind each part.
        n: Cases behind the figure.
    """

    values: _Floats
    added: _Floats
    patients: tuple[int, ...]
    n: int


@dataclass(frozen=True)
class Arm:
    """One arm's figures on its cases.

    Attributes:
        figures: By the figure's name; None where it is not defined.
        counts: Patients and cases behind each figure.
        areas: What the interval of an area takes; None without both labels.
    """

    figures: dict[str, _Figure | None]
    counts: dict[str, tuple[int, int]]
    areas: "_Areas | None"


@dataclass(frozen=True)
class _Areas:
    """Cases and patients of HSIL and of normal, whether patients repeat, and the mean variance by DeLong."""

    n_cases: tuple[int, int]
    n_patients: tuple[int, int]
    clustered: bool
    independent: float | None


def measure_arm(judged: Sequence[Sequence[Judged]], thresholds: Sequence[float]) -> Arm:
    """Measure an arm's trainings.

    Args:
        judged: Of each training the cases, the same in the same order.
        thresholds: Each training's own.

    Raises:
        ValueError: A probability does not lie between 0 and 1.
    """
    rows = judged[0]
    is_hsil = np.asarray([row.label is Label.HSIL for row in rows], np.bool_)
    prob = np.asarray([[row.prob_hsil for row in of_arm] for of_arm in judged], np.float64).reshape(len(judged), -1)
    if not ((prob >= 0) & (prob <= 1)).all():
        raise ValueError("a probability lies between 0 and 1")
    _, patient_of = np.unique(np.asarray([row.patient_id for row in rows], np.int64), return_inverse=True)
    right = ((prob >= np.asarray(thresholds, np.float64)[:, None]) == is_hsil).astype(np.float64)
    every = np.ones_like(is_hsil)
    means = {
        "accuracy": (right, every),
        "sensitivity": (right, is_hsil),
        "specificity": (right, ~is_hsil),
        "brier": ((prob - is_hsil) ** 2, every),
    }
    figures = {name: _mean(values, counted, patient_of) for name, (values, counted) in means.items()}
    figures["auc"], areas = _area(prob, is_hsil, patient_of)
    of = {"sensitivity": is_hsil, "specificity": ~is_hsil}
    counts = {
        name: (len(np.unique(patient_of[of.get(name, every)])), int(of.get(name, every).sum())) for name in FIGURES
    }
    return Arm(figures, counts, areas)


def difference_figures(first: Arm, second: Arm) -> dict[str, Estimate]:
    """Second minus first, by figure; see `paired.compare_arms`."""
    return {name: _difference(name, first, second) for name in FIGURES}


def arm_figures(arm: Arm) -> dict[str, Estimate]:
    """An arm's own figures, each the mean over its trainings.

    An area has Newcombe's interval, widened where the variance over patients and trainings is larger than his. A share
    has the exact one for as many independent trials as would know as much; the Brier score that of `spread_bounds`.
    """
    return {name: _own(name, arm) for name in FIGURES}


def _mean(values: _Floats, counted: _Bools, patient_of: npt.NDArray[np.int64]) -> _Figure | None:
    counted_values = values[:, counted]
    if not counted_values.shape[1]:
        return None
    means = counted_values.mean(axis=1)
    patients, group = np.unique(patient_of[counted], return_inverse=True)
    added = _by_patient((counted_values - means[:, None]) / counted_values.shape[1], group, len(patients))
    return _Figure(means, added[:, None, :], (len(patients),), counted_values.shape[1])


def _area(prob: _Floats, is_hsil: _Bools, patient_of: npt.NDArray[np.int64]) -> tuple[_Figure | None, _Areas | None]:
    if is_hsil.all() or not is_hsil.any():
        return None, None
    placed = [placements(is_hsil, probs) for probs in prob]
    patients, group = np.unique(patient_of, return_inverse=True)
    sides = (is_hsil, ~is_hsil)
    behind = tuple(len(np.unique(group[side])) for side in sides)
    parts = []
    for number, side in enumerate(sides):
        of_side = np.stack([pair[number] for pair in placed])
        apart = (of_side - of_side.mean(axis=1, keepdims=True)) / of_side.shape[1]
        # As many patients as stand behind this part, not all, are what its scale goes by.
        parts.append(_by_patient(apart, group[side], len(patients), behind=behind[number]))
    independent = [area_variances(*pair) for pair in placed]
    known = [variances for variances in independent if variances is not None]
    areas = _Areas(
        (int(is_hsil.sum()), int((~is_hsil).sum())),
        (behind[0], behind[1]),
        len(patients) < len(patient_of),
        float(np.mean(known)) if known else None,
    )
    values = np.asarray([pair[0].mean() for pair in placed], np.float64)
    return _Figure(values, np.stack(parts, axis=1), behind, len(patient_of)), areas


def _by_patient(values: _Floats, group: npt.NDArray[np.int64], count: int, *, behind: int | None = None) -> _Floats:
    """Sums of each patient's values, shape (trainings, patients), scaled for the variance of few of them."""
    sums = np.stack([np.bincount(group, line, count) for line in values])
    few = count if behind is None else behind
    return np.asarray(sums * (few / (few - 1)) ** 0.5 if few > 1 else sums)


def _missing(name: str, arm: Arm) -> str | None:
    if name == "auc" and arm.areas is not None:
        return too_few(*arm.areas.n_patients, of="patients")
    return few_patients(arm.counts[name][0])


def _difference(name: str, first: Arm, second: Arm) -> Estimate:
    n_patients, n_cases = first.counts[name]
    first_figure, second_figure = first.figures[name], second.figures[name]
    if first_figure is None or second_figure is None:
        return Estimate(None, None, None, n_patients, n_cases)
    value = float(second_figure.values.mean() - first_figure.values.mean())
    missing = _missing(name, first)
    if missing is not None:
        return Estimate(value, None, None, n_patients, n_cases, missing=missing)
    far = _far(first_figure, second_figure)
    if far is None:
        return Estimate(value, None, None, n_patients, n_cases, missing=f"{n_patients} patients, who all say the same")
    low, high = max(-1.0, value - far), min(1.0, value + far)
    return Estimate(value, low, high, n_patients, n_cases, method=PATIENTS_AND_TRAININGS)


def _far(first: _Figure, second: _Figure) -> float | None:
    """Half the width of the interval of a difference; None where nothing varies."""
    n_trainings = len(first.values)
    if n_trainings == 1:
        variance, freedom = _of_patients(second.added[0] - first.added[0], first.patients)
        return None if variance <= _NO_VARIANCE else sqrt(variance) * float(student.isf(_TAIL, freedom))
    sums = first.added.sum(axis=0), second.added.sum(axis=0)
    same = [_between(figure.added) for figure in (first, second)]
    both = (sums[0].sum(axis=0) * sums[1].sum(axis=0)).sum() / n_trainings**2
    shared = max(0.0, float(sum(same) - 2 * both))
    by_training = float(sum(figure.values.var(ddof=1) for figure in (first, second))) / n_trainings
    whole, freedom = _of_patients((sums[1] - sums[0]) / n_trainings, first.patients)
    if shared + by_training <= _NO_VARIANCE:
        # The trainings happen to say the same, and their covariance was cut at 0: what patients differ in is left.
        return None if whole <= _NO_VARIANCE else sqrt(whole) * float(student.isf(_TAIL, freedom))
    return sqrt(shared + by_training) * _joined(
        (by_training, 2 * (n_trainings - 1)), (shared, freedom), widely=n_trainings == 2
    )


def _between(added: _Floats) -> float:
    """Mean covariance of two trainings of one arm, from shape (trainings, parts, patients)."""
    n_trainings = len(added)
    whole = added.sum(axis=1)
    return float((whole.sum(axis=0) ** 2).sum() - (whole**2).sum()) / (n_trainings * (n_trainings - 1))


def _of_patients(added: _Floats, behind: Sequence[int]) -> tuple[float, float]:
    """Variance from shape (parts, patients), and its degrees of freedom after Satterthwaite."""
    parts = (added**2).sum(axis=1)
    variance = max(0.0, float((added.sum(axis=0) ** 2).sum()))
    weighed = sum(float(part) ** 2 / (count - 1) for part, count in zip(parts, behind, strict=True))
    return variance, max(min(behind) - 1.0, float(parts.sum()) ** 2 / weighed) if weighed > 0 else min(behind) - 1.0


def _joined(*terms: tuple[float, float], widely: bool) -> float:
    """The quantile of a sum of variances, each with its degrees of freedom."""
    total = sum(variance for variance, _ in terms)
    if widely:
        return float(sum(variance * student.isf(_TAIL, freedom) for variance, freedom in terms) / total)
    return float(student.isf(_TAIL, total**2 / sum(variance**2 / freedom for variance, freedom in terms)))


def _own(name: str, arm: Arm) -> Estimate:
    n_patients, n_cases = arm.counts[name]
    figure = arm.figures[name]
    if figure is None:
        return Estimate(None, None, None, n_patients, n_cases)
    value = float(figure.values.mean())
    missing = _missing(name, arm)
    bounds = None if missing is not None else _own_bounds(name, value, figure, arm.areas)
    if bounds is None:
        missing = missing or f"{n_patients} patients, who all say the same"
        return Estimate(value, None, None, n_patients, n_cases, missing=missing)
    return Estimate(value, *bounds, n_patients, n_cases, method=_method(name, arm))


def _method(name: str, arm: Arm) -> str:
    figure, areas = arm.figures[name], arm.areas
    if name != "auc" or figure is None or areas is None or len(figure.values) > 1:
        return PATIENTS_AND_TRAININGS
    return NEWCOMBE_5_BY_PATIENTS if areas.clustered else NEWCOMBE_5


def _own_bounds(name: str, value: float, figure: _Figure, areas: _Areas | None) -> Bounds | None:
    n_trainings = len(figure.values)
    mean = figure.added.mean(axis=0)
    variance, freedom = _of_patients(mean, figure.patients)
    quantile = float(student.isf(_TAIL, freedom))
    if n_trainings > 1:
        by_training = float(figure.values.var(ddof=1)) / n_trainings
        shared = max(0.0, _between(figure.added))
        if by_training + shared > _NO_VARIANCE:
            variance = by_training + shared
            quantile = _joined((by_training, n_trainings - 1), (shared, freedom), widely=False)
    if name == "auc" and areas is not None:
        return _area_bounds(value, variance, quantile, areas, several=n_trainings > 1)
    if name in _SHARES:
        n_patients = figure.patients[0]
        few = n_patients if variance <= _NO_VARIANCE else min(float(figure.n), value * (1 - value) / variance)
        return exact_bounds(value, few, quantile)
    # The patients' part by its own skewness, stretched for what the trainings add.
    patients = float((mean.sum(axis=0) ** 2).sum())
    stretch = 1.0 if patients <= _NO_VARIANCE else max(1.0, variance / patients) ** 0.5
    few = figure.patients[0]
    return spread_bounds(value, mean[0] * ((few - 1) / few) ** 0.5 * stretch, within=(0.0, 1.0), end=(0.0, 1.0))


def _area_bounds(value: float, variance: float, quantile: float, areas: _Areas, *, several: bool) -> Bounds:
    assumed = newcombe_variance(value, *areas.n_cases)
    inflation = max(1.0, variance / assumed) if assumed > _NO_VARIANCE else 1.0
    if areas.clustered:
        inflation = clustered_inflation(value, variance, areas.independent, areas.n_cases, areas.n_patients)
        quantile = max(quantile, float(student.isf(_TAIL, min(areas.n_patients) - 1)))
    elif not several:
        quantile = float(norm.isf(_TAIL))
    return newcombe_5(value, *areas.n_cases, inflation=inflation, quantile=quantile)
