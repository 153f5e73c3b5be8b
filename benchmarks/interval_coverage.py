"""How often the intervals that the program prints hold what they are of, beside what was printed before.

    python -m benchmarks.interval_coverage areas      # one area, 1 and 3 images a patient
    python -m benchmarks.interval_coverage shares     # shares of calls, 1 and 3 images a patient
    python -m benchmarks.interval_coverage means      # IoU, Dice and Brier scores, 1 and 3 images a patient
    python -m benchmarks.interval_coverage paired     # DeLong's test of two areas with few cases of a class
    python -m benchmarks.interval_coverage trainings  # "did the mask help": wrong and right verdicts
    python -m benchmarks.interval_coverage agreement  # kappa, AC1 and alpha of three readers
    ... areas 200                                     # with so many replicates, 2,000 by default

Ratings are normal in either class, with `spread` times the deviation in HSIL; images of a patient correlate by
`alike`. Every row is one Markdown row: coverage of the 95% interval, then of the old one.
"""

import sys
from collections.abc import Callable, Iterator

import numpy as np
from scipy.stats import beta, norm

from benchmarks.shared import heading, row
from colpo_core.evaluation.areas import area_interval
from colpo_core.evaluation.arms import difference_figures, measure_arm
from colpo_core.evaluation.delong import delong, delong_interval
from colpo_core.evaluation.few import FEWEST_FOR_A_DIFFERENCE
from colpo_core.evaluation.intervals import mean_by_patients, patient_bootstrap, share_by_patients, wilson
from colpo_core.evaluation.judged import Judged
from colpo_core.evaluation.resampling import divided
from colpo_core.records.statistics.rater_agreement import Coefficient
from colpo_core.studies.rater_agreement import cohen, fleiss, gwet_ac1, krippendorff_alpha
from colpo_core.terms import Label

REPLICATES = 2_000
# The bootstrap is slow: it is measured on fewer replicates and with fewer resamples.
OLD_SHARE = 10
RESAMPLES = 500


def holds(low: float | None, high: float | None, truth: float) -> bool:
    """Whether an interval is there and holds the truth."""
    return low is not None and high is not None and low <= truth <= high


def alike_normal(chance: np.random.Generator, patients: int, images: int, alike: float) -> np.ndarray:
    """Standard normal values, a row a patient's image; those of a patient correlate."""
    own = chance.normal(size=patients).repeat(images)
    return np.asarray(own * alike**0.5 + chance.normal(size=patients * images) * (1 - alike) ** 0.5)


def areas(replicates: int) -> Iterator[str]:
    """Newcombe's interval with what was added, beside DeLong's."""
    chance = np.random.default_rng(1)
    yield heading(
        "patients, HSIL + normal", "images", "alike", "spread", "area", "covers", "DeLong covers", "and is missing"
    )
    cells = [
        (20, 20, 1, 0.0),
        (20, 100, 1, 0.0),
        (100, 100, 1, 0.0),
        (7, 7, 3, 0.7),
        (20, 20, 3, 0.7),
        (20, 80, 3, 0.95),
    ]
    for n_hsil, n_normal, images, alike in cells:
        is_hsil = np.repeat([True, False], [n_hsil * images, n_normal * images])
        labels = [Label.HSIL if flag else Label.NORMAL for flag in is_hsil]
        patients = np.arange(n_hsil + n_normal).repeat(images).tolist()
        for area, spread in ((0.7, 1.0), (0.85, 1.0), (0.85, 2.0), (0.95, 1.0), (0.98, 1.0)):
            held = classic = missing = 0
            for _ in range(replicates):
                hsil = alike_normal(chance, n_hsil, images, alike) * spread + norm.ppf(area) * (1 + spread**2) ** 0.5
                scores = np.concatenate([hsil, alike_normal(chance, n_normal, images, alike)])
                interval = area_interval(is_hsil, scores, patients)
                old = delong_interval(labels, scores.tolist())
                held += holds(interval.low, interval.high, area)
                classic += holds(old.low, old.high, area)
                missing += old.low is None
            rates = (f"{count / replicates:.3f}" for count in (held, classic, missing))
            yield row(f"{n_hsil} + {n_normal}", images, f"{alike:g}", f"{spread:g}", f"{area:g}", *rates)


