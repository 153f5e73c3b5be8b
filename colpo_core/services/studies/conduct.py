"""How a study is conducted: exposures of its readers, amendments, looks before the closing, refusals."""

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from colpo_core.records.studies.conduct import ChangedLabels, ReaderExposure, StudyConduct
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import ADMINISTRATORS, allowed
from colpo_core.services.studies.amendments import list_amendments
from colpo_core.services.studies.reader_names import ReaderNames, reader_names
from colpo_core.services.studies.readers import Exposed, exposed_of, plan_of
from colpo_core.services.studies.refusals import list_refusals
from colpo_core.services.studies.rows import design_of
from colpo_core.store.facts import find_row
from colpo_core.store.tables import AuditEntry, CaseLabel, Reading, Study, StudyCase, StudyClosing, utc_now
from colpo_core.studies.design import StudyDesign
from colpo_core.terms import ExposureKind, ExposureRule, Label, LabelSource, StudyState

LOOK = "look at interim results"
_OF_CLOSING = ("at", "code_version", "methods_version")
_SAME_LOOK = timedelta(minutes=1)


@allowed(ADMINISTRATORS)
def study_conduct(caller: Caller, *, study_id: int, by_number: bool = False) -> StudyConduct:
    """How a study is conducted so far; before it is closed this holds counts alone, and nothing of what was called.

    Args:
        caller: An administrator.
        study_id: The study.
        by_number: Whether readers are numbered in place of named: see `ReaderNames`.

    Raises:
        NotFound: There is no such study.
    """
    exposures.settle(caller.store)
    with caller.store.reading() as session:
        study = find_row(session, Study, study_id)
        plan, names = plan_of(study), reader_names(session, study, by_number=by_number)
        closing = session.get(StudyClosing, study_id)
        cases = set(session.scalars(select(StudyCase.case_id).where(StudyCase.study_id == study_id)))
        looks = select(func.count()).where(AuditEntry.subject == f"study {study_id}", AuditEntry.action == LOOK)
        return StudyConduct(
            rule=plan.exposure_rule,
            interim_results=bool(plan.interim_results),
            n_interim_looks=session.scalar(looks) or 0,
            exposures=tuple(_of_reader(session, study, cases, *reader) for reader in names.names.items()),
            amendments=list_amendments(session, study_id, names),
            refusals=list_refusals(session, study_id, names),
            cautions=plan.cautions,
            relabelled=None if study.state is StudyState.DRAFT else changed_labels(session, study_id),
            relabelled_at_closing=None if closing is None else closing.found.get("relabelled"),
        )


@allowed(ADMINISTRATORS)
def export_record(caller: Caller, *, study_id: int) -> bytes:
    """A sealed study's record as JSON: the design with its seal, and how the study was conducted; no call is in it.

    Raises:
        NotFound: There is no such study.
    """
    conduct = study_conduct(caller, study_id=study_id)
    with caller.store.reading() as session:
        study = find_row(session, Study, study_id)
        design = design_of(session, study)
        record = record_json(session, study, design, conduct, reader_names(session, study))
    exposures.note(caller, seen_in_record(design))
    return record


def record_json(
    session: Session, study: Study, design: StudyDesign, conduct: StudyConduct, names: ReaderNames
) -> bytes:
    """The same of what was read already; whoever hands it out notes that as `seen_in_record` says."""
    words: dict[str, Any] = json.loads(design.to_json())
    closing = session.get(StudyClosing, study.id)
    content = {
        "study": names.scrub(study.name),
        "state": study.state,
        "seal_sha256": study.seal_sha256,
        "design": _scrubbed(words, names),
        "question": names.scrub(study.question),
        "closing": None if closing is None else {name: getattr(closing, name) for name in _OF_CLOSING},
        "conduct": asdict(conduct),
        "warnings": conduct.warnings,
    }
    if content["design"] != words:
        content["note"] = "Readers' names in the design's words were replaced, so that its hash is not the seal."
    return json.dumps(content, indent=2, ensure_ascii=False, default=str).encode()


