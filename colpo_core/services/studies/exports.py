"""The readings of a closed study as files: every call, or the first readings as ratings."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.records.copying import copied
from colpo_core.records.studies.results import ReadingTable
from colpo_core.services.common import exposures
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import ADMINISTRATORS, allowed
from colpo_core.services.studies.conduct import exposed_at_reading, note_look
from colpo_core.services.studies.evidence import CHANNELS, StudyEvidence, closed_evidence
from colpo_core.services.studies.readers import study_orders
from colpo_core.store.tables import Image, Reading, StudyCase
from colpo_core.studies.export import CallRow, calls_csv, ratings_csv
from colpo_core.studies.orders import Showing
from colpo_core.studies.ratings import Rating
from colpo_core.terms import Arm, ExposureKind, Label, StudyState

_SHOWN = {
    ReadingTable.CALLS: (ExposureKind.LABEL, ExposureKind.PREDICTION),
    ReadingTable.RATINGS: (ExposureKind.LABEL,),
}


@allowed(ADMINISTRATORS)
def export_readings(caller: Caller, *, study_id: int, table: ReadingTable) -> bytes:
    """A table of a closed study's readings as CSV.

    Args:
        caller: An administrator.
        study_id: The study.
        table: `calls`: one line a reader and case, then a line a network and case; `ratings`: the readers' ratings as
            the `analyse` command reads them, of which a positive one is a call of HSIL.

    Raises:
        NotFound: There is no such study.
        StudyLocked: The study is not closed and no look before is in its design, or it is no longer what was sealed.
    """
    note_look(caller, study_id=study_id)
    with caller.store.reading() as session:
        evidence = closed_evidence(caller.store, session, study_id)
        content = reading_table(session, evidence, table)
    exposures.note(caller, seen_in_tables(evidence, [table]))
    return content


def reading_table(session: Session, evidence: StudyEvidence, table: ReadingTable) -> bytes:
    """The same of evidence that was read; the caller notes it with `note_tables`."""
    if table is ReadingTable.RATINGS:
        return _ratings(evidence)
    return calls_csv([*_reader_rows(session, evidence), *_checkpoint_rows(session, evidence)])


def seen_in_tables(evidence: StudyEvidence, tables: Collection[ReadingTable]) -> list[tuple[int, ExposureKind]]:
    """What whoever is given tables has seen: they tell truths and predictions of all cases of the study."""
    kinds = {kind for table in tables for kind in _SHOWN[table]}
    return [(case.case_id, kind) for case in evidence.design.cases for kind in kinds]


def seconds_of(reading: Reading) -> float:
    """Time from the showing to the answer."""
    return (reading.answered_at - reading.shown_at).total_seconds()


def _ratings(evidence: StudyEvidence) -> bytes:
    truth, patients = evidence.truth, evidence.patient_numbers
    return ratings_csv(
        Rating(reader.name, arm.value, str(case_id), truth[case_id] is Label.HSIL, rating, str(patients[case_id]))
        for arm in Arm
        for reader in evidence.readers
        for case_id, rating in reader.ratings(arm).items()
    )


def _reader_rows(session: Session, evidence: StudyEvidence) -> list[CallRow]:
    study, truth, patients = evidence.study, evidence.truth, evidence.patient_numbers
    simulated, orders = _simulated(session, study.id), study_orders(session, study)
    exposed = {
        row: kinds
        for reader in evidence.readers
        for row, kinds in exposed_at_reading(session, study, reader.person_id).items()
    }
    return [
        copied(
            CallRow,
            reading,
            study=evidence.names.scrub(study.name),
            caller_kind="reader",
            caller=reader.name,
            channels=None,
            position=orders[reader.person_id, reading.session].index(Showing(reading.case_id, reading.occurrence)) + 1,
            truth=truth[reading.case_id],
            truth_source=evidence.design.label_source,
            prob_hsil=None,
            threshold=None,
            seen_in_training=None,
            seconds=seconds_of(reading),
            simulated=reading.case_id in simulated,
            active_seconds=None if reading.active_ms is None else reading.active_ms / 1000,
            exposed="+".join(sorted(kind.value for kind in exposed.get(reading.id, ()))),
            interim=study.state is StudyState.OPEN,
            points=";".join(f"{x:g},{y:g}" for x, y in reading.points or ()),
            findings="+".join(reading.findings or ()),
            patient=patients[reading.case_id],
        )
        for reader in evidence.readers
        for reading in reader.readings
    ]


def _checkpoint_rows(session: Session, evidence: StudyEvidence) -> list[CallRow]:
    study, truth, patients = evidence.study, evidence.truth, evidence.patient_numbers
    simulated = _simulated(session, study.id)
    return [
        CallRow(
            study=evidence.names.scrub(study.name),
            caller_kind="checkpoint",
            caller=calls.checkpoint.name,
            channels=channels,
            case_id=case_id,
            position=None,
            truth=truth[case_id],
            truth_source=evidence.design.label_source,
            call=call,
            confidence=None,
            prob_hsil=prob,
            threshold=threshold,
            seen_in_training=case_id in calls.seen,
            shown_at=None,
            answered_at=None,
            seconds=None,
            simulated=case_id in simulated,
            interim=study.state is StudyState.OPEN,
            patient=patients[case_id],
        )
        for calls in evidence.checkpoints
        for channels in CHANNELS
        for case_id, (prob, threshold, call) in sorted(calls.judged(channels).items())
    ]


def _simulated(session: Session, study_id: int) -> frozenset[int]:
    """Cases of a study whose image was drawn by the program."""
    return frozenset(
        session.scalars(
            select(StudyCase.case_id)
            .join(Image, Image.id == StudyCase.image_id)
            .where(StudyCase.study_id == study_id, Image.simulated)
        )
    )
