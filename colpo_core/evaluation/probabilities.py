"""How probabilities of HSIL agree with the reference standard: by image, and by case as a clinic decides."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from colpo_core.evaluation.calibration import brier_estimate, ece_estimate, reliability
from colpo_core.evaluation.calls import call_figures, calls_at
from colpo_core.evaluation.intervals import RESAMPLES, share_by_patients
from colpo_core.evaluation.judged import Judged, by_case, is_clustered
from colpo_core.evaluation.roc import auc_estimate, roc_points
from colpo_core.records.copying import copied
from colpo_core.records.statistics.figures import ProbabilityFigures
from colpo_core.terms import Label

__all__ = ["CLUSTERED", "EXACT", "Judged", "by_case", "probability_figures"]

EXACT = "exact (Clopper and Pearson)"
CLUSTERED = "exact (Clopper and Pearson), for as many independent trials as would know as much"


def probability_figures(
    judged: Sequence[Judged], *, threshold: float, seed: int = 0, resamples: int = RESAMPLES
) -> ProbabilityFigures:
    """Calls at a threshold, ranking and calibration, with intervals that mind several images of one patient.

    See `share_by_patients`, `auc_estimate`, `brier_estimate` and `ece_estimate`.

    Args:
        judged: One row an image, or one a case.
        threshold: `hsil` is called at this probability and above.
        seed: Seed of the bootstrap.
        resamples: How many resamples it draws.

    Raises:
        ValueError: A probability does not lie between 0 and 1.
    """
    truth = [row.label for row in judged]
    probabilities = [row.prob_hsil for row in judged]
    patients = [row.patient_id for row in judged]
    calls = calls_at(probabilities, threshold)
    figures = call_figures(truth, calls)
    clustered = is_clustered(judged)
    shares = {
        name: share_by_patients(_trials(name, truth, calls), patients)
        for name in ("accuracy", "sensitivity", "specificity", "ppv", "npv")
    }
    return copied(
        ProbabilityFigures,
        figures,
        n=len(judged),
        n_patients=len(set(patients)),
        threshold=threshold,
        clustered=clustered,
        interval=CLUSTERED if clustered else EXACT,
        auc=auc_estimate(truth, probabilities, patients),
        brier=brier_estimate(judged),
        ece=ece_estimate(judged, seed=seed, resamples=resamples),
        reliability=reliability(judged),
        roc=roc_points(truth, probabilities),
        **shares,
    )


def _trials(name: str, truth: Sequence[Label], calls: Sequence[Label]) -> npt.NDArray[np.float64]:
    """One row an image: whether it is a trial of this share, and whether a success."""
    is_hsil = np.asarray([label is Label.HSIL for label in truth], np.bool_)
    called = np.asarray([call is Label.HSIL for call in calls], np.bool_)
    counted = {
        "accuracy": np.ones_like(is_hsil),
        "sensitivity": is_hsil,
        "specificity": ~is_hsil,
        "ppv": called,
        "npv": ~called,
    }[name]
    return np.stack([counted, counted & (is_hsil == called)], axis=1).astype(np.float64)
