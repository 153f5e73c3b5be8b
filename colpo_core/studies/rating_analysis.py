"""All figures of a table of ratings, and the reasons for those that are not given."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import partial
from itertools import combinations
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from colpo_core.errors import InputRejected
from colpo_core.records.statistics.multi_reader_figures import U_STATISTIC, AgainstModel, ManyReaders, SingleArm
from colpo_core.records.statistics.rater_agreement import ArmAgreement, PairAgreement
from colpo_core.records.statistics.rating_analysis import (
    ClusteredAnalysis,
    RatingAnalysis,
    RatingCounts,
    SeveralReaders,
    ShareAnalysis,
)
from colpo_core.records.statistics.reader_figures import Endpoint, Reader
from colpo_core.studies.analysis_options import AnalysisOptions
from colpo_core.studies.clustered import clustered_figures, paired_aucs_by_patient, paired_calls_by_patient
from colpo_core.studies.multi_reader_analysis import against_a_model, compare_arms, mean_of_arm
from colpo_core.studies.multi_reader_readings import CannotJudge, Judging
from colpo_core.studies.rater_agreement import cohen, fleiss, gwet_ac1, krippendorff_alpha
from colpo_core.studies.ratings import FEWEST_OF_A_CLASS, RatingTable
from colpo_core.studies.reader_figures import paired_aucs, paired_calls, reader_arm

Found = TypeVar("Found")
_TWO = 2
_SHARES = (Endpoint.ACCURACY, Endpoint.SENSITIVITY, Endpoint.SPECIFICITY)
# Ratings of which one spans so many times the other's are hardly on one scale.
_OTHER_SCALE = 3
Progress = Callable[[str], None]


def analyse_table(
    table: RatingTable, options: AnalysisOptions, *, progress: Progress = lambda _: None
) -> RatingAnalysis:
    """Everything that can be said of a table of ratings.

    Where the table names patients and some stand behind several cases, several readers together and tests of one reader
    count patients; else each case is taken as a patient of its own.

    Args:
        table: At least two cases of either class.
        options: What is asked.
        progress: Is told what is being computed.

    Raises:
        InputRejected: The model that is named is no treatment, or several readers stand in it; its ratings cannot be
            cut at the readers' threshold; or U-statistics are asked for where patients have several cases.
    """
    return _Analyst(table, options, progress).analyse()


class _Analyst:
    def __init__(self, table: RatingTable, options: AnalysisOptions, progress: Progress) -> None:
        self.options, self.progress = options, progress
        self.refused: list[str] = []
        self._complete = False
        arms = [arm for arm in table.arms if arm != options.model]
        if not arms:
            raise InputRejected("Beside the model's there is no treatment in the file.")
        self.table = table.of_arms(arms)
        self.patients = _numbered_patients(self.table)
        self._check()
        self.model = None if options.model is None else _model_ratings(table, options.model, self.table)
        if self.model is not None and options.threshold is not None and options.model_threshold is None:
            _check_one_scale(self.table, self.model, options.threshold)
        self.yes_or_no = {
            arm for arm, ratings in zip(self.table.arms, self.table.rating, strict=True) if _is_yes_or_no(ratings)
        }
        for arm, ratings in zip(self.table.arms, self.table.rating, strict=True):
            if arm in self.yes_or_no:
                self._refuse("areas under the curve", _why_no_area(ratings, f"treatment “{arm}”"), arm)

    def _check(self) -> None:
        n_positive, n = int(self.table.truth.sum()), len(self.table.cases)
        if min(n_positive, n - n_positive) < FEWEST_OF_A_CLASS:
            raise InputRejected(
                f"In these treatments {n_positive} cases with the condition and {n - n_positive} without it were read; "
                f"at least {FEWEST_OF_A_CLASS} of each are needed."
            )
        if self.patients is not None and self.options.u_statistic:
            raise InputRejected(
                "U-statistics take each case as a patient of its own, and here patients have several cases. Leave them "
                "out: then complete cases are analysed, by patients."
            )

    def analyse(self) -> RatingAnalysis:
        table, options = self.table, self.options
        self.progress(f"{len(table.readers)} readers, one by one")
        readers = {name: self._reader(index) for index, name in enumerate(table.readers)}
        by_patient = self._by_patient()
        self.progress("all readers together")
        is_clustered = self.patients is not None
        together = self._together(by_patient=is_clustered)
        refused = list(self.refused)
        independent = self._together(by_patient=False) if is_clustered else None
        # What cannot be judged at all is said once, of the way to quote.
        complete = None
        if any(figure.basis is not None and figure.basis.n_missing for figure in _figures(together)):
            complete = self._together(by_patient=is_clustered, complete=True)
        self.refused = refused
        self.progress("agreement of the readers")
        agreement = {arm: self._agreement(index) for index, arm in enumerate(table.arms)}
        if options.margin is not None and not _has_non_inferiority(together[options.endpoint]):
            self._refuse("test of non-inferiority", "there is no comparison that the margin could be of")
        return RatingAnalysis(
            counts=RatingCounts(table.readers, table.arms, len(table.cases), int(table.truth.sum())),
            options={
                **asdict(options),
                "covariance": U_STATISTIC if options.u_statistic else options.covariance.value,
                "endpoint": options.endpoint.value,
            },
            readers=readers,
            mrmc=together[Endpoint.AUC].mrmc,
            single_arm=together[Endpoint.AUC].single_arm,
            against_model=together[Endpoint.AUC].against_model,
            agreement=agreement,
            shares={endpoint: figures for endpoint, figures in together.items() if endpoint is not Endpoint.AUC},
            by_patient=by_patient,
            independent=None if independent is None else _several(independent),
            complete_cases=None if complete is None else _several(complete),
            refused=tuple(dict.fromkeys(self.refused)),
        )  # fmt: skip

    def _together(self, *, by_patient: bool, complete: bool = False) -> dict[Endpoint, ShareAnalysis]:
        """Several readers by each endpoint."""
        self._complete = complete
        endpoints = (Endpoint.AUC, *(_SHARES if self.options.threshold is not None else ()))
        return {
            endpoint: ShareAnalysis(
                self._comparison(endpoint, by_patient=by_patient),
                self._of_each_arm(partial(mean_of_arm, self.table), endpoint, by_patient=by_patient),
                self._against_each_arm(endpoint, by_patient=by_patient),
            )
            for endpoint in endpoints
        }

    def _by_patient(self) -> ClusteredAnalysis | None:
        if self.patients is None:
            return None
        options = self.options
        model = None if self.model is None else self._model(Endpoint.ACCURACY)
        return clustered_figures(
            self.table, model=model, areas_of_model=self.model, threshold=options.threshold, alpha=options.alpha,
            without_area=self.yes_or_no,
        )  # fmt: skip

    def _refuse(self, what: str, why: str, arm: str | None = None) -> None:
        self.refused.append(f"No {what}{'' if arm is None else f' of treatment “{arm}”'}: {why}.")

    def _comparison(self, endpoint: Endpoint, *, by_patient: bool) -> ManyReaders | None:
        what, table = "comparison of treatments over readers", self.table
        if len(table.arms) < _TWO or (endpoint is Endpoint.AUC and self.yes_or_no):
            return None
        if len(table.arms) > _TWO:
            self._refuse(what, f"it takes two treatments, and there are {len(table.arms)}; name two of them")
            return None
        try:
            return compare_arms(table, self._judging(endpoint), by_patient=by_patient)
        except CannotJudge as error:
            self._refuse(what, str(error))
            return None

    def _judging(self, endpoint: Endpoint) -> Judging:
        options = self.options
        return Judging(
            endpoint,
            options.covariance,
            None if endpoint is Endpoint.AUC else options.threshold,
            options.alpha,
            options.margin if endpoint is options.endpoint else None,
            options.seed,
            options.u_statistic,
            self._complete,
        )

    def _against_each_arm(self, endpoint: Endpoint, *, by_patient: bool) -> dict[str, AgainstModel]:
        if self.model is None:
            return {}
        model = self._model(endpoint)

        def against(arm: int, judging: Judging, *, by_patient: bool) -> AgainstModel:
            return against_a_model(self.table, arm, model, judging, by_patient=by_patient)

        return self._of_each_arm(against, endpoint, by_patient=by_patient)

    def _model(self, endpoint: Endpoint) -> npt.NDArray[np.float64]:
        """The model's ratings; for calls, such as the readers' threshold calls what its own threshold calls."""
        if self.model is None:
            raise ValueError("there is no model")
        threshold = self.options.threshold
        if endpoint is Endpoint.AUC or threshold is None:
            return self.model
        own = threshold if self.options.model_threshold is None else self.options.model_threshold
        return np.where(self.model >= own, threshold, threshold - 1)

    def _of_each_arm(self, figure: Callable[..., Found], endpoint: Endpoint, *, by_patient: bool) -> dict[str, Found]:
        """A figure of each arm's readers together, of the arms that have one."""
        figures = {}
        for index, arm in enumerate(self.table.arms):
            if endpoint is Endpoint.AUC and arm in self.yes_or_no:
                continue
            try:
                figures[arm] = figure(index, self._judging(endpoint), by_patient=by_patient)
            except CannotJudge as error:
                self._refuse("interval over readers", str(error), arm)
        return figures

    def _reader(self, index: int) -> Reader:
        table, options = self.table, self.options
        ratings = table.rating[:, index]
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
                    patients=None if self.patients is None else self.patients[read].tolist(),
                    alpha=options.alpha,
                )
        if len(table.arms) != _TWO or len(arms) != _TWO:
            return Reader(arms)
        both = ~np.isnan(ratings).any(axis=0)
        truth, first, second = table.truth[both], *ratings[:, both]
        if min(truth.sum(), (~truth).sum()) < FEWEST_OF_A_CLASS:
            self._refuse(f"test of reader {table.readers[index]}", "too few cases of a class were read with both")
            return Reader(arms)
        areas, calls = (paired_aucs, paired_calls)
        if self.patients is not None:
            patients = self.patients[both]
            areas = partial(paired_aucs_by_patient, patients)
            calls = partial(paired_calls_by_patient, patients)
        return Reader(
            arms,
            None if self.yes_or_no else areas(truth, first, second, alpha=options.alpha),
            None
            if options.threshold is None
            else calls(truth, first, second, threshold=options.threshold, alpha=options.alpha),
        )

    def _agreement(self, index: int) -> ArmAgreement:
        arm, ratings = self.table.arms[index], self.table.rating[index]
        has_read = ~np.isnan(ratings).all(axis=1)
        names = [name for name, is_reader in zip(self.table.readers, has_read, strict=True) if is_reader]
        ratings = ratings[has_read]
        pairs = tuple(self._pair(names[a], names[b], ratings[[a, b]]) for a, b in combinations(range(len(names)), 2))
        if not any(pair.n for pair in pairs):
            self._refuse("agreement", "it takes two readers of the same cases", arm)
            return ArmAgreement()
        alpha, patients = self.options.alpha, self.table.patients
        agreement = ArmAgreement(
            pairs,
            krippendorff_alpha_ordinal=krippendorff_alpha(ratings, is_ordinal=True, patients=patients, alpha=alpha),
        )
        threshold = self.options.threshold
        if threshold is None:
            return agreement
        calls = np.where(np.isnan(ratings), np.nan, ratings >= threshold)
        agreement = replace(agreement, krippendorff_alpha=krippendorff_alpha(calls, patients=patients, alpha=alpha))
        read_by_all = np.asarray(~np.isnan(calls).any(axis=0))
        if not read_by_all.any():
            self._refuse("Fleiss' kappa and Gwet's AC1", f"no case was read by all {len(names)} readers", arm)
            return agreement
        patients_of_all = self._patients(read_by_all)
        return replace(
            agreement,
            fleiss=fleiss(calls[:, read_by_all], patients=patients_of_all, alpha=alpha),
            gwet_ac1=gwet_ac1(calls[:, read_by_all], patients=patients_of_all, alpha=alpha),
        )

    def _pair(self, first: str, second: str, ratings: npt.NDArray[np.float64]) -> PairAgreement:
        """Two readers' agreement on the cases that both have read; ratings of shape (2, cases)."""
        by_both = np.asarray(~np.isnan(ratings).any(axis=0))
        ratings_a, ratings_b = ratings[:, by_both]
        threshold, alpha, patients = self.options.threshold, self.options.alpha, self._patients(by_both)
        return PairAgreement(
            first,
            second,
            cohen(ratings_a, ratings_b, weighting="linear", patients=patients, alpha=alpha),
            cohen(ratings_a, ratings_b, weighting="quadratic", patients=patients, alpha=alpha),
            None
            if threshold is None
            else cohen(ratings_a >= threshold, ratings_b >= threshold, patients=patients, alpha=alpha),
        )

    def _patients(self, is_kept: npt.NDArray[np.bool_]) -> list[str] | None:
        patients = self.table.patients
        return None if patients is None else [patients[index] for index in np.flatnonzero(is_kept)]


