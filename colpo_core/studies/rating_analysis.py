"""All figures of a table of ratings, and the reasons for those that are not given."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import combinations
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from colpo_core.errors import InputRejected
from colpo_core.records.reader_statistics import (
    AgainstModel,
    ArmAgreement,
    ClusteredAnalysis,
    Covariance,
    Endpoint,
    ManyReaders,
    PairAgreement,
    RatingAnalysis,
    RatingCounts,
    Reader,
    ShareAnalysis,
    SingleArm,
)
from colpo_core.studies.clustered import clustered_figures
from colpo_core.studies.endpoints import components, covariance
from colpo_core.studies.obuchowski_rockette import (
    against_model,
    covariance_parts,
    fixed_cases,
    fixed_readers,
    non_inferiority,
    random_readers_and_cases,
    single_arm,
)
from colpo_core.studies.rater_agreement import cohen, fleiss, gwet_ac1, krippendorff_alpha
from colpo_core.studies.ratings import FEWEST_OF_A_CLASS, RatingTable
from colpo_core.studies.reader_figures import paired_aucs, paired_calls, reader_arm

Found = TypeVar("Found")
_TWO = 2
_SHARES = (Endpoint.ACCURACY, Endpoint.SENSITIVITY, Endpoint.SPECIFICITY)


@dataclass(frozen=True)
class AnalysisOptions:
    """What is asked of the ratings.

    Attributes:
        threshold: A rating from here on is a positive call; without one there are no calls.
        covariance: How the readers' covariance is estimated.
        prevalence: Predictive values are given at it too.
        margin: Of non-inferiority of the first arm to the second, and of a model to the readers.
        endpoint: What the margin is of.
        alpha: 1 minus the intervals' confidence.
        model: Name of the treatment whose single reader is a standalone model.
        seed: Seed of the bootstraps.
    """

    threshold: float | None = None
    covariance: Covariance = Covariance.DELONG
    prevalence: float | None = None
    margin: float | None = None
    endpoint: Endpoint = Endpoint.AUC
    alpha: float = 0.05
    model: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            InputRejected: One of them makes no sense.
        """
        if self.threshold is not None and not np.isfinite(self.threshold):
            raise InputRejected("The threshold is a number.")
        if not 0 < self.alpha < 1:
            raise InputRejected("Alpha lies between 0 and 1; 0.05 is usual.")
        if self.prevalence is not None and not 0 < self.prevalence < 1:
            raise InputRejected("The prevalence lies between 0 and 1.")
        if self.margin is not None and not 0 < self.margin < 1:
            raise InputRejected("The margin lies between 0 and 1, such as 0.05.")


def analyse_table(table: RatingTable, options: AnalysisOptions) -> RatingAnalysis:
    """Everything that can be said of a table of ratings.

    Cases are taken as independent: one case a patient. Where the table names patients behind several cases, figures
    with intervals by patients stand beside the others.

    Args:
        table: At least two cases of either class.
        options: What is asked.

    Raises:
        InputRejected: The model that is named is no treatment, or several readers stand in it.
    """
    return _Analyst(table, options).everything()


