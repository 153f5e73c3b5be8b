"""How a reader's confidence, or a network's probability, holds against the reference standard."""

from collections.abc import Mapping
from math import copysign

import numpy as np
import numpy.typing as npt

from colpo_core.evaluation.calibration import brier_estimate, ece_estimate, reliability
from colpo_core.evaluation.intervals import mean_by_patients
from colpo_core.evaluation.judged import Judged
from colpo_core.records.studies.results import CallerCalibration
from colpo_core.terms import Label

_NOT_SURE = 0.5


def implied_probability(rating: float) -> float:
    """The probability of HSIL that a reader's call and confidence stand for: 0.5 for a guess, 0 or 1 for certainty.

    Args:
        rating: See `reader_rating`.

    This is a convention: who calls HSIL and is sure to 100 is taken at the word, and who guesses says nothing.
    """
    return _NOT_SURE + copysign((abs(rating) - 0.5) / 200, rating)


def calibrate(
    name: str,
    channels: int | None,
    truth: Mapping[int, Label],
    probabilities: Mapping[int, float],
    *,
    patients: Mapping[int, int],
    seed: int = 0,
) -> CallerCalibration:
    """Calibration of one reader or network, with intervals by patients.

    Args:
        name: Name of the reader or the checkpoint.
        channels: 3 or 4 for a network, None for a reader.
        truth: The reference standard of each case.
        probabilities: Of HSIL, by case; those that were judged.
        patients: Patient of each case.
        seed: Seed of the bootstraps.
    """
    judged = [Judged(patients[case], case, truth[case], prob) for case, prob in sorted(probabilities.items())]
    prob, is_hsil = _columns(judged)
    called = prob >= _NOT_SURE
    sure = np.where(called, prob, 1 - prob)
    of = [case.patient_id for case in judged]
    return CallerCalibration(
        name=name,
        channels=channels,
        n_cases=len(judged),
        brier=brier_estimate(judged),
        ece=ece_estimate(judged, seed=seed),
        overcalling=mean_by_patients(prob - is_hsil, of),
        overconfidence=mean_by_patients(sure - (called == is_hsil), of),
        bins=reliability(judged),
    )


def _columns(judged: list[Judged]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    return np.asarray([case.prob_hsil for case in judged]), np.asarray(
        [case.label is Label.HSIL for case in judged], bool
    )
