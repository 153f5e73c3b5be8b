"""Readers' figures where several cases are of one patient: images of a case, or visits of a woman.

Such cases resemble each other, so intervals that take them as independent are too narrow. Whole patients are drawn
with replacement, and every figure is computed anew in each resample, the readers staying.

Source: Efron and Tibshirani 1993, section 13.3; Field and Welsh 2007 for drawing clusters; Obuchowski 1997,
"Nonparametric analysis of clustered ROC curve data", for what it costs to mind them not.
"""

from collections.abc import Collection, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from colpo_core.evaluation.intervals import RESAMPLES, percentile_bounds
from colpo_core.evaluation.resampling import divided, patient_weights, weighted_auc
from colpo_core.records.reader_statistics import Clustered, ClusteredAnalysis
from colpo_core.studies.ratings import RatingTable

_Floats = npt.NDArray[np.float64]
_TWO = 2
# The first of each figure's values is that of the cases themselves, the others those of the resamples.
Drawn = Mapping[str, _Floats]


def clustered_figures(
    table: RatingTable,
    *,
    model: _Floats | None = None,
    threshold: float | None = None,
    alpha: float = 0.05,
    seed: int = 0,
    resamples: int = RESAMPLES,
    without_area: Collection[str] = (),
) -> ClusteredAnalysis:
    """Figures with intervals by patients.

    Args:
        table: Ratings with the patient of each case.
        model: Shape (cases,): ratings of a standalone model, with the same threshold.
        threshold: A rating from here on is a positive call; without one there are areas alone.
        alpha: 1 minus the intervals' confidence.
        seed: Seed of the bootstrap. Equal seeds draw equal patients for every figure, so that differences are paired.
        resamples: How many it draws.
        without_area: Arms whose ratings are yes or no alone.

    Raises:
        ValueError: The table does not name the patients.
    """
    if table.patients is None:
        raise ValueError("the table does not name the patients")
    draw = _Draw(table, threshold, seed, resamples)
    arms = {
        arm: {
            name: draw.figures(ratings[place], with_area=arm not in without_area)
            for place, name in enumerate(table.readers)
            if not np.isnan(ratings[place]).all()
        }
        for arm, ratings in zip(table.arms, table.rating, strict=True)
    }
    complete = {
        arm: _mean(list(arms[arm].values()))
        for arm, ratings in zip(table.arms, table.rating, strict=True)
        if not np.isnan(ratings[~np.isnan(ratings).all(axis=1)]).any()
    }
    of_model = None if model is None else draw.figures(model, with_area=True)
    is_paired = len(table.arms) == _TWO
    return ClusteredAnalysis(
        n_patients=len(set(table.patients)),
        resamples=resamples,
        readers={
            name: {arm: _summed(found[name], alpha) for arm, found in arms.items() if name in found}
            for name in table.readers
        },
        differences={name: _summed(_minus(*pair), alpha) for name, pair in _pairs(table, draw, without_area)},
        together={arm: _summed(found, alpha) for arm, found in complete.items()},
        difference=_summed(_minus(*complete.values()), alpha) if is_paired and table.is_complete else {},
        against_model={
            arm: _summed(_minus(found, of_model), alpha) for arm, found in complete.items() if of_model is not None
        },
    )


class _Draw:
    def __init__(self, table: RatingTable, threshold: float | None, seed: int, resamples: int) -> None:
        self._truth, self._threshold = table.truth, threshold
        patients = np.unique(np.asarray(table.patients), return_inverse=True)[1].tolist()
        drawn = patient_weights(patients, resamples=resamples, generator=np.random.default_rng(seed))
        self._weights = np.concatenate([np.ones((1, len(patients))), *drawn])

    def figures(self, ratings: _Floats, *, with_area: bool) -> Drawn:
        """By figure, of the cases that were rated: shape (1 + resamples,)."""
        read = ~np.isnan(ratings)
        weights, truth, ratings = self._weights[:, read], self._truth[read], ratings[read]
        found = {"auc": weighted_auc(weights, truth, ratings)} if with_area else {}
        if self._threshold is None:
            return found
        calls = ratings >= self._threshold
        shares = {
            "accuracy": (calls == truth, np.ones_like(truth)),
            "sensitivity": (calls & truth, truth),
            "specificity": (~calls & ~truth, ~truth),
            "ppv": (calls & truth, calls),
            "npv": (~calls & ~truth, ~calls),
        }
        return found | {name: divided(weights @ part, weights @ whole) for name, (part, whole) in shares.items()}


def _pairs(table: RatingTable, draw: _Draw, without_area: Collection[str]) -> Iterator[tuple[str, tuple[Drawn, Drawn]]]:
    """Of two arms, each reader's figures in either, on the cases that were read in both."""
    if len(table.arms) != _TWO:
        return
    for place, name in enumerate(table.readers):
        both = ~np.isnan(table.rating[:, place]).any(axis=0)
        if both.any():
            kept = np.where(both, table.rating[:, place], np.nan)
            first, second = (draw.figures(one, with_area=not without_area) for one in kept)
            yield name, (first, second)


def _mean(found: list[Drawn]) -> Drawn:
    return {name: np.mean([one[name] for one in found], axis=0) for name in found[0]} if found else {}


def _minus(first: Drawn, second: Drawn) -> Drawn:
    return {name: values - second[name] for name, values in first.items() if name in second}


def _summed(found: Drawn, alpha: float) -> dict[str, Clustered]:
    return {
        name: Clustered(None, None)
        if np.isnan(values[0])
        else Clustered(float(values[0]), percentile_bounds(values[1:], alpha=alpha))
        for name, values in found.items()
    }
