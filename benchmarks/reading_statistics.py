"""Whether the analysis of several readers errs as often as it says, and finds more where there is more to find.

    python -m benchmarks.reading_statistics [--studies 1000]

Studies are simulated by the model of Roe and Metz: with no difference between the arms a p below 0.05 is an error, with
a difference it is power. One Markdown row a design is printed: the share of such studies and its standard error.
"""

import argparse
import time

import numpy as np

from colpo_core.records.reader_statistics import Covariance, Endpoint
from colpo_core.studies.endpoints import components, covariance
from colpo_core.studies.obuchowski_rockette import (
    covariance_parts,
    fixed_cases,
    fixed_readers,
    random_readers_and_cases,
)
from colpo_core.studies.roe_metz import RoeMetz, draw_ratings

# Variances of readers that Roe and Metz put beside each area.
LOW, MIDDLE, HIGH = (
    (area, RoeMetz(reader, reader)) for area, reader in ((0.702, 0.0055), (0.855, 0.03), (0.962, 0.056))
)
NULLS = [
    (5, 50, 50, LOW, Covariance.DELONG),
    (5, 50, 50, MIDDLE, Covariance.DELONG),
    (5, 50, 50, HIGH, Covariance.DELONG),
    (5, 50, 50, MIDDLE, Covariance.JACKKNIFE),
    (3, 25, 75, MIDDLE, Covariance.DELONG),
    (10, 50, 50, MIDDLE, Covariance.DELONG),
]
SIZES = [(3, 50), (5, 50), (5, 100), (5, 200), (10, 100)]
DIFFERENCE = 0.06
HEADINGS = (
    "readers", "cases", "area", "difference", "covariance", "p < 0.05, other readers and cases",
    "these readers, other cases", "these cases, other readers", "seconds",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1000)
    studies = parser.parse_args().studies
    print("| " + " | ".join(HEADINGS) + " |\n" + "| --- " * len(HEADINGS) + "|")
    for readers, positive, negative, (area, model), method in NULLS:
        _row(studies, readers, positive, negative, (area, area), model, method)
    area, model = MIDDLE
    for readers, n_cases in SIZES:
        aucs = area + DIFFERENCE / 2, area - DIFFERENCE / 2
        _row(studies, readers, n_cases // 2, n_cases - n_cases // 2, aucs, model, Covariance.DELONG)


def _row(
    studies: int,
    readers: int,
    positive: int,
    negative: int,
    aucs: tuple[float, float],
    model: RoeMetz,
    method: Covariance,
) -> None:
    generator, began = np.random.default_rng(1), time.perf_counter()
    found = np.zeros((studies, 3))
    for study in range(studies):
        truth, ratings = draw_ratings(
            generator, n_readers=readers, n_positive=positive, n_negative=negative, aucs=aucs, model=model
        )
        flat = ratings.reshape(2 * readers, -1)
        figures = components(truth, flat, Endpoint.AUC).value.reshape(2, readers)
        parts = covariance_parts(covariance(truth, flat, Endpoint.AUC, method), arms=2, readers=readers)
        views = random_readers_and_cases(figures, parts), fixed_readers(figures, parts), fixed_cases(figures)
        found[study] = [view.p is not None and view.p < 0.05 for view in views]
    shares = found.mean(axis=0)
    said = [f"{share:.3f} ± {(share * (1 - share) / studies) ** 0.5:.3f}" for share in shares]
    cells = [readers, f"{positive} + {negative}", f"{np.mean(aucs):.3f}", f"{aucs[0] - aucs[1]:.2f}", method.value]
    print("| " + " | ".join(map(str, [*cells, *said, round(time.perf_counter() - began)])) + " |", flush=True)


if __name__ == "__main__":
    main()