def shares(replicates: int) -> Iterator[str]:
    """The exact interval for the effective number of trials, beside the wider of Wilson's and a bootstrap."""
    chance = np.random.default_rng(2)
    yield heading("patients", "images", "alike", "share", "covers", "wider of Wilson and bootstrap")
    for n_patients in (5, 10, 20, 50, 100):
        for images, alike in ((1, 0.0), (3, 0.6), (3, 0.9)):
            patients = np.arange(n_patients).repeat(images).tolist()
            for share in (0.5, 0.8, 0.95, 0.99):

                def replicate(is_old: bool) -> bool:
                    right = alike_normal(chance, n_patients, images, alike) < norm.ppf(share)  # noqa: B023
                    trials = np.stack([np.ones(len(right)), right], axis=1)
                    if not is_old:
                        interval = share_by_patients(trials, patients)  # noqa: B023
                        return holds(interval.low, interval.high, share)  # noqa: B023
                    plain = wilson(int(right.sum()), len(right))
                    drawn = bootstrap(right.astype(np.float64), patients)  # noqa: B023
                    low, high = plain.low or 0.0, 1.0 if plain.high is None else plain.high
                    if drawn is not None:
                        low, high = min(low, drawn[0]), max(high, drawn[1])
                    return holds(low, high, share)  # noqa: B023

                yield f"| {n_patients} | {images} | {alike:g} | {share:g} | {both(replicate, replicates)} |"


def means(replicates: int) -> Iterator[str]:
    """The interval of a mean by patients, beside the percentile bootstrap."""
    chance = np.random.default_rng(3)
    yield heading("figure", "mean", "patients", "images", "covers", "bootstrap covers")
    for name, a, b in (
        ("IoU", 1.2, 1.5),
        ("Dice", 6.0, 1.2),
        ("Brier score", 0.4, 2.5),
        ("low Brier score", 0.25, 4.0),
    ):
        for n_patients in (5, 10, 20, 50, 100):
            for images, alike in ((1, 0.0), (3, 0.6)):
                patients = np.arange(n_patients).repeat(images).tolist()

                def replicate(is_old: bool) -> bool:
                    values = beta.ppf(norm.cdf(alike_normal(chance, n_patients, images, alike)), a, b)  # noqa: B023
                    if is_old:
                        drawn = bootstrap(values, patients)  # noqa: B023
                        return drawn is not None and holds(*drawn, a / (a + b))  # noqa: B023
                    interval = mean_by_patients(values, patients, within=(0.0, 1.0))  # noqa: B023
                    return holds(interval.low, interval.high, a / (a + b))  # noqa: B023

                yield f"| {name} | {a / (a + b):.2f} | {n_patients} | {images} | {both(replicate, replicates)} |"


