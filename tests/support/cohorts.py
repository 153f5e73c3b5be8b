"""Labels and probabilities of a cohort that is drawn."""

from collections.abc import Iterable

import numpy as np

from colpo_core.evaluation.judged import Judged
from colpo_core.terms import Label

N, H = Label.NORMAL, Label.HSIL


def cohort(n: int, signal: float, chance: np.random.Generator, seeds: int = 1) -> tuple[list[Label], np.ndarray]:
    labels = [H if flag else N for flag in chance.random(n) < 0.4]
    shift = np.array([signal * (label is H) for label in labels])
    return labels, 1 / (1 + np.exp(-(chance.normal(size=(seeds, n)) + shift - signal / 2)))


def judged_alone(labels: Iterable[Label], probs: Iterable[float]) -> list[Judged]:
    """One row a patient, whose number is also that of her case and image."""
    return [Judged(n, n, label, float(prob), n) for n, (label, prob) in enumerate(zip(labels, probs, strict=True))]
