"""The statistics of a study of this program: its readers together, and each network against them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from colpo_core.evaluation.roc import roc_curve
from colpo_core.records.copying import copied
from colpo_core.records.statistics.rating_analysis import RatingAnalysis
from colpo_core.records.statistics.reader_figures import Endpoint, PairedAucs, PairedCalls
from colpo_core.records.studies.reading_plans import ReadingPlan
from colpo_core.records.studies.results import NetworkComparison, PairedReader, PrimaryResult, StudyAnalysis
from colpo_core.studies.analysis_options import AnalysisOptions
from colpo_core.studies.clustered import paired_aucs_by_patient, paired_calls_by_patient
from colpo_core.studies.rater_agreement import cohen
from colpo_core.studies.rating_analysis import analyse_table
from colpo_core.studies.ratings import FEWEST_OF_A_CLASS, RatingTable
from colpo_core.studies.reader_calibration import calibrate, implied_probability
from colpo_core.studies.reader_figures import paired_aucs, paired_calls, reader_arm
from colpo_core.terms import Arm, Label

ARM = Arm.UNAIDED.value
_AIDED = Arm.AIDED.value
_MODEL = "network"
THRESHOLD = 0.0
"""Ratings are above it where the call is `hsil`, below it where it is `normal`."""


@dataclass(frozen=True)
class NetworkRatings:
    """What a checkpoint's network said.

    Attributes:
        name: Name of the checkpoint.
        channels: 3 or 4.
        ratings: By case, 0 being its frozen threshold; only of cases that it has not learned from.
        probabilities: Of HSIL, of the same cases.
    """

    name: str
    channels: int
    ratings: Mapping[int, float]
    probabilities: Mapping[int, float] = field(default_factory=dict)


def reader_rating(call: Label, confidence: int) -> float:
    """A reader's call and confidence as one rating: the surer of HSIL the higher, the surer of normal the lower.

    Args:
        call: What was called.
        confidence: 0 (a guess) to 100 (certain).
    """
    return confidence + 0.5 if call is Label.HSIL else -confidence - 0.5


def analyse_study(
    truth: Mapping[int, Label],
    readings: Mapping[str, Mapping[int, float]],
    networks: Sequence[NetworkRatings],
    *,
    patients: Mapping[int, int],
    aided: Mapping[str, Mapping[int, float]] | None = None,
    again: Mapping[str, Mapping[int, tuple[float, float]]] | None = None,
    plan: ReadingPlan | None = None,
    prevalence: float | None = None,
    seed: int = 0,
) -> StudyAnalysis:
    """All that can be said of a study.

    Args:
        truth: The reference standard of each case.
        readings: By the reader's name, by case, read without the model's output: see `reader_rating`.
        networks: The networks that it is compared with.
        patients: Patient of each case.
        aided: The same, read with the model's output; None or empty where nothing was.
        again: By the reader's name, by case, ratings of cases that the reader has read twice: the first, and the next.
        plan: The sealed endpoint, margin and alpha; those of a plan that says nothing where None.
        prevalence: Predictive values are given at it too, above 0 and below 1.
        seed: Seed of the bootstraps.

    Raises:
        InputRejected: The prevalence makes no sense.
    """
    plan = plan or ReadingPlan()
    is_hsil = np.asarray([truth[case] is Label.HSIL for case in truth])
    sides = {_AIDED: aided, ARM: readings} if aided and any(aided.values()) else {ARM: readings}
    readers = tuple(name for name in readings if any(side.get(name) for side in sides.values()))
    rating = np.stack([_laid_out([side.get(name, {}) for name in readers], list(truth)) for side in sides.values()])
    notes = tuple(note for arm, side in sides.items() for note in _unread(truth, side, arm if len(sides) > 1 else ""))
    notes = (*_clustered(sides.values(), patients), *notes)
    calibration = tuple(
        calibrate(
            name, channels, truth, probabilities, patients=patients, seed=seed,
        )
        for name, channels, probabilities in _probabilities(readings, networks)
    )  # fmt: skip
    was_read = ~np.isnan(rating).all(axis=(0, 1)) if readers else np.zeros(len(is_hsil), np.bool_)
    if not _is_enough(is_hsil[was_read]):
        return StudyAnalysis(
            None, (), {}, (*notes, "There are too few readings for statistics."), calibration=calibration
        )
    table = RatingTable(
        tuple(sides), readers, tuple(map(str, truth)), is_hsil, rating, tuple(str(patients[case]) for case in truth)
    )
    options = AnalysisOptions(
        threshold=THRESHOLD,
        margin=plan.margin,
        endpoint=plan.endpoint,
        alpha=plan.alpha,
        prevalence=prevalence,
        seed=seed,
    )
    analysis = analyse_table(table, options)
    compared = [_compare(table, network, _laid_out([network.ratings], list(truth))[0], options) for network in networks]
    return StudyAnalysis(
        analysis,
        tuple(compared),
        {
            name: cohen(
                [first > THRESHOLD for first, _ in pairs.values()],
                [second > THRESHOLD for _, second in pairs.values()],
                patients=[str(patients[case]) for case in pairs],
                alpha=plan.alpha,
            )
            for name, pairs in (again or {}).items()
            if pairs
        },
        (*notes, *analysis.refused),
        primary=_primary_results(analysis, compared, plan),
        calibration=calibration,
    )


def _probabilities(
    readings: Mapping[str, Mapping[int, float]], networks: Sequence[NetworkRatings]
) -> Iterator[tuple[str, int | None, Mapping[int, float]]]:
    """Name, channels and probabilities by case of each that has judged anything."""
    for name, read in readings.items():
        if read:
            yield name, None, {case: implied_probability(rating) for case, rating in read.items()}
    for network in networks:
        if network.probabilities:
            yield network.name, network.channels, network.probabilities


def _primary_results(
    analysis: RatingAnalysis, networks: Sequence[NetworkComparison], plan: ReadingPlan
) -> tuple[PrimaryResult, ...]:
    """With an aid, reading with it against reading without; else each network against the readers."""
    if len(analysis.counts.arms) == 1:
        return tuple(primary for network in networks if (primary := _primary(network, plan)) is not None)
    many = analysis.mrmc if plan.endpoint is Endpoint.AUC else analysis.shares[plan.endpoint].mrmc
    if many is None:
        return ()
    result = copied(
        PrimaryResult,
        many,
        tested="Reading with the model's output",
        against="reading without it",
        endpoint=plan.endpoint,
        figures=(many.auc[_AIDED], many.auc[ARM]),
        alpha=plan.alpha,
        n_cases=many.basis.n_cases,
    )
    return (result,)


def _primary(network: NetworkComparison, plan: ReadingPlan) -> PrimaryResult | None:
    """The network against the readers, by the sealed endpoint."""
    together = network.together if plan.endpoint is Endpoint.AUC else network.shares.get(plan.endpoint)
    if together is None:
        return None
    return copied(
        PrimaryResult,
        together,
        tested=f"{network.name}, {network.channels} channels,",
        against="the readers",
        endpoint=plan.endpoint,
        figures=(together.model, together.model + together.difference),
        difference=-together.difference,
        ci=None if together.ci is None else (-together.ci[1], -together.ci[0]),
        alpha=plan.alpha,
        n_cases=network.n_cases if together.basis is None else together.basis.n_cases,
    )


def _compare(
    table: RatingTable, network: NetworkRatings, ratings: npt.NDArray[np.float64], options: AnalysisOptions
) -> NetworkComparison:
    judged = ~np.isnan(ratings)
    truth, model, read = table.truth[judged], ratings[judged], _unaided(table)[:, judged]
    of_patients = None if table.patients is None else np.unique(table.patients, return_inverse=True)[1][judged]
    line = NetworkComparison(network.name, network.channels, len(truth), None, None, (), ())
    if not _is_enough(truth):
        return replace(line, refused=("It has judged fewer than two cases of a label that it has not learned from.",))
    together, refused = _together(table, judged, model, options)
    if together is not None:
        shares = {
            name: share.against_model[ARM] for name, share in together.shares.items() if ARM in share.against_model
        }
        clustered = {} if together.by_patient is None else together.by_patient.against_model
        line = replace(line, together=together.against_model.get(ARM), shares=shares, by_patient=clustered.get(ARM, {}))
    return replace(
        line,
        alone=reader_arm(
            truth,
            model,
            threshold=THRESHOLD,
            prevalence=options.prevalence,
            patients=None if of_patients is None else of_patients.tolist(),
            alpha=options.alpha,
        ),
        roc=roc_curve(truth, model),
        readers=tuple(
            _pair(name, truth, ratings, model, of_patients, alpha=options.alpha)
            for name, ratings in zip(table.readers, read, strict=True)
        ),
        refused=refused,
    )


def _together(
    table: RatingTable, judged: npt.NDArray[np.bool_], model: npt.NDArray[np.float64], options: AnalysisOptions
) -> tuple[RatingAnalysis | None, tuple[str, ...]]:
    """All readers against the model, on the cases that it has judged and that somebody has read."""
    was_read = np.asarray(~np.isnan(_unaided(table)).all(axis=0))
    model, judged = model[was_read[judged]], judged & was_read
    if not _is_enough(table.truth[judged]):
        return None, ("Fewer than two cases of a label that it has judged were read.",)
    if len(np.unique(model)) <= 2:
        return None, ("It says the same of nearly every case, so no area is compared.",)
    n_readers, n_cases = len(table.readers), len(model)
    rating = np.full((2, n_readers + 1, n_cases), np.nan)
    rating[0, :n_readers] = _unaided(table)[:, judged]
    rating[1, n_readers] = model
    cases = tuple(case for case, is_judged in zip(table.cases, judged.tolist(), strict=True) if is_judged)
    patients = None if table.patients is None else tuple(np.asarray(table.patients)[judged].tolist())
    both = RatingTable((ARM, _MODEL), (*table.readers, _MODEL), cases, table.truth[judged], rating, patients)
    analysis = analyse_table(both, replace(options, model=_MODEL, model_threshold=THRESHOLD))
    return analysis, analysis.refused


def _unaided(table: RatingTable) -> npt.NDArray[np.float64]:
    """Ratings without the model's output, shape (readers, cases): a network is held against these."""
    return np.asarray(table.rating[table.arms.index(ARM)])


