"""The statistics of a study of this program: its readers together, and each network against them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from colpo_core.records.reader_statistics import AgainstModel
from colpo_core.records.studies import NetworkComparison, PairedReader, StudyAnalysis
from colpo_core.studies.rater_agreement import cohen
from colpo_core.studies.rating_analysis import AnalysisOptions, analyse_table
from colpo_core.studies.ratings import FEWEST_OF_A_CLASS, RatingTable
from colpo_core.studies.reader_figures import paired_aucs, paired_calls, reader_arm
from colpo_core.terms import Arm, Label

ARM = Arm.UNAIDED.value
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
    """

    name: str
    channels: int
    ratings: Mapping[int, float]


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
    again: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    seed: int = 0,
) -> StudyAnalysis:
    """All that can be said of a study.

    Args:
        truth: The reference standard of each case.
        readings: By the reader's name, by case: see `reader_rating`.
        networks: The networks that it is compared with.
        patients: Patient of each case.
        again: By the reader's name, ratings of cases that the reader has read twice: the first, and the next.
        seed: Seed of the bootstraps.
    """
    is_hsil = np.asarray([truth[case] is Label.HSIL for case in truth])
    readers = tuple(name for name, read in readings.items() if read)
    rating = _laid_out([readings[name] for name in readers], list(truth))
    notes = _notes(truth, readings, patients)
    if not readers or not _is_enough(is_hsil):
        return StudyAnalysis(None, (), {}, (*notes, "There are too few readings for statistics."))
    table = RatingTable((ARM,), readers, tuple(map(str, truth)), is_hsil, rating[None])
    options = AnalysisOptions(threshold=THRESHOLD, seed=seed)
    found = analyse_table(table, options)
    return StudyAnalysis(
        found,
        tuple(_compare(table, one, _laid_out([one.ratings], list(truth))[0], options) for one in networks),
        {
            name: cohen([one > THRESHOLD for one, _ in pairs], [other > THRESHOLD for _, other in pairs], seed=seed)
            for name, pairs in (again or {}).items()
            if pairs
        },
        (*notes, *found.refused),
    )


def _compare(
    table: RatingTable, network: NetworkRatings, ratings: npt.NDArray[np.float64], options: AnalysisOptions
) -> NetworkComparison:
    judged = ~np.isnan(ratings)
    truth, model, read = table.truth[judged], ratings[judged], table.rating[0][:, judged]
    line = NetworkComparison(network.name, network.channels, len(truth), None, None, (), ())
    if not _is_enough(truth):
        return replace(line, refused=("It has judged fewer than two cases of a label that it has not learned from.",))
    together, refused = _together(table, judged, model, options)
    return replace(
        line,
        alone=reader_arm(truth, model, threshold=THRESHOLD),
        together=together,
        readers=tuple(_pair(name, truth, one, model) for name, one in zip(table.readers, read, strict=True)),
        refused=refused,
    )


def _together(
    table: RatingTable, judged: npt.NDArray[np.bool_], model: npt.NDArray[np.float64], options: AnalysisOptions
) -> tuple[AgainstModel | None, tuple[str, ...]]:
    """All readers against the model, where there are two at least and each has read all that it has judged."""
    if len(np.unique(model)) <= 2:
        return None, ("It says the same of nearly every case, so no area is compared.",)
    n_readers, n_cases = len(table.readers), len(model)
    rating = np.full((2, n_readers + 1, n_cases), np.nan)
    rating[0, :n_readers] = table.rating[0][:, judged]
    rating[1, n_readers] = model
    cases = tuple(case for case, is_judged in zip(table.cases, judged.tolist(), strict=True) if is_judged)
    both = RatingTable((ARM, _MODEL), (*table.readers, _MODEL), cases, table.truth[judged], rating)
    found = analyse_table(both, replace(options, model=_MODEL))
    return found.against_model.get(ARM), found.refused


def _pair(
    name: str, truth: npt.NDArray[np.bool_], reader: npt.NDArray[np.float64], model: npt.NDArray[np.float64]
) -> PairedReader:
    read = ~np.isnan(reader)
    if not _is_enough(truth[read]):
        return PairedReader(name, None, None)
    columns = truth[read], reader[read], model[read]
    return PairedReader(name, paired_aucs(*columns), paired_calls(*columns, threshold=THRESHOLD))


def _notes(
    truth: Mapping[int, Label], readings: Mapping[str, Mapping[int, float]], patients: Mapping[int, int]
) -> tuple[str, ...]:
    notes = []
    n_patients = len({patients[case] for case in truth})
    if n_patients < len(truth):
        notes.append(
            f"{len(truth)} cases are of {n_patients} patients. These statistics take cases as independent, so their "
            "intervals are too narrow and their p too small."
        )
    left = [name for name, read in readings.items() if len(read) < len(truth)]
    if left:
        notes.append(f"Not all cases were read by {', '.join(left)}; their figures are on those that were.")
    return tuple(notes)


def _is_enough(is_hsil: npt.NDArray[np.bool_]) -> bool:
    return int(min(is_hsil.sum(), (~is_hsil).sum())) >= FEWEST_OF_A_CLASS


def _laid_out(rows: Sequence[Mapping[int, float]], cases: Sequence[int]) -> npt.NDArray[np.float64]:
    return np.asarray([[row.get(case, np.nan) for case in cases] for row in rows], np.float64).reshape(-1, len(cases))