def seen_in_record(design: StudyDesign) -> list[tuple[int, ExposureKind]]:
    """What whoever is given a study's record has seen: it tells the truth of its cases and practice cases."""
    return [(case.case_id, ExposureKind.LABEL) for case in (*design.cases, *design.practice)]


def _scrubbed(design: dict[str, Any], names: ReaderNames) -> dict[str, Any]:
    """The design with its own words scrubbed; all else in it are numbers, hashes and words of the program."""
    scrubbed: dict[str, Any] = {name: names.scrub(design[name]) for name in ("name", "question", "chosen_by")}
    plan = design.get("plan")
    if plan is not None:
        scrubbed["plan"] = {**plan, "hypotheses": names.scrub(plan["hypotheses"])}
    return design | scrubbed


def note_look(caller: Caller, *, study_id: int) -> None:
    """Write down a look at the results of a study that is still open.

    A page that draws itself anew within a minute shows the same look.
    """
    with caller.store.reading() as session:
        study = find_row(session, Study, study_id)
        if study.state is not StudyState.OPEN or not plan_of(study).interim_results:
            return
        last = session.scalar(
            select(func.max(AuditEntry.at)).where(
                AuditEntry.subject == f"study {study_id}",
                AuditEntry.action == LOOK,
                AuditEntry.person_id == caller.person_id,
            )
        )
    if last is None or utc_now() - last >= _SAME_LOOK:
        with caller.store.writing() as session:
            audit.record(session, caller.actor, LOOK, f"study {study_id}")


def changed_labels(session: Session, study_id: int) -> ChangedLabels:
    """How many labels by histology are other ones now than the truths that a study holds."""
    rows = session.execute(
        select(StudyCase.truth, CaseLabel.label)
        .outerjoin(CaseLabel, (CaseLabel.case_id == StudyCase.case_id) & (CaseLabel.source == LabelSource.HISTOLOGY))
        .where(StudyCase.study_id == study_id)
    ).all()
    return ChangedLabels(
        n_cases=len(rows),
        to_hsil=sum(truth is Label.NORMAL and label is Label.HSIL for truth, label in rows),
        to_normal=sum(truth is Label.HSIL and label is Label.NORMAL for truth, label in rows),
        lost=sum(label is None for _, label in rows),
    )


def exposed_at_reading(session: Session, study: Study, reader_id: int) -> dict[int, frozenset[ExposureKind]]:
    """By row of a reading what its reader had seen of the case when it was answered."""
    exposed = exposed_of(session, study, reader_id)
    readings = select(Reading).where(Reading.study_id == study.id, Reading.reader_id == reader_id)
    return {row.id: seen for row in session.scalars(readings) if (seen := _seen_by_then(exposed, row))}


def _seen_by_then(exposed: tuple[Exposed, ...], reading: Reading) -> frozenset[ExposureKind]:
    return frozenset(
        seen.kind for seen in exposed if seen.case_id == reading.case_id and seen.first_at <= reading.answered_at
    )


def _of_reader(session: Session, study: Study, cases: set[int], reader_id: int, name: str) -> ReaderExposure:
    exposed = exposed_of(session, study, reader_id)
    read = dict(
        session.execute(
            select(Reading.id, Reading.case_id).where(Reading.study_id == study.id, Reading.reader_id == reader_id)
        ).all()
    )
    touched = {seen.case_id for seen in exposed}
    excludes = plan_of(study).exposure_rule is ExposureRule.EXCLUDE
    kinds = ((kind, len({seen.case_id for seen in exposed if seen.kind is kind})) for kind in ExposureKind)
    return ReaderExposure(
        reader_id=reader_id,
        display_name=name,
        n_cases=len(cases),
        n_exposed=len(touched),
        by_kind=tuple((kind, count) for kind, count in kinds if count),
        n_withheld=len(touched - set(read.values())) if excludes else 0,
        n_flagged=len({read[row] for row in exposed_at_reading(session, study, reader_id)}),
    )
