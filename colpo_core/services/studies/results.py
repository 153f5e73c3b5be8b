"""What a closed study found: readers and checkpoints on the same cases, judged alike.

An open study is judged only where its design lets results be seen before the closing; each such look is written down.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from colpo_core.records.models.marks import model_marks
from colpo_core.records.studies.reading_plans import Aid
from colpo_core.records.studies.results import (
    CallerFigures,
    ReadingTable,
    ReadingTimes,
    StudyAnalysis,
    StudyFindings,
    StudyResults,
)
from colpo_core.services.common import exposures
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import ADMINISTRATORS, allowed
from colpo_core.services.studies.conduct import note_look
from colpo_core.services.studies.evidence import CHANNELS, CheckpointCalls, ReaderCalls, StudyEvidence, closed_evidence
from colpo_core.services.studies.exports import reading_table, seconds_of, seen_in_tables
from colpo_core.services.studies.readers import Amended
from colpo_core.store.tables import Reading
from colpo_core.studies.comparing import compare_calls
from colpo_core.studies.study_analysis import NetworkRatings, analyse_study
from colpo_core.terms import Arm, Label


@allowed(ADMINISTRATORS)
def study_results(caller: Caller, *, study_id: int) -> StudyResults:
    """The table of a closed study.

    Raises:
        NotFound: There is no such study.
        StudyLocked: The study is not closed and no look before is in its design, or it is no longer what was sealed.
    """
    note_look(caller, study_id=study_id)
    with caller.store.reading() as session:
        return results_of(closed_evidence(caller.store, session, study_id))


@allowed(ADMINISTRATORS)
def study_findings(
    caller: Caller,
    *,
    study_id: int,
    prevalence: float | None = None,
    tables: Collection[ReadingTable] = (),
) -> StudyFindings:
    """The table and the statistics of a closed study, of one look at its readings.

    The statistics are areas from call and confidence, readers against networks, and agreement. A network is compared
    on those cases alone that it has not learned from.

    Args:
        caller: An administrator.
        study_id: The study.
        prevalence: Predictive values are given at it too; a study's own share of HSIL is seldom a clinic's.
        tables: Which tables of the readings are made beside them: see `export_readings`.

    Raises:
        InputRejected: The prevalence does not lie between 0 and 1.
        NotFound: There is no such study.
        StudyLocked: The study is not closed and no look before is in its design, or it is no longer what was sealed.
    """
    note_look(caller, study_id=study_id)
    with caller.store.reading() as session:
        evidence = closed_evidence(caller.store, session, study_id)
        findings = StudyFindings(
            results_of(evidence),
            analysis_of(evidence, prevalence=prevalence),
            {table: reading_table(session, evidence, table) for table in tables},
        )
    exposures.note(caller, seen_in_tables(evidence, tables))
    return findings


def results_of(evidence: StudyEvidence) -> StudyResults:
    """The table of a study, whatever its state; the caller answers for who gets to see it."""
    design, truth = evidence.design, evidence.truth
    readers = tuple(
        replace(line, remark=_remark(reader, evidence.changed))
        for reader in evidence.readers
        for line in _reader_lines(truth, reader)
    )
    return StudyResults(
        study=evidence.record,
        label_source=design.label_source,
        rules_versions=design.rules_versions,
        readers=readers,
        checkpoints=tuple(
            _checkpoint_line(truth, calls, channels) for calls in evidence.checkpoints for channels in CHANNELS
        ),
        has_arms=design.how.aid is not Aid.NONE or any(line.arm is Arm.AIDED for line in readers),
    )


def analysis_of(evidence: StudyEvidence, *, prevalence: float | None = None) -> StudyAnalysis:
    """The statistics of a study, whatever its state; the caller answers for who gets to see them."""
    design = evidence.design
    networks = [
        NetworkRatings(
            calls.checkpoint.name,
            channels,
            {case_id: prob - threshold for case_id, (prob, threshold, _) in calls.unseen(channels).items()},
            {case_id: prob for case_id, (prob, _, _) in calls.unseen(channels).items()},
        )
        for calls in evidence.checkpoints
        for channels in CHANNELS
    ]
    removed = evidence.changed.removed
    # Who was taken off without having read anything has no part in the figures, and none in what is said of them.
    readers = [reader for reader in evidence.readers if reader.readings or reader.person_id not in removed]
    analysis = analyse_study(
        evidence.truth,
        {reader.name: reader.ratings(Arm.UNAIDED) for reader in readers},
        networks,
        aided={reader.name: reader.ratings(Arm.AIDED) for reader in readers},
        again={reader.name: reader.again(Arm.UNAIDED) for reader in readers},
        patients=evidence.patients,
        plan=design.how,
        prevalence=prevalence,
        seed=design.seed,
    )
    return _with_arm(analysis) if design.how.aid is not Aid.NONE else analysis


def _with_arm(analysis: StudyAnalysis) -> StudyAnalysis:
    """An aided study's networks, calibration and agreement within a reader are all of reading without the output."""
    networks = [
        replace(network, readers=tuple(replace(reader, arm=Arm.UNAIDED) for reader in network.readers))
        for network in analysis.networks
    ]
    calibration = [
        caller if caller.channels is not None else replace(caller, arm=Arm.UNAIDED) for caller in analysis.calibration
    ]
    return replace(analysis, networks=tuple(networks), calibration=tuple(calibration), arm=Arm.UNAIDED)


