"""Accounts, and the log of who did what.

Signing in and out stands in `signing_in`, whose functions are offered here too, so that callers need one name.
"""

import re
from collections.abc import Iterator

from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from colpo_core.errors import Conflict, InputRejected, SignInRefused
from colpo_core.records.copying import copied
from colpo_core.records.people import AuditPage, AuditRecord, PersonRecord
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.actors import as_actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.counting import count_rows
from colpo_core.services.common.permissions import ADMINISTRATORS, EVERYBODY, allowed
from colpo_core.services.people.passwords import check_new_password, hash_password
from colpo_core.services.people.signing_in import (
    check_password,
    end_sessions,
)
from colpo_core.services.studies.refusals import open_studies_of
from colpo_core.store import Store
from colpo_core.store.facts import find_row
from colpo_core.store.tables import AuditEntry, Person
from colpo_core.store.tables.base import utc_now
from colpo_core.terms import ExposureKind, Role

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,79}")
_MAX_PAGE = 500


def needs_first_administrator(store: Store) -> bool:
    """Whether nobody can sign in yet, so that the first start may make the administrator."""
    with store.reading() as session:
        return not _somebody_can_sign_in(session)


def create_first_administrator(store: Store, *, username: str, display_name: str, password: str) -> PersonRecord:
    """Make the account with which everything begins.

    Of two who try at once, one wins: the check and the account are one transaction.

    Raises:
        Conflict: Somebody can sign in already.
        InputRejected: The name or the password cannot be taken.
    """
    name, shown = _checked_names(username, display_name)
    check_new_password(password, username=name)
    if not needs_first_administrator(store):
        raise _too_late()
    password_hash = hash_password(password)
    with store.writing() as session:
        if _somebody_can_sign_in(session):
            raise _too_late()
        person = _add_person(session, name, shown, Role.ADMINISTRATOR, password_hash)
        audit.record(session, as_actor(person), "create first administrator", f"person {person.id}")
        return _as_record(person)


@allowed(ADMINISTRATORS)
def create_person(caller: Caller, *, username: str, display_name: str, role: Role, password: str) -> PersonRecord:
    """Make an account.

    Args:
        caller: An administrator.
        username: Name for signing in; letters, digits and `. _ - @`; capitals do not matter.
        display_name: Name for the screen; the username where it is empty.
        role: What the person may do.
        password: The first password; the person can change it.

    Raises:
        Conflict: The username is taken.
        InputRejected: The name or the password cannot be taken.
    """
    name, shown = _checked_names(username, display_name)
    check_new_password(password, username=name)
    password_hash = hash_password(password)
    with caller.store.writing() as session:
        person = _add_person(session, name, shown, role, password_hash)
        audit.record(session, caller.actor, "create person", f"person {person.id}", role=role.value)
        return _as_record(person)


@allowed(ADMINISTRATORS)
def list_people(caller: Caller, *, role: Role | None = None) -> tuple[PersonRecord, ...]:
    """All accounts by name, those of the program last.

    Args:
        caller: An administrator.
        role: Only people of this role; everybody when None.
    """
    query = select(Person).order_by(Person.password_hash.is_(None), Person.username)
    if role is not None:
        query = query.where(Person.role == role)
    with caller.store.reading() as session:
        return tuple(_as_record(person) for person in session.scalars(query))


@allowed(ADMINISTRATORS)
def set_password(caller: Caller, *, person_id: int, password: str) -> None:
    """Give a person a new password, lift a block, and sign the person out everywhere.

    Raises:
        InputRejected: The password cannot be taken, or the account is the program's own.
        NotFound: There is no such person.
    """
    with caller.store.reading() as session:
        username = _human(session, person_id).username
    check_new_password(password, username=username)
    password_hash = hash_password(password)
    with caller.store.writing() as session:
        person = _human(session, person_id)
        person.password_hash, person.failed_sign_ins, person.blocked_until = password_hash, 0, None
        end_sessions(session, person_id)
        audit.record(session, caller.actor, "set password", f"person {person_id}")


@allowed(EVERYBODY)
def change_password(caller: Caller, *, current: str, password: str, keep_token: str | None = None) -> None:
    """Change one's own password; every other sign-in of the person ends.

    Args:
        caller: Whose password it is.
        current: The present password.
        password: The new one.
        keep_token: The sign-in that goes on; none when None.

    Raises:
        InputRejected: The present password is wrong, or the new one cannot be taken.
    """
    try:
        check_password(caller.store, username=caller.actor.username, password=current)
    except SignInRefused as error:
        raise InputRejected(f"The present password was not accepted: {error}") from error
    check_new_password(password, username=caller.actor.username)
    if current == password:
        raise InputRejected("The new password is the present one. Take another.")
    password_hash = hash_password(password)
    with caller.store.writing() as session:
        _human(session, caller.person_id).password_hash = password_hash
        end_sessions(session, caller.person_id, except_token=keep_token)
        audit.record(session, caller.actor, "change password", f"person {caller.person_id}")


