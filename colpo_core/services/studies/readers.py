"""Who reads in a study after its amendments, in which orders, and which cases are kept from whom."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from colpo_core.records.studies.reading_plans import ReadingPlan
from colpo_core.services.common.counting import count_rows
from colpo_core.store.tables import (
    Exposure,
    PracticeReading,
    Presentation,
    Reading,
    Study,
    StudyAmendment,
    StudyCase,
    StudyReader,
    utc_now,
)
from colpo_core.studies.design import stored_design
from colpo_core.studies.orders import Showing, session_orders
from colpo_core.terms import AmendmentKind, ExposureKind, ExposureRule, StudyState


@dataclass(frozen=True)
class Amended:
    """What amendments have changed of a sealed study.

    Attributes:
        added: Readers who came after the seal, in that order.
        removed: Readers who do not read any more.
        sealed_question: The question that was sealed, where it was corrected since.
    """

    added: tuple[int, ...] = ()
    removed: frozenset[int] = frozenset()
    sealed_question: str | None = None


@dataclass(frozen=True)
class Exposed:
    """That a reader has seen something of a case, and since when."""

    case_id: int
    kind: ExposureKind
    first_at: datetime


def plan_of(study: Study) -> ReadingPlan:
    """How a study is read; one from before plans is read once."""
    return stored_design(study.design).plan or ReadingPlan()


def amended(session: Session, study_id: int) -> Amended:
    """What amendments have changed of a study."""
    rows = session.scalars(
        select(StudyAmendment).where(StudyAmendment.study_id == study_id).order_by(StudyAmendment.id)
    ).all()
    of = {kind: [row.change for row in rows if row.kind is kind] for kind in AmendmentKind}
    corrected = of[AmendmentKind.QUESTION_CORRECTED]
    return Amended(
        added=tuple(int(change["reader_id"]) for change in of[AmendmentKind.READER_ADDED]),
        removed=frozenset(int(change["reader_id"]) for change in of[AmendmentKind.READER_REMOVED]),
        sealed_question=str(corrected[0]["before"]) if corrected else None,
    )


def study_orders(session: Session, study: Study) -> Mapping[tuple[int, int], tuple[Showing, ...]]:
    """The order of each reader and session. A reader who is added later changes nobody else's."""
    cases = session.scalars(select(StudyCase.case_id).where(StudyCase.study_id == study.id)).all()
    readers = session.scalars(select(StudyReader.person_id).where(StudyReader.study_id == study.id)).all()
    # Sorted, so that equal studies are drawn once.
    added = amended(session, study.id).added
    plan = plan_of(study)
    return session_orders(
        sorted(cases),
        sorted(set(readers) - set(added)),
        seed=study.seed,
        n_sessions=plan.n_sessions,
        n_repeats=plan.n_repeats(len(cases)),
        added=added,
    )


def exposed_of(session: Session, study: Study, reader_id: int) -> tuple[Exposed, ...]:
    """What a reader has seen of a study's cases outside of it, up to now or to its closing.

    That a case was read, or practised with, in another study is known from what was put before the reader there: nobody
    has to have noted it.
    """
    until = study.closed_at or utc_now()
    rows = session.execute(
        select(Exposure.case_id, Exposure.kind, Exposure.first_at)
        .join(StudyCase, StudyCase.case_id == Exposure.case_id)
        .where(
            StudyCase.study_id == study.id,
            Exposure.person_id == reader_id,
            Exposure.within_study != study.id,
            Exposure.first_at <= until,
        )
        .order_by(Exposure.case_id, Exposure.kind)
    )
    noted = [Exposed(*row) for row in rows]
    return (*noted, *_read_elsewhere(session, study, reader_id, until))


def _read_elsewhere(session: Session, study: Study, reader_id: int, until: datetime) -> list[Exposed]:
    """Cases of a study that a reader was shown in other studies, since the first showing, by rising case."""
    first: dict[int, datetime] = {}
    for table in (Presentation, Reading, PracticeReading):
        shown = (
            select(table.case_id, func.min(table.shown_at))
            .join(StudyCase, StudyCase.case_id == table.case_id)
            .where(
                StudyCase.study_id == study.id,
                table.reader_id == reader_id,
                table.study_id != study.id,
                table.shown_at <= until,
            )
            .group_by(table.case_id)
        )
        for case_id, at in session.execute(shown):
            first[case_id] = min(at, first.get(case_id, at))
    return [Exposed(case_id, ExposureKind.READ, at) for case_id, at in sorted(first.items())]


def withheld_cases(session: Session, study: Study, reader_id: int) -> frozenset[int]:
    """Cases that a reader is not given any more; what was answered before the exposure stays answered."""
    if plan_of(study).exposure_rule is not ExposureRule.EXCLUDE:
        return frozenset()
    return frozenset(exposed.case_id for exposed in exposed_of(session, study, reader_id))


def count_withheld(session: Session, study: Study, reader_id: int) -> int:
    """Showings that a reader is not given: those of withheld cases that are not answered."""
    withheld = withheld_cases(session, study, reader_id)
    if not withheld:
        return 0
    orders = study_orders(session, study)
    planned = {
        (number, showing)
        for (person_id, number), order in orders.items()
        if person_id == reader_id
        for showing in order
        if showing.case_id in withheld
    }
    return len(planned - answered_showings(session, study.id, reader_id))


def answered_showings(session: Session, study_id: int, reader_id: int, *, phase: int = 1) -> set[tuple[int, Showing]]:
    """By session the showings on which a reader has made a call: the first, or the second."""
    rows = session.execute(
        select(Reading.session, Reading.case_id, Reading.occurrence).where(
            Reading.study_id == study_id, Reading.reader_id == reader_id, Reading.phase == phase
        )
    )
    return {(number, Showing(case_id, occurrence)) for number, case_id, occurrence in rows}


def expected_of(session: Session, study: Study, reader_id: int, *, n_each: int, removed: Collection[int]) -> int:
    """Readings that a reader is to give; of one who was taken off, those that were given."""
    if study.state is StudyState.DRAFT:
        return n_each
    if reader_id in removed:
        return count_rows(session, Reading, Reading.study_id == study.id, Reading.reader_id == reader_id)
    return n_each - plan_of(study).calls_a_showing * count_withheld(session, study, reader_id)
