"""Which readings several readers are judged on together, and their figures with covariance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from colpo_core.evaluation.few import FEWEST_FOR_A_DIFFERENCE, FEWEST_FOR_AN_INTERVAL, too_few
from colpo_core.records.statistics.multi_reader_figures import U_STATISTIC, Basis, Covariance
from colpo_core.records.statistics.reader_figures import Endpoint
from colpo_core.studies.available_cases import available_figures
from colpo_core.studies.endpoints import components, covariance
from colpo_core.studies.ratings import FEWEST_OF_A_CLASS, RatingTable

_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]
_Ints = npt.NDArray[np.int_]
_TWO = 2
# A reader who has read less than this share of the cases in an arm is left out, so that the others keep theirs.
_HALF = 0.5


@dataclass(frozen=True)
class Judging:
    """How several readers are judged.

    Attributes:
        endpoint: By what.
        method: How their covariance is estimated.
        threshold: A rating from here on is a positive call; None for the area.
        alpha: 1 minus the intervals' confidence.
        margin: Of non-inferiority of the first arm to the second, or of a model to the readers.
        seed: Seed of the bootstrap.
        u_statistic: Whether all ratings are judged, by U-statistics, also where readers differ between arms.
        complete: Whether, where ratings are missing, the cases are judged that all readers have read; else each reader
            on the cases that this reader has read, for which the covariance is DeLong's.
    """

    endpoint: Endpoint = Endpoint.AUC
    method: Covariance = Covariance.DELONG
    threshold: float | None = None
    alpha: float = 0.05
    margin: float | None = None
    seed: int = 0
    u_statistic: bool = False
    complete: bool = False


class CannotJudge(ValueError):
    """Several readers cannot be judged together; the text says why, without a full stop."""


@dataclass(frozen=True)
class ChosenReadings:
    """The readings on which several readers are judged together.

    Attributes:
        truth: Shape (cases,).
        rating: Shape (arms, readers, cases); without a gap, unless by U-statistics.
        patients: Shape (cases,): patient of each case, counted from 0; None where each case is a patient of its own.
        cases: Shape (cases,): indices of these cases in the table.
        basis: What was left out.
    """

    truth: _Bools
    rating: _Floats
    patients: _Ints | None
    cases: _Ints
    basis: Basis


def chosen_readings(
    table: RatingTable, arms: Sequence[int], judging: Judging, *, by_patient: bool = False
) -> ChosenReadings:
    """The readers who have read at least half in each of these arms, and the cases that they are judged on.

    Args:
        table: The ratings.
        arms: Indices of the arms.
        judging: How: the cases that all of them have read in each, or each reader's own.
        by_patient: Whether patients are counted, not cases.

    Raises:
        CannotJudge: There are no two such readers, or fewer than two such cases of a class.
    """
    rating, cases = _read_in(table, arms)
    share = (~np.isnan(rating)).mean(axis=2) if rating.shape[2] else np.zeros(rating.shape[:2])
    present, enough = share.max(axis=0) > 0, share.min(axis=0) >= _HALF
    if enough.sum() < _TWO:
        why = "it takes at least two readers"
        if present.sum() >= _TWO:
            where = " in both treatments" if len(arms) == _TWO else ""
            why += f" who have read at least half of the cases{where}; without them there are U-statistics alone"
        raise CannotJudge(why)
    rating = rating[:, enough]
    read = ~np.isnan(rating)
    is_complete = judging.complete or judging.method is not Covariance.DELONG
    is_chosen = read.all(axis=(0, 1)) if is_complete else read.any(axis=(0, 1))
    case_places, truth, rating = cases[is_chosen], table.truth[cases[is_chosen]], rating[:, :, is_chosen]
    if _fewest_of_a_class(truth, rating) < FEWEST_OF_A_CLASS:
        raise CannotJudge(
            "fewer than two cases of a class were read by all readers"
            if is_complete
            else "a reader has read fewer than two cases of a class"
        )
    patients = _numbered(table, case_places) if by_patient else None
    basis = Basis(
        "obuchowski-rockette",
        n_cases=len(case_places),
        readers=tuple(np.asarray(table.readers)[enough].tolist()),
        n_patients=None if patients is None else int(patients.max()) + 1,
        cases_left_out=int((~is_chosen & read.any(axis=(0, 1))).sum()),
        readers_left_out=tuple(np.asarray(table.readers)[present & ~enough].tolist()),
        n_missing=int(np.isnan(rating).sum()),
    )
    return ChosenReadings(truth, rating, patients, case_places, basis)


def _fewest_of_a_class(truth: _Bools, rating: _Floats) -> int:
    """Cases of the rarer class that the reader has read who has read fewest."""
    read = ~np.isnan(rating)
    return int(min((read & truth).sum(axis=2).min(), (read & ~truth).sum(axis=2).min()))


def all_readings(table: RatingTable, arms: Sequence[int]) -> ChosenReadings:
    """All ratings of these arms, with their gaps.

    Raises:
        CannotJudge: There are no two readers, or fewer than two cases of a class.
    """
    rating, cases = _read_in(table, arms)
    present = ~np.isnan(rating).all(axis=(0, 2))
    truth = table.truth[cases]
    if present.sum() < _TWO:
        raise CannotJudge("it takes at least two readers")
    if min(truth.sum(), (~truth).sum()) < FEWEST_OF_A_CLASS:
        raise CannotJudge("fewer than two cases of a class were read")
    readers = tuple(np.asarray(table.readers)[present].tolist())
    basis = Basis(U_STATISTIC, n_cases=len(cases), readers=readers)
    return ChosenReadings(truth, rating[:, present], None, cases, basis)


def _read_in(table: RatingTable, arms: Sequence[int]) -> tuple[_Floats, _Ints]:
    """Ratings of these arms of the cases that somebody has read in one of them, and the indices of these cases."""
    rating = table.rating[list(arms)]
    cases = np.flatnonzero(~np.isnan(rating).all(axis=(0, 1)))
    return rating[:, :, cases], cases


def _numbered(table: RatingTable, cases: _Ints) -> _Ints:
    if table.patients is None:
        raise ValueError("the table does not name the patients")
    return np.unique(np.asarray(table.patients)[cases], return_inverse=True)[1]


def endpoint_figures(chosen: ChosenReadings, ratings: _Floats, judging: Judging) -> tuple[_Floats, _Floats]:
    """The endpoint of each vector of ratings, and their covariance; zeros where a class has a single case or patient.

    Args:
        chosen: Whose truth and patients the vectors have.
        ratings: Shape (vectors, cases).
        judging: How.

    Returns:
        Shapes (vectors,) and (vectors, vectors).
    """
    if np.isnan(ratings).any():
        return available_figures(
            chosen.truth, ratings, judging.endpoint, threshold=judging.threshold, patients=chosen.patients
        )
    values = components(chosen.truth, ratings, judging.endpoint, threshold=judging.threshold).value
    if min(fewest_units(chosen, Endpoint.AUC)) < _TWO:
        return values, np.zeros((len(ratings), len(ratings)))
    return values, covariance(
        chosen.truth, ratings, judging.endpoint, judging.method, threshold=judging.threshold, patients=chosen.patients,
        seed=judging.seed,
    )  # fmt: skip


def fewest_units(chosen: ChosenReadings, endpoint: Endpoint) -> tuple[int, int]:
    """Cases or patients of either class, of the reader who has read fewest; of a share of one class, that one twice."""
    units = np.arange(len(chosen.truth)) if chosen.patients is None else chosen.patients
    read = ~np.isnan(chosen.rating.reshape(-1, len(chosen.truth)))
    # U-statistics lay every reading together, and a reader may be of one arm alone.
    rows: _Bools = np.asarray(read.any(axis=0))[None] if chosen.basis.method == U_STATISTIC else np.unique(read, axis=0)
    positive, negative = (
        min(len(np.unique(units[row & of_class])) for row in rows) for of_class in (chosen.truth, ~chosen.truth)
    )
    if endpoint is Endpoint.SENSITIVITY:
        return positive, positive
    return (negative, negative) if endpoint is Endpoint.SPECIFICITY else (positive, negative)


def too_few_for(chosen: ChosenReadings, endpoint: Endpoint, *, is_difference: bool = False) -> str | None:
    """Why there are too few cases or patients for an interval; None where there are enough."""
    return too_few(
        *fewest_units(chosen, endpoint),
        fewest=FEWEST_FOR_A_DIFFERENCE if is_difference else FEWEST_FOR_AN_INTERVAL,
        of="cases" if chosen.patients is None else "patients",
    )


def cases_df(chosen: ChosenReadings, endpoint: Endpoint) -> float:
    """Degrees of freedom of the cases or patients: one less than there are of the rarer class."""
    return float(min(fewest_units(chosen, endpoint)) - 1)
