"""Amendments: the few changes that a sealed study takes, each with its reason, for good.

The cases, their images and truths, the checkpoints, the seed and the plan are never changed: a study of other cases is
another study. The seal stays that of what was sealed; an amendment stands beside it.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.errors import Conflict, InputRejected, StudyLocked
from colpo_core.records.people import Actor
from colpo_core.records.studies.conduct import AmendmentRecord
from colpo_core.services.common import audit
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import ADMINISTRATORS, allowed
from colpo_core.services.studies.reader_names import ReaderNames, reader_names
from colpo_core.services.studies.readers import amended
from colpo_core.services.studies.rows import check_seal
from colpo_core.store.facts import find_row
from colpo_core.store.tables import Person, Study, StudyAmendment, StudyReader
from colpo_core.terms import AmendmentKind, Role, StudyState

MAX_REASON = 2000


@allowed(ADMINISTRATORS)
def add_reader(caller: Caller, *, study_id: int, reader_id: int, reason: str) -> AmendmentRecord:
    """Let another person read in an open study. The orders of the others stay as they are.

    Raises:
        NotFound: There is no such study.
        StudyLocked: The study is not open, or no longer what was sealed.
        Conflict: The person reads in it already, or was taken off it.
        InputRejected: There is no reason, or the person is no active reader.
    """
    with caller.store.writing() as session:
        study = _open(session, study_id)
        person = session.get(Person, reader_id)
        if person is None or not person.active or person.role is not Role.READER:
            raise InputRejected("A reader must be an active person whose role is reader. See the page of people.")
        if session.get(StudyReader, (study_id, reader_id)) is not None:
            raise Conflict("This person is, or was, a reader of this study already.")
        made = _amend(session, caller.actor, study, AmendmentKind.READER_ADDED, reason, reader_id=reader_id)
        session.add(StudyReader(study_id=study_id, person_id=reader_id))
        return made


@allowed(ADMINISTRATORS)
def remove_reader(caller: Caller, *, study_id: int, reader_id: int, reason: str) -> AmendmentRecord:
    """Take a reader who dropped out off an open study. What was read stays, and stays in the results.

    Raises:
        NotFound: There is no such study.
        StudyLocked: The study is not open, or no longer what was sealed.
        Conflict: The person does not read in it, or is the only one who still does.
        InputRejected: There is no reason.
    """
    with caller.store.writing() as session:
        study = _open(session, study_id)
        readers = set(session.scalars(select(StudyReader.person_id).where(StudyReader.study_id == study_id)))
        left = readers - amended(session, study_id).removed
        if reader_id not in left:
            raise Conflict("This person does not read in this study, or was taken off it already.")
        if left == {reader_id}:
            raise Conflict("This is the only reader left. Close the study instead.")
        return _amend(session, caller.actor, study, AmendmentKind.READER_REMOVED, reason, reader_id=reader_id)


@allowed(ADMINISTRATORS)
def correct_question(caller: Caller, *, study_id: int, question: str, reason: str) -> AmendmentRecord:
    """Correct the wording of an open study's question. Readers never see it.

    Raises:
        NotFound: There is no such study.
        StudyLocked: The study is not open, or no longer what was sealed.
        InputRejected: There is no reason, the wording is the present one, or it says nothing: a question stays one.
    """
    with caller.store.writing() as session:
        study = _open(session, study_id)
        after = " ".join(question.split())
        if not says_something(after):
            raise InputRejected("A question cannot be taken away after the seal. Write how it is to be worded.")
        if after == study.question:
            raise InputRejected("This is the present wording. Nothing was changed.")
        before = study.question
        made = _amend(
            session, caller.actor, study, AmendmentKind.QUESTION_CORRECTED, reason, before=before, after=after
        )
        study.question = after
        return made


def says_something(text: str) -> bool:
    """Whether a text holds a letter or a digit: blanks, dashes and invisible characters say nothing."""
    return any(character.isalnum() for character in text)


def close_early(session: Session, actor: Actor, study: Study, *, missing: int, reason: str) -> None:
    """Write down that a study is closed before all is read; the caller closes it.

    Raises:
        InputRejected: There is no reason.
    """
    _amend(session, actor, study, AmendmentKind.CLOSED_EARLY, reason, missing=missing)


def list_amendments(session: Session, study_id: int, names: ReaderNames) -> tuple[AmendmentRecord, ...]:
    """The amendments of a study, the oldest first, with its readers called as they are to be called."""
    rows = session.scalars(
        select(StudyAmendment).where(StudyAmendment.study_id == study_id).order_by(StudyAmendment.id)
    )
    return tuple(_record(session, row, names) for row in rows.all())


def _open(session: Session, study_id: int) -> Study:
    study = find_row(session, Study, study_id)
    if study.state is StudyState.DRAFT:
        raise StudyLocked("A draft needs no amendment: discard it and make the study anew.")
    if study.state is not StudyState.OPEN:
        raise StudyLocked("The study is closed, and a closed study does not change any more.")
    check_seal(session, study)
    return study


def _amend(
    session: Session, actor: Actor, study: Study, kind: AmendmentKind, reason: str, **change: object
) -> AmendmentRecord:
    reason = " ".join(reason.split())
    if not says_something(reason):
        raise InputRejected("Give the reason for the amendment: it is printed with the study's results.")
    if len(reason) > MAX_REASON:
        raise InputRejected(f"The reason is longer than {MAX_REASON:,} characters. Shorten it.")
    row = StudyAmendment(study_id=study.id, person_id=actor.person_id, kind=kind, change=change, reason=reason)
    session.add(row)
    session.flush()
    audit.record(session, actor, "amend study", f"study {study.id}", kind=kind.value)
    return _record(session, row, reader_names(session, study))


def _record(session: Session, row: StudyAmendment, names: ReaderNames) -> AmendmentRecord:
    by = names.of(row.person_id, session.get_one(Person, row.person_id).display_name)
    reader_id = row.change.get("reader_id")
    person = "" if reader_id is None else names.of(reader_id, session.get_one(Person, reader_id).display_name)
    change = {key: names.scrub(value) if isinstance(value, str) else value for key, value in row.change.items()}
    return AmendmentRecord(row.id, row.at, by, row.kind, change, names.scrub(row.reason), person)
