"""Designing a reading study: make it, seal and open it, close it.

Reading is in `readings`, looking at studies in `rows`, figures in `results`.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from colpo_core.errors import Conflict, InputRejected, NotFound, StudyLocked
from colpo_core.records.studies.designs import (
    CaseChoice,
    CaseSource,
    ChoicePreview,
    Option,
    SeenInTraining,
    StudyOptions,
    StudyRecord,
)
from colpo_core.records.studies.reading_plans import Aid, ReadingPlan
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import ADMINISTRATORS, allowed
from colpo_core.services.studies.aid import check_aid
from colpo_core.services.studies.amendments import close_early, says_something
from colpo_core.services.studies.cases import (
    ChosenCases,
    choose_cases,
    eligible_now,
    practice_cases,
    seen_cases,
    without_practice,
)
from colpo_core.services.studies.closings import count_readings, find_now, write_closing
from colpo_core.services.studies.readers import plan_of
from colpo_core.services.studies.rows import design_of, study_record
from colpo_core.store.facts import find_row
from colpo_core.store.tables import (
    Checkpoint,
    Image,
    Person,
    Snapshot,
    Study,
    StudyCase,
    StudyCheckpoint,
    StudyPracticeCase,
    StudyReader,
    utc_now,
)
from colpo_core.studies.design import find_problems
from colpo_core.terms import ExposureRule, Label, Role, StudyState

_NAME_LENGTH = 80


@allowed(ADMINISTRATORS)
def study_options(caller: Caller) -> StudyOptions:
    """What a new study can be made of: active readers, checkpoints, snapshots."""
    with caller.store.reading() as session:
        readers = session.scalars(_active_readers().order_by(Person.display_name))
        checkpoints = session.scalars(select(Checkpoint).order_by(Checkpoint.id.desc()))
        snapshots = session.scalars(select(Snapshot).order_by(Snapshot.id.desc()))
        return StudyOptions(
            readers=tuple(Option(person.id, f"{person.display_name} ({person.username})") for person in readers),
            checkpoints=tuple(Option(checkpoint.id, checkpoint.name) for checkpoint in checkpoints),
            snapshots=tuple(Option(snapshot.id, snapshot.name) for snapshot in snapshots),
        )


@allowed(ADMINISTRATORS)
def preview_choice(
    caller: Caller,
    *,
    choice: CaseChoice,
    reader_ids: Sequence[int] = (),
    checkpoint_ids: Sequence[int] = (),
    practice_case_ids: Sequence[int] = (),
) -> ChoicePreview:
    """Count what a choice would give without the practice cases, before anything is made.

    Raises:
        InputRejected: The choice is not complete, or names too many cases.
        NotFound: The snapshot or a checkpoint is not in the store.
    """
    with caller.store.reading() as session:
        chosen = without_practice(choose_cases(caller.store, session, choice), practice_case_ids)
        truths = [eligible.case.truth for eligible in chosen.eligible]
        case_ids = [eligible.case.case_id for eligible in chosen.eligible]
        seen = []
        for checkpoint in _checkpoints(session, checkpoint_ids):
            n_seen = len(seen_cases(caller.store, session, checkpoint, case_ids))
            seen.append(SeenInTraining(checkpoint.id, checkpoint.name, n_seen, len(case_ids)))
    return ChoicePreview(
        n_cases=len(truths),
        n_patients=len({eligible.patient_id for eligible in chosen.eligible}),
        n_normal=truths.count(Label.NORMAL),
        n_hsil=truths.count(Label.HSIL),
        n_simulated=sum(eligible.simulated for eligible in chosen.eligible),
        left_out=chosen.left_out,
        seen=tuple(seen),
        problems=find_problems(len(set(reader_ids)), truths),
    )


@allowed(ADMINISTRATORS)
def create_study(
    caller: Caller,
    *,
    name: str,
    reader_ids: Sequence[int],
    question: str = "",
    case_ids: Sequence[int] | None = None,
    choice: CaseChoice | None = None,
    checkpoint_ids: Sequence[int] = (),
    seed: int | None = None,
    plan: ReadingPlan | None = None,
    practice_case_ids: Sequence[int] = (),
) -> StudyRecord:
    """Make a draft of a study. Nobody can read it before `open_study` seals it.

    Args:
        caller: An administrator.
        name: Its name, which the readers see: it must not tell what they are to find out.
        reader_ids: Active people whose role is reader.
        question: What the study is to answer; the readers do not see it.
        case_ids: Cases to read, in place of a choice.
        choice: How the cases are chosen; all labelled cases where neither is given.
        checkpoint_ids: Checkpoints to compare with.
        seed: Seed of the readers' orders; drawn where None.
        plan: Sessions, washout, repeats, confidence and endpoint; one session where None. Cases that a reader was
            exposed to are excluded for this reader, and no results are seen before the closing, where it says nothing.
        practice_case_ids: Cases to practise with first, with feedback; they are taken out of the study's cases.

    Raises:
        InputRejected: The study would have no reader, fewer than two cases or one class only, or a value is not fit.
        NotFound: A checkpoint or the snapshot is not in the store.
        Conflict: Another study has this name.
    """
    if case_ids is not None:
        if choice is not None:
            raise ValueError("either the case numbers or a choice, not both")
        choice = CaseChoice(CaseSource.PICKED, case_ids=tuple(case_ids))
    name = _checked_name(name)
    if seed is None:
        seed = secrets.randbelow(2**31)
    if not 0 <= seed < 2**31:
        raise InputRejected("The seed is a whole number from 0 to 2,147,483,647.")
    plan = plan or ReadingPlan()
    plan.check()
    if plan.aid is not Aid.NONE and plan.aid_checkpoint_id not in set(checkpoint_ids):
        raise InputRejected("The checkpoint that aids the readers must be one of those that are compared with them.")
    plan = replace(plan, exposed=plan.exposed or ExposureRule.EXCLUDE, interim_results=bool(plan.interim_results))
    with caller.store.writing() as session:
        if session.scalar(select(Study.id).where(Study.name == name)) is not None:
            raise Conflict(f"There is already a study named {name}. Choose another name.")
        chosen = without_practice(choose_cases(caller.store, session, choice or CaseChoice()), practice_case_ids)
        practice = practice_cases(session, practice_case_ids)
        readers = _readers(session, reader_ids)
        checkpoints = _checkpoints(session, checkpoint_ids)
        problems = find_problems(len(readers), [eligible.case.truth for eligible in chosen.eligible])
        if problems:
            raise InputRejected(" ".join(problems))
        study = Study(name=name, question=question.strip(), seed=seed, created_by=caller.person_id)
        study.design = {
            "chosen_by": chosen.chosen_by,
            "left_out": [list(pair) for pair in chosen.left_out],
            "plan": asdict(plan),
        }
        session.add(study)
        session.flush()
        _add_parts(
            session, study.id, chosen, [person.id for person in readers], [checkpoint.id for checkpoint in checkpoints]
        )
        for case in practice:
            session.add(
                StudyPracticeCase(study_id=study.id, case_id=case.case_id, image_id=case.image_id, truth=case.truth)
            )
        audit.record(session, caller.actor, "create study", f"study {study.id}", cases=len(chosen.eligible))
        return study_record(session, study)


@allowed(ADMINISTRATORS)
def open_study(caller: Caller, *, study_id: int) -> StudyRecord:
    """Seal a draft and open it for its readers.

    The reference standard and the image of each case are taken anew and frozen, and the whole design is hashed: from
    now on histology may change, and the study does not.

    Raises:
        NotFound: There is no such study.
        StudyLocked: The study is open or closed already.
        InputRejected: A case, a reader or a class that the study needs is gone.
    """
    exposures.settle(caller.store)
    with caller.store.writing() as session:
        study = find_row(session, Study, study_id)
        if study.state is not StudyState.DRAFT:
            raise StudyLocked(f"The study is {study.state.value} already; only a draft can be opened.")
        _freeze_cases(session, study)
        check_aid(caller.store, session, study)
        design = design_of(session, study)
        _check_readers_still_there(session, design.reader_ids)
        design.check()
        study.design = design.to_dict()
        study.seal_sha256 = design.sha256
        study.state = StudyState.OPEN
        study.opened_at = utc_now()
        audit.record(
            session, caller.actor, "open study", f"study {study.id}", seal=design.sha256, cases=len(design.cases)
        )
        return study_record(session, study)


@allowed(ADMINISTRATORS)
def close_study(caller: Caller, *, study_id: int, reason: str = "") -> StudyRecord:
    """Close an open study: nobody can read any more, and the results can be seen. It cannot be opened again.

    The figures are found in the same step and kept with the version of the methods, so that a report that is made by a
    later version can say what it computes otherwise.

    Args:
        caller: An administrator.
        study_id: The study.
        reason: Why it is closed while readings are missing; it becomes an amendment. Not needed where all is read.

    Raises:
        Conflict: A reader answered while it was being closed.
        InputRejected: Readings are missing and there is no reason.
        NotFound: There is no such study.
        StudyLocked: The study is not open.
    """
    exposures.settle(caller.store)
    findings = find_now(caller.store, study_id)
    with caller.store.writing() as session:
        study = find_row(session, Study, study_id)
        if study.state is not StudyState.OPEN:
            raise StudyLocked(f"The study is {study.state.value}; only an open study can be closed.")
        before = study_record(session, study)
        missing = before.n_expected - before.n_answered
        if missing > 0 and not says_something(reason):
            raise InputRejected(
                f"{missing} of {before.n_expected} readings are missing. Say why the study is closed early: the reason "
                "is recorded as an amendment and printed with the results."
            )
        if missing > 0:
            close_early(session, caller.actor, study, missing=missing, reason=reason)
        if count_readings(session, study_id) != findings["n_readings"]:
            raise Conflict("A reader answered at this very moment, and the study is still open. Close it again.")
        study.state = StudyState.CLOSED
        study.closed_at = utc_now()
        write_closing(session, study, findings)
        record = study_record(session, study)
        audit.record(session, caller.actor, "close study", f"study {study.id}", answered=record.n_answered)
        return record


@allowed(ADMINISTRATORS)
def discard_study(caller: Caller, *, study_id: int) -> None:
    """Remove a draft. What has been opened is never removed.

    Raises:
        NotFound: There is no such study.
        StudyLocked: The study is not a draft.
    """
    with caller.store.writing() as session:
        study = find_row(session, Study, study_id)
        if study.state is not StudyState.DRAFT:
            raise StudyLocked("Only a draft can be discarded; readings are kept for good.")
        session.execute(delete(Study).where(Study.id == study_id))
        audit.record(session, caller.actor, "discard study", f"study {study_id}")


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise InputRejected("Give the study a name; its readers see it.")
    if len(name) > _NAME_LENGTH:
        raise InputRejected(f"The name has {len(name)} characters; {_NAME_LENGTH} are the most.")
    return name


def _active_readers() -> Select[Person]:
    return select(Person).where(Person.role == Role.READER, Person.active)


def _readers(session: Session, reader_ids: Collection[int]) -> list[Person]:
    wanted = set(reader_ids)
    readers = list(session.scalars(_active_readers().where(Person.id.in_(wanted)).order_by(Person.id)))
    if len(readers) < len(wanted):
        raise InputRejected("Each reader must be an active person whose role is reader. See the page of people.")
    return readers


def _checkpoints(session: Session, checkpoint_ids: Collection[int]) -> list[Checkpoint]:
    wanted = set(checkpoint_ids)
    checkpoints = list(session.scalars(select(Checkpoint).where(Checkpoint.id.in_(wanted)).order_by(Checkpoint.id)))
    if len(checkpoints) < len(wanted):
        raise NotFound("A checkpoint to compare with is not in the registry. Choose another one.")
    return checkpoints


def _add_parts(
    session: Session, study_id: int, chosen: ChosenCases, reader_ids: list[int], checkpoint_ids: list[int]
) -> None:
    for eligible in chosen.eligible:
        case = eligible.case
        session.add(StudyCase(study_id=study_id, case_id=case.case_id, image_id=case.image_id, truth=case.truth))
    session.add_all(StudyReader(study_id=study_id, person_id=person_id) for person_id in reader_ids)
    session.add_all(StudyCheckpoint(study_id=study_id, checkpoint_id=checkpoint_id) for checkpoint_id in checkpoint_ids)
    session.flush()


def _freeze_cases(session: Session, study: Study) -> None:
    rows = {row.case_id: row for row in session.scalars(select(StudyCase).where(StudyCase.study_id == study.id))}
    now = eligible_now(session, rows.keys())
    if len(now) < len(rows):
        raise InputRejected(
            f"{len(rows) - len(now)} of the {len(rows)} cases have lost their label by histology or their acetic-acid "
            "image since the draft was made. Discard the draft and make the study anew."
        )
    for eligible in now:
        row = rows[eligible.case.case_id]
        row.image_id, row.truth = eligible.case.image_id, eligible.case.truth
    practised = session.scalars(select(StudyPracticeCase).where(StudyPracticeCase.study_id == study.id))
    practice = {row.case_id: row for row in practised}
    for case in practice_cases(session, practice.keys()):
        practice[case.case_id].image_id, practice[case.case_id].truth = case.image_id, case.truth
    study.design = {**study.design, "rules_versions": sorted({eligible.rules_version for eligible in now})}
    if plan_of(study).shows_stages:
        shown = {row.image_id for row in rows.values()}
        others = session.scalars(select(Image.id).where(Image.case_id.in_(rows.keys()), Image.id.not_in(shown)))
        study.design = {**study.design, "others": [{"image_id": image_id} for image_id in others]}
    session.flush()


def _check_readers_still_there(session: Session, reader_ids: tuple[int, ...]) -> None:
    active = session.scalar(
        select(func.count()).select_from(_active_readers().where(Person.id.in_(reader_ids)).subquery())
    )
    if active != len(reader_ids):
        raise InputRejected(
            "One of the readers is no longer active or no longer has the role of reader. "
            "Mend that on the page of people, or discard the draft and make the study anew."
        )
