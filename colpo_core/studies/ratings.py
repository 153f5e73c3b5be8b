"""Ratings of readers as a table: read from a file, checked, and laid out by arm, reader and case."""

import math
from array import array
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import overload

import numpy as np
import numpy.typing as npt

from colpo_core.errors import InputRejected
from colpo_core.sheets.reading import Column, Problems, Table, read_table
from colpo_core.sheets.values import NO_NUMBER, hidden_character, near_twins, plain_name, read_numbers, read_yes_or_no

COLUMNS = ("reader", "treatment", "case", "truth", "rating")
FEWEST_OF_A_CLASS = 2
_SHOWN = 3
_WANTED = (
    Column("reader", ("reader_id", "판독자")),
    Column("treatment", ("arm", "modality")),
    Column("case", ("case_id", "증례")),
    Column("truth"),
    Column("rating", ("score",)),
)
_NAMES = ("reader", "treatment", "case", "patient")
# More than any study has, and 320 MB: a column of line numbers taken for readers would ask for far more.
_MOST_CELLS = 40_000_000
_ROWS_AT_ONCE = 500

_Codes = npt.NDArray[np.int64]


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
class _Words:
    """A column in which the same words come again and again.

    Attributes:
        words: Each once.
        codes: Shape (rows,): place of each row's word.
    """

    words: tuple[str, ...]
    codes: _Codes

    @classmethod
    def of(cls, values: Sequence[str]) -> "_Words":
        """The column of these values."""
        places: dict[str, int] = {}
        codes = [places.setdefault(value, len(places)) for value in values]
        return cls(tuple(places), np.asarray(codes, np.int64))

    def renamed(self, name: Callable[[str], str]) -> "_Words":
        """The same rows under other words, of which some may now be one."""
        known = _Words.of([name(word) for word in self.words])
        return _Words(known.words, known.codes[self.codes] if len(self.codes) else self.codes)

    def in_order(self) -> "_Words":
        """The same rows, the words in the order in which they are reported."""
        words = in_order(set(self.words))
        position = {word: at for at, word in enumerate(words)}
        moved = np.asarray([position[word] for word in self.words], np.int64)
        return _Words(words, moved[self.codes] if len(self.codes) else self.codes)


@dataclass(frozen=True)
class Ratings(Sequence[Rating]):
    """Ratings by columns: a sequence of `Rating` that takes some bytes a row.

    Attributes:
        reader: The readers.
        treatment: The arms.
        case: The cases.
        truth: Shape (rows,), bool.
        rating: Shape (rows,).
        patient: The patients, where they are known.
        notes: What a person should know of how they were read, in sentences.
        other_columns: Headings of the file's columns that were not read.
    """

    reader: _Words
    treatment: _Words
    case: _Words
    truth: npt.NDArray[np.bool_]
    rating: npt.NDArray[np.float64]
    patient: _Words | None = None
    notes: tuple[str, ...] = ()
    other_columns: tuple[str, ...] = ()

    @classmethod
    def of(cls, ratings: Sequence[Rating]) -> "Ratings":
        """Ratings from records; patients stand behind all of them or are passed over."""
        if isinstance(ratings, Ratings):
            return ratings
        patients = [rating.patient for rating in ratings if rating.patient is not None]
        return cls(
            _Words.of([rating.reader for rating in ratings]),
            _Words.of([rating.treatment for rating in ratings]),
            _Words.of([rating.case for rating in ratings]),
            np.asarray([rating.truth for rating in ratings], np.bool_),
            np.asarray([rating.rating for rating in ratings], np.float64),
            _Words.of(patients) if patients and len(patients) == len(ratings) else None,
        )

    def __len__(self) -> int:
        return len(self.truth)

    @overload
    def __getitem__(self, index: int) -> Rating: ...
    @overload
    def __getitem__(self, index: slice) -> "list[Rating]": ...
    def __getitem__(self, index: int | slice) -> "Rating | list[Rating]":
        if isinstance(index, slice):
            return [self[row] for row in range(*index.indices(len(self)))]
        reader, treatment, case = (
            column.words[column.codes[index]] for column in (self.reader, self.treatment, self.case)
        )
        patient = None if self.patient is None else self.patient.words[self.patient.codes[index]]
        return Rating(reader, treatment, case, bool(self.truth[index]), float(self.rating[index]), patient)


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
        cases = np.flatnonzero(is_read)
        return replace(
            self,
            arms=tuple(arms),
            readers=tuple(self.readers[index] for index in np.flatnonzero(reads)),
            cases=tuple(self.cases[index] for index in cases),
            truth=self.truth[is_read],
            rating=rating[:, reads][:, :, is_read],
            patients=None if self.patients is None else tuple(self.patients[index] for index in cases),
        )


