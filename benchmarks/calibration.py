"""How near to the truth each way of calibrating brings the probabilities of a network that was taught balanced labels.

    python -m benchmarks.calibration [--draws 200]

The truth is known: evidence for HSIL is normal in both labels, a network says it with a temperature and a lean of its
own (log temperature normal about 0.4, lean about 0, each with a standard deviation of 0.4), because its loss weighs a
rare label as much as a frequent one. A way is fitted on a validation side and tried on 3,000 new images. One Markdown
row a share of HSIL and size of the validation side is printed: the mean probability, and in brackets the mean distance
of a probability from the true one. Then the coverage of the two intervals that a card gives.
"""

import argparse
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, logit
from scipy.stats import norm

from benchmarks.shared import print_heading, print_row
from colpo_core.evaluation.calibration import calibration_figures, fit_calibration
from colpo_core.evaluation.judged import Judged
from colpo_core.records.statistics.calibration import Calibration
from colpo_core.terms import Label

Values = npt.NDArray[np.float64]
SHARES = (0.03, 0.27, 0.5)
SIZES = (30, 60, 150, 400)
TRAIN_TO_VALIDATION = 4.7
AREA = 0.8
NEW = 3000
FEWEST = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=200)
    draws = parser.parse_args().draws
    names = ("not calibrated", *_WAYS)
    print_heading("share of HSIL", "validation images", *names)
    for share in SHARES:
        for size in SIZES:
            errors = [_draw(share, size, np.random.default_rng([number, size])) for number in range(draws)]
            cells = [
                f"{np.mean([draw[name][0] for draw in errors]):.3f} ({np.mean([draw[name][1] for draw in errors]):.3f})"
                for name in names
            ]
            print_row(f"{share:.0%}", size, *cells)
    print()
    print_heading("share of HSIL", "images", "images a patient", "in the large covers", "slope covers")
    for share, size, each in ((0.5, 40, 1), (0.27, 80, 1), (0.27, 240, 3), (0.03, 700, 1), (0.03, 2100, 3)):
        print_row(f"{share:.0%}", size, each, *_coverage(share, size, each, draws))


def _draw(share: float, size: int, chance: np.random.Generator) -> dict[str, tuple[float, float]]:
    apart = np.sqrt(2) * norm.ppf(AREA)
    temperature, lean = np.exp(chance.normal(0.4, 0.4)), chance.normal(0, 0.4)

    def drawn(count: int) -> tuple[npt.NDArray[np.bool_], Values]:
        is_hsil = chance.random(count) < share
        return is_hsil, apart * chance.normal(np.where(is_hsil, apart / 2, -apart / 2), 1)

    n_train = round(TRAIN_TO_VALIDATION * size)
    is_hsil, evidence = drawn(size)
    known = min(max(int((chance.random(n_train) < share).sum()), 1), n_train - 1) + int(is_hsil.sum())
    of_all = min(known / (n_train + size), 1 - 1 / (n_train + size))
    _, new = drawn(NEW)
    truth, logits = expit(new + logit(share)), lean + temperature * evidence
    answers = lean + temperature * new
    tried = {"not calibrated": expit(answers)}
    tried |= {name: expit(way(logits, is_hsil, of_all, answers)) for name, way in _WAYS.items()}
    return {
        name: (float(probabilities.mean()), float(np.abs(probabilities - truth).mean()))
        for name, probabilities in tried.items()
    }


def _penalised(logits: Values, is_hsil: npt.NDArray[np.bool_], share: float, new: Values) -> Values:
    labels = [Label.HSIL if flag else Label.NORMAL for flag in is_hsil]
    fitted = fit_calibration(labels, expit(logits).tolist(), share=share)
    return new / fitted.temperature + fitted.intercept


def _subtracted(_said: Values, _is_hsil: npt.NDArray[np.bool_], share: float, new: Values) -> Values:
    fitted = Calibration(1.0, float(logit(share)))
    return new + fitted.intercept


def _temperature(logits: Values, is_hsil: npt.NDArray[np.bool_], _share: float, new: Values) -> Values:
    if min(is_hsil.sum(), (~is_hsil).sum()) < FEWEST / 2:
        return new
    sign = np.where(is_hsil, 1, -1)
    fitted = minimize_scalar(
        lambda at: float(np.logaddexp(0, -sign * logits * np.exp(-at)).sum()), bounds=(-1.39, 2.08), method="bounded"
    )
    return np.asarray(new * np.exp(-fitted.x))


def _free(logits: Values, is_hsil: npt.NDArray[np.bool_], share: float, new: Values) -> Values:
    if min(is_hsil.sum(), (~is_hsil).sum()) < FEWEST:
        return _subtracted(logits, is_hsil, share, new)
    sign = np.where(is_hsil, 1, -1)
    start = [float(logit(share)), 1.0]
    fitted = minimize(lambda at: float(np.logaddexp(0, -sign * (at[0] + at[1] * logits)).sum()), start, method="BFGS")
    return np.asarray(fitted.x[0] + fitted.x[1] * new)


_WAYS: dict[str, Callable[[Values, npt.NDArray[np.bool_], float, Values], Values]] = {
    "temperature alone, from 10 of a label": _temperature,
    "weights subtracted": _subtracted,
    "slope and intercept, from 20 of a label": _free,
    "penalised slope and intercept": _penalised,
}


def _coverage(share: float, size: int, each: int, draws: int) -> list[str]:
    """How often the intervals hold 0 and 1 where probabilities are right; a patient's images all say the same."""
    held: dict[str, list[bool]] = {"large": [], "slope": []}
    for number in range(draws):
        chance = np.random.default_rng([number, size, each])
        margins = logit(share) + 1.5 * chance.normal(size=size // each)
        is_hsil = chance.random(len(margins)) < expit(margins)
        rows = [
            Judged(patient, patient, Label.HSIL if flag else Label.NORMAL, float(expit(margin)))
            for patient, (flag, margin) in enumerate(zip(is_hsil, margins, strict=True))
            for _ in range(each)
        ]
        figures = calibration_figures(rows)
        for name, figure, right in (("large", figures.in_the_large, 0.0), ("slope", figures.slope, 1.0)):
            if figure.low is not None and figure.high is not None:
                held[name].append(figure.low <= right <= figure.high)
    return [f"{np.mean(figure):.3f} of {len(figure)}" if figure else "not given" for figure in held.values()]


if __name__ == "__main__":
    main()
