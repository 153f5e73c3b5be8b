"""Readers' figures where several cases are of one patient: images of a case, or visits of a woman.

Such cases resemble each other, so intervals that take them as independent are too narrow. What the cases of a patient
give to a figure is summed, and the sums of patients vary independently; the readers stay.

Source: Obuchowski 1997, "Nonparametric analysis of clustered ROC curve data"; Rao and Scott 1992, "A simple method for
the analysis of clustered binary data", for shares as ratios of sums over patients; Obuchowski 1998, "On the comparison
of correlated proportions for clustered data", for two arms. Intervals take t with one degree of freedom fewer than
patients, those of one figure on the logit scale.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as t_distribution

from colpo_core.evaluation.few import FEWEST_FOR_A_DIFFERENCE, FEWEST_FOR_AN_INTERVAL, too_few
from colpo_core.evaluation.intervals import exact_share
from colpo_core.evaluation.placements import placements
from colpo_core.records.statistics.figures import Bounds
from colpo_core.records.statistics.rating_analysis import Clustered, ClusteredAnalysis
from colpo_core.records.statistics.reader_figures import PairedAucs, PairedCalls
from colpo_core.studies.obuchowski_rockette import bounded, logit_interval
from colpo_core.studies.ratings import RatingTable

_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]
_Ints = npt.NDArray[np.int_]
_TWO = 2
# Figures are shares of cases: a variance below this is rounding.
_NO_VARIANCE = 1e-24


@dataclass(frozen=True)
class _Figure:
    """A figure, and what each patient adds to its error.

    Attributes:
        value: The figure; NaN where it is not defined.
        of_patient: Shape (patients,): sums of what her cases add; they sum to 0.
        n_patients: Patients whose cases it is of; of an area and of accuracy, those of the rarer class.
    """

    value: float
    of_patient: _Floats
    n_patients: int

    @property
    def variance(self) -> float:
        """Over other patients."""
        if self.n_patients < _TWO:
            return 0.0
        return self.n_patients / (self.n_patients - 1) * float((self.of_patient**2).sum())

    @property
    def df(self) -> float:
        """Degrees of freedom."""
        return float(self.n_patients - 1)


_Figures = Mapping[str, _Figure]


def clustered_figures(
    table: RatingTable,
    *,
    model: _Floats | None = None,
    areas_of_model: _Floats | None = None,
    threshold: float | None = None,
    alpha: float = 0.05,
    without_area: Collection[str] = (),
) -> ClusteredAnalysis:
    """Figures with intervals by patients.

    Args:
        table: Ratings with the patient of each case.
        model: Shape (cases,): ratings of a standalone model, with the same threshold.
        areas_of_model: Its ratings for the area under the curve; the same when None.
        threshold: A rating from here on is a positive call; without one there are areas alone.
        alpha: 1 minus the intervals' confidence.
        without_area: Arms whose ratings are yes or no alone.

    Raises:
        ValueError: The table does not name the patients.
    """
    if table.patients is None:
        raise ValueError("the table does not name the patients")
    taken = _Taken(table, threshold)
    arms = {
        arm: {
            name: taken.figures(ratings[index], with_area=arm not in without_area)
            for index, name in enumerate(table.readers)
            if not np.isnan(ratings[index]).all()
        }
        for arm, ratings in zip(table.arms, table.rating, strict=True)
    }
    complete = {
        arm: _mean(list(arms[arm].values()))
        for arm, ratings in zip(table.arms, table.rating, strict=True)
        if not np.isnan(ratings[~np.isnan(ratings).all(axis=1)]).any()
    }
    of_model: _Figures | None = None
    if model is not None:
        of_model = dict(taken.figures(model, with_area=False)) | {
            "auc": taken.area(model if areas_of_model is None else areas_of_model)
        }
    is_paired = len(table.arms) == _TWO
    return ClusteredAnalysis(
        n_patients=len(set(table.patients)),
        resamples=0,
        readers={
            name: {arm: _alone(readers[name], alpha) for arm, readers in arms.items() if name in readers}
            for name in table.readers
        },
        differences={name: _apart(*pair, alpha=alpha) for name, pair in _pairs(table, taken, without_area)},
        together={arm: _alone(mean, alpha) for arm, mean in complete.items()},
        difference=_apart(*(complete[arm] for arm in table.arms), alpha=alpha)
        if is_paired and table.is_complete
        else {},
        against_model={
            arm: _apart(mean, of_model, alpha=alpha) for arm, mean in complete.items() if of_model is not None
        },
    )


def paired_aucs_by_patient(
    patients: _Ints, truth: _Bools, first: _Floats, second: _Floats, *, alpha: float = 0.05
) -> PairedAucs:
    """Test of one reader's two areas on the same cases, several of which may be of one patient.

    Args:
        patients: Shape (cases,): patient of each case, by number.
        truth: Shape (cases,), both classes among them.
        first: Shape (cases,): ratings in the first arm.
        second: In the second.
        alpha: 1 minus the interval's confidence.

    Source: Obuchowski 1997, with t in place of the normal distribution.
    """
    first_area, second_area = (_area(truth, ratings, _numbered(patients)) for ratings in (first, second))
    difference = first_area.value - second_area.value
    few = too_few(first_area.n_patients, first_area.n_patients, fewest=FEWEST_FOR_A_DIFFERENCE, of="patients")
    tested = _tested(first_area, second_area, alpha, few)
    return PairedAucs(difference, tested.ci, tested.t, tested.p, method="obuchowski", reason=tested.reason)


def paired_calls_by_patient(
    patients: _Ints, truth: _Bools, first: _Floats, second: _Floats, *, threshold: float, alpha: float = 0.05
) -> dict[str, PairedCalls]:
    """Test of one reader's calls in two arms, of all cases and of either class, where patients have several cases.

    Args:
        patients: Shape (cases,): patient of each case, by number.
        truth: Shape (cases,).
        first: Shape (cases,): ratings in the first arm.
        second: In the second.
        threshold: A rating from here on is a positive call.
        alpha: 1 minus the interval's confidence.

    Source: Obuchowski 1998, with t in place of the normal distribution.
    """
    right = (first >= threshold) == truth, (second >= threshold) == truth
    where = {"accuracy": np.ones_like(truth), "sensitivity": truth, "specificity": ~truth}
    comparisons = {}
    for name, is_counted in where.items():
        b, c = (int(np.count_nonzero((calls & ~other)[is_counted])) for calls, other in (right, right[::-1]))
        numbers = _numbered(patients[is_counted])
        sides = [_ratio(calls[is_counted], np.ones(int(is_counted.sum())), numbers) for calls in right]
        few = too_few(sides[0].n_patients, sides[0].n_patients, fewest=FEWEST_FOR_AN_INTERVAL, of="patients")
        tested = _tested(sides[0], sides[1], alpha, few)
        difference = None if not is_counted.any() else sides[0].value - sides[1].value
        comparisons[name] = PairedCalls(
            b, c, int(is_counted.sum()), tested.p, difference, tested.ci, method="patients", reason=tested.reason
        )
    return comparisons


@dataclass(frozen=True)
class _Tested:
    ci: Bounds | None
    t: float | None
    p: float | None
    reason: str | None


def _tested(first: _Figure, second: _Figure, alpha: float, few: str | None) -> _Tested:
    if few is not None:
        return _Tested(None, None, None, few)
    apart = _minus(first, second)
    if apart.variance <= _NO_VARIANCE:
        return _Tested(None, None, None, "no patient differs between the two")
    se = apart.variance**0.5
    t = apart.value / se
    interval = bounded(apart.value, se, apart.df, alpha, (-1.0, 1.0))
    return _Tested(interval.ci, t, float(2 * t_distribution.sf(abs(t), apart.df)), interval.reason)


class _Taken:
    """The figures of ratings of a table's cases, with what each patient adds to them."""

    def __init__(self, table: RatingTable, threshold: float | None) -> None:
        self._truth, self._threshold = table.truth, threshold
        self._patients = _numbered(np.asarray(table.patients))

    def area(self, ratings: _Floats) -> _Figure:
        """The area under the curve, of the cases that were rated."""
        read = ~np.isnan(ratings)
        return _area(self._truth[read], ratings[read], self._patients[read], int(self._patients.max()) + 1)

    def figures(self, ratings: _Floats, *, with_area: bool) -> _Figures:
        """By name, of the cases that were rated."""
        read = ~np.isnan(ratings)
        truth, patients, size = self._truth[read], self._patients[read], int(self._patients.max()) + 1
        figures_of = {"auc": self.area(ratings)} if with_area else {}
        if self._threshold is None:
            return figures_of
        calls = ratings[read] >= self._threshold
        shares = {
            "accuracy": (calls == truth, np.ones_like(truth)),
            "sensitivity": (calls & truth, truth),
            "specificity": (~calls & ~truth, ~truth),
            "ppv": (calls & truth, calls),
            "npv": (~calls & ~truth, ~calls),
        }
        return figures_of | {name: _ratio(part, whole, patients, size) for name, (part, whole) in shares.items()}