def read_ratings(
    content: str | bytes,
    *,
    name: str = "The file",
    patient_column: str | None = None,
    keep_names: bool = False,
) -> Ratings:
    """Read a table with the columns reader, treatment, case, truth and rating; more columns are passed over.

    It may be CSV of any make or an Excel workbook, see `read_table`. The truth is 1 or 0, TRUE or FALSE, yes or no,
    hsil or normal; a rating is a number, see `read_numbers`. Names are composed (NFC).

    Args:
        content: The file, or its text.
        name: Its name, for errors.
        patient_column: Name of a column that tells the patient of each case.
        keep_names: Whether names that differ by capitals, blanks or leading zeros alone are different names; else they
            are refused, since they are nearly always one name in two spellings.

    Raises:
        InputRejected: A column or a value is missing, can be read in two ways or makes no sense. All of it is named
            with its lines, up to some number.
    """
    wanted = _WANTED if patient_column is None else (*_WANTED, Column(patient_column))
    table = read_table(content.encode() if isinstance(content, str) else content, name, wanted)
    problems = Problems()
    columns, lines = _gather(table, len(wanted), problems)
    if not len(lines) and not problems.count:
        raise InputRejected("The file holds no rating.")
    asked = dict(zip(_NAMES[:3], columns[:3], strict=True)) | {"truth": columns[3], "rating": columns[4]}
    if patient_column is not None:
        asked["patient"] = columns[5]
    _refuse_missing(asked, lines, problems)
    truth = _truth(asked["truth"], lines, problems)
    rating, notes = _numbers(asked["rating"], lines, problems, has_comma_cells=table.has_comma_cells)
    names = {of: _names(of, asked[of], lines, problems, keep_names=keep_names) for of in _NAMES if of in asked}
    problems.refuse(name)
    if table.n_empty:
        notes = (*notes, f"Empty rows that were passed over: {table.n_empty}.")
    return Ratings(
        names["reader"], names["treatment"], names["case"], truth, rating, names.get("patient"),
        (*table.notes, *notes), table.other_columns,
    )  # fmt: skip


def tabulate(ratings: Sequence[Rating]) -> RatingTable:
    """Lay ratings out. Names that are all numbers are put in their order as numbers, others in that of the alphabet.

    Raises:
        InputRejected: A rating stands twice, a case's truth or patient differs between rows, a class has fewer than
            two cases, or the table would be far larger than what was rated.
    """
    encoded = Ratings.of(ratings)
    treatment, reader, case = (column.in_order() for column in (encoded.treatment, encoded.reader, encoded.case))
    shape = (len(treatment.words), len(reader.words), len(case.words))
    if math.prod(shape) > _MOST_CELLS:
        raise InputRejected(
            f"{shape[0]} treatments, {shape[1]} readers and {shape[2]} cases are too many for one table, and "
            f"{len(encoded)} ratings fill little of it. Does the column of readers hold readers?"
        )
    _refuse_doubled(encoded, np.ravel_multi_index((treatment.codes, reader.codes, case.codes), shape))
    truth = np.zeros(shape[2], np.bool_)
    truth[case.codes] = encoded.truth
    _refuse_unlike("truth", case, truth[case.codes] != encoded.truth)
    n_positive = int(truth.sum())
    if min(n_positive, shape[2] - n_positive) < FEWEST_OF_A_CLASS:
        raise InputRejected(
            f"There are {n_positive} cases with the condition and {shape[2] - n_positive} without it; at least "
            f"{FEWEST_OF_A_CLASS} of each are needed."
        )
    patients: tuple[str, ...] | None = None
    if encoded.patient is not None:
        patient = np.zeros(shape[2], np.int64)
        patient[case.codes] = encoded.patient.codes
        _refuse_unlike("patient", case, patient[case.codes] != encoded.patient.codes)
        patients = tuple(encoded.patient.words[code] for code in patient.tolist())
    rating = np.full(shape, np.nan)
    rating[treatment.codes, reader.codes, case.codes] = encoded.rating
    return RatingTable(treatment.words, reader.words, case.words, truth, rating, patients)


def in_order(names: set[str]) -> tuple[str, ...]:
    """Names in the order in which they are reported."""
    try:
        return tuple(sorted(names, key=lambda name: (float(name), name)))
    except ValueError:
        return tuple(sorted(names))


