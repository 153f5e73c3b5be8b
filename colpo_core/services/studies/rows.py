"""Looking at studies: the list, one study with its progress, and the design as the tables hold it."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from colpo_core.errors import StudyLocked
from colpo_core.records.copying import copied
from colpo_core.records.studies.designs import CheckpointProgress, ReaderProgress, StudyDetail, StudyRecord
from colpo_core.records.studies.reading_plans import ReadingPlan
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.counting import count_rows
from colpo_core.services.common.permissions import ADMINISTRATORS, allowed
from colpo_core.services.studies.cases import seen_cases
from colpo_core.services.studies.readers import amended, expected_of, plan_of
from colpo_core.store import Store
from colpo_core.store.facts import find_row
from colpo_core.store.tables import (
    Checkpoint,
    Image,
    Person,
    Prediction,
    Reading,
    Study,
    StudyCase,
    StudyCheckpoint,
    StudyPracticeCase,
    StudyReader,
)
from colpo_core.studies.design import (
    DesignCase,
    DesignCheckpoint,
    DesignImage,
    StoredDesign,
    StudyDesign,
    find_problems,
    stored_design,
)
from colpo_core.terms import Label, StudyState


@allowed(ADMINISTRATORS)
def list_studies(caller: Caller) -> tuple[StudyRecord, ...]:
    """All studies, the newest first."""
    with caller.store.reading() as session:
        return tuple(study_record(session, study) for study in session.scalars(select(Study).order_by(Study.id.desc())))


@allowed(ADMINISTRATORS)
def get_study(caller: Caller, *, study_id: int) -> StudyDetail:
    """One study with how far its readers are; nothing of what they called.

    Raises:
        NotFound: There is no such study.
    """
    with caller.store.reading() as session:
        study = find_row(session, Study, study_id)
        return study_detail(caller.store, session, study, study_record(session, study))


def study_detail(store: Store, session: Session, study: Study, record: StudyRecord) -> StudyDetail:
    """A study with how far its readers are, of its row and record."""
    readers = _reader_progress(session, study, record.n_each)
    problems: tuple[str, ...] = ()
    if study.state is StudyState.DRAFT:
        truths = session.scalars(select(StudyCase.truth).where(StudyCase.study_id == study.id))
        problems = find_problems(len(readers), truths)
    stored = stored_design(study.design)
    return StudyDetail(
        study=record,
        chosen_by=stored.chosen_by,
        left_out=stored.left_out,
        readers=readers,
        checkpoints=_checkpoint_progress(store, session, study.id, record.n_cases),
        problems=problems,
        plan=stored.plan or ReadingPlan(),
    )


def study_record(session: Session, study: Study) -> StudyRecord:
    """A study's row as a record."""
    in_study = StudyCase.study_id == study.id
    n_cases = count_rows(session, StudyCase, in_study)
    n_hsil = count_rows(session, StudyCase, in_study, StudyCase.truth == Label.HSIL)
    simulated = select(Image.id).where(Image.simulated)
    readers = session.scalars(select(StudyReader.person_id).where(StudyReader.study_id == study.id)).all()
    n_each, removed = plan_of(study).n_each(n_cases), amended(session, study.id).removed
    return copied(
        StudyRecord,
        study,
        n_cases=n_cases,
        n_normal=n_cases - n_hsil,
        n_hsil=n_hsil,
        n_simulated=count_rows(session, StudyCase, in_study, StudyCase.image_id.in_(simulated)),
        n_readers=len(readers),
        n_checkpoints=count_rows(session, StudyCheckpoint, StudyCheckpoint.study_id == study.id),
        n_answered=count_rows(session, Reading, Reading.study_id == study.id),
        n_each=n_each,
        n_expected=sum(expected_of(session, study, reader_id, n_each=n_each, removed=removed) for reader_id in readers),
        n_practice=count_rows(session, StudyPracticeCase, StudyPracticeCase.study_id == study.id),
    )


