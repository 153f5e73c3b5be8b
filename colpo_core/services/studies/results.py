"""What a closed study found: readers and checkpoints on the same cases, judged alike.

An open study is judged only where its design lets results be seen before the closing; each such look is written down.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.errors import StudyLocked
from colpo_core.evaluation.calls import calls_at
from colpo_core.records.jobs.jobs import JobRecord
from colpo_core.records.models.marks import model_marks
from colpo_core.records.people import Actor
from colpo_core.records.studies.reading_plans import Aid
from colpo_core.records.studies.results import CallerFigures, ReadingTimes, StudyAnalysis, StudyResults
from colpo_core.services.common import exposures
from colpo_core.services.common.permissions import ADMINISTRATORS, require
from colpo_core.services.models.predicting import start_prediction
from colpo_core.services.studies.cases import seen_cases
from colpo_core.services.studies.conduct import exposed_at_reading, note_look
from colpo_core.services.studies.reader_names import ReaderNames, reader_names
from colpo_core.services.studies.readers import Amended, amended, plan_of, study_orders
from colpo_core.services.studies.rows import check_seal, design_of, get_study_row, study_record
from colpo_core.store import Store
from colpo_core.store.tables import Case, Checkpoint, Image, Prediction, Reading, Study, StudyCase
from colpo_core.studies.comparing import compare_calls
from colpo_core.studies.design import StudyDesign
from colpo_core.studies.export import CallRow, calls_csv, ratings_csv
from colpo_core.studies.orders import Showing
from colpo_core.studies.ratings import Rating
from colpo_core.studies.study_analysis import NetworkRatings, analyse_study, reader_rating
from colpo_core.terms import Arm, ExposureKind, Label, StudyState


@dataclass(frozen=True)
class _ReaderCalls:
    """A reader's calls, with what the reader is called in all that is shown."""

    person_id: int
    name: str
    readings: Sequence[Reading]

    def in_order(self, arm: Arm) -> list[Reading]:
        """The readings of an arm, the first of each case before its repeats and later sessions."""
        return sorted(
            (one for one in self.readings if one.arm is arm), key=lambda row: (row.session, row.occurrence, row.phase)
        )

    def first(self, arm: Arm) -> dict[int, Reading]:
        """Of each case the first reading in the arm: a hidden repeat or a later session would count it twice."""
        found: dict[int, Reading] = {}
        for reading in self.in_order(arm):
            if reading.occurrence == 1:
                found.setdefault(reading.case_id, reading)
        return found

    def again(self, arm: Arm) -> dict[int, tuple[float, float]]:
        """By case, ratings of the same case by the same reader: the first reading beside the next one."""
        ratings: dict[int, list[float]] = {}
        for reading in self.in_order(arm):
            ratings.setdefault(reading.case_id, []).append(reader_rating(reading.call, reading.confidence))
        return {case_id: (one[0], one[1]) for case_id, one in ratings.items() if len(one) > 1}


@dataclass(frozen=True)
class _CheckpointCalls:
    checkpoint: Checkpoint
    predictions: dict[int, Prediction]
    seen: frozenset[int]

    def judged(self, channels: int) -> dict[int, tuple[float, float, Label]]:
        """By case: probability of HSIL, frozen threshold, and the call that follows."""
        judged = {}
        for case_id, one in self.predictions.items():
            prob, threshold = (
                (one.prob_hsil_3ch, one.threshold_3ch) if channels == 3 else (one.prob_hsil_4ch, one.threshold_4ch)
            )
            judged[case_id] = (prob, threshold, calls_at([prob], threshold)[0])
        return judged

    def unseen(self, channels: int) -> dict[int, tuple[float, float, Label]]:
        """The same of the cases that it has not learned from."""
        return {case_id: said for case_id, said in self.judged(channels).items() if case_id not in self.seen}


_CHANNELS = (3, 4)