def _gather(table: Table, width: int, problems: Problems) -> tuple[list[_Words], _Codes]:
    """The columns of all rows of a right shape, and the line of each; the others are problems."""
    # A word that is new gets the number of words known before it.
    known: list[defaultdict[str, int]] = [defaultdict() for _ in range(width)]
    for words in known:
        words.default_factory = words.__len__
    codes, lines = [array("q") for _ in range(width)], array("q")
    rows = table.rows()
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        sound = [row for row in some if not row.problem]
        for row in some if len(sound) < len(some) else ():
            if row.problem:
                problems.add(row.line, row.problem)
        lines.extend(row.line for row in sound)
        for column, words, cells in zip(codes, known, zip(*(row.cells for row in sound), strict=True), strict=False):
            column.extend(map(words.__getitem__, cells))
    return [
        _Words(tuple(words), _numbered(column_codes)) for words, column_codes in zip(known, codes, strict=True)
    ], _numbered(lines)


def _numbered(values: "array[int]") -> _Codes:
    return np.frombuffer(values, np.int64) if len(values) else np.zeros(0, np.int64)


def _refuse_missing(columns: Mapping[str, _Words], lines: _Codes, problems: Problems) -> None:
    for name, column in columns.items():
        for line in _lines_of(column, [index for index, word in enumerate(column.words) if not word], lines):
            rest = " Leave the row out where a case was not read." if name == "rating" else ""
            problems.add(line, f"Line {line} has no {name}.{rest}")


def _truth(column: _Words, lines: _Codes, problems: Problems) -> npt.NDArray[np.bool_]:
    said = [read_yes_or_no(word) for word in column.words]
    for index, (word, value) in enumerate(zip(column.words, said, strict=True)):
        for line in _lines_of(column, [index], lines) if word and value is None else ():
            problems.add(
                line,
                f"Line {line}: the truth is 0 or 1, not “{word}”. FALSE or TRUE, no or yes, normal or hsil do too.",
            )
    return np.asarray([bool(value) for value in said], np.bool_)[column.codes]


def _numbers(
    column: _Words, lines: _Codes, problems: Problems, *, has_comma_cells: bool
) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    numbers = read_numbers([word for word in column.words if word], has_comma_cells=has_comma_cells)
    for index, word in enumerate(column.words):
        if word in numbers.problems:
            for line in _lines_of(column, [index], lines):
                why = numbers.problems[word]
                said = f"is a number, not “{word}”" if why == NO_NUMBER else f"“{word}” {why}"
                problems.add(line, f"Line {line}: the rating {said}.")
    values = np.asarray([numbers.values.get(word, math.nan) for word in column.words], np.float64)
    return values[column.codes], numbers.notes


def _names(of: str, column: _Words, lines: _Codes, problems: Problems, *, keep_names: bool) -> _Words:
    """A column of names, composed; characters that nobody sees and near twins are problems."""
    for index, word in enumerate(column.words):
        hidden = hidden_character(plain_name(word))
        if hidden is not None:
            for line in _lines_of(column, [index], lines):
                problems.add(line, f"Line {line}: the {of} holds a character that nobody sees ({hidden}). Take it out.")
    names = column.renamed(plain_name)
    for twins in [] if keep_names else near_twins(word for word in names.words if word):
        places = [_lines_of(names, [names.words.index(twin)], lines)[0] for twin in twins]
        said = " and ".join(f"“{twin}” (line {line})" for twin, line in zip(twins, places, strict=True))
        problems.add(
            max(places),
            f"Line {max(places)}: the {of}s {said} are nearly one name. Write one name in one way, or analyse with "
            "--keep-names if they are different.",
        )
    return names


def _lines_of(column: _Words, places: Sequence[int], lines: _Codes) -> list[int]:
    return lines[np.isin(column.codes, places)].tolist() if places else []


def _refuse_doubled(ratings: Ratings, cell: _Codes) -> None:
    order = np.argsort(cell, kind="stable")
    again = order[1:][cell[order][1:] == cell[order][:-1]]
    if len(again):
        rows = [ratings[int(row)] for row in np.sort(again)[:_SHOWN]]
        said = "; ".join(f"reader {row.reader}, treatment {row.treatment}, case {row.case}" for row in rows)
        more = f"; and {len(again) - _SHOWN} more" if len(again) > _SHOWN else ""
        raise InputRejected(f"The file holds ratings twice: {said}{more}. Keep one row for each.")


def _refuse_unlike(what: str, case: _Words, is_unlike: npt.NDArray[np.bool_]) -> None:
    if is_unlike.any():
        names = dict.fromkeys(case.words[code] for code in case.codes[is_unlike].tolist())
        more = f" So does that of {len(names) - 1} more." if len(names) > 1 else ""
        raise InputRejected(f"The {what} of case {next(iter(names))} differs between its rows.{more}")