def _why_no_area(ratings: npt.NDArray[np.float64], of: str) -> str:
    values = np.unique(ratings[~np.isnan(ratings)])
    if len(values) == 1:
        return f"all ratings of {of} are {values[0]:g}, so they tell no case from another"
    said = " and ".join(f"{value:g}" for value in values)
    return f"the ratings of {of} are yes or no alone ({said})"


def _is_yes_or_no(ratings: npt.NDArray[np.float64]) -> bool:
    return len(np.unique(ratings[~np.isnan(ratings)])) <= _TWO


def _several(by_endpoint: dict[Endpoint, ShareAnalysis]) -> SeveralReaders:
    areas = by_endpoint[Endpoint.AUC]
    shares: dict[Endpoint, ShareAnalysis] = dict(by_endpoint)
    del shares[Endpoint.AUC]
    return SeveralReaders(areas.mrmc, areas.single_arm, areas.against_model, shares)


def _figures(by_endpoint: dict[Endpoint, ShareAnalysis]) -> Iterator[ManyReaders | SingleArm | AgainstModel]:
    for analysis in by_endpoint.values():
        if analysis.mrmc is not None:
            yield analysis.mrmc
        yield from analysis.single_arm.values()
        yield from analysis.against_model.values()


def _has_non_inferiority(analysis: ShareAnalysis) -> bool:
    """Whether something was compared that a margin is of."""
    comparisons = [analysis.mrmc, *analysis.against_model.values()]
    return any(figure is not None and figure.non_inferiority is not None for figure in comparisons)