def study_results(store: Store, *, actor: Actor, study_id: int, by_number: bool = False) -> StudyResults:
    """The table of a closed study.

    Args:
        store: The open store.
        actor: An administrator.
        study_id: The study.
        by_number: Whether readers are numbered in place of named: see `ReaderNames`.

    Raises:
        PermissionDenied: The actor is no administrator.
        NotFound: There is no such study.
        StudyLocked: The study is not closed and no look before is in its design, or it is no longer what was sealed.
    """
    require(actor, ADMINISTRATORS)
    note_look(store, actor=actor, study_id=study_id)
    with store.reading() as session:
        return results_of(store, session, *_closed(session, study_id), by_number=by_number)


def results_of(
    store: Store, session: Session, study: Study, design: StudyDesign, *, by_number: bool = False
) -> StudyResults:
    """The same of a study and its checked design, whatever its state; the caller answers for who gets to see it."""
    truth = {case.case_id: case.truth for case in design.cases}
    changed = amended(session, study.id)
    readers = tuple(
        replace(line, remark=_remark(one, changed))
        for one in _readers(session, study, by_number=by_number)
        for line in _reader_lines(truth, one)
    )
    checkpoints = tuple(
        _checkpoint_line(truth, one, channels) for one in _checkpoints(store, session, design) for channels in _CHANNELS
    )
    return StudyResults(
        study=study_record(session, study),
        label_source=design.label_source,
        rules_versions=design.rules_versions,
        readers=readers,
        checkpoints=checkpoints,
        has_arms=design.how.aid is not Aid.NONE or any(one.arm is Arm.AIDED for one in readers),
    )


def study_analysis(
    store: Store, *, actor: Actor, study_id: int, prevalence: float | None = None, by_number: bool = False
) -> StudyAnalysis:
    """The statistics of a closed study: areas from call and confidence, readers against networks, agreement.

    A network is compared on those cases alone that it has not learned from.

    Args:
        store: The open store.
        actor: An administrator.
        study_id: The study.
        prevalence: Predictive values are given at it too; a study's own share of HSIL is seldom a clinic's.
        by_number: Whether readers are numbered in place of named: see `ReaderNames`.

    Raises:
        InputRejected: The prevalence does not lie between 0 and 1.
        PermissionDenied: The actor is no administrator.
        NotFound: There is no such study.
        StudyLocked: The study is not closed and no look before is in its design, or it is no longer what was sealed.
    """
    require(actor, ADMINISTRATORS)
    note_look(store, actor=actor, study_id=study_id)
    with store.reading() as session:
        study, design = _closed(session, study_id)
        return analysis_of(store, session, study, design, prevalence=prevalence, by_number=by_number)


def analysis_of(
    store: Store,
    session: Session,
    study: Study,
    design: StudyDesign,
    *,
    prevalence: float | None = None,
    by_number: bool = False,
) -> StudyAnalysis:
    """The same of a study and its checked design, whatever its state; the caller answers for who gets to see it."""
    truth = {case.case_id: case.truth for case in design.cases}
    networks = [
        NetworkRatings(
            one.checkpoint.name,
            channels,
            {case_id: prob - threshold for case_id, (prob, threshold, _) in one.unseen(channels).items()},
            {case_id: prob for case_id, (prob, _, _) in one.unseen(channels).items()},
        )
        for one in _checkpoints(store, session, design)
        for channels in _CHANNELS
    ]
    patients = session.execute(select(Case.id, Case.patient_id).where(Case.id.in_(truth))).all()
    removed = amended(session, study.id).removed
    # Who was taken off without having read anything has no part in the figures, and none in what is said of them.
    readers = [
        one for one in _readers(session, study, by_number=by_number) if one.readings or one.person_id not in removed
    ]
    found = analyse_study(
        truth,
        _ratings_of_readers(readers, Arm.UNAIDED),
        networks,
        aided=_ratings_of_readers(readers, Arm.AIDED),
        again={one.name: one.again(Arm.UNAIDED) for one in readers},
        patients={row.id: row.patient_id for row in patients},
        plan=design.how,
        prevalence=prevalence,
        seed=design.seed,
    )
    return _with_arm(found) if design.how.aid is not Aid.NONE else found


