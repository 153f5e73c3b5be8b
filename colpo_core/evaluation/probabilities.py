"""How probabilities of HSIL agree with the reference standard: by image, and by case as a clinic decides."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from colpo_core.evaluation.calls import call_figures, calls_at
from colpo_core.evaluation.intervals import RESAMPLES, patient_bootstrap
from colpo_core.evaluation.roc import auc_estimate
from colpo_core.records.figures import ProbabilityFigures, Proportion
from colpo_core.terms import Label

WILSON = "Wilson"
CLUSTERED = "the wider of Wilson and a bootstrap over patients"


@dataclass(frozen=True)
class Judged:
    """A probability beside the reference standard, of one image or of one case.

    Attributes:
        patient_id: Row of the patient.
        case_id: Row of the case.
        label: The case's label.
        prob_hsil: Probability of HSIL.
    """

    patient_id: int
    case_id: int
    label: Label
    prob_hsil: float


def by_case(images: Sequence[Judged]) -> list[Judged]:
    """The cases of the images: a case's probability is the mean over its images."""
    cases: dict[int, list[Judged]] = {}
    for image in images:
        cases.setdefault(image.case_id, []).append(image)
    return [
        replace(found[0], prob_hsil=float(np.mean([image.prob_hsil for image in found]))) for found in cases.values()
    ]


def probability_figures(
    judged: Sequence[Judged], *, threshold: float, seed: int = 0, resamples: int = RESAMPLES
) -> ProbabilityFigures:
    """Calls at a threshold and their ranking, with intervals that mind several images of one patient.

    Wilson's interval takes the trials as independent; a bootstrap over patients collapses where all calls are right.
    Where a patient stands behind several rows, the wider bound of the two is given.

    Args:
        judged: One row an image, or one a case.
        threshold: `hsil` is called at this probability and above.
        seed: Seed of the bootstrap.
        resamples: How many resamples it draws.
    """
    truth = [row.label for row in judged]
    probabilities = [row.prob_hsil for row in judged]
    patients = [row.patient_id for row in judged]
    calls = calls_at(probabilities, threshold)
    figures = call_figures(truth, calls)
    clustered = len(set(patients)) < len(judged)
    shares = {name: getattr(figures, name) for name in ("accuracy", "sensitivity", "specificity", "ppv", "npv")}
    if clustered:
        shares = {
            name: _widened(share, _trials(name, truth, calls), patients, seed, resamples)
            for name, share in shares.items()
        }
    return ProbabilityFigures(
        n=len(judged),
        n_patients=len(set(patients)),
        threshold=threshold,
        clustered=clustered,
        interval=CLUSTERED if clustered else WILSON,
        true_positive=figures.true_positive,
        false_positive=figures.false_positive,
        true_negative=figures.true_negative,
        false_negative=figures.false_negative,
        auc=auc_estimate(truth, probabilities, patients, seed=seed, resamples=resamples),
        **shares,
    )


def _trials(name: str, truth: Sequence[Label], calls: Sequence[Label]) -> npt.NDArray[np.float64]:
    """One row an image: whether it is a trial of this share, and whether a success."""
    is_hsil = np.asarray([label is Label.HSIL for label in truth])
    called = np.asarray([call is Label.HSIL for call in calls])
    counted = {
        "accuracy": np.ones_like(is_hsil),
        "sensitivity": is_hsil,
        "specificity": ~is_hsil,
        "ppv": called,
        "npv": ~called,
    }[name]
    return np.stack([counted, counted & (is_hsil == called)], axis=1).astype(np.float64)


def _ratio(rows: npt.NDArray[np.float64]) -> float:
    trials, successes = rows.sum(axis=0)
    return float(successes / trials) if trials else float("nan")


def _widened(
    share: Proportion, trials: npt.NDArray[np.float64], patients: Sequence[Hashable], seed: int, resamples: int
) -> Proportion:
    drawn = patient_bootstrap(trials, patients, _ratio, seed=seed, n=resamples)
    if share.low is None or share.high is None or drawn.low is None or drawn.high is None:
        return share
    return replace(share, low=min(share.low, drawn.low), high=max(share.high, drawn.high))
