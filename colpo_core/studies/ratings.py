"""Ratings of readers as a table: read from CSV, checked, and laid out by arm, reader and case."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from colpo_core.errors import InputRejected

COLUMNS = ("reader", "treatment", "case", "truth", "rating")
FEWEST_OF_A_CLASS = 2
_SHOWN = 3


@dataclass(frozen=True)
class Rating:
    """One answer.

    Attributes:
        reader: Name of the reader, or of the model.
        treatment: Name of the arm.
        case: Name of the case.
        truth: Whether the case has the condition.
        rating: Higher for the condition.
        patient: Name of the patient, where that is known.
    """

    reader: str
    treatment: str
    case: str
    truth: bool
    rating: float
    patient: str | None = None


@dataclass(frozen=True)
class RatingTable:
    """Ratings by arm, reader and case.

    Attributes:
        arms: Names in order; the first minus the second is the difference.
        readers: Names in order.
        cases: Names in order.
        truth: Shape (cases,), bool: whether each has the condition.
        rating: Shape (arms, readers, cases); NaN where a reader has not read a case.
        patients: Patient of each case; None where each case is a patient of its own.
    """

    arms: tuple[str, ...]
    readers: tuple[str, ...]
    cases: tuple[str, ...]
    truth: npt.NDArray[np.bool_]
    rating: npt.NDArray[np.float64]
    patients: tuple[str, ...] | None = None

    @property
    def is_complete(self) -> bool:
        """Whether every reader has read every case in every arm."""
        return not np.isnan(self.rating).any()

    def of_arms(self, arms: Sequence[str]) -> "RatingTable":
        """Only these arms, in this order, with the readers who have read in one of them and the cases read in one.

        Raises:
            InputRejected: There is no such arm.
        """
        for arm in arms:
            if arm not in self.arms:
                raise InputRejected(f"There is no treatment “{arm}”. There are {', '.join(self.arms)}.")
        rating = self.rating[[self.arms.index(arm) for arm in arms]]
        reads = np.asarray(~np.isnan(rating).all(axis=(0, 2)))
        is_read = np.asarray(~np.isnan(rating).all(axis=(0, 1)))
        kept = np.flatnonzero(is_read)
        return replace(
            self,
            arms=tuple(arms),
            readers=tuple(self.readers[place] for place in np.flatnonzero(reads)),
            cases=tuple(self.cases[place] for place in kept),
            truth=self.truth[is_read],
            rating=rating[:, reads][:, :, is_read],
            patients=None if self.patients is None else tuple(self.patients[place] for place in kept),
        )


def read_ratings(text: str, *, patient_column: str | None = None) -> list[Rating]:
    """Read CSV with the columns reader, treatment, case, truth (0 or 1) and rating; more columns are ignored.

    Args:
        text: The file's text.
        patient_column: Name of a column that tells the patient of each case.

    Raises:
        InputRejected: A column or a value is missing or makes no sense; the line is named.
    """
    lines = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    named = [name.strip().lower() for name in lines.fieldnames or ()]
    patient = None if patient_column is None else patient_column.strip().lower()
    wanted = COLUMNS if patient is None else (*COLUMNS, patient)
    missing = [name for name in wanted if name not in named]
    if missing:
        raise InputRejected(
            f"The file has no column {', '.join(missing)}. Its first line needs the columns {', '.join(wanted)}, with "
            "commas between them."
        )
    lines.fieldnames = named
    found = [_rating(row, lines.line_num, patient) for row in lines]
    if not found:
        raise InputRejected("The file holds no rating.")
    return found


def tabulate(ratings: Sequence[Rating]) -> RatingTable:
    """Lay ratings out. Names that are all numbers are put in their order as numbers, others in that of the alphabet.

    Raises:
        InputRejected: A rating stands twice, a case's truth or patient differs between rows, or a class has fewer than
            two cases.
    """
    truth: dict[str, bool] = {}
    patient: dict[str, str | None] = {}
    seen: set[tuple[str, str, str]] = set()
    doubled: list[str] = []
    for one in ratings:
        place = (one.reader, one.treatment, one.case)
        if place in seen:
            doubled.append(f"reader {one.reader}, treatment {one.treatment}, case {one.case}")
        seen.add(place)
        if truth.setdefault(one.case, one.truth) != one.truth:
            raise InputRejected(f"The truth of case {one.case} differs between its rows.")
        if patient.setdefault(one.case, one.patient) != one.patient:
            raise InputRejected(f"The patient of case {one.case} differs between its rows.")
    if doubled:
        raise InputRejected(f"The file holds ratings twice: {_shown(doubled)}. Keep one row for each.")
    arms, readers, cases = (
        in_order({getattr(one, name) for one in ratings}) for name in ("treatment", "reader", "case")
    )
    n_positive = sum(truth.values())
    if min(n_positive, len(cases) - n_positive) < FEWEST_OF_A_CLASS:
        raise InputRejected(
            f"There are {n_positive} cases with the condition and {len(cases) - n_positive} without it; at least "
            f"{FEWEST_OF_A_CLASS} of each are needed."
        )
    places = [{name: place for place, name in enumerate(names)} for names in (arms, readers, cases)]
    rating = np.full((len(arms), len(readers), len(cases)), np.nan)
    for one in ratings:
        rating[places[0][one.treatment], places[1][one.reader], places[2][one.case]] = one.rating
    named = tuple(name for case in cases if (name := patient[case]) is not None)
    return RatingTable(
        arms, readers, cases, np.asarray([truth[case] for case in cases]), rating, named if named else None
    )


def in_order(names: set[str]) -> tuple[str, ...]:
    """Names in the order in which they are reported."""
    try:
        return tuple(sorted(names, key=lambda name: (float(name), name)))
    except ValueError:
        return tuple(sorted(names))


def _rating(row: dict[str, str | None], line: int, patient: str | None) -> Rating:
    wanted = COLUMNS if patient is None else (*COLUMNS, patient)
    values = {name: (row.get(name) or "").strip() for name in wanted}
    for name, value in values.items():
        if not value:
            raise InputRejected(f"Line {line} has no {name}.")
    if values["truth"] not in {"0", "1"}:
        raise InputRejected(f"Line {line}: the truth is 0 or 1, not “{values['truth']}”.")
    try:
        rating = float(values["rating"])
    except ValueError:
        rating = math.nan
    if not math.isfinite(rating):
        raise InputRejected(f"Line {line}: the rating is a number, not “{values['rating']}”.")
    return Rating(
        values["reader"], values["treatment"], values["case"], values["truth"] == "1", rating,
        None if patient is None else values[patient],
    )  # fmt: skip


def _shown(things: Sequence[str]) -> str:
    more = f"; and {len(things) - _SHOWN} more" if len(things) > _SHOWN else ""
    return "; ".join(things[:_SHOWN]) + more
