"""Whether every sentence of the reading statistics errs as often as it says.

    python -m benchmarks.reading_statistics [--studies 2000] [--part null|margin|cover] [--every K --of N]

Studies are simulated by the model of Roe and Metz and judged by the program's own functions. `null`: without a
difference, p below 0.05 is an error. `margin`: where what is tested is worse by exactly the margin, to show that it is
not inferior is an error. `cover`: how often the printed interval of a mean over readers holds the truth. One Markdown
row a design is printed: shares of studies; the standard error of a share of 0.05 is 0.005 with 2,000 studies. `--every`
takes each N-th row, beginning with the K-th, so that several processes share the work.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from benchmarks.shared import print_heading, print_row
from colpo_core.records.statistics.multi_reader_figures import AgainstModel, ManyReaders
from colpo_core.records.statistics.reader_figures import Endpoint
from colpo_core.studies.multi_reader_analysis import against_a_model, compare_arms, mean_of_arm
from colpo_core.studies.multi_reader_readings import CannotJudge, Judging
from colpo_core.studies.ratings import RatingTable
from colpo_core.studies.roe_metz import RoeMetz, draw_ratings

# Variances of readers that Roe and Metz put beside each area.
VARIANCES = {0.702: RoeMetz(), 0.855: RoeMetz(0.03, 0.03), 0.962: RoeMetz(0.056, 0.056)}
ALIKE = 0.8
"""Share of what varies with cases that the images of a patient have in common."""


@dataclass(frozen=True)
class Design:
    """A study.

    Attributes:
        readers: How many.
        positive: Patients with the condition.
        negative: Patients without it.
        area: Of the second arm, or of the readers.
        less: By how much the first arm's, or the model's, is less.
        images: A patient.
        mixed: Whether images of either class are of one patient.
        missing: Share of the readings that are missing at random.
        how: `crossed`, `split` (half of the readers in each arm) or `model`.
        u_statistic: Whether U-statistics judge.
        by_patient: Whether patients are counted, where they have several images.
        few_readers: Whether readers vary little.
    """

    readers: int
    positive: int
    negative: int
    area: float
    less: float = 0.0
    images: int = 1
    mixed: bool = False
    missing: float = 0.0
    how: str = "crossed"
    u_statistic: bool = False
    by_patient: bool = True
    few_readers: bool = False

    @property
    def name(self) -> str:
        """In words."""
        words = [
            {"crossed": "two arms", "split": "two arms, readers in one each", "model": "model against readers"}[
                self.how
            ]
        ]
        if self.images > 1:
            words.append(f"{self.images} images a patient")
            words += ["both classes in a patient"] if self.mixed else []
            words += [] if self.by_patient else ["taken as independent"]
        words += [f"{self.missing:.0%} missing"] if self.missing else []
        words += ["U-statistics"] if self.u_statistic else []
        return ", ".join(words)


NULLS = [
    Design(3, 50, 50, 0.855), Design(3, 25, 75, 0.855), Design(4, 20, 20, 0.855), Design(5, 50, 50, 0.702),
    Design(5, 50, 50, 0.962), Design(4, 20, 20, 0.962), Design(10, 50, 50, 0.855),
    Design(4, 40, 40, 0.855, images=3, by_patient=False),
    Design(4, 40, 40, 0.855, images=3), Design(4, 20, 20, 0.855, images=3), Design(3, 40, 40, 0.702, images=3),
    Design(4, 30, 30, 0.855, images=3, mixed=True),
    Design(4, 50, 50, 0.855, missing=0.1), Design(4, 50, 50, 0.855, missing=0.3),
    Design(4, 40, 40, 0.855, images=3, missing=0.1),
    Design(4, 50, 50, 0.855, missing=0.3, u_statistic=True), Design(6, 50, 50, 0.855, how="split", u_statistic=True),
    Design(4, 50, 50, 0.855, how="model"), Design(4, 20, 20, 0.855, how="model"), Design(3, 50, 50, 0.855, how="model"),
    Design(4, 40, 40, 0.855, images=3, how="model"), Design(4, 50, 50, 0.855, missing=0.1, how="model"),
]  # fmt: skip
MARGINS = [
    Design(4, 50, 50, 0.855, 0.1, few_readers=True), Design(4, 20, 20, 0.855, 0.05, few_readers=True),
    Design(4, 50, 50, 0.95, 0.1, few_readers=True), Design(3, 50, 50, 0.855, 0.05),
    Design(4, 40, 40, 0.855, 0.1, images=3, few_readers=True), Design(4, 20, 20, 0.95, 0.1, images=3, few_readers=True),
    Design(4, 30, 30, 0.855, 0.05, images=3, mixed=True, few_readers=True),
    Design(4, 50, 50, 0.855, 0.1, missing=0.1, few_readers=True),
    Design(4, 50, 50, 0.855, 0.1, missing=0.3, u_statistic=True, few_readers=True),
    Design(4, 50, 50, 0.855, 0.1, how="model", few_readers=True),
    Design(4, 50, 50, 0.95, 0.1, how="model", few_readers=True),
    Design(4, 40, 40, 0.855, 0.1, images=3, how="model", few_readers=True),
]  # fmt: skip
COVERED = [
    Design(readers, n, n, area, images=images)
    for images in (1, 3)
    for readers in (2, 3, 4)
    for n in (20, 100)
    for area in (0.702, 0.855, 0.962)
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--part", choices=["null", "margin", "cover"], default="null")
    parser.add_argument("--every", type=int, default=0)
    parser.add_argument("--of", type=int, default=1)
    asked = parser.parse_args()
    designs = {"null": NULLS, "margin": MARGINS, "cover": COVERED}[asked.part]
    print_heading("design", "readers", "patients", "area", *(endpoint.value for endpoint in Endpoint), "seconds")
    for design in designs[asked.every :: asked.of]:
        began = time.perf_counter()
        errors = np.asarray(list(_studies(design, asked.part, asked.studies)), np.float64)
        shares = ["–" if np.isnan(endpoint).all() else f"{np.nanmean(endpoint):.3f}" for endpoint in errors.T]
        area = f"{design.area - design.less:.3f} against {design.area:.3f}" if design.less else f"{design.area:.3f}"
        patients = f"{design.positive} + {design.negative}"
        print_row(design.name, design.readers, patients, area, *shares, round(time.perf_counter() - began))


def _studies(design: Design, part: str, studies: int) -> Iterator[list[float]]:
    """By endpoint 1 where the study errs (or its interval covers), 0 where not, NaN where nothing is claimed."""
    generator = np.random.default_rng(1)
    for _ in range(studies):
        table, model, truths = _drawn(design, generator)
        errors = []
        for endpoint in Endpoint:
            first, second = truths[endpoint]
            judging = Judging(
                endpoint, threshold=None if endpoint is Endpoint.AUC else 0.0, u_statistic=design.u_statistic,
                margin=second - first if part == "margin" and second - first > 0.001 else None,
            )  # fmt: skip
            try:
                errors.append(_judged(design, part, table, model, judging, second))
            except CannotJudge:
                errors.append(float("nan"))
        yield errors


def _judged(
    design: Design, part: str, table: RatingTable, model: npt.NDArray[np.float64], judging: Judging, truth: float
) -> float:
    by_patient = design.images > 1 and design.by_patient
    if part == "cover":
        ci = mean_of_arm(table, 1, judging, by_patient=by_patient).logit_ci
        return float("nan") if ci is None else float(ci[0] <= truth <= ci[1])
    analysis: ManyReaders | AgainstModel
    if design.how == "model":
        scale = np.where(model >= 0, 0.0, -1.0) if judging.endpoint is not Endpoint.AUC else model
        analysis = against_a_model(table, 1, scale, judging, by_patient=by_patient)
    else:
        analysis = compare_arms(table, judging, by_patient=by_patient)
    if part == "margin":
        held = analysis.non_inferiority
        return float("nan") if held is None else float(held.is_shown is True)
    # Where nothing varies nothing is claimed, and that is no error.
    return float(analysis.p is not None and analysis.p < 0.05)


def _drawn(
    design: Design, generator: np.random.Generator
) -> tuple[RatingTable, npt.NDArray[np.float64], dict[Endpoint, tuple[float, float]]]:
    """A study's ratings with 0 as the threshold, the model's, and what is true by endpoint of either side."""
    variances = RoeMetz() if design.few_readers else VARIANCES[design.area]
    is_model, images = design.how == "model", design.images
    n_positive, n_negative = design.positive * images, design.negative * images
    patients = np.repeat(np.arange(design.positive + design.negative), images)
    if design.mixed:
        patients = generator.permutation(patients)
    truth, drawn = draw_ratings(
        generator, n_readers=design.readers + is_model, n_positive=n_positive, n_negative=n_negative,
        aucs=(design.area - design.less, design.area), model=variances, standalone=is_model,
        patients=patients if images > 1 else None, alike=ALIKE,
    )  # fmt: skip
    normal = NormalDist()
    spreads = variances.own**0.5 if is_model else variances.spread, variances.spread
    apart = [
        2**0.5 * spread * normal.inv_cdf(area)
        for spread, area in zip(spreads, (design.area - design.less, design.area), strict=True)
    ]
    threshold = apart[1] / 2
    drawn = drawn - threshold
    model = drawn[0, 0].copy()
    rating = np.stack([drawn[0], drawn[1]])[:, : design.readers]
    if design.missing:
        rating[generator.random(rating.shape) < design.missing] = np.nan
    if design.how == "split":
        rating[0, design.readers // 2 :] = np.nan
        rating[1, : design.readers // 2] = np.nan
    truths = {
        Endpoint.AUC: (design.area - design.less, design.area),
        Endpoint.SENSITIVITY: _pair(
            normal.cdf((mu - threshold) / spread) for mu, spread in zip(apart, spreads, strict=True)
        ),
        Endpoint.SPECIFICITY: _pair(normal.cdf(threshold / spread) for spread in spreads),
    }
    share = n_positive / (n_positive + n_negative)
    both = zip(truths[Endpoint.SENSITIVITY], truths[Endpoint.SPECIFICITY], strict=True)
    truths[Endpoint.ACCURACY] = _pair(
        share * sensitivity + (1 - share) * specificity for sensitivity, specificity in both
    )
    names = tuple(f"r{number}" for number in range(design.readers))
    table = RatingTable(
        ("first", "second"),
        names,
        tuple(map(str, range(len(truth)))),
        truth,
        rating,
        tuple(map(str, patients.tolist())),
    )
    return table, model, truths


def _pair(values: Iterator[float]) -> tuple[float, float]:
    first, second = values
    return first, second


if __name__ == "__main__":
    main()
