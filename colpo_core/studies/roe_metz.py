"""Simulated ratings of several readers in two arms whose truth is known, to try an analysis or a design on."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class RoeMetz:
    """The model's variances; those of cases and of what is left add up to 1.

    Attributes:
        reader: Of readers, in either class.
        arm_reader: Of arms by readers, in either class.
        case: Of cases.
        arm_case: Of arms by cases.
        reader_case: Of readers by cases.
        rest: Of everything else.
    """

    reader: float = 0.0055
    arm_reader: float = 0.0055
    case: float = 0.3
    arm_case: float = 0.3
    reader_case: float = 0.2
    rest: float = 0.2

    @property
    def own(self) -> float:
        """Variance of a rating of one reader within its class, over cases."""
        return self.case + self.arm_case + self.reader_case + self.rest

    @property
    def spread(self) -> float:
        """Standard deviation of a rating within its class, over arms, readers and cases."""
        return float((self.own + self.reader + self.arm_reader) ** 0.5)


def draw_ratings(
    generator: np.random.Generator,
    *,
    n_readers: int,
    n_positive: int,
    n_negative: int,
    aucs: tuple[float, float],
    model: RoeMetz | None = None,
    standalone: bool = False,
    patients: npt.NDArray[np.int_] | None = None,
    alike: float = 0.5,
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Draw one study: every reader rates every case in both arms.

    Args:
        generator: Where the chance comes from.
        n_readers: Readers.
        n_positive: Cases with the condition.
        n_negative: Cases without it.
        aucs: Each arm's area under the curve over all readers and cases, above 0 and below 1.
        model: The variances; those of a study with much variance of cases and little of readers when None.
        standalone: Whether the first arm is a model that judges by itself: its ratings vary with cases alone.
        patients: Shape (cases,), the positive first: patient of each case, counted from 0; each its own when None.
        alike: Where patients are given, the share of what varies with cases that all cases of a patient have in common.

    Returns:
        Truth, shape (cases,), and ratings, shape (2, readers, cases); a standalone model's stand there once a reader.

    Source: Roe and Metz 1997, "Dorfman-Berbaum-Metz method for statistical analysis of multireader, multimodality
        receiver operating characteristic data: validation with computer simulation"; the default is its structure HL.
    """
    variances = model or RoeMetz()
    with_readers = np.asarray([not standalone, True])[:, None, None]
    truth = np.repeat([True, False], [n_positive, n_negative])
    ratings = np.zeros((2, n_readers, len(truth)))

    def add(variance: float, *shape: int) -> None:
        nonlocal ratings
        drawn = variance**0.5 * _by_case(generator, shape, patients, alike)
        ratings = ratings + (np.broadcast_to(drawn, ratings.shape) if not standalone else _shared(drawn, ratings.shape))

    for of_class in (truth, ~truth):
        for variance, shape in ((variances.reader, (1, n_readers, 1)), (variances.arm_reader, (2, n_readers, 1))):
            ratings += with_readers * of_class * variance**0.5 * generator.standard_normal(shape)
    add(variances.case, 1, 1, len(truth))
    add(variances.arm_case, 2, 1, len(truth))
    add(variances.reader_case, 1, n_readers, len(truth))
    add(variances.rest, 2, n_readers, len(truth))
    for arm, auc in enumerate(aucs):
        spread = variances.own**0.5 if standalone and arm == 0 else variances.spread
        ratings[arm, :, truth] += 2**0.5 * spread * NormalDist().inv_cdf(auc)
    return truth, ratings


def _by_case(
    generator: np.random.Generator, shape: tuple[int, ...], patients: npt.NDArray[np.int_] | None, alike: float
) -> npt.NDArray[np.float64]:
    """Standard normal chance by case, in part that of the case's patient."""
    own = generator.standard_normal(shape)
    if patients is None:
        return own
    of_patient = generator.standard_normal((*shape[:2], int(patients.max()) + 1))
    return np.asarray((1 - alike) ** 0.5 * own + alike**0.5 * of_patient[:, :, patients])


def _shared(drawn: npt.NDArray[np.float64], shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Chance of both arms, that of the first being one reader's."""
    spread = np.broadcast_to(drawn, shape).copy()
    spread[0] = spread[0, :1]
    return spread