def _numbered_patients(table: RatingTable) -> npt.NDArray[np.int_] | None:
    """Patient of each case, counted from 0; None where each case is a patient of its own."""
    if table.patients is None or len(set(table.patients)) == len(table.cases):
        return None
    return np.unique(np.asarray(table.patients), return_inverse=True)[1]


def _model_ratings(table: RatingTable, name: str, read: RatingTable) -> npt.NDArray[np.float64]:
    """The ratings of the one reader of a treatment, of the cases of another table: shape (cases,)."""
    alone = table.of_arms([name])
    if len(alone.readers) != 1:
        raise InputRejected(f"The treatment “{name}” has {len(alone.readers)} readers; a standalone model is one.")
    by_case = dict(zip(alone.cases, alone.rating[0, 0].tolist(), strict=True))
    ratings = np.asarray([by_case.get(case, np.nan) for case in read.cases])
    if np.isnan(ratings).any():
        raise InputRejected(f"The model “{name}” has not rated every case.")
    if _is_yes_or_no(ratings):
        why = _why_no_area(ratings, f"the model “{name}”")
        raise InputRejected(f"The model's area cannot be had: {why}.")
    return np.asarray(ratings)


def _check_one_scale(table: RatingTable, model: npt.NDArray[np.float64], threshold: float) -> None:
    """Refuse a threshold that cannot serve the readers and the model alike."""
    readers = table.rating[~np.isnan(table.rating)]
    ranges = {"readers": (readers.min(), readers.max()), "model": (model.min(), model.max())}
    spans = sorted(high - low for low, high in ranges.values())
    ranging = " and ".join(f"the {judge} from {low:g} to {high:g}" for judge, (low, high) in ranges.items())
    one_sided = [judge for judge, (low, high) in ranges.items() if not low < threshold <= high]
    if one_sided or spans[1] > _OTHER_SCALE * spans[0]:
        why = f"all ratings of the {one_sided[0]} would fall on one side of it" if one_sided else "these are two scales"
        raise InputRejected(
            f"A threshold of {threshold:g} cannot serve both: ratings of {ranging} were found, and {why}. Give the "
            "model a threshold of its own (--model-threshold), even where it is the same."
        )