def _with_arm(found: StudyAnalysis) -> StudyAnalysis:
    """An aided study's networks, calibration and agreement within a reader are all of reading without the output."""
    networks = [
        replace(network, readers=tuple(replace(one, arm=Arm.UNAIDED) for one in network.readers))
        for network in found.networks
    ]
    calibration = [one if one.channels is not None else replace(one, arm=Arm.UNAIDED) for one in found.calibration]
    return replace(found, networks=tuple(networks), calibration=tuple(calibration), arm=Arm.UNAIDED)


def export_ratings(store: Store, *, actor: Actor, study_id: int) -> bytes:
    """The readers' ratings of a closed study as the `analyse` command reads them; a positive rating is a call of HSIL.

    Raises:
        PermissionDenied: The actor is no administrator.
        NotFound: There is no such study.
        StudyLocked: The study is not closed and no look before is in its design, or it is no longer what was sealed.
    """
    require(actor, ADMINISTRATORS)
    note_look(store, actor=actor, study_id=study_id)
    ratings, case_ids = study_ratings(store, study_id)
    exposures.note(store, actor, [(case_id, ExposureKind.LABEL) for case_id in case_ids])
    return ratings


def study_ratings(store: Store, study_id: int, *, by_number: bool = False) -> tuple[bytes, frozenset[int]]:
    """The same for another service, with the cases whose truth they tell; nothing counts as seen.

    Raises:
        NotFound: There is no such study.
        StudyLocked: See `export_ratings`.
    """
    with store.reading() as session:
        study, design = _closed(session, study_id)
        truth = {case.case_id: case.truth for case in design.cases}
        patients = _patient_numbers(session, truth)
        readers = _readers(session, study, by_number=by_number)
        ratings = ratings_csv(
            Rating(name, arm.value, str(case_id), truth[case_id] is Label.HSIL, rating, str(patients[case_id]))
            for arm in Arm
            for name, read in _ratings_of_readers(readers, arm).items()
            for case_id, rating in read.items()
        )
    return ratings, frozenset(truth)


def export_calls(store: Store, *, actor: Actor, study_id: int) -> bytes:
    """Every call of a closed study as CSV: one line a reader and case, then a line a network and case.

    Raises:
        PermissionDenied: The actor is no administrator.
        NotFound: There is no such study.
        StudyLocked: The study is not closed and no look before is in its design, or it is no longer what was sealed.
    """
    require(actor, ADMINISTRATORS)
    note_look(store, actor=actor, study_id=study_id)
    calls, case_ids = study_calls(store, study_id)
    kinds = (ExposureKind.LABEL, ExposureKind.PREDICTION)
    exposures.note(store, actor, [(case_id, kind) for case_id in case_ids for kind in kinds])
    return calls


def study_calls(store: Store, study_id: int, *, by_number: bool = False) -> tuple[bytes, frozenset[int]]:
    """The same for another service, with the cases whose truth and predictions they tell; nothing counts as seen.

    Raises:
        NotFound: There is no such study.
        StudyLocked: See `export_calls`.
    """
    with store.reading() as session:
        study, design = _closed(session, study_id)
        simulated = set(
            session.scalars(
                select(StudyCase.case_id)
                .join(Image, Image.id == StudyCase.image_id)
                .where(StudyCase.study_id == study_id, Image.simulated)
            )
        )
        rows = _reader_rows(session, study, design, simulated, by_number=by_number)
        names = reader_names(session, study, by_number=by_number)
        for one in _checkpoints(store, session, design):
            rows += _checkpoint_rows(study, design, one, simulated, names)
        patients = _patient_numbers(session, [case.case_id for case in design.cases])
        rows = [replace(row, patient=patients[row.case_id]) for row in rows]
    return calls_csv(rows), frozenset(case.case_id for case in design.cases)