class _Analyst:
    def __init__(self, table: RatingTable, options: AnalysisOptions) -> None:
        self.options = options
        self.refused: list[str] = []
        self.model = None if options.model is None else _model_ratings(table, options.model)
        arms = [arm for arm in table.arms if arm != options.model]
        if not arms:
            raise InputRejected("Beside the model's there is no treatment in the file.")
        self.table = table.of_arms(arms)
        self.yes_or_no = {
            arm for arm, ratings in zip(self.table.arms, self.table.rating, strict=True) if _is_yes_or_no(ratings)
        }
        for arm, ratings in zip(self.table.arms, self.table.rating, strict=True):
            if arm in self.yes_or_no:
                self._refuse("areas under the curve", _why_no_area(ratings, f"treatment “{arm}”"), arm)

    def everything(self) -> RatingAnalysis:
        table, options = self.table, self.options
        may_compare = self._may_compare()
        return RatingAnalysis(
            counts=RatingCounts(table.readers, table.arms, len(table.cases), int(table.truth.sum())),
            options={**asdict(options), "covariance": options.covariance.value, "endpoint": options.endpoint.value},
            readers={name: self._reader(place) for place, name in enumerate(table.readers)},
            mrmc=self._many(Endpoint.AUC) if may_compare else None,
            single_arm=self._of_each_arm(self._single, Endpoint.AUC),
            against_model=self._against_each_arm(Endpoint.AUC),
            agreement={arm: self._agreement(place) for place, arm in enumerate(table.arms)},
            shares={} if options.threshold is None else {one: self._share(one, may_compare) for one in _SHARES},
            by_patient=self._by_patient(),
            refused=tuple(dict.fromkeys(self.refused)),
        )

    def _share(self, endpoint: Endpoint, may_compare: bool) -> ShareAnalysis:
        return ShareAnalysis(
            self._many(endpoint) if may_compare else None,
            self._of_each_arm(self._single, endpoint),
            self._against_each_arm(endpoint),
        )

    def _by_patient(self) -> ClusteredAnalysis | None:
        table, options = self.table, self.options
        if table.patients is None or len(set(table.patients)) == len(table.cases):
            return None
        return clustered_figures(
            table, model=self.model, threshold=options.threshold, alpha=options.alpha, seed=options.seed,
            without_area=self.yes_or_no,
        )  # fmt: skip

    def _refuse(self, what: str, why: str, arm: str | None = None) -> None:
        self.refused.append(f"No {what}{'' if arm is None else f' of treatment “{arm}”'}: {why}.")

    def _may_compare(self) -> bool:
        what, table = "comparison of treatments over readers", self.table
        if len(table.arms) < _TWO:
            return False
        if len(table.arms) > _TWO:
            self._refuse(what, f"it takes two treatments, and there are {len(table.arms)}; name two of them")
        elif len(table.readers) < _TWO:
            self._refuse(what, "it takes at least two readers")
        elif not table.is_complete:
            n = int(np.isnan(table.rating).sum())
            self._refuse(what, f"every reader must have read every case with both, and {n} ratings are missing")
        else:
            return True
        return False

    def _many(self, endpoint: Endpoint) -> ManyReaders | None:
        if endpoint is Endpoint.AUC and self.yes_or_no:
            return None
        table, options = self.table, self.options
        n_arms, n_readers, _ = table.rating.shape
        ratings = table.rating.reshape(n_arms * n_readers, -1)
        figures = self._figures(ratings, endpoint).reshape(n_arms, n_readers)
        parts = covariance_parts(self._covariance(ratings, endpoint), arms=n_arms, readers=n_readers)
        found = random_readers_and_cases(figures, parts, alpha=options.alpha)
        margin = self._margin(endpoint)
        return ManyReaders(
            auc=dict(zip(table.arms, figures.mean(axis=1).tolist(), strict=True)),
            difference=float(figures[0].mean() - figures[1].mean()),
            **asdict(found),
            **asdict(parts),
            fixed_readers=fixed_readers(figures, parts, alpha=options.alpha),
            fixed_cases=fixed_cases(figures, alpha=options.alpha),
            non_inferiority=None if margin is None else non_inferiority(found.ci, margin),
        )

    def _margin(self, endpoint: Endpoint) -> float | None:
        return self.options.margin if endpoint is self.options.endpoint else None

    def _covariance(self, ratings: npt.NDArray[np.float64], endpoint: Endpoint) -> npt.NDArray[np.float64]:
        options = self.options
        return covariance(
            self.table.truth, ratings, endpoint, options.covariance, threshold=options.threshold, seed=options.seed
        )

    def _against_each_arm(self, endpoint: Endpoint) -> dict[str, AgainstModel]:
        return {} if self.model is None else self._of_each_arm(partial(self._against, self.model), endpoint)

    def _of_each_arm(
        self, figure: Callable[[npt.NDArray[np.float64], Endpoint], Found], endpoint: Endpoint
    ) -> dict[str, Found]:
        """A figure of each arm's readers together, of the arms that have one."""
        found = {}
        for arm, ratings in zip(self.table.arms, self.table.rating, strict=True):
            read = ratings[~np.isnan(ratings).all(axis=1)]
            if endpoint is Endpoint.AUC and arm in self.yes_or_no:
                continue
            if len(read) < _TWO:
                self._refuse("interval over readers", "it takes at least two readers", arm)
            elif np.isnan(read).any():
                self._refuse("interval over readers", "every reader must have read every case", arm)
            else:
                found[arm] = figure(read, endpoint)
        return found

    def _single(self, ratings: npt.NDArray[np.float64], endpoint: Endpoint) -> SingleArm:
        figures = self._figures(ratings, endpoint)
        parts = covariance_parts(self._covariance(ratings, endpoint), arms=1, readers=len(ratings))
        return single_arm(figures, parts, alpha=self.options.alpha)

    def _figures(self, ratings: npt.NDArray[np.float64], endpoint: Endpoint) -> npt.NDArray[np.float64]:
        return components(self.table.truth, ratings, endpoint, threshold=self.options.threshold).value

    def _against(
        self, model: npt.NDArray[np.float64], ratings: npt.NDArray[np.float64], endpoint: Endpoint
    ) -> AgainstModel:
        every = np.vstack([ratings, model])
        figures = self._figures(every, endpoint)
        against = np.hstack([np.eye(len(ratings)), -np.ones((len(ratings), 1))])
        of_differences = against @ self._covariance(every, endpoint) @ against.T
        parts = covariance_parts(of_differences, arms=1, readers=len(ratings))
        found = against_model(figures[:-1], float(figures[-1]), parts, alpha=self.options.alpha)
        margin = self._margin(endpoint)
        if margin is None:
            return found
        turned = None if found.ci is None else (-found.ci[1], -found.ci[0])
        return replace(found, non_inferiority=non_inferiority(turned, margin))

    def _reader(self, place: int) -> Reader:
        table, options = self.table, self.options
        ratings = table.rating[:, place]
        arms = {}
        for arm, of_arm in zip(table.arms, ratings, strict=True):
            read = ~np.isnan(of_arm)
            if read.any():
                arms[arm] = reader_arm(
                    table.truth[read],
                    of_arm[read],
                    threshold=options.threshold,
                    prevalence=options.prevalence,
                    has_ratings=arm not in self.yes_or_no,
                    alpha=options.alpha,
                )
        if len(table.arms) != _TWO or len(arms) != _TWO:
            return Reader(arms)
        both = ~np.isnan(ratings).any(axis=0)
        truth, first, second = table.truth[both], *ratings[:, both]
        if min(truth.sum(), (~truth).sum()) < FEWEST_OF_A_CLASS:
            self._refuse(f"test of reader {table.readers[place]}", "too few cases of a class were read with both")
            return Reader(arms)
        return Reader(
            arms,
            None if self.yes_or_no else paired_aucs(truth, first, second, alpha=options.alpha),
            None
            if options.threshold is None
            else paired_calls(truth, first, second, threshold=options.threshold, alpha=options.alpha),
        )

    def _agreement(self, place: int) -> ArmAgreement:
        arm, ratings = self.table.arms[place], self.table.rating[place]
        has_read = ~np.isnan(ratings).all(axis=1)
        names = [name for name, does in zip(self.table.readers, has_read, strict=True) if does]
        ratings = ratings[has_read]
        pairs = tuple(self._pair(names[a], names[b], ratings[[a, b]]) for a, b in combinations(range(len(names)), 2))
        if not any(pair.n for pair in pairs):
            self._refuse("agreement", "it takes two readers of the same cases", arm)
            return ArmAgreement()
        alpha, patients = self.options.alpha, self.table.patients
        found = ArmAgreement(
            pairs,
            krippendorff_alpha_ordinal=krippendorff_alpha(ratings, is_ordinal=True, patients=patients, alpha=alpha),
        )
        threshold = self.options.threshold
        if threshold is None:
            return found
        calls = np.where(np.isnan(ratings), np.nan, ratings >= threshold)
        found = replace(found, krippendorff_alpha=krippendorff_alpha(calls, patients=patients, alpha=alpha))
        by_all = np.asarray(~np.isnan(calls).any(axis=0))
        if not by_all.any():
            self._refuse("Fleiss' kappa and Gwet's AC1", f"no case was read by all {len(names)} readers", arm)
            return found
        of_all = self._patients(by_all)
        return replace(
            found,
            fleiss=fleiss(calls[:, by_all], patients=of_all, alpha=alpha),
            gwet_ac1=gwet_ac1(calls[:, by_all], patients=of_all, alpha=alpha),
        )

    def _pair(self, first: str, second: str, ratings: npt.NDArray[np.float64]) -> PairAgreement:
        """Two readers' agreement on the cases that both have read; ratings of shape (2, cases)."""
        by_both = np.asarray(~np.isnan(ratings).any(axis=0))
        one, other = ratings[:, by_both]
        threshold, alpha, patients = self.options.threshold, self.options.alpha, self._patients(by_both)
        return PairAgreement(
            first,
            second,
            cohen(one, other, weighting="linear", patients=patients, alpha=alpha),
            cohen(one, other, weighting="quadratic", patients=patients, alpha=alpha),
            None if threshold is None else cohen(one >= threshold, other >= threshold, patients=patients, alpha=alpha),
        )

    def _patients(self, is_kept: npt.NDArray[np.bool_]) -> list[str] | None:
        patients = self.table.patients
        return None if patients is None else [patients[place] for place in np.flatnonzero(is_kept)]


def _why_no_area(ratings: npt.NDArray[np.float64], of: str) -> str:
    values = np.unique(ratings[~np.isnan(ratings)])
    if len(values) == 1:
        return f"all ratings of {of} are {values[0]:g}, so they tell no case from another"
    said = " and ".join(f"{value:g}" for value in values)
    return f"the ratings of {of} are yes or no alone ({said})"


def _is_yes_or_no(ratings: npt.NDArray[np.float64]) -> bool:
    return len(np.unique(ratings[~np.isnan(ratings)])) <= _TWO


def _model_ratings(table: RatingTable, name: str) -> npt.NDArray[np.float64]:
    """The ratings of the one reader of a treatment, shape (cases,)."""
    alone = table.of_arms([name])
    if len(alone.readers) != 1:
        raise InputRejected(f"The treatment “{name}” has {len(alone.readers)} readers; a standalone model is one.")
    ratings = alone.rating[0, 0]
    if np.isnan(ratings).any():
        raise InputRejected(f"The model “{name}” has not rated every case.")
    if _is_yes_or_no(ratings):
        why = _why_no_area(ratings, f"the model “{name}”")
        raise InputRejected(f"The model's area cannot be had: {why}.")
    return np.asarray(ratings)