def _pair(
    name: str,
    truth: npt.NDArray[np.bool_],
    reader: npt.NDArray[np.float64],
    model: npt.NDArray[np.float64],
    patients: npt.NDArray[np.int_] | None,
    *,
    alpha: float,
) -> PairedReader:
    """A reader against a network, by patients where any of them has several of these cases."""
    read = ~np.isnan(reader)
    if not _is_enough(truth[read]):
        return PairedReader(name, None, None)
    columns = truth[read], reader[read], model[read]
    of = None if patients is None else patients[read]
    aucs: PairedAucs
    calls: dict[str, PairedCalls]
    if of is None or len(np.unique(of)) == len(of):
        aucs, calls = paired_aucs(*columns, alpha=alpha), paired_calls(*columns, threshold=THRESHOLD, alpha=alpha)
    else:
        aucs = paired_aucs_by_patient(of, *columns, alpha=alpha)
        calls = paired_calls_by_patient(of, *columns, threshold=THRESHOLD, alpha=alpha)
    return PairedReader(name, aucs, calls)


def _clustered(sides: Iterable[Mapping[str, Mapping[int, float]]], patients: Mapping[int, int]) -> tuple[str, ...]:
    read = {case for side in sides for of_reader in side.values() for case in of_reader}
    n_patients = len({patients[case] for case in read})
    if n_patients == len(read):
        return ()
    return (
        f"{len(read)} cases are of {n_patients} patients. Patients are counted: all readers together, and tests of one "
        "reader, take the cases of a patient together.",
    )


def _unread(truth: Mapping[int, Label], readings: Mapping[str, Mapping[int, float]], arm: str) -> tuple[str, ...]:
    left = [name for name, read in readings.items() if len(read) < len(truth)]
    if not left:
        return ()
    how = f" {arm}" if arm else ""
    return (f"Not all cases were read{how} by {', '.join(left)}; their figures are on those that were.",)


def _is_enough(is_hsil: npt.NDArray[np.bool_]) -> bool:
    return int(min(is_hsil.sum(), (~is_hsil).sum())) >= FEWEST_OF_A_CLASS


def _laid_out(rows: Sequence[Mapping[int, float]], cases: Sequence[int]) -> npt.NDArray[np.float64]:
    return np.asarray([[row.get(case, np.nan) for case in cases] for row in rows], np.float64).reshape(-1, len(cases))