def predict_missing(store: Store, *, actor: Actor, study_id: int, checkpoint_id: int) -> JobRecord | None:
    """Start a job that predicts what a checkpoint has not predicted of a study; None where nothing is missing.

    Raises:
        PermissionDenied: The actor is no administrator.
        NotFound: There is no such study.
        StudyLocked: The study is no longer what was sealed, or not compared with this checkpoint.
    """
    require(actor, ADMINISTRATORS)
    with store.reading() as session:
        study = get_study_row(session, study_id)
        design = design_of(session, study) if study.state is StudyState.DRAFT else check_seal(session, study)
        if checkpoint_id not in {one.checkpoint_id for one in design.checkpoints}:
            raise StudyLocked("This study is not compared with that checkpoint, and a sealed study does not change.")
        image_ids = {case.image_id for case in design.cases}
        done = session.scalars(
            select(Prediction.image_id).where(
                Prediction.checkpoint_id == checkpoint_id, Prediction.image_id.in_(image_ids)
            )
        )
        missing = sorted(image_ids - set(done))
    if not missing:
        return None
    return start_prediction(store, actor=actor, image_ids=missing, checkpoint_id=checkpoint_id)


def _patient_numbers(session: Session, case_ids: Iterable[int]) -> dict[int, int]:
    """A number for each case's patient, from 1 in the order of the cases: it tells which cases are of one patient."""
    found = session.execute(select(Case.id, Case.patient_id).where(Case.id.in_(list(case_ids))).order_by(Case.id)).all()
    numbers: dict[int, int] = {}
    return {row.id: numbers.setdefault(row.patient_id, len(numbers) + 1) for row in found}


def _closed(session: Session, study_id: int) -> tuple[Study, StudyDesign]:
    study = get_study_row(session, study_id)
    may_look = study.state is StudyState.OPEN and bool(plan_of(study).interim_results)
    if study.state is not StudyState.CLOSED and not may_look:
        raise StudyLocked("Results are shown when the study is closed, so that nobody reads with them in mind.")
    return study, check_seal(session, study)


def _readers(session: Session, study: Study, *, by_number: bool = False) -> list[_ReaderCalls]:
    """The readers in the study's order."""
    names = reader_names(session, study, by_number=by_number)
    readings = session.scalars(select(Reading).where(Reading.study_id == study.id).order_by(Reading.id)).all()
    return [
        _ReaderCalls(person_id, name, [one for one in readings if one.reader_id == person_id])
        for person_id, name in names.names.items()
    ]


def _ratings_of_readers(readers: Sequence[_ReaderCalls], arm: Arm) -> dict[str, dict[int, float]]:
    """By the reader's name, by case: the first reading in the arm."""
    return {
        one.name: {
            case_id: reader_rating(reading.call, reading.confidence) for case_id, reading in one.first(arm).items()
        }
        for one in readers
    }


def _checkpoints(store: Store, session: Session, design: StudyDesign) -> list[_CheckpointCalls]:
    case_of = {case.image_id: case.case_id for case in design.cases}
    found = []
    for one in design.checkpoints:
        checkpoint = session.get_one(Checkpoint, one.checkpoint_id)
        predictions = session.scalars(
            select(Prediction).where(Prediction.checkpoint_id == checkpoint.id, Prediction.image_id.in_(case_of.keys()))
        )
        by_case = {case_of[prediction.image_id]: prediction for prediction in predictions}
        found.append(_CheckpointCalls(checkpoint, by_case, seen_cases(store, session, checkpoint, case_of.values())))
    return found


def _remark(one: _ReaderCalls, changed: Amended) -> str:
    """What amendments made of a reader, where that explains how little was read."""
    said = ["added after the seal"] if one.person_id in changed.added else []
    if one.person_id in changed.removed:
        said.append("taken off the study" + ("" if one.readings else ", has read nothing"))
    return ", ".join(said)


def _reader_lines(truth: dict[int, Label], one: _ReaderCalls) -> list[CallerFigures]:
    """A line an arm; one line for a reader who has read nothing yet."""
    arms = sorted({reading.arm for reading in one.readings}, reverse=True) or [Arm.UNAIDED]
    return [_reader_line(truth, one, arm) for arm in arms]


def _reader_line(truth: dict[int, Label], one: _ReaderCalls, arm: Arm) -> CallerFigures:
    first = one.first(arm)
    compared = compare_calls(truth, {case_id: reading.call for case_id, reading in first.items()})
    return CallerFigures(
        name=one.name,
        channels=None,
        n_called=compared.n_called,
        n_cases=compared.n_cases,
        figures=compared.figures,
        times=_times([_best_seconds(reading) for reading in first.values()]),
        arm=arm,
    )