def _numbered(patients: npt.NDArray[np.generic]) -> _Ints:
    return np.asarray(np.unique(patients, return_inverse=True)[1])


def _area(truth: _Bools, ratings: _Floats, patients: _Ints, size: int = 0) -> _Figure:
    size = max(size, int(patients.max()) + 1 if len(patients) else 1)
    if truth.all() or not truth.any():
        return _Figure(float("nan"), np.zeros(size), 0)
    positive, negative = placements(truth, ratings)
    value = float(positive.mean())
    adds = np.empty(len(truth))
    adds[truth], adds[~truth] = (positive - value) / len(positive), (negative - value) / len(negative)
    fewest = min(len(np.unique(patients[truth])), len(np.unique(patients[~truth])))
    return _Figure(value, np.asarray(np.bincount(patients, adds, size), np.float64), fewest)


def _ratio(part: npt.ArrayLike, whole: npt.ArrayLike, patients: _Ints, size: int = 0) -> _Figure:
    size = max(size, int(patients.max()) + 1 if len(patients) else 1)
    parts, wholes = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    total = float(wholes.sum())
    if total == 0:
        return _Figure(float("nan"), np.zeros(size), 0)
    value = float(parts.sum()) / total
    of_patient = np.asarray(np.bincount(patients, (parts - value * wholes) / total, size), np.float64)
    return _Figure(value, of_patient, len(np.unique(patients[wholes > 0])))


