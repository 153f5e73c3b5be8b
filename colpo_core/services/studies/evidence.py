"""All that a study's figures rest on: its sealed design, the readings, and the predictions of the same cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.errors import StudyLocked
from colpo_core.evaluation.calls import calls_at
from colpo_core.records.studies.designs import StudyRecord
from colpo_core.services.studies.cases import seen_cases
from colpo_core.services.studies.reader_names import ReaderNames, reader_names
from colpo_core.services.studies.readers import Amended, amended, plan_of
from colpo_core.services.studies.rows import check_seal, study_record
from colpo_core.store import Store
from colpo_core.store.facts import find_row
from colpo_core.store.tables import Case, Checkpoint, Prediction, Reading, Study
from colpo_core.studies.design import StudyDesign
from colpo_core.studies.study_analysis import reader_rating
from colpo_core.terms import Arm, Label, StudyState

CHANNELS = (3, 4)
"""Of the two networks of a checkpoint that are judged."""


@dataclass(frozen=True)
class ReaderCalls:
    """A reader's calls, with what the reader is called in all that is shown."""

    person_id: int
    name: str
    readings: Sequence[Reading]

    def in_order(self, arm: Arm) -> list[Reading]:
        """The readings of an arm, the first of each case before its repeats and later sessions."""
        return sorted(
            (reading for reading in self.readings if reading.arm is arm),
            key=lambda reading: (reading.session, reading.occurrence, reading.phase),
        )

    def first(self, arm: Arm) -> dict[int, Reading]:
        """Of each case the first reading in the arm: a hidden repeat or a later session would count it twice."""
        first: dict[int, Reading] = {}
        for reading in self.in_order(arm):
            if reading.occurrence == 1:
                first.setdefault(reading.case_id, reading)
        return first

    def ratings(self, arm: Arm) -> dict[int, float]:
        """By case the rating of the first reading in the arm."""
        return {case_id: reader_rating(row.call, row.confidence) for case_id, row in self.first(arm).items()}

    def again(self, arm: Arm) -> dict[int, tuple[float, float]]:
        """By case, ratings of the same case by the same reader: the first reading beside the next one."""
        ratings: dict[int, list[float]] = {}
        for reading in self.in_order(arm):
            ratings.setdefault(reading.case_id, []).append(reader_rating(reading.call, reading.confidence))
        return {case_id: (of_case[0], of_case[1]) for case_id, of_case in ratings.items() if len(of_case) > 1}


@dataclass(frozen=True)
class CheckpointCalls:
    """A checkpoint's predictions of a study's cases.

    Attributes:
        checkpoint: Its row.
        predictions: By case.
        seen: Cases that it has learned from: see `seen_cases`.
    """

    checkpoint: Checkpoint
    predictions: Mapping[int, Prediction]
    seen: frozenset[int]

    def judged(self, channels: int) -> dict[int, tuple[float, float, Label]]:
        """By case: probability of HSIL, frozen threshold, and the call that follows."""
        judged = {}
        for case_id, row in self.predictions.items():
            prob, threshold = (
                (row.prob_hsil_3ch, row.threshold_3ch) if channels == 3 else (row.prob_hsil_4ch, row.threshold_4ch)
            )
            judged[case_id] = (prob, threshold, calls_at([prob], threshold)[0])
        return judged

    def unseen(self, channels: int) -> dict[int, tuple[float, float, Label]]:
        """The same of the cases that it has not learned from."""
        return {case_id: judged for case_id, judged in self.judged(channels).items() if case_id not in self.seen}


@dataclass(frozen=True)
class StudyEvidence:
    """What all figures and files of a study are made of, read once in one session.

    Attributes:
        study: Its row.
        record: The same as a record.
        design: Its design, checked against the seal.
        names: What the readers are called in all that is shown.
        changed: What amendments have changed.
        readers: In the study's order.
        checkpoints: In the design's order.
        patients: By case the row of its patient, by rising case.
    """

    study: Study
    record: StudyRecord
    design: StudyDesign
    names: ReaderNames
    changed: Amended
    readers: tuple[ReaderCalls, ...]
    checkpoints: tuple[CheckpointCalls, ...]
    patients: Mapping[int, int]

    @property
    def truth(self) -> dict[int, Label]:
        """By case its reference standard, as it was sealed."""
        return {case.case_id: case.truth for case in self.design.cases}

    @property
    def patient_numbers(self) -> dict[int, int]:
        """By case a number for its patient, from 1 in the order of the cases: it tells which are of one patient."""
        numbers: dict[int, int] = {}
        return {
            case_id: numbers.setdefault(patient_id, len(numbers) + 1) for case_id, patient_id in self.patients.items()
        }


def closed_evidence(store: Store, session: Session, study_id: int, *, by_number: bool = False) -> StudyEvidence:
    """The evidence of a study whose results may be shown; the caller notes the look.

    Args:
        store: The open store.
        session: A reading session of it.
        study_id: The study.
        by_number: Whether readers are numbered in place of named: see `ReaderNames`.

    Raises:
        NotFound: There is no such study.
        StudyLocked: The study is not closed and no look before is in its design, or it is no longer what was sealed.
    """
    study = find_row(session, Study, study_id)
    may_look = study.state is StudyState.OPEN and bool(plan_of(study).interim_results)
    if study.state is not StudyState.CLOSED and not may_look:
        raise StudyLocked("Results are shown when the study is closed, so that nobody reads with them in mind.")
    return read_evidence(store, session, study, check_seal(session, study), by_number=by_number)


def read_evidence(
    store: Store, session: Session, study: Study, design: StudyDesign, *, by_number: bool = False
) -> StudyEvidence:
    """The evidence of a study and its checked design, whatever its state; the caller answers for who gets to see it."""
    names = reader_names(session, study, by_number=by_number)
    readings: dict[int, list[Reading]] = {}
    for reading in session.scalars(select(Reading).where(Reading.study_id == study.id).order_by(Reading.id)):
        readings.setdefault(reading.reader_id, []).append(reading)
    case_ids = [case.case_id for case in design.cases]
    patients = session.execute(select(Case.id, Case.patient_id).where(Case.id.in_(case_ids)).order_by(Case.id))
    return StudyEvidence(
        study=study,
        record=study_record(session, study),
        design=design,
        names=names,
        changed=amended(session, study.id),
        readers=tuple(
            ReaderCalls(person_id, name, readings.get(person_id, ())) for person_id, name in names.names.items()
        ),
        checkpoints=_checkpoints(store, session, design),
        patients=dict(patients.all()),
    )


def _checkpoints(store: Store, session: Session, design: StudyDesign) -> tuple[CheckpointCalls, ...]:
    case_of = {case.image_id: case.case_id for case in design.cases}
    calls = []
    for compared in design.checkpoints:
        checkpoint = session.get_one(Checkpoint, compared.checkpoint_id)
        predictions = session.scalars(
            select(Prediction).where(Prediction.checkpoint_id == checkpoint.id, Prediction.image_id.in_(case_of.keys()))
        )
        by_case = {case_of[prediction.image_id]: prediction for prediction in predictions}
        calls.append(CheckpointCalls(checkpoint, by_case, seen_cases(store, session, checkpoint, case_of.values())))
    return tuple(calls)