@allowed(ADMINISTRATORS)
def set_active(caller: Caller, *, person_id: int, active: bool) -> PersonRecord:
    """Let a person sign in, or no longer: then all sign-ins of the person end at once.

    Raises:
        InputRejected: It is the caller, the last administrator, or the program's own account.
        NotFound: There is no such person.
    """
    with caller.store.writing() as session:
        person = _human(session, person_id)
        if not active:
            if person.id == caller.person_id:
                raise InputRejected("You cannot deactivate yourself. Ask another administrator.")
            if person.role is Role.ADMINISTRATOR and _active_administrators(session) <= 1:
                raise InputRejected("This is the last administrator. Make another one first.")
            end_sessions(session, person_id)
        if person.active != active:
            person.active = active
            audit.record(
                session, caller.actor, "activate person" if active else "deactivate person", f"person {person_id}"
            )
        return _as_record(person)


@allowed(ADMINISTRATORS)
def set_role(caller: Caller, *, person_id: int, role: Role) -> PersonRecord:
    """Give a person another role, such as reader to an annotator who is to read in a study; all sign-ins end.

    What the person has seen before stays in the exposure ledger.

    Raises:
        Conflict: The person reads in an open study, and would see there what a reader must not.
        InputRejected: It is the caller, or the program's own account.
        NotFound: There is no such person.
    """
    with caller.store.writing() as session:
        person = _human(session, person_id)
        if person.id == caller.person_id:
            raise InputRejected("You cannot change your own role. Ask another administrator.")
        if person.role is Role.READER and role is not Role.READER and open_studies_of(session, person_id):
            raise Conflict("This person reads in an open study. Close it, or take the person off it first.")
        if person.role is not role:
            audit.record(
                session, caller.actor, "set role", f"person {person_id}", before=person.role.value, role=role.value
            )
            person.role = role
            end_sessions(session, person_id)
        return _as_record(person)


@allowed(ADMINISTRATORS)
def list_audit(
    caller: Caller,
    *,
    before: int | None = None,
    limit: int = 50,
    person_id: int | None = None,
    subject: str | None = None,
) -> AuditPage:
    """A page of the log of who did what, the newest line first.

    Args:
        caller: An administrator.
        before: Only lines older than the one with this number, as `next_before` of the page before says.
        limit: Lines at most, 1 to 500.
        person_id: Only what this person did.
        subject: Only what was done to this, such as `case 12`.

    Raises:
        ValueError: The limit is out of range.
    """
    if not 1 <= limit <= _MAX_PAGE:
        raise ValueError(f"limit must be 1 to {_MAX_PAGE}, not {limit}")
    query = select(AuditEntry, Person.username).outerjoin(Person, Person.id == AuditEntry.person_id)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    if person_id is not None:
        query = query.where(AuditEntry.person_id == person_id)
    if subject:
        query = query.where(AuditEntry.subject == subject.strip())
    with caller.store.reading() as session:
        rows = session.execute(query.order_by(AuditEntry.id.desc()).limit(limit + 1)).all()
        entries = tuple(
            AuditRecord(entry.id, entry.at, username or "nobody", entry.action, entry.subject, entry.detail)
            for entry, username in rows[:limit]
        )
    exposures.note(caller, [seen for entry in entries for seen in _seen_in_log(entry)])
    return AuditPage(entries, entries[-1].id if len(rows) > limit else None)


def _seen_in_log(entry: AuditRecord) -> Iterator[tuple[int, ExposureKind]]:
    """The log tells the grade of a specimen that was entered."""
    kind, _, number = entry.subject.partition(" ")
    if kind == "case" and number.isdecimal() and "grade" in entry.detail:
        yield int(number), ExposureKind.HISTOLOGY


def _somebody_can_sign_in(session: Session) -> bool:
    return bool(session.scalar(select(exists().where(Person.password_hash.is_not(None)))))


def _active_administrators(session: Session) -> int:
    conditions = (Person.role == Role.ADMINISTRATOR, Person.active, Person.password_hash.is_not(None))
    return count_rows(session, Person, *conditions)


def _too_late() -> Conflict:
    return Conflict("The first administrator was made already. Sign in, or ask the administrator for an account.")


def _add_person(session: Session, username: str, display_name: str, role: Role, password_hash: str) -> Person:
    person = Person(
        username=username, display_name=display_name, role=role, active=True, password_hash=password_hash,
        failed_sign_ins=0, created_at=utc_now(),
    )  # fmt: skip
    session.add(person)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(f"The username {username} is taken. Choose another one.") from error
    return person


def _human(session: Session, person_id: int) -> Person:
    person = find_row(session, Person, person_id)
    if person.password_hash is None:
        raise InputRejected("This account belongs to the program itself: nobody signs in with it.")
    return person


def _checked_names(username: str, display_name: str) -> tuple[str, str]:
    name = username.strip().casefold()
    if not _USERNAME.fullmatch(name):
        raise InputRejected(
            "A username has 2 to 80 characters: letters a to z, digits and . _ - @, and begins with a letter or digit."
        )
    shown = " ".join(display_name.split()) or name
    if len(shown) > 120 or not shown.isprintable():
        raise InputRejected("The name for the screen has at most 120 characters, all of them printable.")
    return name, shown


def _as_record(person: Person) -> PersonRecord:
    blocked = person.blocked_until
    return copied(
        PersonRecord,
        person,
        person_id=person.id,
        is_program=person.password_hash is None,
        blocked_until=blocked if blocked is not None and blocked > utc_now() else None,
    )