def _pairs(
    table: RatingTable, taken: _Taken, without_area: Collection[str]
) -> Iterator[tuple[str, tuple[_Figures, _Figures]]]:
    """Of two arms, each reader's figures in either, on the cases that were read in both."""
    if len(table.arms) != _TWO:
        return
    for index, name in enumerate(table.readers):
        both = ~np.isnan(table.rating[:, index]).any(axis=0)
        if both.any():
            of_both = np.where(both, table.rating[:, index], np.nan)
            first, second = (taken.figures(ratings, with_area=not without_area) for ratings in of_both)
            yield name, (first, second)


def _mean(every_figure: Sequence[_Figures]) -> _Figures:
    if not every_figure:
        return {}
    return {
        name: _Figure(
            float(np.mean([figures[name].value for figures in every_figure])),
            np.mean([figures[name].of_patient for figures in every_figure], axis=0),
            min(figures[name].n_patients for figures in every_figure),
        )
        for name in every_figure[0]
    }


def _minus(first: _Figure, second: _Figure) -> _Figure:
    return _Figure(
        first.value - second.value, first.of_patient - second.of_patient, min(first.n_patients, second.n_patients)
    )


def _apart(first: _Figures, second: _Figures, *, alpha: float) -> dict[str, Clustered]:
    differences = {}
    for name, figure in first.items():
        if name in second:
            apart = _minus(figure, second[name])
            fewest = FEWEST_FOR_A_DIFFERENCE if name == "auc" else FEWEST_FOR_AN_INTERVAL
            has_ci = apart.n_patients >= fewest and apart.variance > _NO_VARIANCE
            differences[name] = Clustered(
                None if np.isnan(apart.value) else apart.value,
                bounded(apart.value, apart.variance**0.5, apart.df, alpha, (-1.0, 1.0)).ci if has_ci else None,
            )
    return differences


def _alone(figures: _Figures, alpha: float) -> dict[str, Clustered]:
    return {name: _with_interval(name, figure, alpha) for name, figure in figures.items()}


def _with_interval(name: str, figure: _Figure, alpha: float) -> Clustered:
    if np.isnan(figure.value):
        return Clustered(None, None)
    if figure.n_patients < FEWEST_FOR_AN_INTERVAL:
        return Clustered(figure.value, None)
    if figure.value in {0.0, 1.0} and name != "auc":
        # Every patient is a trial of her own that went one way: a bound that cannot be too narrow.
        score = exact_share(int(figure.value) * figure.n_patients, figure.n_patients, alpha=alpha)
        return Clustered(figure.value, None if score.low is None or score.high is None else (score.low, score.high))
    se = figure.variance**0.5 if figure.variance > _NO_VARIANCE else None
    return Clustered(figure.value, logit_interval(figure.value, se, figure.df, alpha))