def _checkpoint_line(truth: dict[int, Label], one: _CheckpointCalls, channels: int) -> CallerFigures:
    calls = {case_id: call for case_id, (_, _, call) in one.judged(channels).items()}
    compared = compare_calls(truth, calls, seen=one.seen)
    return CallerFigures(
        name=one.checkpoint.name,
        channels=channels,
        n_called=compared.n_called,
        n_cases=compared.n_cases,
        figures=compared.figures,
        n_seen=len(one.seen),
        n_unseen=compared.n_unseen,
        unseen=compared.unseen,
        trained_on=one.checkpoint.label_source,
        checkpoint_id=one.checkpoint.id,
        marks=model_marks(
            one.checkpoint.card, label_source=one.checkpoint.label_source, simulated=one.checkpoint.simulated
        ),
    )


def _reader_rows(
    session: Session, study: Study, design: StudyDesign, simulated: set[int], *, by_number: bool
) -> list[CallRow]:
    truth = {case.case_id: case.truth for case in design.cases}
    orders = study_orders(session, study)
    readers, names = (
        _readers(session, study, by_number=by_number),
        reader_names(session, study, by_number=by_number),
    )
    exposed = {row: seen for one in readers for row, seen in exposed_at_reading(session, study, one.person_id).items()}
    interim = study.state is StudyState.OPEN
    return [
        CallRow(
            study=names.scrub(study.name),
            caller_kind="reader",
            caller=one.name,
            channels=None,
            case_id=reading.case_id,
            position=orders[one.person_id, reading.session].index(Showing(reading.case_id, reading.occurrence)) + 1,
            truth=truth[reading.case_id],
            truth_source=design.label_source,
            call=reading.call,
            confidence=reading.confidence,
            prob_hsil=None,
            threshold=None,
            seen_in_training=None,
            shown_at=reading.shown_at,
            answered_at=reading.answered_at,
            seconds=_seconds(reading.shown_at, reading.answered_at),
            simulated=reading.case_id in simulated,
            session=reading.session,
            arm=reading.arm,
            occurrence=reading.occurrence,
            phase=reading.phase,
            active_seconds=None if reading.active_ms is None else reading.active_ms / 1000,
            exposed="+".join(sorted(kind.value for kind in exposed.get(reading.id, ()))),
            interim=interim,
            points=";".join(f"{x:g},{y:g}" for x, y in reading.points or ()),
            findings="+".join(reading.findings or ()),
        )
        for one in readers
        for reading in one.readings
    ]


def _checkpoint_rows(
    study: Study, design: StudyDesign, one: _CheckpointCalls, simulated: set[int], names: ReaderNames
) -> list[CallRow]:
    truth = {case.case_id: case.truth for case in design.cases}
    return [
        CallRow(
            study=names.scrub(study.name),
            caller_kind="checkpoint",
            caller=one.checkpoint.name,
            channels=channels,
            case_id=case_id,
            position=None,
            truth=truth[case_id],
            truth_source=design.label_source,
            call=call,
            confidence=None,
            prob_hsil=prob,
            threshold=threshold,
            seen_in_training=case_id in one.seen,
            shown_at=None,
            answered_at=None,
            seconds=None,
            simulated=case_id in simulated,
            interim=study.state is StudyState.OPEN,
        )
        for channels in _CHANNELS
        for case_id, (prob, threshold, call) in sorted(one.judged(channels).items())
    ]


def _times(seconds: Sequence[float]) -> ReadingTimes | None:
    if not seconds:
        return None
    lower, median, upper = np.quantile(seconds, [0.25, 0.5, 0.75])
    return ReadingTimes(len(seconds), float(lower), float(median), float(upper))


def _seconds(shown_at: datetime, answered_at: datetime) -> float:
    return (answered_at - shown_at).total_seconds()


def _best_seconds(reading: Reading) -> float:
    """Time without breaks where it was measured."""
    if reading.active_ms is not None:
        return reading.active_ms / 1000
    return _seconds(reading.shown_at, reading.answered_at)