def _remark(reader: ReaderCalls, changed: Amended) -> str:
    """What amendments made of a reader, where that explains how little was read."""
    remarks = ["added after the seal"] if reader.person_id in changed.added else []
    if reader.person_id in changed.removed:
        remarks.append("taken off the study" + ("" if reader.readings else ", has read nothing"))
    return ", ".join(remarks)


def _reader_lines(truth: Mapping[int, Label], reader: ReaderCalls) -> list[CallerFigures]:
    """A line an arm; one line for a reader who has read nothing yet."""
    lines = []
    for arm in sorted({reading.arm for reading in reader.readings}, reverse=True) or [Arm.UNAIDED]:
        first = reader.first(arm)
        compared = compare_calls(truth, {case_id: reading.call for case_id, reading in first.items()})
        lines.append(
            CallerFigures(
                name=reader.name,
                channels=None,
                n_called=compared.n_called,
                n_cases=compared.n_cases,
                figures=compared.figures,
                times=_times([_best_seconds(reading) for reading in first.values()]),
                arm=arm,
            )
        )
    return lines


def _checkpoint_line(truth: Mapping[int, Label], calls: CheckpointCalls, channels: int) -> CallerFigures:
    called = {case_id: call for case_id, (_, _, call) in calls.judged(channels).items()}
    compared, checkpoint = compare_calls(truth, called, seen=calls.seen), calls.checkpoint
    return CallerFigures(
        name=checkpoint.name,
        channels=channels,
        n_called=compared.n_called,
        n_cases=compared.n_cases,
        figures=compared.figures,
        n_seen=len(calls.seen),
        n_unseen=compared.n_unseen,
        unseen=compared.unseen,
        trained_on=checkpoint.label_source,
        checkpoint_id=checkpoint.id,
        marks=model_marks(checkpoint.card, label_source=checkpoint.label_source, simulated=checkpoint.simulated),
    )


def _times(seconds: Sequence[float]) -> ReadingTimes | None:
    if not seconds:
        return None
    lower, median, upper = np.quantile(seconds, [0.25, 0.5, 0.75])
    return ReadingTimes(len(seconds), float(lower), float(median), float(upper))


def _best_seconds(reading: Reading) -> float:
    """Time without breaks where it was measured."""
    return seconds_of(reading) if reading.active_ms is None else reading.active_ms / 1000