def both(replicate: Callable[[bool], bool], replicates: int) -> str:
    """Coverage of the new and of the old interval."""
    olds = max(1, replicates // OLD_SHARE)
    new = sum(replicate(False) for _ in range(replicates)) / replicates
    return f"{new:.3f} | {sum(replicate(True) for _ in range(olds)) / olds:.2f}"


def bootstrap(values: np.ndarray, patients: list[int]) -> tuple[float, float] | None:
    """The percentile interval of a mean by a bootstrap over patients."""
    interval = patient_bootstrap(lambda weights: divided(weights @ values, weights.sum(axis=1)), patients, n=RESAMPLES)
    return None if interval.low is None or interval.high is None else (interval.low, interval.high)


def paired(replicates: int) -> Iterator[str]:
    """How often DeLong's test finds a difference that is not there, by the cases of the smaller class."""
    chance = np.random.default_rng(4)
    yield heading(f"HSIL, with 50 normal (an interval from {FEWEST_FOR_A_DIFFERENCE} on)", "area 0.7", "0.85", "0.95")
    for n_hsil in (2, 5, 8, 10, 20):
        labels = [Label.HSIL] * n_hsil + [Label.NORMAL] * 50
        is_hsil = np.repeat([1.0, 0.0], [n_hsil, 50])
        cells = []
        for area in (0.7, 0.85, 0.95):
            wrong = 0
            for _ in range(replicates):
                shared = chance.normal(size=n_hsil + 50) * 0.5**0.5 + is_hsil * norm.ppf(area) * 2**0.5
                first, second = shared + chance.normal(size=(2, n_hsil + 50)) * 0.5**0.5
                p = delong(labels, first.tolist(), second.tolist()).p
                wrong += p is not None and p < 0.05
            cells.append(f"{wrong / replicates:.3f}")
        yield f"| {n_hsil} | " + " | ".join(cells) + " |"


def trainings(replicates: int) -> Iterator[str]:
    """How often the verdict on the area finds a difference: where there is none, and where there is one."""
    chance = np.random.default_rng(5)
    yield heading("cases, HSIL + normal", "trainings", "deviation between trainings", "equal arms", "better by 0.5")
    for n_hsil, n_normal in ((12, 18), (24, 36), (80, 120)):
        labels = [Label.HSIL] * n_hsil + [Label.NORMAL] * n_normal
        is_hsil = np.repeat([1.0, 0.0], [n_hsil, n_normal])
        for n_trainings in (1, 2, 3, 5):
            for of_training in (0.0, 0.15, 0.4):
                cells = []
                for effect in (0.0, 0.5):
                    shown = 0
                    for _ in range(replicates):
                        case = chance.normal(0, 0.8, len(labels))
                        arms = []
                        for better in (0.0, effect):
                            skill = 1.6 + better + chance.normal(0, of_training, (n_trainings, 1))
                            own = case + chance.normal(0, 0.3, len(labels))
                            logits = own + skill * is_hsil + chance.normal(0, 0.6, (n_trainings, len(labels))) - 0.8
                            judged = [
                                [
                                    Judged(number, number, label, float(prob))
                                    for number, (label, prob) in enumerate(zip(labels, line, strict=True))
                                ]
                                for line in 1 / (1 + np.exp(-logits))
                            ]
                            arms.append(measure_arm(judged, [0.5] * n_trainings))
                        difference = difference_figures(*arms)["auc"]
                        shown += difference.low is not None and not holds(difference.low, difference.high, 0.0)
                    cells.append(f"{shown / replicates:.3f}")
                yield f"| {n_hsil} + {n_normal} | {n_trainings} | {of_training:g} | " + " | ".join(cells) + " |"


def agreement(replicates: int) -> Iterator[str]:
    """How often the interval of a coefficient of agreement holds its value in cases without end."""
    chance = np.random.default_rng(6)
    names = ("Cohen's kappa", "linearly weighted", "Fleiss' kappa", "Gwet's AC1", "Krippendorff's alpha")
    yield heading("patients", "images", "HSIL called", "alike", *names, "kappa")

    def drawn(n_patients: int, images: int, share: float, alike: float) -> np.ndarray:
        case = alike_normal(chance, n_patients, images, 0.6)
        return np.asarray(alike**0.5 * case + (1 - alike) ** 0.5 * chance.normal(size=(3, len(case))) - norm.isf(share))

    def coefficients(latent: np.ndarray, patients: list[str] | None) -> list[Coefficient]:
        calls = (latent > 0).astype(np.float64)
        ratings = np.digitize(latent, (-1.0, -0.4, 0.0, 0.7)).astype(np.float64)
        return [
            cohen(calls[0], calls[1], patients=patients),
            cohen(ratings[0], ratings[1], weighting="linear", patients=patients),
            fleiss(calls, patients=patients),
            gwet_ac1(calls, patients=patients),
            krippendorff_alpha(calls, patients=patients),
        ]

    for share, alike in ((0.5, 0.5), (0.5, 0.9), (0.2, 0.5), (0.2, 0.9)):
        truths = [coefficient.value for coefficient in coefficients(drawn(300_000, 1, share, alike), None)]
        for n_patients, images in ((20, 1), (50, 1), (100, 1), (20, 3), (50, 3)):
            patients = [str(patient) for patient in np.arange(n_patients).repeat(images)]
            held = np.zeros((len(names), 2))
            for _ in range(replicates):
                estimates = coefficients(drawn(n_patients, images, share, alike), patients)
                for index, (coefficient, truth) in enumerate(zip(estimates, truths, strict=True)):
                    if coefficient.ci is not None and truth is not None:
                        held[index] += (coefficient.ci[0] <= truth <= coefficient.ci[1], 1)
            cells = " | ".join(f"{covered / n:.3f}" for covered, n in held)
            yield f"| {n_patients} | {images} | {share:g} | {alike:g} | {cells} | {truths[0]:.2f} |"


def main() -> None:
    tables = {
        "areas": areas,
        "shares": shares,
        "means": means,
        "paired": paired,
        "trainings": trainings,
        "agreement": agreement,
    }
    chosen = sys.argv[1] if len(sys.argv) > 1 else "areas"
    if chosen not in tables:
        raise SystemExit(f"One of {', '.join(tables)}.")
    for line in tables[chosen](int(sys.argv[2]) if len(sys.argv) > 2 else REPLICATES):
        print(line, flush=True)


if __name__ == "__main__":
    main()