def design_of(session: Session, study: Study) -> StudyDesign:
    """A study's design as the tables hold it now, without its amendments; of a sealed study its hash is the seal."""
    cases, practice = (
        session.execute(
            select(table.case_id, table.image_id, Image.sha256, table.truth)
            .join(Image, Image.id == table.image_id)
            .where(table.study_id == study.id)
        ).all()
        for table in (StudyCase, StudyPracticeCase)
    )
    readers = session.scalars(select(StudyReader.person_id).where(StudyReader.study_id == study.id)).all()
    stored, changed = stored_design(study.design), amended(session, study.id)
    checkpoints = session.execute(
        select(Checkpoint.id, Checkpoint.sha256)
        .join(StudyCheckpoint, StudyCheckpoint.checkpoint_id == Checkpoint.id)
        .where(StudyCheckpoint.study_id == study.id)
    )
    return StudyDesign(
        name=study.name,
        question=study.question if changed.sealed_question is None else changed.sealed_question,
        chosen_by=stored.chosen_by,
        left_out=stored.left_out,
        seed=study.seed,
        rules_versions=stored.rules_versions,
        cases=tuple(DesignCase(*row) for row in cases),
        reader_ids=tuple(reader_id for reader_id in readers if reader_id not in changed.added),
        checkpoints=tuple(DesignCheckpoint(*row) for row in checkpoints),
        plan=stored.plan,
        practice=tuple(DesignCase(*row) for row in practice),
        others=_others(session, stored),
    )


def _others(session: Session, stored: StoredDesign) -> tuple[DesignImage, ...]:
    """The other images that were sealed, as the store holds them now."""
    sealed = {image.image_id for image in stored.others}
    rows = session.execute(select(Image.case_id, Image.id, Image.sha256, Image.stage).where(Image.id.in_(sealed)))
    return tuple(DesignImage(*row) for row in rows)


def check_seal(session: Session, study: Study) -> StudyDesign:
    """The design of a sealed study, once it is shown to be the one that was sealed.

    Raises:
        StudyLocked: The study is not sealed, or its tables no longer hold what was sealed.
    """
    design = design_of(session, study)
    if study.seal_sha256 is None:
        raise StudyLocked("The study is a draft. Open it first.")
    if design.sha256 != study.seal_sha256:
        raise StudyLocked(
            "The study no longer is what was sealed: somebody changed its cases, labels, readers or checkpoints in the "
            "store. Restore the store's folder from a back-up."
        )
    return design


def _reader_progress(session: Session, study: Study, n_each: int) -> tuple[ReaderProgress, ...]:
    rows = session.execute(
        select(Person.id, Person.display_name, Person.active, func.count(Reading.id))
        .join(StudyReader, StudyReader.person_id == Person.id)
        .outerjoin(Reading, (Reading.study_id == StudyReader.study_id) & (Reading.reader_id == Person.id))
        .where(StudyReader.study_id == study.id)
        .group_by(Person.id)
        .order_by(Person.display_name, Person.id)
    ).all()
    removed = amended(session, study.id).removed
    return tuple(
        ReaderProgress(
            *row,
            total=expected_of(session, study, row[0], n_each=n_each, removed=removed),
            removed=row[0] in removed,
        )
        for row in rows
    )


def _checkpoint_progress(store: Store, session: Session, study_id: int, n_cases: int) -> tuple[CheckpointProgress, ...]:
    case_ids = list(session.scalars(select(StudyCase.case_id).where(StudyCase.study_id == study_id)))
    checkpoints = session.scalars(
        select(Checkpoint)
        .join(StudyCheckpoint, StudyCheckpoint.checkpoint_id == Checkpoint.id)
        .where(StudyCheckpoint.study_id == study_id)
        .order_by(Checkpoint.id)
    )
    progress = []
    for checkpoint in checkpoints.all():
        predicted = select(Prediction.image_id).where(Prediction.checkpoint_id == checkpoint.id)
        n_seen = len(seen_cases(store, session, checkpoint, case_ids))
        n_predicted = count_rows(session, StudyCase, StudyCase.study_id == study_id, StudyCase.image_id.in_(predicted))
        progress.append(CheckpointProgress(checkpoint.id, checkpoint.name, n_predicted, n_cases, n_seen))
    return tuple(progress)
